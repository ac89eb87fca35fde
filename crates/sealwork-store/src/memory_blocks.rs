//! Blocks in memory.

use crate::{
    block::{Block, BlockStore, MAX_BLOCK_BYTES, Put, StoredBlock},
    error::BlockError,
};
use bytes::Bytes;
use sealwork_types::{B256, Codec, Sha256Digest};
use std::{collections::BTreeMap, sync::RwLock};

/// A block store that forgets everything when it is dropped.
#[derive(Debug, Default)]
pub struct MemStore {
    blocks: RwLock<BTreeMap<B256, (Codec, Bytes)>>,
}

impl MemStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<B256, (Codec, Bytes)>> {
        self.blocks.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<B256, (Codec, Bytes)>> {
        self.blocks.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl BlockStore for MemStore {
    fn get(&self, digest: &B256) -> Result<Option<Bytes>, BlockError> {
        let Some((_, data)) = self.read().get(digest).cloned() else { return Ok(None) };
        if Sha256Digest::of(&data) == *digest {
            Ok(Some(data))
        } else {
            Err(BlockError::Corrupt { digest: *digest })
        }
    }

    fn put(&self, block: &Block) -> Result<Put, BlockError> {
        if block.data().len() > MAX_BLOCK_BYTES {
            return Err(BlockError::TooLarge { found: block.data().len(), limit: MAX_BLOCK_BYTES });
        }
        let mut blocks = self.write();
        if blocks.contains_key(block.digest()) {
            return Ok(Put::Present);
        }
        blocks.insert(*block.digest(), (block.codec(), block.data().clone()));
        Ok(Put::New)
    }

    fn len_of(&self, digest: &B256) -> Option<u32> {
        self.read().get(digest).and_then(|(_, data)| u32::try_from(data.len()).ok())
    }

    fn delete(&self, digest: &B256) -> Result<bool, BlockError> {
        Ok(self.write().remove(digest).is_some())
    }

    fn sync(&self) -> Result<(), BlockError> {
        Ok(())
    }

    fn iterate(&self) -> Vec<StoredBlock> {
        let len = |data: &Bytes| u32::try_from(data.len()).expect("blocks are at most MAX_BLOCK_BYTES");
        let blocks = self.read();
        blocks
            .iter()
            .map(|(digest, (codec, data))| StoredBlock { digest: *digest, codec: *codec, len: len(data) })
            .collect()
    }
}
