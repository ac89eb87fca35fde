//! The life of a job at a worker: one task, or tasks of a deal that follow each other and end with one statement.
//!
//! ```text
//! Queued ──Started──► Running ──Executed──► Executed ──Settled──► Settled
//!   ▲                   │  │                    │ └────Delivered──► Delivered
//!   └──Interrupted──────┘  └──GaveUp──► Abandoned ◄──Closed / DeadlinePassed── (any open state)
//! ```
//!
//! When blocks are replaced by others, what they showed is void: the driver puts the state from before back.
//!
//! The driver persists the new state before it acts on it. After a crash, `Running` means that nothing was promised
//! yet, so [`JobEvent::Postponed`] puts the job back in the queue; `Executed` means that the receipt is on disk and
//! only settling is left, which the contract accepts once.

use sealwork_types::{
    B256, Bytes, Cid,
    abi::{Batch, Receipt},
    deal::tasks_in,
    enclave_wire::GrantFrame,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Attempts before a worker gives a task up.
pub const MAX_ATTEMPTS: u32 = 5;

/// What an enclave says about a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Statement {
    /// About one task, and where its sealed output lies; none when the status comes without output.
    Task {
        /// The receipt.
        receipt: Box<Receipt>,
        /// Sealed output.
        output: Option<Cid>,
    },
    /// About tasks that follow each other.
    Batch {
        /// The statement.
        batch: Box<Batch>,
        /// Where the receipts lie, and in them where the sealed outputs lie.
        receipts: Cid,
    },
}

impl Statement {
    /// Tasks that it covers.
    pub fn tasks(&self) -> u32 {
        match self {
            Self::Task { .. } => 1,
            Self::Batch { batch, .. } => tasks_in(&batch.tally),
        }
    }
}

/// What a worker has when the enclave is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// The enclave's statement.
    pub statement: Statement,
    /// Its signature.
    pub signature: Bytes,
    /// CAS statement about the enclave key.
    pub grant: GrantFrame,
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobState {
    /// Waits for a slot.
    Queued {
        /// Attempts made.
        attempts: u32,
    },
    /// An enclave works on it.
    Running {
        /// This attempt's number, from 1.
        attempt: u32,
    },
    /// The receipt is on disk, the output in storage.
    Executed(Box<Execution>),
    /// Settled on chain.
    Settled {
        /// Transaction.
        transaction: B256,
    },
    /// The receipt is here for its requester; a voucher pays, and nothing goes on chain.
    Delivered(Box<Execution>),
    /// Given up; the requester is refunded after the deadline.
    Abandoned {
        /// Why.
        reason: String,
    },
}

/// What can happen to a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobEvent {
    /// A slot took it.
    Started,
    /// The attempt ended without a receipt, and another can help.
    Interrupted {
        /// What happened.
        reason: String,
    },
    /// The surroundings failed (chain, storage, CAS, a restart); the attempt does not count.
    Postponed {
        /// What happened.
        reason: String,
    },
    /// The attempt ended without a receipt, and no other can help.
    GaveUp {
        /// What happened.
        reason: String,
    },
    /// The enclave signed.
    Executed(Box<Execution>),
    /// The settlement was mined.
    Settled {
        /// Transaction.
        transaction: B256,
    },
    /// The receipt can be fetched, and that is all that was agreed.
    Delivered,
    /// The chain shows the task closed by somebody else.
    Closed,
    /// The deal's deadline passed.
    DeadlinePassed,
}

/// An event that does not fit the state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a job that is {from} cannot be {event}")]
pub struct TransitionError {
    /// Name of the state.
    pub from: &'static str,
    /// Name of the event.
    pub event: &'static str,
}

impl JobState {
    /// A job that was just seen on chain.
    pub const fn new() -> Self {
        Self::Queued { attempts: 0 }
    }

    /// Whether anything is left to do.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Queued { .. } | Self::Running { .. } | Self::Executed(_))
    }

    /// Name for logs and tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Running { .. } => "running",
            Self::Executed(_) => "executed",
            Self::Settled { .. } => "settled",
            Self::Delivered(_) => "delivered",
            Self::Abandoned { .. } => "abandoned",
        }
    }

    /// The state after an event.
    ///
    /// # Errors
    /// [`TransitionError`] when the event does not fit; the state stays as it was.
    pub fn apply(&self, event: JobEvent) -> Result<Self, TransitionError> {
        let refused = TransitionError { from: self.name(), event: event.name() };
        match (self, event) {
            (Self::Queued { attempts }, JobEvent::Started) => {
                Ok(Self::Running { attempt: attempts.saturating_add(1) })
            }
            (Self::Running { attempt }, JobEvent::Interrupted { reason }) if *attempt >= MAX_ATTEMPTS => {
                Ok(Self::Abandoned { reason: format!("gave up after {attempt} attempts: {reason}") })
            }
            (Self::Running { attempt }, JobEvent::Interrupted { .. }) => {
                Ok(Self::Queued { attempts: *attempt })
            }
            (Self::Running { attempt }, JobEvent::Postponed { .. }) => {
                Ok(Self::Queued { attempts: attempt.saturating_sub(1) })
            }
            (Self::Running { .. }, JobEvent::Executed(execution)) => Ok(Self::Executed(execution)),
            (Self::Executed(_), JobEvent::Settled { transaction }) => Ok(Self::Settled { transaction }),
            (Self::Executed(execution), JobEvent::Delivered) => Ok(Self::Delivered(execution.clone())),
            (state, JobEvent::GaveUp { reason }) if state.is_open() => Ok(Self::Abandoned { reason }),
            (state, JobEvent::Closed) if state.is_open() => {
                Ok(Self::Abandoned { reason: "the task was closed on chain by somebody else".into() })
            }
            (state, JobEvent::DeadlinePassed) if state.is_open() => {
                Ok(Self::Abandoned { reason: "the deal's deadline passed".into() })
            }
            _ => Err(refused),
        }
    }
}

impl Default for JobState {
    fn default() -> Self {
        Self::new()
    }
}

impl JobEvent {
    /// Name for errors.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Interrupted { .. } => "interrupted",
            Self::Postponed { .. } => "postponed",
            Self::GaveUp { .. } => "given up",
            Self::Executed(_) => "executed",
            Self::Settled { .. } => "settled",
            Self::Delivered => "delivered",
            Self::Closed => "closed",
            Self::DeadlinePassed => "past its deadline",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
