//! What a worker does, in numbers.

use crate::{Worker, error::JournalError};
use sealwork_protocol::job::JobState;
use sealwork_types::PoolId;
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;

/// Jobs by state, for `worker status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// Pool served.
    pub pool: PoolId,
    /// Slots configured.
    pub slots: usize,
    /// Whether requests are taken over HTTP; not said by workers before there were any.
    #[serde(default)]
    pub takes_requests: bool,
    /// Jobs waiting.
    pub queued: usize,
    /// Jobs in an enclave.
    pub running: usize,
    /// Jobs with a receipt that is not settled yet.
    pub executed: usize,
    /// Jobs settled.
    pub settled: usize,
    /// Jobs delivered to the payers of channels.
    #[serde(default)]
    pub delivered: usize,
    /// When the chain's newest block was last seen, seconds since 1970; zero if it was not yet.
    #[serde(default)]
    pub caught_up_at: u64,
    /// Jobs given up, with the reason of the newest.
    pub abandoned: usize,
    /// Why jobs were given up, at most ten reasons.
    pub reasons: Vec<String>,
    /// Why jobs wait for another attempt, at most ten reasons.
    pub waiting: Vec<String>,
}

impl Worker {
    /// Counts jobs by state.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn status(&self) -> Result<WorkerStatus, JournalError> {
        let mut status = WorkerStatus {
            pool: self.config.pool,
            slots: self.config.slots,
            takes_requests: self.config.takes_requests,
            waiting: self.delays.reasons(10),
            caught_up_at: self.caught_up.load(Ordering::Relaxed),
            ..WorkerStatus::default()
        };
        for state in self.journal.states()? {
            match state {
                JobState::Queued { .. } => status.queued += 1,
                JobState::Running { .. } => status.running += 1,
                JobState::Executed(_) => status.executed += 1,
                JobState::Settled { .. } => status.settled += 1,
                JobState::Delivered(_) => status.delivered += 1,
                JobState::Abandoned { reason } => {
                    status.abandoned += 1;
                    if status.reasons.len() < 10 {
                        status.reasons.push(reason);
                    }
                }
            }
        }
        Ok(status)
    }
}
