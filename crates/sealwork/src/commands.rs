//! What each command does. Every function returns the exit code.

mod account;
mod app;
mod bag;
mod cas;
mod chain;
mod channel;
mod demo;
mod doctor;
mod inspect;
mod market;
mod orders;
mod registry;
mod run;
mod spend;
mod store;
mod task;
mod verify;
mod wallets;
mod worker;

use crate::{
    cli::{
        AccountCommand, CasCommand, ChannelCommand, Cli, Command, Global, OrderCommand, TaskCommand,
        WalletCommand, WorkerCommand,
    },
    connect,
    failure::{self, Failure},
    home::Home,
    operate::Operate,
    output::Output,
    up, wallet,
};
use anyhow::{Result, bail};
use sealwork_client::{Client, Salts, SignedVouchers};
use sealwork_types::AppId;

/// What every command gets.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) home: Home,
    pub(crate) output: Output,
    pub(crate) operate: Operate,
    pub(crate) wallet: String,
    /// Whether transactions are tried out instead of sent.
    pub(crate) dry_run: bool,
}

impl Context {
    fn new(global: &Global, output: Output, operate: Operate) -> Result<Self> {
        let (wallet, dry_run) = (global.wallet.clone(), global.dry_run);
        Ok(Self { home: Home::new(global)?, output, operate, wallet, dry_run })
    }

    /// A client of the network in force with the chosen wallet.
    pub(crate) async fn client(&self) -> Result<Client> {
        let wallet = wallet::unlock(&self.home, &self.wallet)?;
        let mine = |what: &str| self.home.path(&format!("{what}/{:#x}", wallet.key.address()));
        let (salts, vouchers) = (mine("salts"), mine("vouchers"));
        let kept = (Salts::kept_in(salts), SignedVouchers::kept_in(vouchers));
        connect::client(self.home.network()?, wallet, kept).await
    }

    /// An app by its id, by a name that this machine remembers, or by a name that is claimed on chain.
    pub(crate) async fn app(&self, client: &Client, text: &str) -> Result<AppId> {
        if let Some(id) = self.home.app(text) {
            return Ok(id);
        }
        client.app_named(text).await?.ok_or_else(|| {
            Failure::new(
                failure::FAILED,
                format!("{text:?} is neither an app id (0x and 64 hex digits), nor an app published here, nor a claimed name"),
            )
            .hint("`sealwork publish` prints the id; `sealwork app name` claims a name that everybody can use")
            .into()
        })
    }
}

/// Runs a command.
pub(crate) async fn run(cli: Cli, output: Output, operate: Operate) -> Result<u8> {
    let context = Context::new(&cli.global, output, operate)?;
    if context.dry_run && goes_on(&cli.command) {
        bail!(
            Failure::new(failure::FAILED, "--dry-run tries out transactions of a wallet; this command does something else")
                .hint("leave --dry-run out, or use it with run, publish, order, offer, deal, claim, channel, app, account or kitty")
        );
    }
    match cli.command {
        Command::Up(arguments) => up::run(&context, arguments).await,
        Command::Demo(arguments) => Box::pin(demo::run(&context, &arguments)).await,
        Command::New { path } => app::new(&context, &path),
        Command::Build { path } => app::build(&context, &path),
        Command::Publish(arguments) => app::publish(&context, &arguments).await,
        Command::Run(arguments) => Box::pin(run::run(&context, &arguments)).await,
        Command::Task(command) => task::run(&context, &command).await,
        Command::Verify(arguments) => verify::run(&context, &arguments),
        Command::Inspect(command) => inspect::run(&context, &command).await,
        Command::Account(command) => account::run(&context, &command).await,
        Command::Wallet(command) => wallets::run(&context, &command),
        Command::Store(command) => store::run(&context, command).await,
        Command::Worker(command) => worker::run(&context, command).await,
        Command::Cas(command) => cas::run(&context, &command).await,
        Command::App(command) => registry::run(&context, &command).await,
        Command::Order(command) => Box::pin(orders::run(&context, &command)).await,
        Command::Offer(arguments) => orders::offer(&context, &arguments).await,
        Command::Book(arguments) => market::book(&context, &arguments).await,
        Command::Deal(command) => market::deal(&context, &command).await,
        Command::Claim(arguments) => market::claim(&context, &arguments).await,
        Command::Channel(command) => channel::run(&context, &command).await,
        Command::Kitty(command) => account::kitty(&context, &command).await,
        Command::Chain(arguments) => chain::run(&context, arguments).await,
        Command::Doctor => doctor::run(&context).await,
    }
}

/// Whether a command sends from accounts other than the wallet, goes on sending, or writes something without sending.
const fn goes_on(command: &Command) -> bool {
    matches!(
        command,
        Command::Up(_)
            | Command::Demo(_)
            | Command::Chain(_)
            | Command::Store(_)
            | Command::Worker(WorkerCommand::Start(_))
            | Command::Cas(CasCommand::Start(_))
            | Command::Account(AccountCommand::Faucet { .. })
            | Command::New { .. }
            | Command::Build { .. }
            | Command::Wallet(WalletCommand::New { .. } | WalletCommand::Import { .. })
            | Command::Task(TaskCommand::Fetch { .. })
            | Command::Order(OrderCommand::Sign(_))
            | Command::Channel(ChannelCommand::Pay { .. } | ChannelCommand::Fetch { .. })
    )
}
