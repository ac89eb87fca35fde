//! How an enclave comes to life: the seam between the host's protocol and processes of the system.

use super::EnclaveImage;
use async_trait::async_trait;
use sealwork_ports::{ErrorKind, PortError};
use sealwork_types::Measurement;
use std::{fmt, io, process::Stdio};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, BufReader},
    process::{Child, ChildStderr, Command},
};
use tracing::warn;

/// What is kept of an enclave's standard error: it writes one line.
const MAX_STDERR_BYTES: u64 = 4 << 10;

/// Starts enclaves of one measured program.
#[async_trait]
pub trait Launcher: Send + Sync + 'static {
    /// Measurement of every enclave that is started.
    fn measurement(&self) -> Measurement;

    /// Starts an enclave that has not been told anything yet. The slot is for logs.
    ///
    /// # Errors
    /// [`PortError`] of kind `Local` when this machine cannot start it.
    async fn launch(&self, slot: usize) -> Result<LaunchedEnclave, PortError>;
}

/// A started enclave: the two ends of its pipe, and what keeps it alive.
pub struct LaunchedEnclave {
    /// Frames to the enclave.
    pub to_enclave: Box<dyn AsyncWrite + Send + Unpin>,
    /// Frames from the enclave.
    pub from_enclave: Box<dyn AsyncRead + Send + Unpin>,
    /// Its life.
    pub life: Box<dyn EnclaveLife>,
}

impl fmt::Debug for LaunchedEnclave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaunchedEnclave").finish_non_exhaustive()
    }
}

/// The life of a started enclave, which ends at the latest when this is dropped.
#[async_trait]
pub trait EnclaveLife: Send {
    /// Whether it has ended.
    fn has_ended(&mut self) -> bool;

    /// Waits for its end, and says how it ended. Cancel safe.
    ///
    /// # Errors
    /// What the system said when it could not tell.
    async fn ended(&mut self) -> io::Result<String>;
}

/// The launcher of the product: a child process that runs a measured copy of the program.
#[derive(Debug)]
pub struct ChildLauncher {
    image: EnclaveImage,
}

impl ChildLauncher {
    /// Launches this program.
    pub const fn new(image: EnclaveImage) -> Self {
        Self { image }
    }
}

#[async_trait]
impl Launcher for ChildLauncher {
    fn measurement(&self) -> Measurement {
        self.image.measurement()
    }

    async fn launch(&self, slot: usize) -> Result<LaunchedEnclave, PortError> {
        let failed = |error| PortError::because(ErrorKind::Local, "launch the enclave program", error);
        let mut child = Command::new(self.image.path())
            .arg0("sealwork-enclave")
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(PortError::new(ErrorKind::Local, "launch the enclave program: it has no pipes"));
        };
        tokio::spawn(log_last_words(stderr, slot));
        let (to_enclave, from_enclave) = (Box::new(stdin), Box::new(stdout));
        Ok(LaunchedEnclave { to_enclave, from_enclave, life: Box::new(ChildLife(child)) })
    }
}

/// A child process; it is killed on drop.
struct ChildLife(Child);

#[async_trait]
impl EnclaveLife for ChildLife {
    fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }

    async fn ended(&mut self) -> io::Result<String> {
        Ok(self.0.wait().await?.to_string())
    }
}

/// An enclave writes to standard error only when it ends unexpectedly.
async fn log_last_words(stderr: ChildStderr, slot: usize) {
    let mut text = Vec::new();
    let read = BufReader::new(stderr).take(MAX_STDERR_BYTES).read_to_end(&mut text).await;
    if read.is_ok() && !text.is_empty() {
        warn!(slot, text = %String::from_utf8_lossy(&text).trim_end(), "enclave ended");
    }
}
