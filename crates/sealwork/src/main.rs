//! The one binary: command line, local networks, wiring of ports to adapters.

mod cli;
mod commands;
mod connect;
mod enclave_program;
mod failure;
mod hints;
mod home;
mod money;
mod operate;
mod output;
mod parse;
mod project;
mod up;
mod wallet;

use clap::Parser;
use cli::{Cli, LogFormat};
use operate::Operate;
use output::Output;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.global.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.failure(failure::FAILED, &format!("cannot start: {error}"), &[], None);
            return ExitCode::from(failure::FAILED);
        }
    };
    match runtime.block_on(run(cli, output)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let (code, hint) = failure::classify(&error);
            let mut texts = error.chain().map(ToString::to_string);
            let message = texts.next().unwrap_or_default();
            let mut causes: Vec<String> = texts.collect();
            causes.dedup();
            causes.retain(|cause| !message.contains(cause.as_str()));
            output.failure(code, &message, &causes, hint.as_deref());
            ExitCode::from(code)
        }
    }
}

/// Runs the command between the start of logging and the last export.
async fn run(cli: Cli, output: Output) -> anyhow::Result<u8> {
    let json = if cli.global.json { LogFormat::Json } else { LogFormat::Text };
    let operate = Operate::start(cli.global.log_format.unwrap_or(json), cli.command.service());
    let outcome = commands::run(cli, output, operate.clone()).await;
    operate.flush().await;
    outcome
}
