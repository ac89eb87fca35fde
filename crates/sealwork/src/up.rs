//! `sealwork up`: a whole local network in one process tree.

mod deployment;
mod keys;
mod services;
pub(crate) mod worker;

pub(crate) use deployment::fund;
pub(crate) use keys::{signing_key, sim_root};
pub(crate) use services::{CasEndpoints, CasSetup, serve_cas, serve_store};

use crate::{
    cli::UpArgs,
    commands::Context,
    home::{read_network, write_atomically},
    money,
    operate::Supervisor,
    wallet,
};
use anyhow::{Context as _, Result};
use deployment::Deployed;
use sealwork_devchain::DEV_PRIVATE_KEYS;
use sealwork_types::{U256, network::NetworkDocument};
use serde_json::json;
use services::Services;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::sync::watch;
use worker::{RunningWorker, WorkerSetup};

/// Tokens that the development wallet starts with.
const DEV_TOKENS: u64 = 1_000_000;
/// Index of the worker's account among the development accounts.
const WORKER_ACCOUNT: usize = 2;
/// Price of the local worker, in whole tokens.
const LOCAL_PRICE: &str = "1";

/// How long tasks of the local worker may go on when the network is asked to stop.
const LOCAL_DRAIN: Duration = Duration::from_secs(3);

/// A local network that runs.
pub(crate) struct Network {
    pub(crate) document: NetworkDocument,
    pub(crate) worker: Option<RunningWorker>,
    services: Services,
    stop: watch::Sender<bool>,
}

/// Runs a local network until it is interrupted.
pub(crate) async fn run(context: &Context, arguments: UpArgs) -> Result<u8> {
    let network = Box::pin(Network::start(context, &arguments)).await?;
    let document = &network.document;
    let worker = network.worker.as_ref().map(|worker| worker.url.clone());
    context.output.answer(
        &json!({
            "ready": true, "chain": document.rpc, "chain_id": document.anchors.domain.chain_id,
            "store": document.store, "cas": document.cas, "worker": worker,
            "network": context.home.network_path(), "contracts": document.contracts,
        }),
        || banner(context, document, worker.as_deref()),
    );
    let mut supervisor = Supervisor::from_environment();
    supervisor.ready();
    interrupted().await;
    supervisor.stopping();
    context.output.note("stopping");
    network.stop().await;
    Ok(0)
}

impl Network {
    /// Starts everything and writes the network document.
    pub(crate) async fn start(context: &Context, arguments: &UpArgs) -> Result<Self> {
        let data = arguments.data.clone().unwrap_or_else(|| context.home.path("local"));
        std::fs::create_dir_all(&data).with_context(|| format!("create {}", data.display()))?;
        let (stop, stopping) = watch::channel(false);
        let mut services = Services::new(stopping, context.operate.registry());
        let document = match &arguments.cas {
            Some(path) => joined(arguments, &mut services, &data, path).await?,
            None => created(arguments, &mut services, &data).await?,
        };
        write_atomically(&context.home.network_path(), &document.to_bytes())?;
        if document.anchors.is_development() {
            wallet::ensure_dev(&context.home, &DEV_PRIVATE_KEYS[1])?;
            let dev = wallet::unlock(&context.home, wallet::DEV_WALLET)?;
            deployment::top_up(&document, dev.key.address(), money::parse(&DEV_TOKENS.to_string())?).await?;
        }
        let worker = match arguments.no_worker {
            true => None,
            false => Some(worker::start(local_worker(context, arguments, &data, &document)).await?),
        };
        Ok(Self { document, worker, services, stop })
    }

    /// Stops everything, giving running requests a moment.
    pub(crate) async fn stop(self) {
        if let Some(worker) = self.worker {
            worker.stop().await;
        }
        // Nobody listening any more is fine.
        let _ = self.stop.send(true);
        self.services.stopped().await;
    }
}

/// A network of our own: chain, contracts, CAS, storage.
async fn created(arguments: &UpArgs, services: &mut Services, data: &Path) -> Result<NetworkDocument> {
    let rpc = services.chain(arguments, data).await?;
    let store = services.store(arguments, data).await?;
    let cas_key = signing_key(&data.join("cas/signing.key"))?;
    let Deployed { contracts, deployed_at, chain_id } =
        deployment::ensure(&rpc, data, cas_key.address()).await?;
    let sim_root = sim_root(&data.join("sim-root.key"))?;
    let endpoints = services::bind_cas(arguments).await?;
    let document = deployment::document(deployment::DocumentParts {
        chain_id,
        contracts,
        deployed_at,
        rpc,
        store,
        cas: endpoints.member(cas_key.address()),
        sim_root: sim_root.public_key(),
    })?;
    let state_dir = data.join("cas");
    let setup = CasSetup {
        document: &document,
        state_dir,
        key: cas_key,
        sim_root: &sim_root,
        endpoints,
        registry: services.registry(),
    };
    services.cas(setup).await?;
    Ok(document)
}

/// The contracts and CAS of an existing network, with our own chain endpoint or storage where asked.
async fn joined(
    arguments: &UpArgs,
    services: &mut Services,
    data: &Path,
    path: &Path,
) -> Result<NetworkDocument> {
    let mut document = read_network(path)?;
    if let Some(rpc) = &arguments.rpc {
        document.rpc.clone_from(rpc);
    }
    if arguments.store.is_some() {
        document.store = services.store(arguments, data).await?;
    }
    Ok(document)
}

fn local_worker(
    context: &Context,
    arguments: &UpArgs,
    data: &Path,
    document: &NetworkDocument,
) -> WorkerSetup {
    WorkerSetup {
        network: document.clone(),
        wallet: keys::dev_wallet(WORKER_ACCOUNT),
        data: data.join("worker"),
        slots: arguments.slots,
        price: LOCAL_PRICE.to_owned(),
        stake: "0".to_owned(),
        takes_requests: true,
        drain: LOCAL_DRAIN,
        port: services::port(arguments, 4),
        sim_root: data.join("sim-root.key"),
        url_file: context.home.path("worker.url"),
        registry: context.operate.registry(),
    }
}

fn banner(context: &Context, document: &NetworkDocument, worker: Option<&str>) -> String {
    let cas: Vec<_> =
        document.cas.iter().map(|member| format!("{} (enclaves: {})", member.url, member.tls)).collect();
    format!(
        "network {} is up; simulated TEE, for development only\n  chain     {} (id {})\n  storage   {}\n  CAS       {}\n  \
         worker    {}\n  document  {}\n  wallet    dev, with {} test tokens\nin another terminal: sealwork new hello && cd \
         hello && sealwork build && sealwork publish && sealwork run hello\nstop with Ctrl-C",
        document.name,
        document.rpc,
        document.anchors.domain.chain_id,
        document.store,
        cas.join(", "),
        worker.unwrap_or("none; `sealwork worker start` starts one"),
        context.home.network_path().display(),
        U256::from(DEV_TOKENS),
    )
}

/// Waits for Ctrl-C or a request to terminate.
pub(crate) async fn interrupted() {
    let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Where a local network keeps the simulated vendor's root key.
pub(crate) fn default_sim_root(context: &Context) -> PathBuf {
    context.home.path("local/sim-root.key")
}
