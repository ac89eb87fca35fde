//! Opening, starting and stopping.

use crate::{
    chain::Chain,
    config::{Config, Mining},
    error::DevchainError,
    node::{Node, unix_now},
    rpc::serve,
};
use jsonrpsee::server::ServerHandle;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::task::{AbortHandle, JoinHandle};

/// An opened chain that does not serve yet.
#[derive(Debug)]
pub struct Devchain {
    node: Arc<Node>,
    mining: Mining,
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
        let chain = Chain::open(config, config.mining == Mining::Instant, unix_now())?;
        let signers = config.accounts.iter().map(|account| account.signer.clone());
        let node = Arc::new(Node::new(config.chain_id, chain, signers.collect()));
        Ok(Self { node, mining: config.mining, listen: config.listen })
    }

    /// Serves JSON-RPC and makes blocks until the handle is stopped or dropped.
    ///
    /// # Errors
    /// [`DevchainError::Listen`] when the address is not free.
    pub async fn start(self) -> Result<Handle, DevchainError> {
        let (address, server) = serve(Arc::clone(&self.node), self.listen).await?;
        let miner = match self.mining {
            Mining::Instant => None,
            Mining::Interval(period) => {
                let task = tokio::spawn(mine_every(Arc::clone(&self.node), period));
                Some(Miner(task.abort_handle(), task))
            }
        };
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

async fn mine_every(node: Arc<Node>, period: Duration) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let node = Arc::clone(&node);
        match tokio::task::spawn_blocking(move || node.mine().map(drop)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "no block could be made"),
            Err(error) => tracing::error!(%error, "making a block was interrupted"),
        }
    }
}
