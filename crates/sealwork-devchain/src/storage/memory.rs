//! A chain that ends with its process: the stored form of blocks, in memory, without accounts, which nobody would
//! read again.

use super::pack::{pack, unpack};
use crate::{block::Block, error::StorageError};
use alloy_primitives::{B256, map::B256HashMap};
use std::{ops::RangeInclusive, sync::Arc};

/// Blocks by number, from 0 on without gaps.
#[derive(Clone, Debug, Default)]
pub(super) struct MemoryStore {
    blocks: Vec<Arc<Stored>>,
    numbers: B256HashMap<u64>,
    transactions: B256HashMap<(u64, u32)>,
    bytes: usize,
}

#[derive(Debug)]
struct Stored {
    header: Box<[u8]>,
    body: Box<[u8]>,
}

impl MemoryStore {
    pub(super) fn append(&mut self, block: &Block, (header, body): (Vec<u8>, Vec<u8>)) {
        let stored = Stored { header: pack(&header), body: pack(&body) };
        self.bytes += stored.header.len() + stored.body.len();
        self.blocks.push(Arc::new(stored));
        self.numbers.insert(block.hash, block.number());
        for (index, transaction) in (0u32..).zip(&block.transactions) {
            self.transactions.insert(transaction.hash(), (block.number(), index));
        }
    }

    /// Forgets all blocks above `head`.
    pub(super) fn rewind(&mut self, head: u64) -> Result<(), StorageError> {
        while let Some(newest) = self.newest().filter(|newest| *newest > head) {
            let Some(block) = self.block(newest)? else { break };
            self.numbers.remove(&block.hash);
            for transaction in &block.transactions {
                self.transactions.remove(&transaction.hash());
            }
            if let Some(stored) = self.blocks.pop() {
                self.bytes -= stored.header.len() + stored.body.len();
            }
        }
        Ok(())
    }

    pub(super) fn block(&self, number: u64) -> Result<Option<Block>, StorageError> {
        let Some(stored) = usize::try_from(number).ok().and_then(|number| self.blocks.get(number)) else {
            return Ok(None);
        };
        Block::decode(&unpacked(&stored.header)?, &unpacked(&stored.body)?).map(Some)
    }

    /// False when `visit` wants no more.
    pub(super) fn headers(
        &self,
        range: RangeInclusive<u64>,
        visit: &mut dyn FnMut(&[u8]) -> Result<bool, StorageError>,
    ) -> Result<bool, StorageError> {
        let start = usize::try_from(*range.start()).unwrap_or(usize::MAX);
        let length = range.end().saturating_sub(*range.start()).saturating_add(1);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        for stored in self.blocks.iter().skip(start).take(length) {
            if !visit(&unpacked(&stored.header)?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn block_number(&self, hash: B256) -> Option<u64> {
        self.numbers.get(&hash).copied()
    }

    pub(super) fn transaction(&self, hash: B256) -> Option<(u64, usize)> {
        let (number, index) = self.transactions.get(&hash)?;
        Some((*number, usize::try_from(*index).ok()?))
    }

    pub(super) fn bytes(&self) -> u64 {
        u64::try_from(self.bytes).unwrap_or(u64::MAX)
    }

    fn newest(&self) -> Option<u64> {
        u64::try_from(self.blocks.len()).ok()?.checked_sub(1)
    }
}

fn unpacked(packed: &[u8]) -> Result<Vec<u8>, StorageError> {
    unpack(packed).ok_or(StorageError::Record { record: "packed block" })
}
