//! Child processes: short commands and daemons, both with JSON answers, both killed when they are dropped.

use super::PATIENCE;
use serde_json::Value;
use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Variables that would change what the binaries do.
const FOREIGN_VARIABLES: &[&str] = &[
    "SEALWORK_HOME",
    "SEALWORK_NETWORK",
    "SEALWORK_WALLET",
    "SEALWORK_PASSPHRASE",
    "SEALWORK_PRIVATE_KEY",
    "SEALWORK_ENCLAVE",
    "SEALWORK_LOG",
    "SEALWORK_LOG_FORMAT",
    "SEALWORK_OTLP",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "NOTIFY_SOCKET",
];

/// The binary under test.
pub(crate) fn binary() -> PathBuf {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_sealwork"));
    let enclave = binary.with_file_name("sealwork-enclave");
    assert!(
        enclave.is_file(),
        "there is no {}; build it before these tests: cargo build -p sealwork-enclave",
        enclave.display()
    );
    binary
}

/// A person's home folder, with the passphrase that the person types.
#[derive(Debug)]
pub(crate) struct Home {
    folder: TempDir,
    pub(crate) passphrase: Option<&'static str>,
    pub(crate) wallet: &'static str,
}

/// What a finished command said.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) code: i32,
    pub(crate) lines: Vec<Value>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), passphrase: None, wallet: "dev" }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the home and returns its path.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The command with everything but its arguments.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(binary());
        for variable in FOREIGN_VARIABLES {
            command.env_remove(variable);
        }
        if let Some(passphrase) = self.passphrase {
            command.env("SEALWORK_PASSPHRASE", passphrase);
        }
        command
            .env("SEALWORK_HOME", self.root())
            .env("SEALWORK_WALLET", self.wallet)
            .current_dir(self.root());
        command.arg("--json").stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Reply {
        let mut command = self.command();
        command.args(arguments);
        finish(command)
    }

    /// Runs a command that must succeed and returns its last line.
    pub(crate) fn ok<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Value {
        let reply = self.run(arguments);
        assert_eq!(reply.code, 0, "{reply:#?}");
        reply.last()
    }

    /// Starts a command that goes on, its log in this home.
    pub(crate) fn start<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Daemon {
        self.start_in(&[], arguments)
    }

    /// The same with more variables.
    pub(crate) fn start_in<S: AsRef<OsStr>>(
        &self,
        variables: &[(&str, &str)],
        arguments: impl IntoIterator<Item = S>,
    ) -> Daemon {
        let mut command = self.command();
        command.envs(variables.iter().copied()).args(arguments);
        Daemon::spawn(command, &self.log_file())
    }

    /// A new file for a log.
    pub(crate) fn log_file(&self) -> PathBuf {
        tempfile::Builder::new().prefix("log-").tempfile_in(self.root()).unwrap().keep().unwrap().1
    }
}

impl Reply {
    /// The last line, which is the answer.
    pub(crate) fn last(&self) -> Value {
        self.lines.last().unwrap_or_else(|| panic!("no answer: {self:#?}")).clone()
    }

    /// Names of the steps that were reported.
    pub(crate) fn steps(&self) -> Vec<&str> {
        self.lines.iter().filter_map(|line| line["step"].as_str()).collect()
    }
}

fn finish(mut command: Command) -> Reply {
    let mut child = Killed(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let stdout = collect(child.0.stdout.take().unwrap());
    let stderr = collect(child.0.stderr.take().unwrap());
    let status =
        child.wait(PATIENCE).unwrap_or_else(|| panic!("still running after {PATIENCE:?}: {command:?}"));
    let (text, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    assert!(!stderr.contains("panicked at"), "{command:?}: {stderr}");
    Reply {
        code: status.code().unwrap_or(-1),
        lines: text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| Value::from(line)))
            .collect(),
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

#[derive(Debug)]
struct Killed(Child);

impl Killed {
    /// The exit status, if the process ends in time.
    fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn kill(&mut self) {
        // A process that ended by itself cannot be killed any more, which is fine.
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let log = self.log();
        assert!(std::thread::panicking() || !log.contains("panicked at"), "{log}");
    }
}

/// A process that goes on until it is dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Killed,
    lines: Receiver<String>,
    log: PathBuf,
}

impl Daemon {
    pub(crate) fn spawn(mut command: Command, log: &Path) -> Self {
        let errors = std::fs::File::create(log).unwrap();
        let mut child = Killed(command.stdout(Stdio::piped()).stderr(errors).spawn().unwrap());
        let stdout = BufReader::new(child.0.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // The test may stop listening at any time.
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines, log: log.to_path_buf() }
    }

    /// Whether the process goes on.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.0.try_wait().unwrap().is_none()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// The next line that `wanted` accepts.
    pub(crate) fn line(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if wanted(&line) => return line,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => panic!("no {what} after {PATIENCE:?}: {}", self.log()),
                Err(RecvTimeoutError::Disconnected) => panic!("ended without {what}: {}", self.log()),
            }
        }
    }

    /// The next JSON line that `wanted` accepts.
    pub(crate) fn answer(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let parsed = |line: &str| serde_json::from_str(line).unwrap_or(Value::Null);
        parsed(&self.line(what, |line| wanted(&parsed(line))))
    }

    /// The line that says that the daemon serves.
    pub(crate) fn ready(&self) -> Value {
        self.answer("ready line", |line| line["ready"] == true || !line["error"].is_null())
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status().unwrap();
        assert!(sent.success(), "cannot send {name}");
    }

    /// What was logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends the process without giving it a chance to tidy up.
    pub(crate) fn kill_9(mut self) {
        self.child.kill();
    }

    /// The exit code, awaited.
    pub(crate) fn exit_code(mut self) -> i32 {
        let status = self.child.wait(PATIENCE);
        status.unwrap_or_else(|| panic!("does not end: {}", self.log())).code().unwrap_or(-1)
    }
}
