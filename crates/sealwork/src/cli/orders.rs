//! Orders: `order sign|post|approve|cancel|show`.

use super::InputArgs;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `sealwork order …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum OrderCommand {
    /// Sign an order and write it as a JSON document; nothing is sent
    #[command(subcommand)]
    Sign(Box<SignCommand>),
    /// Post signed orders in the Book
    Post {
        /// Order documents
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Take orders of this wallet off the Book; whoever has them can still match them
    Withdraw {
        /// Order documents, or hashes of posted orders or their beginnings
        #[arg(required = true)]
        orders: Vec<String>,
    },
    /// Approve an order on chain in place of a signature
    Approve {
        /// Order document
        file: PathBuf,
    },
    /// Cancel orders of this wallet for ever
    Cancel(CancelArgs),
    /// Print the root of an allow-list, which stands in orders as a restriction
    AllowList {
        /// JSON array of ids and addresses
        file: PathBuf,
    },
    /// Show whether an order can be matched, and if not, why
    Show {
        /// Order document, or the hash of a posted order or its beginning
        order: String,
    },
}

/// `sealwork order cancel`
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct CancelArgs {
    /// Order document, or the hash of an app, dataset or pool order
    pub(crate) order: Option<String>,
    /// Salt of requests of this wallet
    #[arg(long, value_name = "SALT")]
    pub(crate) salt: Option<String>,
    /// Void every order that this wallet ever signed, by raising its nonce
    #[arg(long)]
    pub(crate) all: bool,
}

/// `sealwork order sign …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum SignCommand {
    /// Offer an app
    App {
        /// App id, or its name
        app: String,
        /// Terms
        #[command(flatten)]
        terms: Terms,
        /// Where to write the document
        #[command(flatten)]
        out: OutArgs,
    },
    /// Let apps use a dataset
    Dataset {
        /// Dataset id
        dataset: String,
        /// Terms
        #[command(flatten)]
        terms: Terms,
        /// Where to write the document
        #[command(flatten)]
        out: OutArgs,
    },
    /// Offer a pool
    Pool {
        /// Pool id
        pool: String,
        /// Terms
        #[command(flatten)]
        terms: Terms,
        /// What only pools say
        #[command(flatten)]
        more: PoolTerms,
        /// Where to write the document
        #[command(flatten)]
        out: OutArgs,
    },
    /// Ask for tasks; seals the input first
    Request {
        /// App id, or its name
        app: String,
        /// Terms
        #[command(flatten)]
        terms: Box<RequestTerms>,
        /// Where to write the document
        #[command(flatten)]
        out: OutArgs,
    },
    /// Sign the order in a JSON file: {"kind": "app", "order": {...}} with every field
    File {
        /// Order, with or without a signature
        path: PathBuf,
        /// Where to write the document
        #[command(flatten)]
        out: OutArgs,
    },
}

/// Where a signed order goes.
#[derive(Clone, Debug, Args)]
pub(crate) struct OutArgs {
    /// Where to write the document [default: KIND-HASH.json]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Leave the signature empty; `order approve` stands in for it
    #[arg(long)]
    pub(crate) unsigned: bool,
}

/// Terms of an app, dataset or pool order.
#[derive(Clone, Debug, Args)]
pub(crate) struct Terms {
    /// Price of one task, in whole tokens
    #[arg(long, default_value = "0", value_name = "TOKENS")]
    pub(crate) price: String,
    /// Tasks covered [default: any number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) volume: Option<u32>,
    /// Days until the order ends
    #[arg(long, default_value_t = 365, value_name = "DAYS")]
    pub(crate) days: u64,
    /// Features, as 64 hex digits: needed by an app or dataset, offered by a pool
    #[arg(long, value_name = "HEX")]
    pub(crate) tag: Option<String>,
    /// Only for this app (id or policy hash), group contract or allow-list root
    #[arg(long, value_name = "ID")]
    pub(crate) for_app: Option<String>,
    /// Only with this dataset, group contract or allow-list root
    #[arg(long, value_name = "ID")]
    pub(crate) for_dataset: Option<String>,
    /// Only in this pool, group contract or allow-list root
    #[arg(long, value_name = "ID")]
    pub(crate) for_pool: Option<String>,
    /// Only for this requester, group contract or allow-list root
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) for_requester: Option<String>,
}

/// What only pool orders say.
#[derive(Clone, Debug, Args)]
pub(crate) struct PoolTerms {
    /// Stake put up for each task from the wallet's account, in whole tokens
    #[arg(long, default_value = "0", value_name = "TOKENS")]
    pub(crate) stake: String,
    /// Trust modes offered: tee, channel, ...
    #[arg(long, default_value = "tee", value_delimiter = ',', value_name = "MODES")]
    pub(crate) modes: Vec<String>,
    /// Size class of the tasks
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) category: u16,
    /// Highest confidence provided
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) trust: u16,
    /// SHA-256 of a resource offer in storage
    #[arg(long, value_name = "HASH")]
    pub(crate) resources: Option<String>,
}

/// Terms of a request.
#[derive(Clone, Debug, Args)]
pub(crate) struct RequestTerms {
    /// Highest app price of one task, in whole tokens
    #[arg(long, default_value = "0", value_name = "TOKENS")]
    pub(crate) max_app_price: String,
    /// Highest pool price of one task, in whole tokens
    #[arg(long, default_value = "0", value_name = "TOKENS")]
    pub(crate) max_pool_price: String,
    /// Highest price of one task for all datasets together, in whole tokens
    #[arg(long, default_value = "0", value_name = "TOKENS")]
    pub(crate) max_dataset_price: String,
    /// Dataset to use; may be repeated
    #[arg(long = "dataset", value_name = "ID")]
    pub(crate) datasets: Vec<String>,
    /// Only in this pool, group contract or allow-list root
    #[arg(long, value_name = "ID")]
    pub(crate) pool: Option<String>,
    /// Lowest stake of the pool for one task, in whole tokens
    #[arg(long, default_value = "0", value_name = "TOKENS")]
    pub(crate) min_stake: String,
    /// Tasks wanted
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) volume: u32,
    /// How the tasks are settled: tee, channel, ...
    #[arg(long, default_value = "tee", value_name = "MODE")]
    pub(crate) mode: String,
    /// Size class of the tasks
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) category: u16,
    /// Confidence wanted
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) trust: u16,
    /// Features wanted, as 64 hex digits
    #[arg(long, value_name = "HEX")]
    pub(crate) tag: Option<String>,
    /// Who pays instead of this wallet and sends the match
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) sponsor: Option<String>,
    /// Contract that is told the result
    #[arg(long, value_name = "ADDRESS", requires = "callback_gas")]
    pub(crate) callback: Option<String>,
    /// Gas for the callback
    #[arg(long, value_name = "GAS")]
    pub(crate) callback_gas: Option<u32>,
    /// Hours until the order and the sealed input end
    #[arg(long, default_value_t = 24, value_name = "HOURS")]
    pub(crate) hours: u64,
    /// What is sealed for the program
    #[command(flatten)]
    pub(crate) input: InputArgs,
}
