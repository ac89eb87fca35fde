//! What a worker does, in numbers.

use crate::{Worker, error::JournalError};
use sealwork_types::PoolId;
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;

/// Tasks by state, for `worker status`. Those that ended are counted since the job log was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// Pool served.
    pub pool: PoolId,
    /// Slots configured.
    pub slots: usize,
    /// Whether requests are taken over HTTP; not said by workers before there were any.
    #[serde(default)]
    pub takes_requests: bool,
    /// Tasks waiting.
    pub queued: u64,
    /// Tasks in an enclave.
    pub running: u64,
    /// Tasks with a statement that is not settled yet.
    pub executed: u64,
    /// Tasks settled.
    pub settled: u64,
    /// Tasks delivered to the payers of channels.
    #[serde(default)]
    pub delivered: u64,
    /// When the chain's newest block was last seen, seconds since 1970; zero if it was not yet.
    #[serde(default)]
    pub caught_up_at: u64,
    /// Whether the worker finishes what it has begun and takes no more.
    #[serde(default)]
    pub draining: bool,
    /// Tasks given up, with the reasons of the newest.
    pub abandoned: u64,
    /// Why tasks were given up, at most ten reasons, the newest first.
    pub reasons: Vec<String>,
    /// Why tasks wait for another attempt, at most ten reasons.
    pub waiting: Vec<String>,
}

impl Worker {
    /// Counts tasks by state.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn status(&self) -> Result<WorkerStatus, JournalError> {
        let counts = self.journal.counts()?;
        Ok(WorkerStatus {
            pool: self.config.pool,
            slots: self.config.slots,
            takes_requests: self.config.takes_requests,
            queued: counts.queued,
            running: counts.running,
            executed: counts.executed,
            settled: counts.settled,
            delivered: counts.delivered,
            caught_up_at: self.caught_up.load(Ordering::Relaxed),
            draining: self.draining.load(Ordering::Relaxed),
            abandoned: counts.abandoned,
            reasons: counts.reasons,
            waiting: self.delays.reasons(10),
        })
    }
}
