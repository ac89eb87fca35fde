//! The database: one redb file, one write transaction (one fsync) per group of blocks.
//!
//! Accounts and slots are stored under their hashed keys, as in the state trie; the trie itself is rebuilt when the
//! file is opened and its root compared with the newest header.

use super::{
    Entry, Meta,
    pack::{pack, unpack},
};
use crate::{
    block::Block,
    error::StorageError,
    state::{AccountState, State, StateChange},
};
use alloy_primitives::{B256, Bytes, U256};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use revm::state::Bytecode;
use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

/// Bytes of database pages kept in memory.
const CACHE_BYTES: usize = 64 << 20;
/// Layout of the tables below.
const SCHEMA: u64 = 2;

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
pub(super) struct FileStore {
    database: Database,
    path: PathBuf,
}

impl FileStore {
    pub(super) fn open(path: &Path) -> Result<Self, StorageError> {
        Ok(Self { database: builder().create(path)?, path: path.to_owned() })
    }

    #[cfg(test)]
    pub(super) fn with_backend(backend: impl redb::StorageBackend) -> Result<Self, StorageError> {
        Ok(Self { database: builder().create_with_backend(backend)?, path: PathBuf::new() })
    }

    pub(super) fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    pub(super) fn meta(&self) -> Result<Option<Meta>, StorageError> {
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

    /// Adds blocks and the state after the last of them: all or nothing.
    pub(super) fn append(&self, entries: &[Entry]) -> Result<(), StorageError> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(()) };
        let write = self.database.begin_write()?;
        for entry in entries {
            write_block(&write, &entry.block)?;
        }
        write_change(&write, &last.head.view.state.change_since(&first.before))?;
        write_meta(&write, last.meta)?;
        write.commit()?;
        Ok(())
    }

    pub(super) fn rewind(&self, meta: Meta, from: u64, change: &StateChange) -> Result<(), StorageError> {
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

    pub(super) fn block(&self, number: u64) -> Result<Option<Block>, StorageError> {
        let read = self.database.begin_read()?;
        let Some(header) = read.open_table(HEADERS)?.get(number)? else { return Ok(None) };
        let Some(body) = read.open_table(BODIES)?.get(number)? else { return Ok(None) };
        Block::decode(&unpacked(header.value())?, &unpacked(body.value())?).map(Some)
    }

    /// False when `visit` wants no more.
    pub(super) fn headers(
        &self,
        range: RangeInclusive<u64>,
        visit: &mut dyn FnMut(&[u8]) -> Result<bool, StorageError>,
    ) -> Result<bool, StorageError> {
        let read = self.database.begin_read()?;
        for row in read.open_table(HEADERS)?.range(range)? {
            if !visit(&unpacked(row?.1.value())?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn block_number(&self, hash: B256) -> Result<Option<u64>, StorageError> {
        let read = self.database.begin_read()?;
        Ok(read.open_table(BLOCK_NUMBERS)?.get(&hash.0)?.map(|row| row.value()))
    }

    pub(super) fn transaction(&self, hash: B256) -> Result<Option<(u64, usize)>, StorageError> {
        let read = self.database.begin_read()?;
        let row = read.open_table(TRANSACTIONS)?.get(&hash.0)?.map(|row| row.value());
        row.map(|(number, index)| Ok((number, usize::try_from(index)?)))
            .transpose()
            .map_err(|_: std::num::TryFromIntError| StorageError::Record { record: "transaction" })
    }

    /// Rebuilds the state of the newest block.
    pub(super) fn state(&self) -> Result<State, StorageError> {
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

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn unpacked(packed: &[u8]) -> Result<Vec<u8>, StorageError> {
    unpack(packed).ok_or(StorageError::Record { record: "packed block" })
}

fn write_block(write: &WriteTransaction, block: &Block) -> Result<(), StorageError> {
    let (header, body) = block.encode()?;
    let number = block.number();
    write.open_table(HEADERS)?.insert(number, &*pack(&header))?;
    write.open_table(BODIES)?.insert(number, &*pack(&body))?;
    write.open_table(BLOCK_NUMBERS)?.insert(&block.hash.0, number)?;
    let mut transactions = write.open_table(TRANSACTIONS)?;
    for (index, transaction) in (0u64..).zip(&block.transactions) {
        transactions.insert(&transaction.hash().0, (number, index))?;
    }
    Ok(())
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
