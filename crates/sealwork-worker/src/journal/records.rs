//! What the log's records hold, and the counters over them.

use super::{
    Job,
    tables::{Reader, Tables, database, decode, encode},
};
use crate::{agreement::Agreement, error::JournalError};
use redb::ReadableTable;
use sealwork_protocol::job::JobState;
use sealwork_types::B256;
use serde::{Deserialize, Serialize};

/// Reasons for giving up that are remembered.
const MAX_REASONS: usize = 10;
const COUNTS: &str = "counts";

/// A deal in the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DealRecord {
    /// What was agreed.
    pub(super) agreement: Agreement,
    /// Number in the order in which deals came.
    pub(super) arrival: u64,
    /// When its last task was closed.
    pub(super) closed: Option<Closed>,
}

/// When the last task of a deal was closed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Closed {
    /// Block that shows it; zero when none does.
    pub(super) block: u64,
    /// Seconds since 1970.
    pub(super) at: u64,
}

/// A job in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct JobRecord {
    /// Tasks.
    pub(super) count: u32,
    /// Where it stands.
    pub(super) state: JobState,
}

/// How many tasks are where. Those that ended are counted since the log was made, also when they are forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Waiting.
    pub queued: u64,
    /// In an enclave.
    pub running: u64,
    /// With a statement that is not settled.
    pub executed: u64,
    /// Settled.
    pub settled: u64,
    /// Delivered to the payers of channels.
    pub delivered: u64,
    /// Given up.
    pub abandoned: u64,
    /// Why, for the newest.
    pub reasons: Vec<String>,
    /// Deals that ever came.
    pub arrivals: u64,
    /// Records of how things were before, ever made.
    pub(super) undone: u64,
}

impl Counts {
    /// Tasks that are neither ended nor given up.
    pub const fn open(&self) -> u64 {
        self.queued.saturating_add(self.running).saturating_add(self.executed)
    }

    fn of(&mut self, state: &JobState) -> &mut u64 {
        match state {
            JobState::Queued { .. } => &mut self.queued,
            JobState::Running { .. } => &mut self.running,
            JobState::Executed(_) => &mut self.executed,
            JobState::Settled { .. } => &mut self.settled,
            JobState::Delivered(_) => &mut self.delivered,
            JobState::Abandoned { .. } => &mut self.abandoned,
        }
    }

    fn note(&mut self, reason: &str) {
        self.reasons.retain(|known| known != reason);
        self.reasons.insert(0, reason.to_owned());
        self.reasons.truncate(MAX_REASONS);
    }
}

impl Reader {
    pub(super) fn counts(&self) -> Result<Counts, JournalError> {
        counts(&self.meta)
    }
}

fn counts(table: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<Counts, JournalError> {
    let found = table.get(COUNTS).map_err(database)?;
    found.map_or_else(|| Ok(Counts::default()), |entry| decode(B256::ZERO, entry.value()))
}

impl Tables<'_> {
    pub(super) fn counts(&mut self) -> Result<&mut Counts, JournalError> {
        if self.counts.is_none() {
            self.counts = Some(counts(&self.meta)?);
        }
        Ok(self.counts.get_or_insert_default())
    }

    /// Moves a job's tasks from one counter to another; one that ended stays counted when it is removed.
    pub(super) fn count_job(
        &mut self,
        before: Option<&JobRecord>,
        after: Option<&JobRecord>,
    ) -> Result<(), JournalError> {
        let counts = self.counts()?;
        if let Some(before) = before.filter(|before| after.is_some() || before.state.is_open()) {
            let counter = counts.of(&before.state);
            *counter = counter.saturating_sub(u64::from(before.count));
        }
        if let Some(after) = after {
            let counter = counts.of(&after.state);
            *counter = counter.saturating_add(u64::from(after.count));
            if let JobState::Abandoned { reason } = &after.state
                && before.is_none_or(|before| before.state.is_open())
            {
                counts.note(reason);
            }
        }
        Ok(())
    }

    /// Writes the counters down if they changed; the last thing in a transaction.
    pub(super) fn save_counts(&mut self) -> Result<(), JournalError> {
        if let Some(counts) = self.counts.take() {
            self.meta.insert(COUNTS, &encode(&counts)[..]).map_err(database)?;
        }
        Ok(())
    }

    /// When the last task of a deal ended, it is on its way to be forgotten.
    pub(super) fn note_end(&mut self, job: &Job, closed: Closed) -> Result<(), JournalError> {
        let deal = job.deal();
        let mut record = self.deal(deal)?;
        if self.is_queued(&record)? {
            return Ok(());
        }
        record.closed = Some(closed);
        self.put_deal(deal, &record)?;
        self.unwatch(deal)?;
        self.promises.remove(deal.as_slice()).map_err(database)?;
        self.schedule(&record, deal, closed.at)
    }
}
