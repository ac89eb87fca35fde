//! The database: one redb file, one write transaction (one fsync) per block.
//!
//! Accounts and slots are stored under their hashed keys, as in the state trie; the trie itself is rebuilt when the
//! file is opened and its root compared with the newest header.

use crate::{
    block::{Block, decode_header},
    error::StorageError,
    state::{AccountState, State, StateChange},
};
use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes, U256};
use redb::{
    Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction, backends::InMemoryBackend,
};
use revm::state::Bytecode;
use std::{collections::BTreeMap, path::Path};

/// Bytes of database pages kept in memory.
const CACHE_BYTES: usize = 64 << 20;
/// Layout of the tables below.
const SCHEMA: u64 = 1;

type Hash = &'static [u8; 32];

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const HEADERS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("headers");
const BODIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("bodies");
const BLOCK_NUMBERS: TableDefinition<'_, Hash, u64> = TableDefinition::new("block-numbers");
/// Transaction hash to block number and index.
const TRANSACTIONS: TableDefinition<'_, Hash, (u64, u64)> = TableDefinition::new("transactions");
/// Hashed address to nonce, balance, code hash.
const ACCOUNTS: TableDefinition<'_, Hash, (u64, Hash, Hash)> = TableDefinition::new("accounts");
/// Hashed address and hashed slot to value.
const SLOTS: TableDefinition<'_, (Hash, Hash), Hash> = TableDefinition::new("slots");
/// Code is named by its hash and never deleted, so a revert may leave some that nobody uses.
const CODES: TableDefinition<'_, Hash, &[u8]> = TableDefinition::new("codes");

/// The database.
#[derive(Debug)]
pub(crate) struct Storage {
    database: Database,
}

/// What the database knows about the chain as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    pub(crate) chain_id: u64,
    pub(crate) head: u64,
    /// Seconds by which chain time is ahead of the clock, as two's complement.
    pub(crate) time_offset: i64,
}

impl Storage {
    /// Opens or creates the file, or an empty database in memory.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, StorageError> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let database = match path {
            Some(path) => builder.create(path)?,
            None => builder.create_with_backend(InMemoryBackend::new())?,
        };
        Ok(Self { database })
    }

    /// What the database holds; `None` when it is new.
    pub(crate) fn meta(&self) -> Result<Option<Meta>, StorageError> {
        let read = self.database.begin_read()?;
        let table = match read.open_table(META) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let field = |name| match table.get(name) {
            Ok(Some(value)) => Ok(value.value()),
            Ok(None) => Err(StorageError::Record { record: "meta" }),
            Err(error) => Err(error.into()),
        };
        let found = field("schema")?;
        if found != SCHEMA {
            return Err(StorageError::Schema { found, expected: SCHEMA });
        }
        Ok(Some(Meta {
            chain_id: field("chain-id")?,
            head: field("head")?,
            time_offset: field("time-offset")?.cast_signed(),
        }))
    }

    /// Adds a block and the state it leads to. Durable when this returns.
    pub(crate) fn append(&self, meta: Meta, block: &Block, change: &StateChange) -> Result<(), StorageError> {
        let write = self.database.begin_write()?;
        let (header, body) = block.encode()?;
        let number = block.number();
        write.open_table(HEADERS)?.insert(number, header.as_slice())?;
        write.open_table(BODIES)?.insert(number, body.as_slice())?;
        write.open_table(BLOCK_NUMBERS)?.insert(&block.hash.0, number)?;
        let mut transactions = write.open_table(TRANSACTIONS)?;
        for (index, transaction) in (0u64..).zip(&block.transactions) {
            transactions.insert(&transaction.hash().0, (number, index))?;
        }
        drop(transactions);
        write_change(&write, change)?;
        write_meta(&write, meta)?;
        write.commit()?;
        Ok(())
    }

    /// Forgets all blocks above `meta.head` and puts the state back. Durable when this returns.
    pub(crate) fn rewind(&self, meta: Meta, from: u64, change: &StateChange) -> Result<(), StorageError> {
        let write = self.database.begin_write()?;
        for number in meta.head.saturating_add(1)..=from {
            let Some(block) = self.block(number)? else { continue };
            write.open_table(HEADERS)?.remove(number)?;
            write.open_table(BODIES)?.remove(number)?;
            write.open_table(BLOCK_NUMBERS)?.remove(&block.hash.0)?;
            let mut transactions = write.open_table(TRANSACTIONS)?;
            for transaction in &block.transactions {
                transactions.remove(&transaction.hash().0)?;
            }
        }
        write_change(&write, change)?;
        write_meta(&write, meta)?;
        write.commit()?;
        Ok(())
    }

    /// A block with its transactions.
    pub(crate) fn block(&self, number: u64) -> Result<Option<Block>, StorageError> {
        let read = self.database.begin_read()?;
        let Some(header) = read.open_table(HEADERS)?.get(number)? else { return Ok(None) };
        let Some(body) = read.open_table(BODIES)?.get(number)? else { return Ok(None) };
        Block::decode(header.value(), body.value()).map(Some)
    }

    /// Calls `visit` for each header of a range in order until it answers false.
    pub(crate) fn headers(
        &self,
        range: std::ops::RangeInclusive<u64>,
        visit: &mut dyn FnMut(Header) -> Result<bool, StorageError>,
    ) -> Result<(), StorageError> {
        let read = self.database.begin_read()?;
        for row in read.open_table(HEADERS)?.range(range)? {
            if !visit(decode_header(row?.1.value())?)? {
                break;
            }
        }
        Ok(())
    }

    /// The number of a block by its hash.
    pub(crate) fn block_number(&self, hash: B256) -> Result<Option<u64>, StorageError> {
        let read = self.database.begin_read()?;
        Ok(read.open_table(BLOCK_NUMBERS)?.get(&hash.0)?.map(|row| row.value()))
    }

    /// Where a transaction is: its block and its index there.
    pub(crate) fn transaction(&self, hash: B256) -> Result<Option<(Block, usize)>, StorageError> {
        let read = self.database.begin_read()?;
        let Some(row) = read.open_table(TRANSACTIONS)?.get(&hash.0)?.map(|row| row.value()) else {
            return Ok(None);
        };
        let index = usize::try_from(row.1).map_err(|_| StorageError::Record { record: "transaction" })?;
        Ok(self.block(row.0)?.filter(|block| index < block.transactions.len()).map(|block| (block, index)))
    }

    /// Rebuilds the state of the newest block.
    pub(crate) fn state(&self) -> Result<State, StorageError> {
        let read = self.database.begin_read()?;
        let mut codes = BTreeMap::new();
        for row in read.open_table(CODES)?.iter()? {
            let (hash, code) = row?;
            let code = Bytecode::new_raw_checked(Bytes::copy_from_slice(code.value()))
                .map_err(|_| StorageError::Record { record: "code" })?;
            codes.insert(B256::from(hash.value()), code);
        }
        let slots = read.open_table(SLOTS)?;
        let mut state = State::default();
        for row in read.open_table(ACCOUNTS)?.iter()? {
            let (address, account) = row?;
            let address = address.value();
            let (nonce, balance, code_hash) = account.value();
            let mut account = AccountState {
                nonce,
                balance: U256::from_be_bytes(*balance),
                code_hash: B256::from(code_hash),
                code: codes.get(&B256::from(code_hash)).cloned().unwrap_or_default(),
                ..AccountState::default()
            };
            for row in slots.range((address, &[0; 32])..=(address, &[0xff; 32]))? {
                let (key, value) = row?;
                account.set_slot(B256::from(key.value().1), U256::from_be_bytes(*value.value()));
            }
            state.set_hashed(B256::from(address), account);
        }
        Ok(state)
    }
}

fn write_meta(write: &WriteTransaction, meta: Meta) -> Result<(), StorageError> {
    let mut table = write.open_table(META)?;
    table.insert("schema", SCHEMA)?;
    table.insert("chain-id", meta.chain_id)?;
    table.insert("head", meta.head)?;
    table.insert("time-offset", meta.time_offset.cast_unsigned())?;
    Ok(())
}

fn write_change(write: &WriteTransaction, change: &StateChange) -> Result<(), StorageError> {
    let mut accounts = write.open_table(ACCOUNTS)?;
    for (address, row) in &change.accounts {
        match row {
            Some(row) => {
                let balance = row.balance.to_be_bytes::<32>();
                accounts.insert(&address.0, (row.nonce, &balance, &row.code_hash.0))?;
            }
            None => drop(accounts.remove(&address.0)?),
        }
    }
    let mut slots = write.open_table(SLOTS)?;
    for ((address, slot), value) in &change.slots {
        if value.is_zero() {
            slots.remove((&address.0, &slot.0))?;
        } else {
            slots.insert((&address.0, &slot.0), &value.to_be_bytes::<32>())?;
        }
    }
    let mut codes = write.open_table(CODES)?;
    for (hash, code) in &change.codes {
        codes.insert(&hash.0, code.as_ref())?;
    }
    Ok(())
}
