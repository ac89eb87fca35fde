//! The one binary: command line, local networks, wiring of ports to adapters.

mod cli;
mod commands;
mod connect;
mod enclave_program;
mod failure;
mod hints;
mod home;
mod money;
mod output;
mod parse;
mod project;
mod up;
mod wallet;

use clap::Parser;
use cli::Cli;
use output::Output;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.global.json);
    start_logging(cli.global.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.failure(failure::FAILED, &format!("cannot start: {error}"), &[], None);
            return ExitCode::from(failure::FAILED);
        }
    };
    match runtime.block_on(commands::run(cli, output)) {
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

/// Logs go to standard error; `SEALWORK_LOG` chooses what (`info`, `sealwork_worker=debug`, …).
fn start_logging(json: bool) {
    let filter = EnvFilter::try_from_env("SEALWORK_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json { builder.json().init() } else { builder.with_target(false).init() }
}
