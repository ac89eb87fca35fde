//! The durable job log: what a worker accepted, how far it got, and which events it has seen.
//!
//! A page of events is one transaction with the cursor behind it, and every other change is one: so a crash repeats
//! nothing that was promised and forgets nothing that was accepted. What the chain showed is kept beside what was known
//! before ([`undo`]) until its block is final, so blocks that are replaced leave no trace here.
//!
//! ```text
//! deals     deal ──► what was agreed              jobs   deal, first task ──► tasks, state
//! queue     stage, since, arrival, first ──► deal        what is left to do, oldest first
//! watch     since, arrival ──► deal                      deals that may have to be started
//! undo      block, number ──► how it was before          done   time, arrival ──► deals to be forgotten
//! channels  deal ──► terms, tasks used                   vouchers, promises, names: what came over HTTP
//! ```

mod channels;
mod forget;
mod news;
mod queue;
mod records;
mod tables;
mod undo;

pub use channels::{ChannelChange, ChannelRecord};
pub use news::{Change, Closing, News};
pub use queue::{Job, JobKey, Stage};
pub use records::Counts;

use crate::{
    agreement::{Agreement, DirectRequest},
    error::JournalError,
};
use redb::{Builder, Database, Durability, ReadableDatabase, StorageBackend};
use sealwork_ports::EventCursor;
use sealwork_protocol::job::{Execution, JobEvent};
use sealwork_types::{Address, B256, DealId, TaskId, U256};
use std::path::Path;
use tables::{Reader, Tables, database};

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
        if is_unfinished(&path).map_err(|error| failed(redb::Error::Io(error)))? {
            std::fs::remove_file(&path).map_err(|error| failed(redb::Error::Io(error)))?;
        }
        Self::ready(Database::create(&path).map_err(|error| failed(error.into()))?)
    }

    /// Opens or creates the log on any storage, such as a simulated disk.
    ///
    /// # Errors
    /// [`JournalError::Open`].
    pub fn on(storage: impl StorageBackend) -> Result<Self, JournalError> {
        let failed = |source: redb::Error| JournalError::Open { path: "jobs".into(), source };
        let begin = |storage: &dyn StorageBackend| {
            let mut start = [0; START_BYTES];
            if storage.len()? >= START_BYTES as u64 {
                storage.read(0, &mut start)?;
                if start == [0; START_BYTES] {
                    storage.set_len(0)?;
                }
            }
            Ok(())
        };
        begin(&storage).map_err(|error| failed(redb::Error::Io(error)))?;
        Self::ready(Builder::new().create_with_backend(storage).map_err(|error| failed(error.into()))?)
    }

    fn ready(database: Database) -> Result<Self, JournalError> {
        let journal = Self { database };
        journal.write(|tables| tables.requeue())?;
        Ok(journal)
    }

    /// Events at or before this position are in the log.
    ///
    /// # Errors
    /// [`JournalError::Database`].
    pub fn cursor(&self) -> Result<EventCursor, JournalError> {
        self.read()?.cursor()
    }

    /// Writes down what events bring and moves the cursor, all or nothing; returns the jobs that changed.
    ///
    /// A deal whose request is known already from HTTP takes its place: it is settled by its own terms then.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn record(&self, news: &News, cursor: EventCursor) -> Result<Vec<Job>, JournalError> {
        self.write(|tables| {
            let mut changed = Vec::new();
            if let Some(block) = news.rewound_to {
                tables.rewind(block, &mut changed)?;
            }
            for (block, change) in &news.changes {
                tables.take(*block, change, news.now, &mut changed)?;
            }
            tables.move_cursor(cursor)?;
            Ok(changed)
        })
    }

    /// Adds a request, unless its deal is known.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn accept(&self, request: DirectRequest) -> Result<(), JournalError> {
        let agreement = Agreement::Direct(Box::new(request));
        self.write(|tables| tables.accept(&agreement).map(drop))
    }

    /// Takes up to `count` tasks of a queued job from its start; the rest is a job of its own. `None` when the job is not
    /// queued any more. A crash forgets it: then nothing was begun.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn begin(&self, key: JobKey, count: u32) -> Result<Option<Job>, JournalError> {
        self.write_with(Durability::None, |tables| tables.begin(key, count))
    }

    /// Notes what an enclave said about a running job; tasks that it did not get to are a job of their own. `None` when
    /// the job is not running any more.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn executed(&self, key: JobKey, execution: Box<Execution>) -> Result<Option<Job>, JournalError> {
        self.write(|tables| tables.executed(key, execution))
    }

    /// Applies an event to a job, durably, and returns the job as it is now; `None` when the event does not fit, because
    /// the job was closed meanwhile.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn apply(&self, key: JobKey, event: &JobEvent, at: Place) -> Result<Option<Job>, JournalError> {
        self.write(|tables| tables.apply(key, event, at))
    }

    /// One job.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn job(&self, key: JobKey) -> Result<Option<Job>, JournalError> {
        self.read()?.job(key)
    }

    /// The job of a task that came over HTTP.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn handed(&self, task: TaskId) -> Result<Option<Job>, JournalError> {
        let reader = self.read()?;
        match reader.handed(task)? {
            Some(deal) => reader.job(JobKey { deal, first: 0 }),
            None => Ok(None),
        }
    }

    /// What was agreed about a deal.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn agreement(&self, deal: DealId) -> Result<Option<Agreement>, JournalError> {
        self.read()?.agreement(deal)
    }

    /// The oldest job at a stage that `suits`.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn next(&self, stage: Stage, suits: impl Fn(JobKey) -> bool) -> Result<Option<Job>, JournalError> {
        self.read()?.next(stage, suits)
    }

    /// All open jobs, oldest first.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn open_jobs(&self) -> Result<Vec<Job>, JournalError> {
        self.read()?.open_jobs()
    }

    /// How many tasks are where.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn counts(&self) -> Result<Counts, JournalError> {
        self.read()?.counts()
    }

    /// What open requests that came over HTTP may cost: how many there are, and the sum for one payer.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn promised(&self, payer: Address) -> Result<(usize, U256), JournalError> {
        self.read()?.promised(payer)
    }

    /// Whether tasks of a deal are open.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn has_open(&self, deal: DealId) -> Result<bool, JournalError> {
        self.read()?.has_open(deal)
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
    pub fn started(&self, deal: DealId) -> Result<(), JournalError> {
        self.write(|tables| tables.unwatch(deal))
    }

    /// Forgets deals that were done long enough ago, and how things were before blocks older than `final_block`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn prune(&self, now: u64, final_block: u64) -> Result<usize, JournalError> {
        self.write(|tables| {
            tables.finalize(final_block)?;
            tables.forget(now, final_block)
        })
    }

    fn read(&self) -> Result<Reader, JournalError> {
        Reader::begin(&self.database.begin_read().map_err(database)?)
    }

    fn write<T>(
        &self,
        change: impl FnOnce(&mut Tables<'_>) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        self.write_with(Durability::Immediate, change)
    }

    fn write_with<T>(
        &self,
        durability: Durability,
        change: impl FnOnce(&mut Tables<'_>) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut transaction = self.database.begin_write().map_err(database)?;
        transaction.set_durability(durability).map_err(database)?;
        let mut tables = Tables::open(&transaction)?;
        let result = change(&mut tables)?;
        tables.save_counts()?;
        drop(tables);
        transaction.commit().map_err(database)?;
        Ok(result)
    }
}

/// When and where something happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// Block that shows it, if one does.
    pub block: Option<u64>,
    /// Seconds since 1970.
    pub now: u64,
}

/// The database names itself in its first bytes, last of all when it is made.
const START_BYTES: usize = 16;

/// Whether making the log was interrupted, by a full disk for example: then it holds nothing, and must be made again.
fn is_unfinished(path: &Path) -> std::io::Result<bool> {
    use std::io::Read;
    let mut start = [0; START_BYTES];
    match std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)) {
        Ok(()) => Ok(start == [0; START_BYTES]),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        // An empty file is made into a log.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn name(bytes: &[u8]) -> B256 {
    bytes.last_chunk::<32>().copied().map(B256::from).unwrap_or_default()
}

#[cfg(test)]
mod tests;
