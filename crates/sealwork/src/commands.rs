//! What each command does. Every function returns the exit code.

mod account;
mod app;
mod cas;
mod demo;
mod doctor;
mod inspect;
mod run;
mod task;
mod verify;
mod wallets;
mod worker;

use crate::{
    cli::{Cli, Command, Global},
    connect,
    home::Home,
    output::Output,
    up, wallet,
};
use anyhow::Result;
use sealwork_client::Client;

/// What every command gets.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) home: Home,
    pub(crate) output: Output,
    pub(crate) wallet: String,
}

impl Context {
    fn new(global: &Global, output: Output) -> Result<Self> {
        Ok(Self { home: Home::new(global)?, output, wallet: global.wallet.clone() })
    }

    /// A client of the network in force with the chosen wallet.
    pub(crate) async fn client(&self) -> Result<Client> {
        connect::client(self.home.network()?, wallet::unlock(&self.home, &self.wallet)?).await
    }
}

/// Runs a command.
pub(crate) async fn run(cli: Cli, output: Output) -> Result<u8> {
    let context = Context::new(&cli.global, output)?;
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
        Command::Worker(command) => worker::run(&context, command).await,
        Command::Cas(command) => cas::run(&context, &command).await,
        Command::Doctor => doctor::run(&context).await,
    }
}
