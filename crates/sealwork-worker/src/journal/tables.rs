//! The tables of the job log, for looking and for changing.

use super::{
    name,
    records::{Counts, DealRecord},
};
use crate::{agreement::Agreement, error::JournalError};
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};
use sealwork_ports::EventCursor;
use sealwork_types::{Address, B256, DealId, TaskId, U256};
use serde::{Serialize, de::DeserializeOwned};

type Bytes = &'static [u8];
type Definition = TableDefinition<'static, Bytes, Bytes>;
type Meta = TableDefinition<'static, &'static str, Bytes>;

const DEALS: Definition = TableDefinition::new("deals-v3");
const JOBS: Definition = TableDefinition::new("jobs-v3");
const QUEUE: Definition = TableDefinition::new("queue-v3");
const WATCH: Definition = TableDefinition::new("watch-v3");
const UNDO: Definition = TableDefinition::new("undo-v3");
const DONE: Definition = TableDefinition::new("done-v3");
const NAMES: Definition = TableDefinition::new("names-v3");
const PROMISES: Definition = TableDefinition::new("promises-v3");
const CHANNELS: Definition = TableDefinition::new("channels-v3");
const VOUCHERS: Definition = TableDefinition::new("vouchers-v3");
const META: Meta = TableDefinition::new("meta-v3");
const CURSOR: &str = "cursor";

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

fn missing(kind: &'static str, name: B256) -> JournalError {
    JournalError::Missing { kind, name }
}

/// The tables at one moment.
pub(super) struct Reader {
    pub(super) jobs: ReadOnlyTable<Bytes, Bytes>,
    pub(super) queue: ReadOnlyTable<Bytes, Bytes>,
    pub(super) channels: ReadOnlyTable<Bytes, Bytes>,
    pub(super) vouchers: ReadOnlyTable<Bytes, Bytes>,
    pub(super) meta: ReadOnlyTable<&'static str, Bytes>,
    deals: ReadOnlyTable<Bytes, Bytes>,
    watch: ReadOnlyTable<Bytes, Bytes>,
    names: ReadOnlyTable<Bytes, Bytes>,
    promises: ReadOnlyTable<Bytes, Bytes>,
}

impl Reader {
    pub(super) fn begin(transaction: &ReadTransaction) -> Result<Self, JournalError> {
        let open = |table: Definition| transaction.open_table(table).map_err(database);
        Ok(Self {
            jobs: open(JOBS)?,
            queue: open(QUEUE)?,
            channels: open(CHANNELS)?,
            vouchers: open(VOUCHERS)?,
            meta: transaction.open_table(META).map_err(database)?,
            deals: open(DEALS)?,
            watch: open(WATCH)?,
            names: open(NAMES)?,
            promises: open(PROMISES)?,
        })
    }

    pub(super) fn cursor(&self) -> Result<EventCursor, JournalError> {
        let found = self.meta.get(CURSOR).map_err(database)?;
        found.map_or_else(|| Ok(EventCursor::default()), |entry| decode(B256::ZERO, entry.value()))
    }

    pub(super) fn deal(&self, deal: DealId) -> Result<DealRecord, JournalError> {
        find(&self.deals, deal.get())?.ok_or_else(|| missing("deal", deal.get()))
    }

    pub(super) fn agreement(&self, deal: DealId) -> Result<Option<Agreement>, JournalError> {
        Ok(find::<DealRecord>(&self.deals, deal.get())?.map(|record| record.agreement))
    }

    pub(super) fn handed(&self, task: TaskId) -> Result<Option<DealId>, JournalError> {
        let found = self.names.get(task.as_slice()).map_err(database)?;
        Ok(found.map(|entry| DealId::new(name(entry.value()))))
    }

    pub(super) fn promised(&self, payer: Address) -> Result<(usize, U256), JournalError> {
        let (mut open, mut sum) = (0, U256::ZERO);
        for entry in self.promises.iter().map_err(database)? {
            let (key, value) = entry.map_err(database)?;
            let (other, price): (Address, U256) = decode(name(key.value()), value.value())?;
            open += 1;
            if other == payer {
                sum = sum.saturating_add(price);
            }
        }
        Ok((open, sum))
    }

    pub(super) fn has_open(&self, deal: DealId) -> Result<bool, JournalError> {
        let open = |record: DealRecord| record.closed.is_none();
        Ok(find::<DealRecord>(&self.deals, deal.get())?.is_some_and(open))
    }

    pub(super) fn unstarted(&self, until: u64, limit: usize) -> Result<Vec<Agreement>, JournalError> {
        let end = until.saturating_add(1).to_be_bytes();
        let mut found = Vec::new();
        for entry in self.watch.range::<&[u8]>(..&end[..]).map_err(database)?.take(limit) {
            let deal = DealId::new(name(entry.map_err(database)?.1.value()));
            found.push(self.deal(deal)?.agreement);
        }
        Ok(found)
    }
}

/// The tables inside a change.
pub(super) struct Tables<'a> {
    pub(super) jobs: Table<'a, Bytes, Bytes>,
    pub(super) queue: Table<'a, Bytes, Bytes>,
    pub(super) watch: Table<'a, Bytes, Bytes>,
    pub(super) undo: Table<'a, Bytes, Bytes>,
    pub(super) done: Table<'a, Bytes, Bytes>,
    pub(super) names: Table<'a, Bytes, Bytes>,
    pub(super) promises: Table<'a, Bytes, Bytes>,
    pub(super) channels: Table<'a, Bytes, Bytes>,
    pub(super) vouchers: Table<'a, Bytes, Bytes>,
    pub(super) meta: Table<'a, &'static str, Bytes>,
    pub(super) counts: Option<Counts>,
    pub(super) deals: Table<'a, Bytes, Bytes>,
}

impl<'a> Tables<'a> {
    pub(super) fn open(transaction: &'a WriteTransaction) -> Result<Self, JournalError> {
        let open = |table: Definition| transaction.open_table(table).map_err(database);
        Ok(Self {
            jobs: open(JOBS)?,
            queue: open(QUEUE)?,
            watch: open(WATCH)?,
            undo: open(UNDO)?,
            done: open(DONE)?,
            names: open(NAMES)?,
            promises: open(PROMISES)?,
            channels: open(CHANNELS)?,
            vouchers: open(VOUCHERS)?,
            meta: transaction.open_table(META).map_err(database)?,
            counts: None,
            deals: open(DEALS)?,
        })
    }

    pub(super) fn move_cursor(&mut self, to: EventCursor) -> Result<(), JournalError> {
        self.meta.insert(CURSOR, &encode(&to)[..]).map(drop).map_err(database)
    }

    pub(super) fn find_deal(&self, deal: DealId) -> Result<Option<DealRecord>, JournalError> {
        find(&self.deals, deal.get())
    }

    pub(super) fn deal(&self, deal: DealId) -> Result<DealRecord, JournalError> {
        self.find_deal(deal)?.ok_or_else(|| missing("deal", deal.get()))
    }

    pub(super) fn put_deal(&mut self, deal: DealId, record: &DealRecord) -> Result<(), JournalError> {
        self.deals.insert(deal.as_slice(), &encode(record)[..]).map(drop).map_err(database)
    }
}
