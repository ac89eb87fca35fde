//! Where blocks and the newest state are kept: the newest blocks in memory, all of them in a store, and a thread that
//! brings them from the one to the other.
//!
//! A block is visible here at once. The thread writes what has gathered since its last commit in one transaction of
//! the store (a group commit), in the order of the blocks, together with the state they lead to: at every moment
//! the file holds a prefix of the chain and exactly the state after it. [`Storage::wait`] returns when a block is
//! durable; whoever promises a client that something lasts waits first.

mod file;
mod inline;
mod memory;
mod pack;
mod recent;
mod writer;

use crate::{
    block::{Block, decode_header},
    chain::Head,
    config::Durability,
    error::StorageError,
    evm::Hashes,
    state::{State, StateChange},
    tip::Tip,
};
use alloy_consensus::Header;
use alloy_primitives::B256;
use file::FileStore;
use memory::MemoryStore;
use recent::Recent;
use std::{
    ops::RangeInclusive,
    path::Path,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};
use writer::{Queue, Writer};

/// Blocks, transactions and the newest state.
#[derive(Debug)]
pub(crate) struct Storage {
    shared: Arc<Shared>,
    /// Ends with this, after everything is stored; without it every block is stored where it is made.
    writer: RwLock<Option<Writer>>,
    /// Whether clients learn of a block only when it is durable.
    waits: bool,
}

/// What the writer's thread needs.
#[derive(Debug)]
struct Shared {
    store: Store,
    recent: RwLock<Recent>,
    queue: Queue,
    tip: Arc<Tip>,
    /// Whether the writer tells the tip of blocks, because nobody may see them earlier.
    announces: bool,
}

/// Where blocks end up.
#[derive(Debug)]
enum Store {
    File(FileStore),
    Memory(RwLock<MemoryStore>),
}

/// What is stored about the chain as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    pub(crate) chain_id: u64,
    pub(crate) head: u64,
    /// Seconds by which chain time is ahead of the clock, as two's complement.
    pub(crate) time_offset: i64,
}

/// A block on its way to the store.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) meta: Meta,
    pub(crate) block: Arc<Block>,
    pub(crate) before: State,
    pub(crate) head: Arc<Head>,
}

impl Storage {
    /// Opens or creates the file, or an empty store in memory.
    pub(crate) fn open(
        path: Option<&Path>,
        durability: Durability,
        tip: Arc<Tip>,
    ) -> Result<Self, StorageError> {
        let store = match path {
            Some(path) => Store::File(FileStore::open(path)?),
            None => Store::Memory(RwLock::default()),
        };
        Self::with_store(store, durability, tip)
    }

    fn with_store(store: Store, durability: Durability, tip: Arc<Tip>) -> Result<Self, StorageError> {
        // What is only in memory is lost with the process anyhow, so there is nothing to wait for.
        let waits = matches!(store, Store::File(_)) && durability == Durability::BeforeAnswer;
        let shared = Arc::new(Shared {
            store,
            recent: RwLock::default(),
            queue: Queue::default(),
            tip,
            announces: waits,
        });
        let writer = RwLock::new(Some(Writer::start(Arc::clone(&shared))?));
        Ok(Self { writer, shared, waits })
    }

    /// What the store holds; `None` when it is new.
    pub(crate) fn meta(&self) -> Result<Option<Meta>, StorageError> {
        match &self.shared.store {
            Store::File(file) => file.meta(),
            Store::Memory(_) => Ok(None),
        }
    }

    /// Rebuilds the state of the newest stored block.
    pub(crate) fn state(&self) -> Result<State, StorageError> {
        match &self.shared.store {
            Store::File(file) => file.state(),
            Store::Memory(_) => Ok(State::default()),
        }
    }

    /// Adds a block; it is found from now on and durable later. Waits while too much is on its way.
    pub(crate) fn append(&self, entry: Entry) -> Result<(), StorageError> {
        let (head, block) = (Arc::clone(&entry.head), Arc::clone(&entry.block));
        if self.writer.read().unwrap_or_else(PoisonError::into_inner).is_none() {
            let (number, group) = (block.number(), [entry]);
            self.shared.store.append(&group)?;
            self.shared.recent_mut().push(Arc::clone(&block));
            self.shared.recent_mut().forget(Some(number));
            self.shared.tip.advance(head, block);
            return Ok(());
        }
        let stored = self.shared.queue.push(entry, || self.shared.recent_mut().push(Arc::clone(&block)))?;
        self.shared.recent_mut().forget(stored);
        if !self.shared.announces {
            self.shared.tip.advance(head, block);
        }
        Ok(())
    }

    /// Number of the last append, for [`Self::wait`].
    pub(crate) fn ticket(&self) -> u64 {
        self.shared.queue.last_ticket()
    }

    /// Returns when everything up to this append may be told to a client.
    pub(crate) fn wait(&self, ticket: u64) -> Result<(), StorageError> {
        if self.waits { self.shared.queue.wait(ticket) } else { Ok(()) }
    }

    /// The same for those who must not block their thread.
    pub(crate) async fn stored(&self, ticket: u64) -> Result<(), StorageError> {
        if self.waits { self.shared.queue.stored(ticket).await } else { Ok(()) }
    }

    /// Returns when everything is in the store.
    pub(crate) fn flush(&self) -> Result<(), StorageError> {
        self.shared.queue.wait(self.ticket())
    }

    /// Forgets all blocks above `meta.head` and puts the state back. Durable when this returns. Gives back the
    /// newest of the removed blocks, at most `remember`, the newest first.
    pub(crate) fn rewind(
        &self,
        meta: Meta,
        from: u64,
        change: &StateChange,
        remember: usize,
    ) -> Result<Vec<Arc<Block>>, StorageError> {
        self.flush()?;
        let removed: Result<Vec<_>, _> = (meta.head.saturating_add(1)..=from)
            .rev()
            .take(remember)
            .filter_map(|number| self.block(number).transpose())
            .collect();
        let removed = removed?;
        match &self.shared.store {
            Store::File(file) => file.rewind(meta, from, change)?,
            Store::Memory(memory) => {
                memory.write().unwrap_or_else(PoisonError::into_inner).rewind(meta.head)?;
            }
        }
        self.shared.recent_mut().truncate(meta.head);
        Ok(removed)
    }

    /// Whether clients may see this block: what they saw must not be lost.
    fn is_visible(&self, number: u64) -> bool {
        !self.waits || self.shared.tip.number().is_none_or(|newest| number <= newest)
    }

    /// A block with its transactions.
    pub(crate) fn block(&self, number: u64) -> Result<Option<Arc<Block>>, StorageError> {
        let recent = self.shared.recent().block(number);
        match recent {
            Some(block) => Ok(Some(block).filter(|_| self.is_visible(number))),
            None => Ok(self.shared.store.block(number)?.map(Arc::new)),
        }
    }

    /// Calls `visit` for each header of a range in order until it answers false.
    pub(crate) fn headers(
        &self,
        range: RangeInclusive<u64>,
        visit: &mut dyn FnMut(Header) -> Result<bool, StorageError>,
    ) -> Result<(), StorageError> {
        // Read first: what is forgotten meanwhile is in the store by then.
        let recent = self.shared.recent().range(range.clone());
        let stored_end = recent.first().map_or(Some(*range.end()), |block| block.number().checked_sub(1));
        if let Some(end) = stored_end
            && *range.start() <= end
            && !self.shared.store.headers(*range.start()..=end, visit)?
        {
            return Ok(());
        }
        for block in recent {
            if !self.is_visible(block.number()) || !visit(block.header.clone())? {
                break;
            }
        }
        Ok(())
    }

    /// The hashes that the EVM can ask for after this block.
    pub(crate) fn hashes(&self, number: u64) -> Result<Hashes, StorageError> {
        let mut hashes = Vec::new();
        self.headers(number.saturating_sub(255)..=number, &mut |header| {
            hashes.push((header.number, header.hash_slow()));
            Ok(true)
        })?;
        Ok(hashes.into_iter().collect())
    }

    /// The number of a block by its hash.
    pub(crate) fn block_number(&self, hash: B256) -> Result<Option<u64>, StorageError> {
        let recent = self.shared.recent().number(hash);
        match recent {
            Some(number) => Ok(Some(number).filter(|number| self.is_visible(*number))),
            None => self.shared.store.block_number(hash),
        }
    }

    /// Where a transaction is, also one that clients do not see yet: its block's number and its index there.
    pub(crate) fn locate(&self, hash: B256) -> Result<Option<(u64, usize)>, StorageError> {
        let recent = self.shared.recent().transaction(hash);
        match recent {
            Some(place) => Ok(Some(place)),
            None => self.shared.store.transaction(hash),
        }
    }

    /// A transaction's block and its index there.
    pub(crate) fn transaction(&self, hash: B256) -> Result<Option<(Arc<Block>, usize)>, StorageError> {
        let Some((number, index)) = self.locate(hash)? else { return Ok(None) };
        let block = self.block(number)?;
        Ok(block.filter(|block| index < block.transactions.len()).map(|block| (block, index)))
    }

    /// Bytes that the store takes: the file's length, or an estimate of the memory.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.shared.store {
            Store::File(file) => file.bytes(),
            Store::Memory(memory) => memory.read().unwrap_or_else(PoisonError::into_inner).bytes(),
        }
    }

    /// Blocks that are not in the store yet.
    pub(crate) fn waiting(&self) -> usize {
        self.shared.queue.length()
    }
}

impl Shared {
    fn recent(&self) -> RwLockReadGuard<'_, Recent> {
        self.recent.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent_mut(&self) -> RwLockWriteGuard<'_, Recent> {
        self.recent.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Adds blocks and the state after the last of them. Durable when this returns, or nothing happened.
    fn append(&self, entries: &[Entry]) -> Result<(), StorageError> {
        match self {
            Self::File(file) => file.append(entries),
            Self::Memory(memory) => {
                let encoded =
                    entries.iter().map(|entry| entry.block.encode()).collect::<Result<Vec<_>, _>>()?;
                let mut memory = memory.write().unwrap_or_else(PoisonError::into_inner);
                for (entry, encoded) in entries.iter().zip(encoded) {
                    memory.append(&entry.block, encoded);
                }
                Ok(())
            }
        }
    }

    fn block(&self, number: u64) -> Result<Option<Block>, StorageError> {
        match self {
            Self::File(file) => file.block(number),
            Self::Memory(memory) => memory.read().unwrap_or_else(PoisonError::into_inner).block(number),
        }
    }

    /// False when `visit` wants no more.
    fn headers(
        &self,
        range: RangeInclusive<u64>,
        visit: &mut dyn FnMut(Header) -> Result<bool, StorageError>,
    ) -> Result<bool, StorageError> {
        match self {
            Self::File(file) => file.headers(range, &mut |header| visit(decode_header(header)?)),
            Self::Memory(memory) => {
                let memory = memory.read().unwrap_or_else(PoisonError::into_inner);
                memory.headers(range, &mut |header| visit(decode_header(header)?))
            }
        }
    }

    fn block_number(&self, hash: B256) -> Result<Option<u64>, StorageError> {
        match self {
            Self::File(file) => file.block_number(hash),
            Self::Memory(memory) => {
                Ok(memory.read().unwrap_or_else(PoisonError::into_inner).block_number(hash))
            }
        }
    }

    fn transaction(&self, hash: B256) -> Result<Option<(u64, usize)>, StorageError> {
        match self {
            Self::File(file) => file.transaction(hash),
            Self::Memory(memory) => {
                Ok(memory.read().unwrap_or_else(PoisonError::into_inner).transaction(hash))
            }
        }
    }
}

#[cfg(test)]
mod tests;
