//! Enclaves as child processes of the worker: launched from a measured image, attested, fed with ciphertext.
//!
//! ```text
//! EnclaveProcess ── one slot each ──► Process ── frames over stdin and stdout ──► sealwork-enclave
//!        │                                 │
//!        └── Launcher (measured image)     └── MemberRelay (TLS bytes to CAS members, Dialer), quotes of the platform
//! ```
//!
//! [`Launcher`] and [`Dialer`] are all that this touches of the system; with others, the same code runs in a simulation.
//!
//! A task runs in a driver of its own that owns the process; whoever drops the task ends the driver, and with it the
//! process. The worker never holds more than a few chunks of a stream.

mod chunks;
mod compiled;
mod dialer;
mod driver;
mod image;
mod launcher;
mod pipe;
mod process;
mod relay;

pub use compiled::CompiledFolder;
pub use dialer::{Dialer, MemberStream, TcpDialer};
pub use image::EnclaveImage;
pub use launcher::{ChildLauncher, EnclaveLife, LaunchedEnclave, Launcher};

use async_trait::async_trait;
use driver::DrivenTask;
use process::{Launch, Process};
use sealwork_ports::{
    Clock, EnclaveHost, EnclaveInfo, ErrorKind, PortError, QuoteProvider, RunningTask, TaskInput,
};
use sealwork_types::{Address, Measurement, network::NetworkDocument, params::GRANT_LIFETIME_S};
use std::{
    fmt,
    path::Path,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::sync::{Mutex, MutexGuard};
use tracing::warn;

/// Makes the provider of evidence about processes with a given measurement.
pub type QuoteProviderFactory = Arc<dyn Fn(Measurement) -> Arc<dyn QuoteProvider> + Send + Sync>;

/// A grant with less than this left is renewed while the enclave waits for tasks.
const EARLY_RENEWAL_S: u64 = GRANT_LIFETIME_S / 4;
/// A grant with less than this left is renewed before the next task.
const RENEWAL_MARGIN_S: u64 = GRANT_LIFETIME_S / 8;

/// Waiting times of an enclave host.
#[derive(Clone, Copy, Debug)]
pub struct EnclaveTimeouts {
    /// How long an enclave may be silent when it is not running a program; on top of the policy's limit when it is.
    pub silence: Duration,
    /// How long connecting to a CAS member or waiting for its bytes may take.
    pub member: Duration,
    /// How long an enclave may take to leave when it is asked to.
    pub stop: Duration,
    /// How often it is looked whether a waiting enclave's grant should be renewed.
    pub renewal: Duration,
}

impl Default for EnclaveTimeouts {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(60),
            member: Duration::from_secs(10),
            stop: Duration::from_secs(2),
            renewal: Duration::from_secs(60),
        }
    }
}

/// What enclave processes need from their surroundings.
pub struct EnclaveSettings {
    /// Trust anchors and endpoints of the CAS members.
    pub network: NetworkDocument,
    /// Evidence of the platform.
    pub quotes: QuoteProviderFactory,
    /// Time that enclaves are told.
    pub clock: Arc<dyn Clock>,
    /// Enclaves at a time.
    pub slots: usize,
    /// Waiting times.
    pub timeouts: EnclaveTimeouts,
}

impl fmt::Debug for EnclaveSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnclaveSettings")
            .field("network", &self.network.name)
            .field("slots", &self.slots)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// Runs one enclave process for each slot.
pub struct EnclaveProcess {
    launch: Arc<Launch>,
    slots: Slots,
}

/// The process of each slot, if there is one. Locked as long as it has a task.
type Slots = Arc<[Mutex<Option<Process>>]>;

impl EnclaveProcess {
    /// Measures the program; launches nothing yet. Blocks while it reads the file.
    ///
    /// # Errors
    /// [`PortError`] of kind `Local` when the program cannot be read.
    pub fn new(program: &Path, settings: EnclaveSettings) -> Result<Self, PortError> {
        let launcher = ChildLauncher::new(EnclaveImage::load(program)?);
        Ok(Self::with(Arc::new(launcher), Arc::new(TcpDialer), settings))
    }

    /// Enclaves of another launcher, and another way to the CAS members; launches nothing yet.
    pub fn with(launcher: Arc<dyn Launcher>, dialer: Arc<dyn Dialer>, settings: EnclaveSettings) -> Self {
        let slots = (0..settings.slots).map(|_| Mutex::new(None)).collect();
        Self { launch: Arc::new(Launch::new(launcher, dialer, settings)), slots }
    }

    /// Lets enclaves keep compiled programs in a folder, for the enclaves after them.
    ///
    /// # Panics
    /// Never: nothing shares the settings before the first enclave is launched.
    #[must_use]
    pub fn keeping_compiled(mut self, folder: CompiledFolder) -> Self {
        let launch = Arc::get_mut(&mut self.launch).expect("no enclave was launched yet");
        launch.compiled = Some(folder);
        self
    }

    /// SHA-256 of the program that every enclave runs.
    pub fn measurement(&self) -> Measurement {
        self.launch.measurement()
    }

    async fn slot(&self, slot: usize) -> Result<MutexGuard<'_, Option<Process>>, PortError> {
        match self.slots.get(slot) {
            Some(state) => Ok(state.lock().await),
            None => {
                let problem = format!("use enclave slot {slot}: there are {}", self.slots.len());
                Err(PortError::new(ErrorKind::NotFound, problem))
            }
        }
    }

    /// Makes sure that the slot holds a living process with a grant that lasts.
    async fn ready(&self, slot: usize, state: &mut Option<Process>) -> Result<EnclaveInfo, PortError> {
        // Whatever fails on the way takes the process with it.
        let alive = state.take().and_then(Process::if_alive);
        let process = match alive {
            Some(process) if process.grant_left(self.launch.now()) > RENEWAL_MARGIN_S => process,
            Some(process) => process.renew(&self.launch).await?,
            None => Process::start(&self.launch, slot).await?,
        };
        let process = state.insert(process);
        process.renew_by(|enclave| {
            let (slots, launch) = (Arc::downgrade(&self.slots), Arc::clone(&self.launch));
            tokio::spawn(keep_attested(slots, launch, slot, enclave))
        });
        Ok(process.info().clone())
    }
}

/// Renews the grant of an enclave that waits for tasks, so that no task waits for the CAS. Ends with the enclave.
async fn keep_attested(
    slots: Weak<[Mutex<Option<Process>>]>,
    launch: Arc<Launch>,
    slot: usize,
    enclave: Address,
) {
    loop {
        tokio::time::sleep(launch.timeouts().renewal).await;
        let Some(slots) = slots.upgrade() else { return };
        // A busy enclave is looked at again after its task.
        let Some(mut state) = slots.get(slot).and_then(|state| state.try_lock().ok()) else { continue };
        let Some(process) = state.take_if(|process| process.info().enclave == enclave) else { return };
        if process.grant_left(launch.now()) > EARLY_RENEWAL_S {
            *state = Some(process);
            continue;
        }
        match process.renew(&launch).await {
            Ok(process) => *state = Some(process),
            Err(error) => {
                return warn!(slot, %enclave, %error, "ended an enclave that could not be attested again");
            }
        }
    }
}

#[async_trait]
impl EnclaveHost for EnclaveProcess {
    async fn ensure(&self, slot: usize) -> Result<EnclaveInfo, PortError> {
        let mut state = self.slot(slot).await?;
        self.ready(slot, &mut state).await
    }

    async fn run<'a>(
        &'a self,
        slot: usize,
        input: TaskInput,
    ) -> Result<Box<dyn RunningTask + 'a>, PortError> {
        let mut state = self.slot(slot).await?;
        self.ready(slot, &mut state).await?;
        let process = state.take().expect("`ready` has just put it there");
        Ok(Box::new(DrivenTask::start(state, process, Arc::clone(&self.launch), input)))
    }

    async fn stop(&self, slot: usize) {
        let Ok(mut state) = self.slot(slot).await else { return };
        if let Some(process) = state.take() {
            process.stop(&self.launch).await;
        }
    }
}

impl fmt::Debug for EnclaveProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnclaveProcess")
            .field("measurement", &self.measurement())
            .field("slots", &self.slots.len())
            .finish_non_exhaustive()
    }
}
