//! The command line, as clap sees it. Behavior lives in `commands`.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Run programs on data nobody else may see, on machines nobody has to trust, with proofs anyone can check.
#[derive(Debug, Parser)]
#[command(
    name = "sealwork",
    version,
    about,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 network not reachable,\n4 a proof does not hold, 5 the task ended with a status other than SUCCESS, 6 wallet or passphrase.\nDocs: README.md and docs/cli.md"
)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// Print one JSON object a line on standard output instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Folder for wallets, the network document and local networks [default: ~/.sealwork]
    #[arg(long, global = true, env = "SEALWORK_HOME", value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Network document to use [default: HOME/network.json, which `sealwork up` writes]
    #[arg(long, global = true, env = "SEALWORK_NETWORK", value_name = "FILE")]
    pub(crate) network: Option<PathBuf>,
    /// Wallet to use
    #[arg(long, global = true, env = "SEALWORK_WALLET", value_name = "NAME", default_value = "dev")]
    pub(crate) wallet: String,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a whole local network in the foreground: chain, storage, CAS, worker
    Up(UpArgs),
    /// Start a network, run the example `cohort` on real data, check the receipt, stop
    Demo(DemoArgs),
    /// Create an app project
    New {
        /// Folder to create; its name becomes the app's name
        path: PathBuf,
    },
    /// Compile an app project to WebAssembly
    Build {
        /// Project folder
        #[arg(default_value = ".")]
        path: PathBuf,
    },
    /// Register an app and offer it on the market
    Publish(PublishArgs),
    /// Seal an input, run an app on it, check the receipt, open the output
    Run(RunArgs),
    /// Tasks of this wallet
    #[command(subcommand)]
    Task(TaskCommand),
    /// Check a receipt offline
    Verify(VerifyArgs),
    /// Show what stands behind an app or an enclave
    #[command(subcommand)]
    Inspect(InspectCommand),
    /// Money of this wallet
    #[command(subcommand)]
    Account(AccountCommand),
    /// Wallets on this machine
    #[command(subcommand)]
    Wallet(WalletCommand),
    /// Run a worker
    #[command(subcommand)]
    Worker(WorkerCommand),
    /// Run or audit a CAS member
    #[command(subcommand)]
    Cas(CasCommand),
    /// Check this machine and the network, and say what to fix
    Doctor,
}

/// `sealwork up`
#[derive(Clone, Debug, Args)]
pub(crate) struct UpArgs {
    /// Folder for the network's state [default: HOME/local]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Use this chain instead of the embedded one (JSON-RPC URL, for example an anvil)
    #[arg(long, value_name = "URL")]
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

/// `sealwork publish`
#[derive(Clone, Debug, Args)]
pub(crate) struct PublishArgs {
    /// Project folder with a sealwork.toml
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Price of one task, in whole tokens
    #[arg(long, default_value = "0", value_name = "TOKENS")]
    pub(crate) price: String,
    /// Tasks that the offer covers
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    pub(crate) volume: u32,
    /// Days until the offer ends
    #[arg(long, default_value_t = 365, value_name = "DAYS")]
    pub(crate) days: u64,
}

/// `sealwork run`
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// App id, or the name of an app that this machine published
    pub(crate) app: String,
    /// File for the program's /in folder; NAME=PATH gives it another name. May be repeated
    #[arg(short, long = "file", value_name = "[NAME=]PATH")]
    pub(crate) files: Vec<String>,
    /// File for the program's standard input, of any size; - reads at most 64 MiB from this terminal or pipe
    #[arg(long, value_name = "PATH")]
    pub(crate) stdin: Option<PathBuf>,
    /// Folder for the files that the program writes to /out
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Where to write the receipt [default: receipt-TASK.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
    /// Pool to use [default: the cheapest that answers]
    #[arg(long, value_name = "ID")]
    pub(crate) pool: Option<String>,
    /// Highest price accepted for the task, in whole tokens
    #[arg(long, value_name = "TOKENS")]
    pub(crate) max_price: Option<String>,
    /// Seconds to wait for the result
    #[arg(long, default_value_t = 3_600, value_name = "S")]
    pub(crate) timeout: u64,
    /// Fail instead of moving missing money from the wallet into escrow
    #[arg(long)]
    pub(crate) no_deposit: bool,
    /// Arguments of the program; sealed like everything else
    #[arg(last = true)]
    pub(crate) args: Vec<String>,
}

/// `sealwork task …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum TaskCommand {
    /// List the tasks of this wallet
    List,
    /// Show a task
    Show {
        /// Task id or its beginning
        task: String,
    },
    /// Wait until a task is settled or refunded
    Wait {
        /// Task id or its beginning
        task: String,
        /// Seconds to wait
        #[arg(long, default_value_t = 3_600, value_name = "S")]
        timeout: u64,
    },
    /// Check a settled task's receipt and open its output
    Fetch {
        /// Task id or its beginning
        task: String,
        /// Folder for the files that the program wrote to /out
        #[arg(short, long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Where to write the receipt [default: receipt-TASK.json]
        #[arg(long, value_name = "FILE")]
        receipt: Option<PathBuf>,
    },
    /// Claim the refund of a task whose deadline has passed
    Claim {
        /// Task id or its beginning
        task: String,
    },
}

/// `sealwork verify`
#[derive(Clone, Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Receipt file
    pub(crate) receipt: PathBuf,
    /// Sealed output to compare with the receipt
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// `sealwork inspect …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum InspectCommand {
    /// The chain from CAS evidence over the sealing key to the app's code and policy
    App {
        /// App id, or the name of an app that this machine published
        app: String,
    },
    /// A registered enclave key, or without an address the enclave program on this machine
    Enclave {
        /// Address of the enclave's key
        address: Option<String>,
    },
}

/// `sealwork account …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Show balances
    Show,
    /// Move tokens into escrow
    Deposit {
        /// Whole tokens
        amount: String,
    },
    /// Announce a withdrawal from escrow
    Withdraw {
        /// Whole tokens
        amount: String,
    },
    /// Take an announced withdrawal whose delay has passed
    Collect,
    /// Get test tokens and gas on a development network
    Faucet {
        /// Whole tokens
        #[arg(default_value = "1000")]
        amount: String,
    },
}

/// `sealwork wallet …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum WalletCommand {
    /// Create a wallet, encrypted with a passphrase (Ethereum keystore format)
    New {
        /// Name
        name: String,
    },
    /// List wallets
    List,
    /// Show a wallet's address and output recipient
    Show,
    /// Import a private key; it is asked for, or read from the variable `SEALWORK_PRIVATE_KEY`
    Import {
        /// Name
        name: String,
    },
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
    /// Port of the status page on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(crate) port: u16,
    /// Key file of the simulated vendor's root, which a local network keeps in its data folder
    #[arg(long, value_name = "FILE")]
    pub(crate) sim_root: Option<PathBuf>,
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
