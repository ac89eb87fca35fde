//! Blocks and pins in append-only segment files.
//!
//! ```text
//! <dir>/LOCK                 held while the store is open
//! <dir>/0000000001.pack      segment: 32-byte header, then records
//! record                     40-byte header {len, kind, check, digest}, then the payload
//! ```
//! A *commit* record ends every durable unit: everything before it in the file is visible after a crash, everything
//! behind the last one is cut off on open. A commit costs one fdatasync. Removing a block or a pin appends a record;
//! [`PackStore::collect`] rewrites the segments that hold garbage.

mod collect;
mod open;
mod record;
mod segment;
mod state;
mod writer;

use crate::{
    block::{Block, BlockStore, GeneralCid, MAX_BLOCK_BYTES, Put, StoredBlock},
    error::BlockError,
};
use bytes::Bytes;
use sealwork_types::{B256, Sha256Digest};
use state::{Location, State};
use std::{
    collections::BTreeSet,
    fs::File,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};
use writer::Writer;

pub use collect::Collected;

/// Size at which a segment is closed and the next one begins, in bytes.
pub const DEFAULT_SEGMENT_BYTES: u64 = 256 << 20;

/// A crash-safe store of blocks and pins in one directory.
#[derive(Debug)]
pub struct PackStore {
    dir: PathBuf,
    state: RwLock<State>,
    writer: Mutex<Writer>,
    _lock: File,
}

/// What a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of blocks.
    pub blocks: u64,
    /// Bytes of all segment files.
    pub file_bytes: u64,
}

impl PackStore {
    /// Opens or creates the store in `dir`, with segments of 256 MiB.
    ///
    /// # Errors
    /// [`BlockError::InUse`], [`BlockError::Damaged`], [`BlockError::Io`].
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, BlockError> {
        Self::open_with(dir, DEFAULT_SEGMENT_BYTES)
    }

    /// Opens or creates the store in `dir`; a segment is closed once it has `segment_bytes`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(dir: impl AsRef<Path>, segment_bytes: u64) -> Result<Self, BlockError> {
        open::open(dir.as_ref(), segment_bytes)
    }

    /// Directory of the store.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Adds and removes pins, and makes them and everything before survive a crash. All or nothing.
    ///
    /// # Errors
    /// [`BlockError`]; the pins are then as before.
    pub fn commit(&self, add: &[GeneralCid], remove: &[GeneralCid]) -> Result<(), BlockError> {
        let mut writer = self.writer();
        writer.commit(add, remove, &self.state)
    }

    /// Roots that are pinned, each with everything below it.
    pub fn pins(&self) -> BTreeSet<GeneralCid> {
        self.read().pins.clone()
    }

    /// Whether a root is pinned.
    pub fn is_pinned(&self, cid: &GeneralCid) -> bool {
        self.read().pins.contains(cid)
    }

    /// Number that grows with every put. A put marks its block with the number of that moment, also when the block was
    /// there; [`collect`](Self::collect) can spare blocks by it.
    pub fn sequence(&self) -> u64 {
        self.read().sequence()
    }

    /// What the store holds.
    pub fn usage(&self) -> Usage {
        let state = self.read();
        Usage { blocks: state.index.len() as u64, file_bytes: state.file_bytes() }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn payload(&self, location: &Location) -> Result<Bytes, BlockError> {
        location.segment.payload(location.offset, location.len)
    }
}

impl BlockStore for PackStore {
    fn get(&self, digest: &B256) -> Result<Option<Bytes>, BlockError> {
        let Some(location) = self.read().locate(digest) else { return Ok(None) };
        let data = self.payload(&location)?;
        if Sha256Digest::of(&data) == *digest {
            Ok(Some(data))
        } else {
            Err(BlockError::Corrupt { digest: *digest })
        }
    }

    fn put(&self, block: &Block) -> Result<Put, BlockError> {
        let found = block.data().len();
        if found > MAX_BLOCK_BYTES {
            return Err(BlockError::TooLarge { found, limit: MAX_BLOCK_BYTES });
        }
        if self.read().touch(block.digest()) {
            return Ok(Put::Present);
        }
        let mut writer = self.writer();
        if self.read().touch(block.digest()) {
            return Ok(Put::Present);
        }
        let location = writer.append_block(block.codec(), block.digest(), block.data(), &self.state)?;
        self.write().insert(*block.digest(), location);
        Ok(Put::New)
    }

    fn len_of(&self, digest: &B256) -> Option<u32> {
        self.read().index.get(digest).map(|entry| entry.location.len)
    }

    fn delete(&self, digest: &B256) -> Result<bool, BlockError> {
        let mut writer = self.writer();
        if !self.has(digest) {
            return Ok(false);
        }
        writer.append_tombstone(digest, &self.state)?;
        self.write().remove(digest);
        Ok(true)
    }

    fn sync(&self) -> Result<(), BlockError> {
        self.commit(&[], &[])
    }

    fn iterate(&self) -> Vec<StoredBlock> {
        let state = self.read();
        let stored = |(digest, entry): (&B256, &state::Entry)| StoredBlock {
            digest: *digest,
            codec: entry.location.codec,
            len: entry.location.len,
        };
        let mut blocks: Vec<_> = state.index.iter().map(stored).collect();
        drop(state);
        blocks.sort_unstable_by_key(|block| block.digest);
        blocks
    }
}

impl Drop for PackStore {
    fn drop(&mut self) {
        if let Err(error) = self.sync() {
            tracing::warn!(dir = %self.dir.display(), %error, "blocks since the last commit may be lost");
        }
    }
}
