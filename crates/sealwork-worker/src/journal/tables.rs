//! Records and keys of the job log.

use super::{Accepted, Job};
use crate::{agreement::Agreement, error::JournalError};
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};
use sealwork_ports::EventCursor;
use sealwork_protocol::job::{JobEvent, JobState};
use sealwork_types::{B256, DealId, TaskId, order};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::sync::Arc;

pub(super) type Bytes = &'static [u8];

const JOBS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("jobs-v2");
const DEALS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("deals-v2");
const OPEN: TableDefinition<'_, Bytes, ()> = TableDefinition::new("open-v2");
const WATCH: TableDefinition<'_, Bytes, ()> = TableDefinition::new("watch-v2");
const CHANNELS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("channels-v1");
const VOUCHERS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("vouchers-v1");
const CURSOR: TableDefinition<'_, &str, (u64, u64, [u8; 32])> = TableDefinition::new("cursor-v3");
const CURSOR_KEY: &str = "events";

const OPEN_KEY_BYTES: usize = 8 + 4 + 32;
const WATCH_KEY_BYTES: usize = 8 + 32;

/// A job in the log.
#[derive(Serialize, Deserialize)]
struct JobRecord {
    deal: DealId,
    index: u32,
    state: JobState,
}

/// Key of an open job: the oldest agreement comes first.
pub(super) fn open_key(agreement: &Agreement, index: u32, task: TaskId) -> [u8; OPEN_KEY_BYTES] {
    let mut key = [0; OPEN_KEY_BYTES];
    let (since, rest) = key.split_at_mut(8);
    let (place, name) = rest.split_at_mut(4);
    since.copy_from_slice(&agreement.since().to_be_bytes());
    place.copy_from_slice(&index.to_be_bytes());
    name.copy_from_slice(task.as_slice());
    key
}

/// Key of a deal that may have to be started.
pub(super) fn watch_key(agreement: &Agreement) -> [u8; WATCH_KEY_BYTES] {
    let mut key = [0; WATCH_KEY_BYTES];
    let (since, name) = key.split_at_mut(8);
    since.copy_from_slice(&agreement.since().to_be_bytes());
    name.copy_from_slice(agreement.id().as_slice());
    key
}

/// The last 32 bytes of a key.
pub(super) fn name_in(key: &[u8]) -> B256 {
    key.last_chunk::<32>().copied().map(B256::from).unwrap_or_default()
}

pub(super) fn database(error: impl Into<redb::Error>) -> JournalError {
    JournalError::Database(error.into())
}

pub(super) fn encode<T: Serialize>(record: &T) -> Vec<u8> {
    serde_json::to_vec(record).expect("numbers, hashes and strings always serialize")
}

pub(super) fn decode<T: DeserializeOwned>(name: B256, bytes: &[u8]) -> Result<T, JournalError> {
    serde_json::from_slice(bytes).map_err(|source| JournalError::Record { name, source })
}

/// A record by its name.
pub(super) fn find<T: DeserializeOwned>(
    table: &impl ReadableTable<Bytes, Bytes>,
    name: B256,
) -> Result<Option<T>, JournalError> {
    let found = table.get(name.as_slice()).map_err(database)?;
    found.map(|entry| decode(name, entry.value())).transpose()
}

fn find_job(
    jobs: &impl ReadableTable<Bytes, Bytes>,
    deals: &impl ReadableTable<Bytes, Bytes>,
    task: TaskId,
) -> Result<Option<Job>, JournalError> {
    let Some(JobRecord { deal, index, state }) = find(jobs, task.get())? else { return Ok(None) };
    let agreement: Agreement = find(deals, deal.get())?.ok_or_else(|| missing("deal", deal.get()))?;
    Ok(Some(Job { agreement: Arc::new(agreement), index, state }))
}

pub(super) fn missing(kind: &'static str, name: B256) -> JournalError {
    JournalError::Missing { kind, name }
}

/// The tables at one moment.
pub(super) struct Reader {
    jobs: ReadOnlyTable<Bytes, Bytes>,
    deals: ReadOnlyTable<Bytes, Bytes>,
    pub(super) open: ReadOnlyTable<Bytes, ()>,
    watch: ReadOnlyTable<Bytes, ()>,
    pub(super) channels: ReadOnlyTable<Bytes, Bytes>,
    pub(super) vouchers: ReadOnlyTable<Bytes, Bytes>,
    cursor: ReadOnlyTable<&'static str, (u64, u64, [u8; 32])>,
}

impl Reader {
    pub(super) fn begin(transaction: &ReadTransaction) -> Result<Self, JournalError> {
        Ok(Self {
            jobs: transaction.open_table(JOBS).map_err(database)?,
            deals: transaction.open_table(DEALS).map_err(database)?,
            open: transaction.open_table(OPEN).map_err(database)?,
            watch: transaction.open_table(WATCH).map_err(database)?,
            channels: transaction.open_table(CHANNELS).map_err(database)?,
            vouchers: transaction.open_table(VOUCHERS).map_err(database)?,
            cursor: transaction.open_table(CURSOR).map_err(database)?,
        })
    }

    pub(super) fn cursor(&self) -> Result<EventCursor, JournalError> {
        let found = self.cursor.get(CURSOR_KEY).map_err(database)?;
        Ok(found.map_or_else(EventCursor::default, |entry| {
            let (block, log_index, parent) = entry.value();
            EventCursor { block, log_index, parent: parent.into() }
        }))
    }

    pub(super) fn job(&self, task: TaskId) -> Result<Option<Job>, JournalError> {
        find_job(&self.jobs, &self.deals, task)
    }

    pub(super) fn agreement(&self, deal: DealId) -> Result<Option<Agreement>, JournalError> {
        find(&self.deals, deal.get())
    }

    pub(super) fn states(&self) -> Result<Vec<JobState>, JournalError> {
        let mut states = Vec::new();
        for entry in self.jobs.iter().map_err(database)? {
            let (key, value) = entry.map_err(database)?;
            states.push(decode::<JobRecord>(name_in(key.value()), value.value())?.state);
        }
        Ok(states)
    }

    pub(super) fn open_tasks(
        &self,
    ) -> Result<impl Iterator<Item = Result<TaskId, JournalError>>, JournalError> {
        let entries = self.open.iter().map_err(database)?;
        Ok(entries.map(|entry| entry.map(|(key, _)| TaskId::new(name_in(key.value()))).map_err(database)))
    }

    pub(super) fn unstarted(&self, until: u64, limit: usize) -> Result<Vec<Agreement>, JournalError> {
        let end = until.saturating_add(1).to_be_bytes();
        let mut found = Vec::new();
        for entry in self.watch.range::<&[u8]>(..&end[..]).map_err(database)?.take(limit) {
            let deal = DealId::new(name_in(entry.map_err(database)?.0.value()));
            found.push(self.agreement(deal)?.ok_or_else(|| missing("deal", deal.get()))?);
        }
        Ok(found)
    }
}

/// The tables inside a change.
pub(super) struct Tables<'a> {
    jobs: Table<'a, Bytes, Bytes>,
    deals: Table<'a, Bytes, Bytes>,
    open: Table<'a, Bytes, ()>,
    pub(super) watch: Table<'a, Bytes, ()>,
    pub(super) channels: Table<'a, Bytes, Bytes>,
    pub(super) vouchers: Table<'a, Bytes, Bytes>,
    cursor: Table<'a, &'static str, (u64, u64, [u8; 32])>,
}

impl<'a> Tables<'a> {
    pub(super) fn begin(transaction: &'a WriteTransaction) -> Result<Self, JournalError> {
        Ok(Self {
            jobs: transaction.open_table(JOBS).map_err(database)?,
            deals: transaction.open_table(DEALS).map_err(database)?,
            open: transaction.open_table(OPEN).map_err(database)?,
            watch: transaction.open_table(WATCH).map_err(database)?,
            channels: transaction.open_table(CHANNELS).map_err(database)?,
            vouchers: transaction.open_table(VOUCHERS).map_err(database)?,
            cursor: transaction.open_table(CURSOR).map_err(database)?,
        })
    }

    pub(super) fn move_cursor(&mut self, to: EventCursor) -> Result<(), JournalError> {
        self.cursor.insert(CURSOR_KEY, (to.block, to.log_index, to.parent.0)).map(drop).map_err(database)
    }

    pub(super) fn accept(&mut self, accepted: &Accepted) -> Result<(), JournalError> {
        let Accepted { agreement, open } = accepted;
        let deal = agreement.id();
        match (find::<Agreement>(&self.deals, deal.get())?, agreement) {
            (Some(Agreement::Matched(_) | Agreement::Channel(_)), _)
            | (Some(Agreement::Direct(_)), Agreement::Direct(_) | Agreement::Channel(_)) => return Ok(()),
            (Some(before), Agreement::Matched(_)) => self.make_way(&before, deal)?,
            (None, _) => {}
        }
        self.deals.insert(deal.as_slice(), &encode(agreement)[..]).map_err(database)?;
        if matches!(agreement, Agreement::Matched(_)) && !open.is_empty() {
            self.watch.insert(&watch_key(agreement)[..], ()).map_err(database)?;
        }
        for index in open.iter().copied() {
            let task = order::task_id(deal, index);
            let known = self.state(task)?;
            let state = known.unwrap_or_default();
            if state.is_open() {
                self.open.insert(&open_key(agreement, index, task)[..], ()).map_err(database)?;
            }
            self.put(task, &JobRecord { deal, index, state })?;
        }
        Ok(())
    }

    /// Takes a request out of the queue whose deal was matched after all. What its task has reached stays valid, but for
    /// giving up: the deal is another chance.
    fn make_way(&mut self, before: &Agreement, deal: DealId) -> Result<(), JournalError> {
        let task = order::task_id(deal, 0);
        self.open.remove(&open_key(before, 0, task)[..]).map_err(database)?;
        if matches!(self.state(task)?, Some(JobState::Abandoned { .. })) {
            self.jobs.remove(task.as_slice()).map_err(database)?;
        }
        Ok(())
    }

    pub(super) fn apply(&mut self, task: TaskId, event: JobEvent) -> Result<Job, JournalError> {
        let found = find_job(&self.jobs, &self.deals, task)?;
        let mut job = found.ok_or_else(|| missing("task", task.get()))?;
        job.state = job.state.apply(event).map_err(|source| JournalError::Transition { task, source })?;
        if !job.state.is_open() {
            self.open.remove(&open_key(&job.agreement, job.index, task)[..]).map_err(database)?;
        }
        self.put(task, &JobRecord { deal: job.deal(), index: job.index, state: job.state.clone() })?;
        self.close_in_channel(&job)?;
        Ok(job)
    }

    fn state(&self, task: TaskId) -> Result<Option<JobState>, JournalError> {
        Ok(find::<JobRecord>(&self.jobs, task.get())?.map(|record| record.state))
    }

    fn put(&mut self, task: TaskId, record: &JobRecord) -> Result<(), JournalError> {
        self.jobs.insert(task.as_slice(), &encode(record)[..]).map(drop).map_err(database)
    }
}
