//! Apps and tasks: `publish`, `app`, `run`, `task`, `verify`, `inspect`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `sealwork publish`
#[derive(Clone, Debug, Args)]
pub(crate) struct PublishArgs {
    /// Project folder with a sealwork.toml
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Price of one task, in whole tokens
    #[arg(long, default_value = "0", value_name = "TOKENS")]
    pub(crate) price: String,
    /// Tasks that the offer covers [default: any number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) volume: Option<u32>,
    /// Days until the offer ends
    #[arg(long, default_value_t = 365, value_name = "DAYS")]
    pub(crate) days: u64,
}

/// What is sealed for a program.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct InputArgs {
    /// File for the program's /in folder; NAME=PATH gives it another name. May be repeated
    #[arg(short, long = "file", value_name = "[NAME=]PATH")]
    pub(crate) files: Vec<String>,
    /// File for the program's standard input, of any size; - reads at most 64 MiB from this terminal or pipe
    #[arg(long, value_name = "PATH")]
    pub(crate) stdin: Option<PathBuf>,
    /// Arguments of the program; sealed like everything else
    #[arg(last = true)]
    pub(crate) args: Vec<String>,
}

/// `sealwork app …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum AppCommand {
    /// Announce the project's present code and policy for an app; they take effect by themselves after the delay
    Update {
        /// App id, or its name
        app: String,
        /// Project folder with a sealwork.toml
        #[arg(default_value = ".")]
        path: PathBuf,
    },
    /// Withdraw what is announced for an app
    WithdrawUpdate {
        /// App id, or its name
        app: String,
    },
    /// Names of apps that everybody can use
    #[command(subcommand)]
    Name(NameCommand),
}

/// `sealwork app name …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum NameCommand {
    /// First step: commit to a name without telling it
    Commit {
        /// 3 to 64 of a-z, 0-9 and inner single hyphens
        name: String,
    },
    /// Second step, at least a minute later: claim the name for an app of this wallet
    Claim {
        /// Name that was committed to
        name: String,
        /// App id, or the name of an app that this machine published
        app: String,
    },
    /// Give a name back
    Release {
        /// Name
        name: String,
    },
}

/// `sealwork run`
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// App id, the name of an app that this machine published, or a claimed name
    pub(crate) app: String,
    /// What is sealed for the program
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Run a bag of N tasks on the input; each program sees its number, from 0, in `SEALWORK_TASK_INDEX`
    #[arg(long, visible_alias = "tasks", default_value_t = 1, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(sealwork_types::params::MAX_DEAL_VOLUME)))]
    pub(crate) volume: u32,
    /// Folder for the files that the program writes to /out; for a bag, a folder for each task in it, and beside it the
    /// task's receipt and standard output
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Where to write the receipt [default: receipt-TASK.json]
    #[arg(long, value_name = "FILE", conflicts_with = "volume")]
    pub(crate) receipt: Option<PathBuf>,
    /// Pool to use [default: the cheapest that answers]
    #[arg(long, value_name = "ID")]
    pub(crate) pool: Option<String>,
    /// Highest price accepted for each task, in whole tokens
    #[arg(long, value_name = "TOKENS")]
    pub(crate) max_price: Option<String>,
    /// Seconds to wait for the result
    #[arg(long, default_value_t = 3_600, value_name = "S")]
    pub(crate) timeout: u64,
    /// Fail instead of moving missing money from the wallet into the account
    #[arg(long)]
    pub(crate) no_deposit: bool,
    /// Hand the request straight to a pool, which matches and settles in one transaction instead of two: about 37 % less
    /// gas, all of it paid by the pool. The money is not locked before; only pools that take requests serve it
    #[arg(long, conflicts_with = "volume")]
    pub(crate) one_transaction: bool,
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
    /// Wait until a task, or every task of a deal, is settled or refunded
    Wait {
        /// Task id or its beginning
        #[arg(required_unless_present = "deal")]
        task: Option<String>,
        /// Wait for all tasks of a deal (its id or beginning)
        #[arg(long, value_name = "DEAL", conflicts_with = "task")]
        deal: Option<String>,
        /// Seconds to wait
        #[arg(long, default_value_t = 3_600, value_name = "S")]
        timeout: u64,
    },
    /// Check a settled task's receipt and open its output, or all of a deal
    Fetch {
        /// Task id or its beginning
        #[arg(required_unless_present = "deal")]
        task: Option<String>,
        /// All tasks of a deal (its id or beginning), with those that are still open awaited
        #[arg(long, value_name = "DEAL", conflicts_with_all = ["task", "receipt"], requires = "out")]
        deal: Option<String>,
        /// Folder for the files that the program wrote to /out; for a deal, as `run --volume` lays them out
        #[arg(short, long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Where to write the receipt [default: receipt-TASK.json]
        #[arg(long, value_name = "FILE")]
        receipt: Option<PathBuf>,
        /// Seconds to wait for open tasks of a deal
        #[arg(long, default_value_t = 3_600, value_name = "S")]
        timeout: u64,
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
        /// App id, the name of an app that this machine published, or a claimed name
        app: String,
    },
    /// A registered enclave key, or without an address the enclave program on this machine
    Enclave {
        /// Address of the enclave's key
        address: Option<String>,
    },
}
