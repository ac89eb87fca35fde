//! The command line, as clap sees it. Behavior lives in `commands`.

mod apps;
mod market;
mod money;
mod network;
mod orders;

pub(crate) use apps::{
    AppCommand, InputArgs, InspectCommand, NameCommand, PublishArgs, RunArgs, TaskCommand, VerifyArgs,
};
pub(crate) use market::{BookArgs, ChannelCommand, ClaimArgs, DealCommand, OfferArgs};
pub(crate) use money::{AccountCommand, KittyCommand, WalletCommand};
pub(crate) use network::{
    CasArgs, CasCommand, ChainArgs, DemoArgs, StoreArgs, StoreCommand, UpArgs, WorkerArgs, WorkerCommand,
};
pub(crate) use orders::{CancelArgs, OrderCommand, OutArgs, PoolTerms, RequestTerms, SignCommand, Terms};

use clap::{Args, Parser, Subcommand, ValueEnum};
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
    /// How the log on standard error is written [default: json with --json, else text]
    #[arg(long, global = true, env = "SEALWORK_LOG_FORMAT", value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
    /// Try out what would be sent and print what it would cost; send nothing
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
}

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people.
    Text,
    /// One object a line: timestamp, level, target, fields; the event's name is `fields.message`.
    Json,
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
    /// Change a published app, or claim a name for it
    #[command(subcommand)]
    App(AppCommand),
    /// Seal an input, run an app on it, check the receipt, open the output
    Run(RunArgs),
    /// Tasks of this wallet
    #[command(subcommand)]
    Task(TaskCommand),
    /// Sign, post, cancel and check orders
    #[command(subcommand)]
    Order(OrderCommand),
    /// Offer a pool: sign a pool order and post it
    Offer(OfferArgs),
    /// List the posted orders, supply and demand, cheapest first
    Book(BookArgs),
    /// Deals: show one, or match signed orders
    #[command(subcommand)]
    Deal(DealCommand),
    /// Claim the refund of a deal's tasks that missed their deadline
    Claim(ClaimArgs),
    /// Prepaid channels
    #[command(subcommand)]
    Channel(ChannelCommand),
    /// Check a receipt offline
    Verify(VerifyArgs),
    /// Show what stands behind an app or an enclave
    #[command(subcommand)]
    Inspect(InspectCommand),
    /// Money of this wallet
    #[command(subcommand)]
    Account(AccountCommand),
    /// Stakes that pools lost, which others can draw
    #[command(subcommand)]
    Kitty(KittyCommand),
    /// Wallets on this machine
    #[command(subcommand)]
    Wallet(WalletCommand),
    /// Run the embedded chain alone, for any Ethereum tool
    Chain(ChainArgs),
    /// Run a store
    #[command(subcommand)]
    Store(StoreCommand),
    /// Run a worker
    #[command(subcommand)]
    Worker(WorkerCommand),
    /// Run or audit a CAS member
    #[command(subcommand)]
    Cas(CasCommand),
    /// Check this machine and the network, and say what to fix
    Doctor,
}

impl Command {
    /// Name of the service that the command runs, for traces.
    pub(crate) const fn service(&self) -> &'static str {
        match self {
            Self::Up(_) | Self::Demo(_) => "sealwork-network",
            Self::Chain(_) => "sealwork-chain",
            Self::Store(_) => "sealwork-store",
            Self::Cas(CasCommand::Start(_)) => "sealwork-cas",
            Self::Worker(WorkerCommand::Start(_)) => "sealwork-worker",
            Self::New { .. }
            | Self::Build { .. }
            | Self::Publish(_)
            | Self::App(_)
            | Self::Run(_)
            | Self::Task(_)
            | Self::Order(_)
            | Self::Offer(_)
            | Self::Book(_)
            | Self::Deal(_)
            | Self::Claim(_)
            | Self::Channel(_)
            | Self::Verify(_)
            | Self::Inspect(_)
            | Self::Account(_)
            | Self::Kitty(_)
            | Self::Wallet(_)
            | Self::Worker(WorkerCommand::Status { .. })
            | Self::Cas(CasCommand::Log { .. })
            | Self::Doctor => "sealwork-client",
        }
    }
}
