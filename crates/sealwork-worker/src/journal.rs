//! The durable job log: what a worker accepted, how far it got, and which events it has seen.
//!
//! Every change is one transaction with one fsync, and the event cursor moves in the same transaction as the jobs that
//! its events created. So a crash repeats nothing that was promised and forgets nothing that was accepted.
//!
//! ```text
//! jobs    task ──► deal, index, state          open    since, index, task     what is left to do, oldest first
//! deals   deal ──► what was agreed             watch   since, deal            deals that may have to be started
//! channels   deal ──► terms, newest voucher, tasks used
//! ```

mod channels;
mod tables;

pub use channels::{ChannelChange, ChannelRecord};

use crate::{
    agreement::{Agreement, DirectRequest},
    error::JournalError,
};
use redb::{Database, ReadableDatabase, ReadableTableMetadata};
use sealwork_ports::EventCursor;
use sealwork_protocol::job::{JobEvent, JobState};
use sealwork_types::{DealId, TaskId, deal::Deal, order};
use std::{path::Path, sync::Arc};
use tables::{Reader, Tables, database, open_key, watch_key};

/// One task as the worker knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What was agreed about it.
    pub agreement: Arc<Agreement>,
    /// Index in the deal.
    pub index: u32,
    /// Where it stands.
    pub state: JobState,
}

impl Job {
    /// The task's deal.
    pub fn deal(&self) -> DealId {
        self.agreement.id()
    }

    /// The task's id.
    pub fn task(&self) -> TaskId {
        order::task_id(self.deal(), self.index)
    }

    /// The request that this job came with over HTTP, if it did.
    pub fn direct(&self) -> Option<&DirectRequest> {
        match &*self.agreement {
            Agreement::Direct(direct) => Some(direct),
            Agreement::Matched(_) | Agreement::Channel(_) => None,
        }
    }
}

/// An agreement and those of its tasks that are open.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// What was agreed.
    pub agreement: Agreement,
    /// Indexes of open tasks.
    pub open: Vec<u32>,
}

/// What events bring. Writing it down twice is writing it down once.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// Deals to be served.
    pub accepted: Vec<Accepted>,
    /// Channels of the worker's pool.
    pub channels: Vec<Deal>,
    /// What became of deals, some of which are channels.
    pub changes: Vec<(DealId, ChannelChange)>,
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
        journal.write(|_| Ok(()))?;
        Ok(journal)
    }

    /// Events at or before this position are in the log.
    ///
    /// # Errors
    /// [`JournalError::Database`].
    pub fn cursor(&self) -> Result<EventCursor, JournalError> {
        self.read()?.cursor()
    }

    /// Writes down what events bring and moves the cursor, all or nothing.
    ///
    /// A deal whose request is known already from HTTP takes its place: it is settled by its own terms then.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn record(&self, news: &News, cursor: EventCursor) -> Result<(), JournalError> {
        self.write(|tables| {
            for agreement in &news.accepted {
                tables.accept(agreement)?;
            }
            for channel in &news.channels {
                tables.open_channel(channel)?;
            }
            for (channel, change) in &news.changes {
                tables.note(*channel, *change)?;
            }
            tables.move_cursor(cursor)
        })
    }

    /// Adds a request, unless its deal is known.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn accept(&self, request: DirectRequest) -> Result<(), JournalError> {
        let accepted = Accepted { agreement: Agreement::Direct(Box::new(request)), open: vec![0] };
        self.write(|tables| tables.accept(&accepted))
    }

    /// Applies an event to a job, durably, and returns the job as it is now.
    ///
    /// # Errors
    /// [`JournalError::Transition`] when the event does not fit; the log stays as it was.
    pub fn apply(&self, task: TaskId, event: JobEvent) -> Result<Job, JournalError> {
        self.write(|tables| tables.apply(task, event))
    }

    /// One job.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn job(&self, task: TaskId) -> Result<Option<Job>, JournalError> {
        self.read()?.job(task)
    }

    /// What was agreed about a deal.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn agreement(&self, deal: DealId) -> Result<Option<Agreement>, JournalError> {
        self.read()?.agreement(deal)
    }

    /// States of all jobs, done ones too.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn states(&self) -> Result<Vec<JobState>, JournalError> {
        self.read()?.states()
    }

    /// The oldest open job that `suits`.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn next_open(&self, suits: impl Fn(TaskId) -> bool) -> Result<Option<Job>, JournalError> {
        let reader = self.read()?;
        for task in reader.open_tasks()? {
            let task = task?;
            if suits(task) {
                return reader.job(task);
            }
        }
        Ok(None)
    }

    /// All open jobs, oldest first.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn open_jobs(&self) -> Result<Vec<Job>, JournalError> {
        let reader = self.read()?;
        let tasks = reader.open_tasks()?;
        tasks.filter_map(|task| task.and_then(|task| reader.job(task)).transpose()).collect()
    }

    /// How many jobs are open.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn open_count(&self) -> Result<u64, JournalError> {
        self.read()?.open.len().map_err(database)
    }

    /// Whether tasks of an agreement are open.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn has_open(&self, agreement: &Agreement) -> Result<bool, JournalError> {
        let (reader, deal) = (self.read()?, agreement.id());
        for index in 0..agreement.volume() {
            let key = open_key(agreement, index, order::task_id(deal, index));
            if reader.open.get(&key[..]).map_err(database)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Deals made at `until` or before that nobody has said to have started, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn unstarted(&self, until: u64, limit: usize) -> Result<Vec<Agreement>, JournalError> {
        self.read()?.unstarted(until, limit)
    }

    /// Notes that a deal needs no start.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn started(&self, agreement: &Agreement) -> Result<(), JournalError> {
        let key = watch_key(agreement);
        self.write(|tables| tables.watch.remove(&key[..]).map(drop).map_err(database))
    }

    fn read(&self) -> Result<Reader, JournalError> {
        Reader::begin(&self.database.begin_read().map_err(database)?)
    }

    fn write<T>(
        &self,
        change: impl FnOnce(&mut Tables<'_>) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let transaction = self.database.begin_write().map_err(database)?;
        let result = change(&mut Tables::begin(&transaction)?)?;
        transaction.commit().map_err(database)?;
        Ok(result)
    }
}

#[cfg(test)]
mod tests;
