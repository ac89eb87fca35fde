//! Chain, storage and CAS of a local network, each embedded or somebody else's.

use crate::{
    cli::UpArgs,
    connect, enclave_program,
    failure::{self, Failure},
    operate::{CasChecks, Pages, Registry, StoreChecks},
};
use anyhow::{Context, Result};
use sealwork_cas::{Member, MemberConfig, RateLimit, ServeLimits, serve_http_with, serve_tls};
use sealwork_chain::EvmChain;
use sealwork_devchain::{Config, Devchain, Handle, Mining};
use sealwork_ports::Chain;
use sealwork_seal::sign::SigningKey;
use sealwork_simtee::{SimEnclave, SimRoot};
use sealwork_store::{LocalOptions, LocalStore, serve_with};
use sealwork_types::{
    Address,
    network::{CasMember, NetworkDocument},
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tracing::error;

/// How often a CAS member's log is looked at.
const LOG_CHECKED_EVERY: Duration = Duration::from_secs(2);
/// Time that services get to end.
const GRACE: Duration = Duration::from_secs(5);

/// Services that this process runs.
pub(crate) struct Services {
    chain: Option<Handle>,
    tasks: JoinSet<()>,
    stopping: watch::Receiver<bool>,
    registry: Arc<Registry>,
}

impl Services {
    pub(crate) fn new(stopping: watch::Receiver<bool>, registry: Arc<Registry>) -> Self {
        Self { chain: None, tasks: JoinSet::new(), stopping, registry }
    }

    pub(crate) fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry)
    }

    /// JSON-RPC URL of the chain, which is started unless one was given.
    pub(crate) async fn chain(&mut self, arguments: &UpArgs, data: &Path) -> Result<String> {
        if let Some(rpc) = &arguments.rpc {
            return Ok(rpc.clone());
        }
        let mining =
            arguments.block_time_ms.map_or(Mining::Instant, |ms| Mining::Interval(Duration::from_millis(ms)));
        let config = Config {
            path: Some(data.join("chain.redb")),
            mining,
            listen: local(port(arguments, 0)),
            ..Config::default()
        };
        let chain = tokio::task::spawn_blocking(move || Devchain::open(&config))
            .await?
            .context("open the embedded chain")?;
        let handle = chain.start().await.map_err(|error| busy(error, port(arguments, 0)))?;
        let url = handle.http_url();
        self.chain = Some(handle);
        Ok(url)
    }

    /// Kubo RPC URL of storage, which is started unless one was given.
    pub(crate) async fn store(&mut self, arguments: &UpArgs, data: &Path) -> Result<String> {
        if let Some(store) = &arguments.store {
            return Ok(store.clone());
        }
        let (path, registry) = (data.join("store"), Arc::clone(&self.registry));
        let port = port(arguments, 1);
        let address = serve_store(&mut self.tasks, path, port, registry, &self.stopping).await?;
        Ok(format!("http://{address}"))
    }

    /// Starts the network's CAS member.
    pub(crate) async fn cas(&mut self, setup: CasSetup<'_>) -> Result<()> {
        serve_cas(&mut self.tasks, setup, &self.stopping).await
    }

    /// Waits until every service ended, or gives up after a moment.
    pub(crate) async fn stopped(mut self) {
        let ending = async { while self.tasks.join_next().await.is_some() {} };
        // A service that hangs must not keep the network from stopping.
        let _ = tokio::time::timeout(GRACE, ending).await;
        if let Some(chain) = self.chain {
            chain.stop().await;
        }
    }
}

/// Opens the storage in a folder and serves it.
pub(crate) async fn serve_store(
    tasks: &mut JoinSet<()>,
    folder: PathBuf,
    port: u16,
    registry: Arc<Registry>,
    stopping: &watch::Receiver<bool>,
) -> Result<SocketAddr> {
    let path = folder.clone();
    let opening = tokio::task::spawn_blocking(move || LocalStore::open(path, LocalOptions::default()));
    let store = opening.await?.context("open the embedded storage")?;
    let (listener, address) = bind(port).await?;
    let stop = stopped(stopping.clone());
    let pages = Pages::new("store", registry, Arc::new(StoreChecks { store: store.clone(), folder }));
    tasks.spawn(async move {
        let served = serve_with(listener, store, |router| pages.beside(router, true), stop);
        if let Err(failure) = served.await {
            error!(%failure, "store.stopped");
        }
    });
    Ok(address)
}

/// The two listeners of a CAS member.
pub(crate) struct CasEndpoints {
    http: TcpListener,
    tls: TcpListener,
    http_address: SocketAddr,
    tls_address: SocketAddr,
}

impl CasEndpoints {
    /// Listens at two addresses, such as those in a network document.
    pub(crate) async fn at(http: &str, tls: &str) -> Result<Self> {
        let listen = |address: String| async move {
            TcpListener::bind(&address).await.with_context(|| format!("listen at {address}"))
        };
        let (http, tls) = (listen(http.to_owned()).await?, listen(tls.to_owned()).await?);
        let (http_address, tls_address) = (http.local_addr()?, tls.local_addr()?);
        Ok(Self { http, tls, http_address, tls_address })
    }

    /// How a network document names them.
    pub(crate) fn member(&self, address: Address) -> CasMember {
        CasMember { address, url: format!("http://{}", self.http_address), tls: self.tls_address.to_string() }
    }
}

/// Listens for the CAS member of a local network.
pub(crate) async fn bind_cas(arguments: &UpArgs) -> Result<CasEndpoints> {
    let (http, http_address) = bind(port(arguments, 2)).await?;
    let (tls, tls_address) = bind(port(arguments, 3)).await?;
    Ok(CasEndpoints { http, tls, http_address, tls_address })
}

/// What a CAS member is started with.
pub(crate) struct CasSetup<'a> {
    pub(crate) document: &'a NetworkDocument,
    /// Folder with the member's secret and log.
    pub(crate) state_dir: PathBuf,
    pub(crate) key: SigningKey,
    pub(crate) sim_root: &'a SimRoot,
    pub(crate) endpoints: CasEndpoints,
    pub(crate) registry: Arc<Registry>,
}

/// Starts the CAS member of a network document with a simulated TEE.
pub(crate) async fn serve_cas(
    tasks: &mut JoinSet<()>,
    setup: CasSetup<'_>,
    stopping: &watch::Receiver<bool>,
) -> Result<()> {
    let CasSetup { document, state_dir, key, sim_root, endpoints, registry } = setup;
    // The member only reads the chain; a throw-away key keeps its signing key out of reach of transactions.
    let reader = alloy_signer_local::PrivateKeySigner::random();
    let binary = std::env::current_exe().context("find this program's own path")?;
    let platform = sim_root.certify("local CAS platform", 1)?;
    let chain: Arc<dyn Chain> = Arc::new(EvmChain::connect(document, reader).await?);
    let folder = state_dir.clone();
    let config = MemberConfig {
        state_dir,
        anchors: document.anchors.clone(),
        signing_key: key,
        quote: Arc::new(SimEnclave::new(platform, sealwork_simtee::measure_file(&binary)?)),
        chain: Arc::clone(&chain),
        clock: connect::clock(),
        grantable: vec![enclave_program::accepted()?],
        grant_debuggable: false,
        rate_limit: RateLimit::default(),
        serve: ServeLimits::default(),
    };
    let member = Member::open(config)?;
    let CasEndpoints { http, tls, .. } = endpoints;
    let probe = CasChecks { member: Arc::clone(&member), chain, folder };
    let pages = Pages::new("cas", registry, Arc::new(probe));
    let (http_member, http_stop) = (Arc::clone(&member), stopped(stopping.clone()));
    tasks.spawn(async move {
        let served = serve_http_with(http_member, http, |router| pages.beside(router, false), http_stop);
        if let Err(failure) = served.await {
            error!(%failure, "cas.http_stopped");
        }
    });
    tasks.spawn(until_broken(Arc::clone(&member), stopped(stopping.clone())));
    let tls_stop = stopped(stopping.clone());
    tasks.spawn(async move {
        if let Err(failure) = serve_tls(member, tls, tls_stop).await {
            error!(%failure, "cas.tls_stopped");
        }
    });
    Ok(())
}

/// Ends when the member's log does not work any more: after a failure of the disk only a new start opens it again.
async fn until_broken(member: Arc<Member>, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(LOG_CHECKED_EVERY) => {}
        }
        let member = Arc::clone(&member);
        match tokio::task::spawn_blocking(move || member.log_head()).await {
            Ok(Ok(_)) => {}
            Ok(Err(failure)) => return error!(%failure, "cas.log_broken"),
            Err(failure) => return error!(%failure, "cas.log_broken"),
        }
    }
}

/// Port number `offset` of a local network; 0 stays 0.
pub(crate) const fn port(arguments: &UpArgs, offset: u16) -> u16 {
    if arguments.port == 0 { 0 } else { arguments.port.saturating_add(offset) }
}

/// Listens on a loopback port.
pub(crate) async fn bind(port: u16) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(local(port)).await.map_err(|error| busy(error, port))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Completes when the network stops.
pub(crate) async fn stopped(mut stopping: watch::Receiver<bool>) {
    // A dropped sender means that the network is gone.
    let _ = stopping.wait_for(|stop| *stop).await;
}

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn busy(error: impl std::fmt::Display, port: u16) -> anyhow::Error {
    Failure::new(failure::FAILED, format!("cannot listen on 127.0.0.1:{port}: {error}"))
        .hint("is another network running? Choose other ports with --port, or --port 0 for free ones")
        .into()
}
