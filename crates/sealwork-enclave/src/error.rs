//! What ends an enclave, and what only ends a task.

use sealwork_types::{bounded::DocumentError, enclave_wire::FrameError};

/// The host broke the protocol or the machine failed: the process ends, its keys with it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnclaveError {
    /// The pipe to the host failed or carried something that is not a message.
    #[error("the host's pipe is unusable")]
    Pipe(#[from] FrameError),
    /// A message that the host may not send now.
    #[error("the host sent {found}, expected {expected}")]
    OutOfOrder {
        /// What may come now.
        expected: &'static str,
        /// What came.
        found: &'static str,
    },
    /// More data in one message than allowed.
    #[error("the host sent {found} bytes of {what} in one message, the limit is {limit}")]
    Oversized {
        /// Kind of data.
        what: &'static str,
        /// Bytes sent.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The trust anchors are not usable.
    #[error("the trust anchors of the first message are not usable")]
    Anchors(#[from] DocumentError),
    /// This process runs code that was kept under a policy that trusts older platforms; the secret needs another one.
    #[error(
        "code is in use that was kept under a policy for older platforms than version {version}; start a fresh enclave"
    )]
    Outgrown {
        /// Platform version that the task's policy asks for.
        version: u32,
    },
    /// No random bytes or no TLS identity could be made.
    #[error("cannot make keys")]
    Keys(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A request is refused without a receipt; the enclave goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Whether trying again (another CAS member, fresh bytes) can help.
    pub retryable: bool,
    /// What was wrong and what would be right. Never plaintext.
    pub reason: String,
}

impl Refusal {
    /// The request itself is wrong; repeating it is pointless.
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self { retryable: false, reason: reason.into() }
    }

    /// Something around the request failed.
    pub fn transient(reason: impl Into<String>) -> Self {
        Self { retryable: true, reason: reason.into() }
    }
}

/// Why a request did not get its answer.
#[derive(Debug)]
pub enum Stop {
    /// The enclave cannot go on.
    Fatal(EnclaveError),
    /// Only this request ends.
    Refused(Refusal),
}

impl From<EnclaveError> for Stop {
    fn from(error: EnclaveError) -> Self {
        Self::Fatal(error)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
