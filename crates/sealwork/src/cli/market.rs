//! The market: `offer`, `book`, `deal`, `claim`, `channel`.

use super::{InputArgs, PoolTerms, Terms};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `sealwork offer`
#[derive(Clone, Debug, Args)]
pub(crate) struct OfferArgs {
    /// Pool id [default: the pool that this wallet posted an order for last]
    pub(crate) pool: Option<String>,
    /// Terms
    #[command(flatten)]
    pub(crate) terms: Terms,
    /// What only pools say
    #[command(flatten)]
    pub(crate) more: PoolTerms,
}

/// `sealwork book`
#[derive(Clone, Debug, Args)]
pub(crate) struct BookArgs {
    /// Only orders of this app, for it, or open to it
    #[arg(long, value_name = "APP")]
    pub(crate) app: Option<String>,
    /// Only orders of this pool, for it, or open to it
    #[arg(long, value_name = "ID")]
    pub(crate) pool: Option<String>,
    /// Only app, dataset, pool or request orders
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// Only orders of this wallet
    #[arg(long)]
    pub(crate) mine: bool,
    /// Also orders that cannot be matched any more or were taken off
    #[arg(long)]
    pub(crate) all: bool,
}

/// `sealwork deal …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum DealCommand {
    /// List the deals of this wallet, as requester, payer or pool
    List,
    /// Show terms, progress, deadlines and every task
    Show {
        /// Deal id or its beginning
        deal: String,
    },
    /// Match signed orders: one app, one pool and one request order, and one for each dataset
    Match {
        /// Order documents, or hashes of posted orders
        #[arg(required = true)]
        orders: Vec<String>,
        /// Allow-list that an order names by its root: a JSON array of ids and addresses; may be repeated
        #[arg(long, value_name = "FILE")]
        allow_list: Vec<PathBuf>,
        /// Fail instead of moving missing money from the wallet into the account
        #[arg(long)]
        no_deposit: bool,
    },
}

/// `sealwork claim`
#[derive(Clone, Debug, Args)]
pub(crate) struct ClaimArgs {
    /// Deal id or its beginning
    pub(crate) deal: String,
    /// Index of the first task
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) first: u32,
    /// How many tasks, of which those that are closed are skipped [default: all from the first on]
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u32>,
}

/// `sealwork channel …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ChannelCommand {
    /// Pay for tasks in advance with the cheapest pool that offers channels
    Open {
        /// App id, or its name
        app: String,
        /// Tasks paid in advance
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        tasks: u32,
        /// Pool to use [default: the cheapest that answers]
        #[arg(long, value_name = "ID")]
        pool: Option<String>,
    },
    /// Run one task, paid by the channel: nothing goes on chain, and the receipt comes from the pool
    Run {
        /// Channel (deal id or its beginning)
        channel: String,
        /// What is sealed for the program
        #[command(flatten)]
        input: InputArgs,
        /// Folder for the files that the program writes to /out
        #[arg(short, long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Where to write the receipt [default: receipt-TASK.json]
        #[arg(long, value_name = "FILE")]
        receipt: Option<PathBuf>,
        /// Seconds to wait for the result
        #[arg(long, default_value_t = 3_600, value_name = "S")]
        timeout: u64,
    },
    /// Wait for a task that `run` sent before, check its receipt and open its output
    Fetch {
        /// Channel (deal id or its beginning)
        channel: String,
        /// Task id, as `run` printed it
        task: String,
        /// Folder for the files that the program wrote to /out
        #[arg(short, long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Where to write the receipt [default: receipt-TASK.json]
        #[arg(long, value_name = "FILE")]
        receipt: Option<PathBuf>,
        /// Seconds to wait for the result
        #[arg(long, default_value_t = 3_600, value_name = "S")]
        timeout: u64,
    },
    /// Sign a voucher for the first N tasks together; nothing is sent. `run` does it by itself
    Pay {
        /// Channel (deal id or its beginning)
        channel: String,
        /// Tasks acknowledged so far, those of earlier vouchers included
        count: u32,
        /// Where to write the voucher [default: voucher-CHANNEL-N.json]
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Bring a voucher to the chain, which pays the pool
    Redeem {
        /// Voucher
        voucher: PathBuf,
    },
    /// Get the rest back: the pool closes at once, the payer asks first and closes after the dispute window
    Close {
        /// Channel (deal id or its beginning)
        channel: String,
    },
    /// Show how much of a channel is used
    Show {
        /// Channel (deal id or its beginning)
        channel: String,
    },
}
