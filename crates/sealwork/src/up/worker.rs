//! A worker with its pool: registered once, offered in the Book, served until it is stopped.

mod offer;

use super::services;
use crate::{
    connect, enclave_program,
    failure::{self, Failure},
    home::write_atomically,
    money,
    operate::{CountedStore, Pages, Registry, WorkerChecks},
    wallet::Wallet,
};
use alloy_primitives::aliases::U96;
use alloy_sol_types::SolCall;
use anyhow::{Context, Result};
use futures::{StreamExt, stream};
use offer::{Wanted, ensure_offer};
use sealwork_chain::EvmChain;
use sealwork_ports::{Chain, QuoteProvider, Store};
use sealwork_seal::sign::SigningKey;
use sealwork_simtee::{SimEnclave, SimPlatform};
use sealwork_types::{
    B256, Measurement, PoolId, Sha256Digest, U256,
    abi::{
        IRegistry::{poolCall, predictIdCall, registerPoolCall},
        kind,
    },
    evidence::TeeKind,
    manifest::document_cid,
    network::NetworkDocument,
    offer::ResourceOffer,
    progress::PoolManifest,
};
use sealwork_worker::{
    CompiledFolder, EnclaveProcess, EnclaveSettings, EnclaveTimeouts, Ports, QuoteProviderFactory, Worker,
    WorkerConfig, serve_status_with,
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tracing::error;

/// Compiled programs that are kept for enclaves to come, so many bytes at most.
const COMPILED_BYTES: u64 = 1 << 30;

/// What a worker is started with.
#[derive(Debug)]
pub(crate) struct WorkerSetup {
    pub(crate) network: NetworkDocument,
    /// Owns the pool and pays for settlements.
    pub(crate) wallet: Wallet,
    pub(crate) data: PathBuf,
    pub(crate) slots: usize,
    /// Price of one task, in whole tokens.
    pub(crate) price: String,
    /// Stake of one task, in whole tokens.
    pub(crate) stake: String,
    /// Whether requests are taken over HTTP and settled in one transaction.
    pub(crate) takes_requests: bool,
    /// How long a task that was begun may go on when the worker is asked to stop.
    pub(crate) drain: Duration,
    /// Port of the status page; 0 takes the one of the last start, or a free one.
    pub(crate) port: u16,
    /// Key file of the simulated vendor's root.
    pub(crate) sim_root: PathBuf,
    /// Where the status page's URL is written for `worker status`.
    pub(crate) url_file: PathBuf,
    pub(crate) registry: Arc<Registry>,
}

/// A worker that runs in this process.
#[derive(Debug)]
pub(crate) struct RunningWorker {
    pub(crate) url: String,
    pub(crate) pool: PoolId,
    stopping: watch::Sender<bool>,
    serving: JoinHandle<Result<()>>,
}

impl RunningWorker {
    /// Waits until the worker stops by itself, which it does when it cannot go on, and says why.
    pub(crate) async fn ended(&mut self) -> anyhow::Error {
        let stopped = || anyhow::anyhow!("the worker stopped");
        match (&mut self.serving).await {
            Ok(Err(error)) => error,
            Ok(Ok(())) => stopped(),
            Err(panic) => stopped().context(panic),
        }
    }

    /// Lets the worker finish what it has begun, as long as it may take.
    pub(crate) async fn stop(mut self) {
        // It may have ended by itself.
        let _ = self.stopping.send(true);
        // A panic in the worker was logged where it happened.
        let _ = (&mut self.serving).await;
    }
}

impl Drop for RunningWorker {
    /// What was begun is taken up again at the next start.
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Registers and offers the pool if needed and starts serving it.
pub(crate) async fn start(setup: WorkerSetup) -> Result<RunningWorker> {
    let network = &setup.network;
    let state = setup.data.join(network.contracts.market.to_string());
    std::fs::create_dir_all(&state).with_context(|| format!("create {}", state.display()))?;
    let chain: Arc<dyn Chain> = Arc::new(EvmChain::connect(network, setup.wallet.signer.clone()).await?);
    let registry = Arc::clone(&setup.registry);
    let store: Arc<dyn Store> =
        Arc::new(CountedStore::new(connect::store(&network.store)?, Arc::clone(&registry)));
    let (listener, address) = listen(setup.port, &state).await?;
    let url = format!("http://{address}");
    let pool = ensure_pool(&*chain, &store, &setup.wallet.key, &url).await?;
    let price = money::parse_price(&setup.price)?;
    let settings = EnclaveSettings {
        network: network.clone(),
        quotes: simulated_platform(&setup.sim_root, &setup.data)?,
        clock: connect::clock(),
        slots: setup.slots,
        timeouts: EnclaveTimeouts::default(),
    };
    let program = enclave_program::path()?;
    let compiled = CompiledFolder::new(setup.data.join("compiled"), COMPILED_BYTES);
    let enclaves = tokio::task::spawn_blocking(move || EnclaveProcess::new(&program, settings)).await??;
    let enclaves = enclaves.keeping_compiled(compiled);
    let offer = put_document(&store, resources(setup.slots, enclaves.measurement())?.to_bytes()).await?;
    let stake = money::parse_price(&setup.stake)?;
    covers(&*chain, stake).await?;
    let wanted = Wanted { pool, price, stake, offer };
    ensure_offer(&*chain, &setup.wallet.key, &wanted).await?;
    let config = WorkerConfig {
        pool,
        slots: setup.slots,
        state_dir: state,
        takes_requests: setup.takes_requests,
        drain: setup.drain,
    };
    let ports = Ports::new(Arc::clone(&chain), Arc::clone(&store), Arc::new(enclaves), connect::clock());
    let worker = Worker::open(config, ports)?;
    let probe = WorkerChecks { worker: worker.clone(), chain, store, stored: document_cid(offer) };
    let pages = Pages::new("worker", registry, Arc::new(probe));
    write_atomically(&setup.url_file, url.as_bytes())?;
    let (stop, stopping) = watch::channel(false);
    let serving = tokio::spawn(serve(worker, listener, pages, stopping));
    Ok(RunningWorker { url, pool, stopping: stop, serving })
}

async fn serve(
    worker: Worker,
    listener: TcpListener,
    pages: Pages,
    stopping: watch::Receiver<bool>,
) -> Result<()> {
    // Whoever waits for a task can ask until it is done.
    let (ended, end) = watch::channel(false);
    let furnish = |router| pages.beside(router, true);
    let page = serve_status_with(worker.clone(), listener, furnish, services::stopped(end));
    let work = async {
        let work = worker.run(stopping).await;
        ended.send_replace(true);
        work
    };
    let (page, work) = tokio::join!(page, work);
    if let Err(failure) = page {
        error!(%failure, "worker.status_page_stopped");
    }
    if let Err(failure) = &work {
        error!(failure = failure as &dyn std::error::Error, "worker.stopped");
    }
    work.map_err(anyhow::Error::from)
}

/// A match takes the stake from the pool's account; without cover nobody could match the order.
async fn covers(chain: &dyn Chain, stake: U96) -> Result<()> {
    let available = chain.account(chain.sender()).await?.available;
    if U256::from(available) >= U256::from(stake) {
        return Ok(());
    }
    let [available, stake] = [U256::from(available), U256::from(stake)].map(money::show);
    let text =
        format!("the wallet's account holds {available} tokens, a stake of {stake} cannot be taken from it");
    Err(Failure::new(failure::FAILED, text)
        .hint("`sealwork account deposit AMOUNT` first, enough for all tasks at the same time")
        .into())
}

/// The pool's page keeps its address between starts, because the pool's manifest names it.
async fn listen(port: u16, state: &Path) -> Result<(TcpListener, SocketAddr)> {
    let file = state.join("port");
    let remembered: u16 =
        std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let bound = match port {
        0 if remembered != 0 => match services::bind(remembered).await {
            Ok(bound) => bound,
            Err(_) => services::bind(0).await?,
        },
        port => services::bind(port).await?,
    };
    write_atomically(&file, bound.1.port().to_string().as_bytes())?;
    Ok(bound)
}

async fn ensure_pool(
    chain: &dyn Chain,
    store: &Arc<dyn Store>,
    key: &SigningKey,
    url: &str,
) -> Result<PoolId> {
    let manifest = PoolManifest { version: 1, name: "pool of one".into(), url: url.to_owned() };
    let hash = put_document(store, serde_json::to_vec_pretty(&manifest)?).await?;
    let registry = chain.deployment().contracts.registry;
    let predict = predictIdCall { kind: kind::POOL, owner: key.address(), manifestHash: hash };
    let id = predictIdCall::abi_decode_returns(&chain.call(registry, predict.abi_encode()).await?)?;
    let registered = chain.call(registry, poolCall { id }.abi_encode()).await.ok();
    let owner =
        registered.and_then(|answer| poolCall::abi_decode_returns(&answer).ok()).map(|pool| pool.owner);
    if owner.is_none_or(|owner| owner.is_zero()) {
        let call = registerPoolCall { owner: key.address(), manifestHash: hash };
        chain.send(registry, call.abi_encode()).await.context("register the pool")?;
    }
    Ok(PoolId::new(id))
}

/// Stores a small document; it lies under its SHA-256.
async fn put_document(store: &Arc<dyn Store>, bytes: Vec<u8>) -> Result<B256> {
    let hash = Sha256Digest::of(&bytes);
    let cid = store.put(stream::once(async move { Ok(bytes.into()) }).boxed()).await?;
    anyhow::ensure!(cid == document_cid(hash), "storage named a document {cid} instead of its hash");
    Ok(hash)
}

/// What this machine offers.
fn resources(slots: usize, measurement: Measurement) -> Result<ResourceOffer> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    Ok(ResourceOffer {
        version: 1,
        slots: u32::try_from(slots)?,
        cpus: u32::try_from(std::thread::available_parallelism()?.get())?,
        memory_bytes: total.and_then(|kib| kib.trim().parse::<u64>().ok()).unwrap_or(0).saturating_mul(1024),
        tee: TeeKind::Sim,
        measurement,
    })
}

/// A platform of the simulated vendor for this worker, kept between starts.
fn simulated_platform(sim_root: &Path, data: &Path) -> Result<QuoteProviderFactory> {
    let root = super::keys::sim_root(sim_root)?;
    // Named after its root: a platform of another vendor would never be accepted.
    let vendor = hex::encode(Sha256Digest::of(&root.public_key()).as_slice().get(..4).unwrap_or_default());
    let path = data.join(format!("platform-{vendor}.key"));
    let platform = match SimPlatform::load(&path)? {
        Some(platform) => platform,
        None => {
            let platform = root.certify("local worker platform", 1)?;
            platform.save(&path)?;
            platform
        }
    };
    let platform = Arc::new(platform);
    Ok(Arc::new(move |measurement: Measurement| {
        Arc::new(SimEnclave::new(SimPlatform::clone(&platform), measurement)) as Arc<dyn QuoteProvider>
    }))
}
