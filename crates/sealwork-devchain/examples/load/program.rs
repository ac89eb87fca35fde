//! The program under load.

use crate::{Outcome, client::Client};
use serde_json::json;
use std::{
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Longest wait for the first answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running node; killed in the end.
pub(crate) struct Program {
    child: Child,
    host: String,
    startup: Duration,
}

impl Program {
    /// Starts a program and waits until it answers `eth_chainId`.
    pub(crate) fn start(words: &[&str]) -> Outcome<Self> {
        let (program, arguments) = words.split_first().ok_or("a program is needed")?;
        // Free until another program takes it, which is not worth a protocol between this one and a node.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port().to_string();
        let start = Instant::now();
        let child = Command::new(program)
            .args(arguments.iter().map(|argument| argument.replace("PORT", &port)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut program = Self { child, host: format!("127.0.0.1:{port}"), startup: Duration::ZERO };
        while program.answers().is_err() {
            if let Some(status) = program.child.try_wait()? {
                return Err(format!("{words:?} ended with {status}").into());
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("{words:?} does not answer").into());
            }
            thread::sleep(Duration::from_micros(500));
        }
        program.startup = start.elapsed();
        Ok(program)
    }

    fn answers(&self) -> Outcome<()> {
        Client::connect(&self.host)?.call("eth_chainId", &json!([]))?;
        Ok(())
    }

    /// Where it listens.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// From its start until it answered.
    pub(crate) const fn startup(&self) -> Duration {
        self.startup
    }

    /// Resident memory in bytes.
    pub(crate) fn memory(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? << 10)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
