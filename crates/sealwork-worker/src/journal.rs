//! The durable job log: what a worker accepted, how far it got, and which events it has seen.
//!
//! Every change is one transaction with one fsync, and the event cursor moves in the same transaction as the jobs that
//! its events created. So a crash repeats nothing that was promised and forgets nothing that was accepted.

use crate::error::JournalError;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use sealwork_ports::EventCursor;
use sealwork_protocol::job::{JobEvent, JobState};
use sealwork_types::{Bytes, DealId, TaskId, abi::DealTerms, order};
use serde::{Deserialize, Serialize};
use std::path::Path;

const JOBS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("jobs-v1");
const CURSOR: TableDefinition<'_, &str, (u64, u64)> = TableDefinition::new("cursor-v1");
const CURSOR_KEY: &str = "events";

/// One task as the worker knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Deal.
    pub deal: DealId,
    /// Index in the deal.
    pub index: u32,
    /// What was agreed.
    pub terms: DealTerms,
    /// Requester's signature over the request.
    pub request_signature: Bytes,
    /// Where it stands.
    pub state: JobState,
}

impl Job {
    /// The task's id.
    pub fn task(&self) -> TaskId {
        order::task_id(self.deal, self.index)
    }
}

/// The job log of one worker.
#[derive(Debug)]
pub struct Journal {
    database: Database,
}

impl Journal {
    /// Opens or creates the log in `directory`.
    ///
    /// # Errors
    /// [`JournalError::Open`].
    pub fn open(directory: &Path) -> Result<Self, JournalError> {
        let path = directory.join("jobs.redb");
        let failed = |source: redb::Error| JournalError::Open { path: path.clone(), source };
        std::fs::create_dir_all(directory).map_err(|error| failed(redb::Error::Io(error)))?;
        let database = Database::create(&path).map_err(|error| failed(error.into()))?;
        let journal = Self { database };
        journal.write(|_, _| Ok(()))?;
        Ok(journal)
    }

    /// Events at or before this position are in the log.
    ///
    /// # Errors
    /// [`JournalError::Database`].
    pub fn cursor(&self) -> Result<EventCursor, JournalError> {
        let transaction = self.database.begin_read().map_err(database)?;
        let table = transaction.open_table(CURSOR).map_err(database)?;
        let found = table.get(CURSOR_KEY).map_err(database)?;
        Ok(found.map_or_else(EventCursor::default, |entry| {
            let (block, log_index) = entry.value();
            EventCursor { block, log_index }
        }))
    }

    /// Adds jobs that are not known yet and moves the cursor, both or neither.
    ///
    /// # Errors
    /// [`JournalError::Database`].
    pub fn record(&self, jobs: &[Job], cursor: EventCursor) -> Result<(), JournalError> {
        self.write(|table, cursors| {
            for job in jobs {
                let task = job.task();
                if table.get(task.as_slice())?.is_none() {
                    table.insert(task.as_slice(), encode(job).as_slice())?;
                }
            }
            cursors.insert(CURSOR_KEY, (cursor.block, cursor.log_index))?;
            Ok(())
        })
    }

    /// Applies an event to a job, durably, and returns the job as it is now.
    ///
    /// # Errors
    /// [`JournalError::Transition`] when the event does not fit; the log stays as it was.
    pub fn apply(&self, task: TaskId, event: JobEvent) -> Result<Job, JournalError> {
        let mut job = self.job(task)?.ok_or_else(|| {
            JournalError::Database(redb::Error::Io(std::io::Error::other(format!(
                "no job {task} in the log"
            ))))
        })?;
        job.state = job.state.apply(event).map_err(|source| JournalError::Transition { task, source })?;
        let bytes = encode(&job);
        self.write(|table, _| table.insert(task.as_slice(), bytes.as_slice()).map(drop))?;
        Ok(job)
    }

    /// One job.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn job(&self, task: TaskId) -> Result<Option<Job>, JournalError> {
        let transaction = self.database.begin_read().map_err(database)?;
        let table = transaction.open_table(JOBS).map_err(database)?;
        let found = table.get(task.as_slice()).map_err(database)?;
        found.map(|entry| decode(task, entry.value())).transpose()
    }

    /// Every job that `keep` selects.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn jobs(&self, keep: impl Fn(&Job) -> bool) -> Result<Vec<Job>, JournalError> {
        let transaction = self.database.begin_read().map_err(database)?;
        let table = transaction.open_table(JOBS).map_err(database)?;
        let mut found = Vec::new();
        for entry in table.iter().map_err(database)? {
            let (key, value) = entry.map_err(database)?;
            let task = TaskId::new(sealwork_types::B256::try_from(key.value()).unwrap_or_default());
            let job = decode(task, value.value())?;
            if keep(&job) {
                found.push(job);
            }
        }
        Ok(found)
    }

    fn write(
        &self,
        change: impl FnOnce(
            &mut redb::Table<'_, &'static [u8], &'static [u8]>,
            &mut redb::Table<'_, &'static str, (u64, u64)>,
        ) -> Result<(), redb::StorageError>,
    ) -> Result<(), JournalError> {
        let transaction = self.database.begin_write().map_err(database)?;
        {
            let mut jobs = transaction.open_table(JOBS).map_err(database)?;
            let mut cursors = transaction.open_table(CURSOR).map_err(database)?;
            change(&mut jobs, &mut cursors).map_err(database)?;
        }
        transaction.commit().map_err(database)
    }
}

fn database(error: impl Into<redb::Error>) -> JournalError {
    JournalError::Database(error.into())
}

fn encode(job: &Job) -> Vec<u8> {
    serde_json::to_vec(job).expect("numbers, hashes and strings always serialize")
}

fn decode(task: TaskId, bytes: &[u8]) -> Result<Job, JournalError> {
    serde_json::from_slice(bytes).map_err(|source| JournalError::Record { task, source })
}

#[cfg(test)]
mod tests;
