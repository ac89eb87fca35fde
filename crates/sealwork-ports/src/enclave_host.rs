//! Enclaves as the worker sees them: launched, attested, fed with ciphertext.

use crate::{ByteStream, PortError};
use async_trait::async_trait;
use sealwork_types::{
    Address, Bytes,
    abi::Receipt,
    enclave_wire::{BatchDone, GrantFrame, Step, TaskFrame},
};

/// A launched and attested enclave.
#[derive(Clone, Debug)]
pub struct EnclaveInfo {
    /// Address of its signing key.
    pub enclave: Address,
    /// What the CAS said about the key.
    pub grant: GrantFrame,
}

/// What an enclave needs for a task beside the frame.
pub struct TaskInput {
    /// Public description.
    pub frame: TaskFrame,
    /// The module.
    pub module: ByteStream,
    /// The sealed input.
    pub sealed_input: ByteStream,
}

impl std::fmt::Debug for TaskInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskInput").field("frame", &self.frame).finish_non_exhaustive()
    }
}

/// News from a running task.
#[derive(Clone, Debug)]
pub enum TaskUpdate {
    /// A step began.
    Step(Step),
    /// Next bytes of the sealed output.
    Output(bytes::Bytes),
    /// The end.
    Ended(TaskOutcome),
}

/// How a task ended inside the enclave.
#[derive(Clone, Debug)]
pub enum TaskOutcome {
    /// With a receipt.
    Done {
        /// The statement.
        receipt: Box<Receipt>,
        /// Signature by the enclave key.
        signature: Bytes,
    },
    /// With one statement about as many tasks as were done in time. Their sealed outputs came one behind the other.
    Batch(Box<BatchDone>),
    /// Without one; nothing may be settled.
    Refused {
        /// Whether trying again can help.
        retryable: bool,
        /// What was wrong.
        reason: String,
    },
}

/// A task that runs.
#[async_trait]
pub trait RunningTask: Send {
    /// Waits for the next update; `None` after `Ended`. An error means that the enclave is gone.
    async fn next(&mut self) -> Option<Result<TaskUpdate, PortError>>;
}

/// Launches enclaves. One task at a time for each enclave; a worker keeps one enclave per slot.
#[async_trait]
pub trait EnclaveHost: Send + Sync + 'static {
    /// Returns the slot's enclave, launching and attesting it if there is none or it died.
    async fn ensure(&self, slot: usize) -> Result<EnclaveInfo, PortError>;

    /// Runs a task in the slot's enclave. Dropping the returned task kills the enclave.
    async fn run<'a>(&'a self, slot: usize, input: TaskInput)
    -> Result<Box<dyn RunningTask + 'a>, PortError>;

    /// Ends the slot's enclave.
    async fn stop(&self, slot: usize);
}
