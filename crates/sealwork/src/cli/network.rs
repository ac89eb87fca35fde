//! Local networks: `up`, `demo`, `chain`, `store`, `worker`, `cas`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `sealwork up`
#[derive(Clone, Debug, Args)]
pub(crate) struct UpArgs {
    /// Folder for the network's state [default: HOME/local]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Use this chain instead of the embedded one (JSON-RPC URL, for example an anvil; several of one chain separated by
    /// commas, the most trusted first)
    #[arg(long, value_name = "URL[,URL...]")]
    pub(crate) rpc: Option<String>,
    /// Use this storage instead of the embedded one (Kubo RPC URL)
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// Use the CAS of this network document instead of starting one
    #[arg(long, value_name = "FILE")]
    pub(crate) cas: Option<PathBuf>,
    /// First of five ports on 127.0.0.1: chain, storage, CAS, CAS for enclaves, worker; 0 takes free ones
    #[arg(long, default_value_t = 8545, value_name = "PORT")]
    pub(crate) port: u16,
    /// Tasks that the worker runs at the same time
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) slots: usize,
    /// Do not start a worker; start one with `sealwork worker start`
    #[arg(long)]
    pub(crate) no_worker: bool,
    /// Mine a block every so many milliseconds instead of one for each transaction
    #[arg(long, value_name = "MS")]
    pub(crate) block_time_ms: Option<u64>,
}

/// `sealwork demo`
#[derive(Clone, Debug, Args)]
pub(crate) struct DemoArgs {
    /// Folder with the examples [default: examples beside the working folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) examples: Option<PathBuf>,
}

/// `sealwork worker …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum WorkerCommand {
    /// Register a pool if needed, offer it, and serve its tasks in the foreground
    Start(WorkerArgs),
    /// Show what a running worker does
    Status {
        /// The worker's URL [default: the one that the last worker here printed]
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
}

/// `sealwork worker start`
#[derive(Clone, Debug, Args)]
pub(crate) struct WorkerArgs {
    /// Folder for the job log and the platform key [default: HOME/worker]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Tasks at the same time
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) slots: usize,
    /// Price of one task, in whole tokens
    #[arg(long, default_value = "1", value_name = "TOKENS")]
    pub(crate) price: String,
    /// Stake put up for each task from the wallet's account, in whole tokens; lost when a task fails by the worker's fault
    #[arg(long, default_value = "0", value_name = "TOKENS")]
    pub(crate) stake: String,
    /// Also take requests over HTTP and settle each in one transaction; a requester who spends the money elsewhere
    /// meanwhile gets the work for nothing
    #[arg(long)]
    pub(crate) take_requests: bool,
    /// When asked to stop, finish tasks that were begun for at most so many seconds; the rest is taken up at the next start
    #[arg(long, default_value_t = 30, value_name = "S")]
    pub(crate) drain: u64,
    /// Port of the status page on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(crate) port: u16,
    /// Key file of the simulated vendor's root, which a local network keeps in its data folder
    #[arg(long, value_name = "FILE")]
    pub(crate) sim_root: Option<PathBuf>,
}

/// `sealwork store …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Run the embedded storage alone in the foreground; it speaks a subset of the Kubo RPC
    Start(StoreArgs),
}

/// `sealwork store start`
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    /// Folder with the blocks [default: HOME/local/store]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 5001, value_name = "PORT")]
    pub(crate) port: u16,
}

/// `sealwork cas …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum CasCommand {
    /// Run a CAS member in the foreground
    Start(CasArgs),
    /// Show or check the release log of the network's CAS members
    Log {
        /// Check every entry, inclusion and the signed head instead of listing
        #[arg(long)]
        verify: bool,
        /// First entry to list
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
}

/// `sealwork cas start`
#[derive(Clone, Debug, Args)]
pub(crate) struct CasArgs {
    /// Folder with the member's keys and log [default: HOME/local/cas]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Key file of the simulated vendor's root
    #[arg(long, value_name = "FILE")]
    pub(crate) sim_root: Option<PathBuf>,
}

/// `sealwork chain`
#[derive(Clone, Debug, Args)]
pub(crate) struct ChainArgs {
    /// Port for JSON-RPC, HTTP and WebSocket; 0 takes a free one
    #[arg(long, default_value_t = 8545, value_name = "PORT")]
    pub(crate) port: u16,
    /// Address to listen at
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    pub(crate) host: std::net::IpAddr,
    /// Database file, kept between starts [default: everything in memory]
    #[arg(long, visible_alias = "state", value_name = "FILE")]
    pub(crate) path: Option<PathBuf>,
    /// Chain id
    #[arg(long, default_value_t = sealwork_devchain::DEFAULT_CHAIN_ID, value_name = "ID")]
    pub(crate) chain_id: u64,
    /// Development accounts that are funded, 0 to 10
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=10))]
    pub(crate) accounts: u8,
    /// Coins of each account in the first block
    #[arg(long, default_value = "10000", value_name = "COINS")]
    pub(crate) balance: String,
    /// Make a block every so many seconds, such as 2 or 0.5, instead of one for each transaction
    #[arg(long, value_name = "S", conflicts_with = "no_mining")]
    pub(crate) block_time: Option<String>,
    /// Make blocks only when a client asks for one
    #[arg(long)]
    pub(crate) no_mining: bool,
    /// Gas of a block, at least 21,000, which the smallest transaction takes
    #[arg(long, default_value_t = sealwork_devchain::DEFAULT_GAS_LIMIT, value_name = "GAS", value_parser = clap::value_parser!(u64).range(21_000..))]
    pub(crate) gas_limit: u64,
    /// Base fee of the first block, in wei per gas; later blocks have what EIP-1559 says
    #[arg(long, default_value_t = sealwork_devchain::DEFAULT_BASE_FEE, value_name = "WEI")]
    pub(crate) base_fee: u64,
}
