//! The newest blocks as they came out of the EVM: what clients ask for most, and everything that is not stored yet.

use crate::block::Block;
use alloy_primitives::{B256, map::B256HashMap};
use std::{collections::VecDeque, ops::RangeInclusive, sync::Arc};

/// Stored blocks that are kept at most.
const BLOCKS_KEPT: usize = 256;
/// Transactions of stored blocks that are kept at most.
const TRANSACTIONS_KEPT: usize = 8_192;

/// A row of blocks without gaps that ends with the newest.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    blocks: VecDeque<Arc<Block>>,
    numbers: B256HashMap<u64>,
    transactions: B256HashMap<(u64, usize)>,
}

impl Recent {
    pub(super) fn push(&mut self, block: Arc<Block>) {
        self.numbers.insert(block.hash, block.number());
        for (index, transaction) in block.transactions.iter().enumerate() {
            self.transactions.insert(transaction.hash(), (block.number(), index));
        }
        self.blocks.push_back(block);
    }

    /// Forgets the oldest blocks that are more than enough, if they are stored: all up to number `stored` are.
    pub(super) fn forget(&mut self, stored: Option<u64>) {
        while self.blocks.len() > BLOCKS_KEPT || self.transactions.len() > TRANSACTIONS_KEPT {
            let oldest = self.blocks.front().map(|block| block.number());
            if self.blocks.len() == 1 || oldest.is_none() || oldest > stored {
                break;
            }
            if let Some(block) = self.blocks.pop_front() {
                self.remove(&block);
            }
        }
    }

    /// Forgets all blocks above `head`.
    pub(super) fn truncate(&mut self, head: u64) {
        while let Some(block) = self.blocks.pop_back_if(|block| block.number() > head) {
            self.remove(&block);
        }
    }

    pub(super) fn block(&self, number: u64) -> Option<Arc<Block>> {
        let index = number.checked_sub(self.blocks.front()?.number())?;
        self.blocks.get(usize::try_from(index).ok()?).cloned()
    }

    pub(super) fn range(&self, range: RangeInclusive<u64>) -> Vec<Arc<Block>> {
        self.blocks.iter().filter(|block| range.contains(&block.number())).cloned().collect()
    }

    pub(super) fn number(&self, hash: B256) -> Option<u64> {
        self.numbers.get(&hash).copied()
    }

    pub(super) fn transaction(&self, hash: B256) -> Option<(u64, usize)> {
        self.transactions.get(&hash).copied()
    }

    fn remove(&mut self, block: &Block) {
        self.numbers.remove(&block.hash);
        for transaction in &block.transactions {
            self.transactions.remove(&transaction.hash());
        }
    }
}
