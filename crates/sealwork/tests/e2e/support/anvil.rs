//! A chain that is not ours: anvil, from the npm packages of the contracts.

use super::{process::Daemon, repository};
use sealwork_ports::{Clock, SystemClock};
use std::{
    path::PathBuf,
    process::{Command, Stdio},
};
use tempfile::NamedTempFile;

/// A running anvil.
#[derive(Debug)]
pub(crate) struct Anvil {
    pub(crate) url: String,
    _process: Daemon,
    _log: NamedTempFile,
}

impl Anvil {
    /// Starts anvil on a free port. `None`, with a loud notice, where it is not installed and this is not CI.
    pub(crate) fn start() -> Option<Self> {
        Self::start_behind(0)
    }

    /// The same, with a clock that is so many seconds slow.
    pub(crate) fn start_behind(seconds: u64) -> Option<Self> {
        let Some(program) = program() else {
            assert!(std::env::var_os("CI").is_none(), "anvil is not installed: run `npm ci` in contracts");
            announce(
                "!!! SKIPPED: anvil is not installed, so nothing was tested on a foreign chain; run `npm ci` in contracts",
            );
            return None;
        };
        let log = NamedTempFile::new().unwrap();
        let mut command = Command::new(program);
        command.args(["--port", "0", "--chain-id", "31337", "--host", "127.0.0.1"]).stdin(Stdio::null());
        if seconds > 0 {
            command.args(["--timestamp", &(SystemClock.unix_s() - seconds).to_string()]);
        }
        let process = Daemon::spawn(command, log.path());
        let line = process.line("listening address", |line| line.contains("Listening on"));
        let address = line.split_whitespace().last().unwrap().to_owned();
        Some(Self { url: format!("http://{address}"), _process: process, _log: log })
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn announce(text: &str) {
    eprintln!("{text}");
}

/// The native program; npm's wrapper script would leave it running when it is killed.
fn program() -> Option<PathBuf> {
    let packages = repository().join("contracts/node_modules/@foundry-rs");
    let mut folders = std::fs::read_dir(packages).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    folders.find_map(|folder| {
        let program = folder.join("bin/anvil");
        let native = folder.file_name()?.to_str()?.starts_with("anvil-");
        (native && program.is_file()).then_some(program)
    })
}
