//! Opening, starting and stopping.

use crate::{
    chain::Chain,
    config::{Config, Mining},
    error::DevchainError,
    local::LocalChain,
    node::Node,
    rpc::serve,
};
use jsonrpsee::server::ServerHandle;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::task::{AbortHandle, JoinHandle};

/// An opened chain that does not serve yet.
#[derive(Debug)]
pub struct Devchain {
    node: Arc<Node>,
    listen: SocketAddr,
}

/// A chain that serves JSON-RPC and makes blocks. Dropping it stops both; every block that a client saw is already
/// on disk.
#[derive(Debug)]
pub struct Handle {
    node: Arc<Node>,
    address: SocketAddr,
    server: ServerHandle,
    miner: Option<Miner>,
}

/// The task that makes a block every period; ends when dropped.
#[derive(Debug)]
struct Miner(AbortHandle, JoinHandle<()>);

impl Devchain {
    /// Opens the chain at `config.path`, or makes a new one. Reads the whole state into memory and compares its root
    /// with the newest block. Blocks the thread.
    ///
    /// # Errors
    /// [`DevchainError`] when the database is unusable, damaged or of another chain, or the interval is zero.
    pub fn open(config: &Config) -> Result<Self, DevchainError> {
        if matches!(config.mining, Mining::Interval(period) if period < Duration::from_millis(1)) {
            return Err(DevchainError::ZeroInterval);
        }
        let metrics = Arc::default();
        let (instant, interval) = match config.mining {
            Mining::Instant => (true, None),
            Mining::Interval(period) => (false, Some(period)),
            Mining::Manual => (false, None),
        };
        let chain = Chain::open(config, instant, config.clock.now(), Arc::clone(&metrics))?;
        let signers = config.accounts.iter().map(|account| account.signer.clone());
        let node =
            Node::new(config.chain_id, chain, signers.collect(), metrics, interval, config.clock.clone());
        Ok(Self { node: Arc::new(node), listen: config.listen })
    }

    /// The same chain without network and threads, for programs that must run the same way every time: simulations.
    /// Blocks come with transactions or when they are asked for; a configured period is not kept.
    ///
    /// # Errors
    /// [`DevchainError::Methods`] never, unless two methods were given one name.
    pub fn local(self) -> Result<LocalChain, DevchainError> {
        self.node.storage.work_inline();
        LocalChain::new(self.node)
    }

    /// Serves JSON-RPC and makes blocks until the handle is stopped or dropped.
    ///
    /// # Errors
    /// [`DevchainError::Listen`] when the address is not free.
    pub async fn start(self) -> Result<Handle, DevchainError> {
        let (address, server) = serve(Arc::clone(&self.node), self.listen).await?;
        let task = tokio::spawn(mine_regularly(Arc::clone(&self.node)));
        let miner = Some(Miner(task.abort_handle(), task));
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "everybody who reaches this address can spend from the development accounts");
        }
        tracing::info!(%address, chain_id = self.node.chain_id, block = self.node.head().number(), "chain serves JSON-RPC");
        Ok(Handle { node: self.node, address, server, miner })
    }
}

impl Handle {
    /// Chain id.
    pub fn chain_id(&self) -> u64 {
        self.node.chain_id
    }

    /// Number of the newest block.
    pub fn block_number(&self) -> u64 {
        self.node.head().number()
    }

    /// Address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Endpoint for JSON-RPC over HTTP.
    pub fn http_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Endpoint for JSON-RPC over WebSocket.
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Stops serving and mining, and waits until no request is in progress.
    pub async fn stop(mut self) {
        if let Some(mut miner) = self.miner.take() {
            miner.0.abort();
            // Aborted is what we asked for; a block in progress is finished by its own thread.
            let _ = (&mut miner.1).await;
        }
        // An error means that it is already stopped.
        let _ = self.server.stop();
        self.server.clone().stopped().await;
        self.released().await;
    }

    /// Connections end a moment after their server; until then they keep the database open.
    async fn released(&self) {
        let last = async {
            while Arc::strong_count(&self.node) > 1 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        // A client that never hangs up must not keep the chain from stopping.
        let _ = tokio::time::timeout(Duration::from_secs(2), last).await;
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Makes a block every interval, whatever the interval is at the moment.
async fn mine_regularly(node: Arc<Node>) {
    let mut interval = node.interval.subscribe();
    loop {
        let period = *interval.borrow_and_update();
        let Some(period) = period else {
            if interval.changed().await.is_err() {
                return;
            }
            continue;
        };
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !interval.has_changed().unwrap_or(true) {
            tokio::select! {
                _ = ticks.tick() => mine(&node).await,
                _ = interval.changed() => {
                    interval.mark_changed();
                }
            }
        }
    }
}

async fn mine(node: &Arc<Node>) {
    let node = Arc::clone(node);
    match tokio::task::spawn_blocking(move || node.mine().map(drop)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "no block could be made"),
        Err(error) => tracing::error!(%error, "making a block was interrupted"),
    }
}
