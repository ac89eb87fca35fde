//! Going back: the newest blocks leave the chain, and others may take their place.

use super::{Chain, Draft, Head, STATES_KEPT, Settings, clock::ChainClock};
use crate::{
    block::Block,
    error::ChainError,
    evm::View,
    pool::{Pool, PooledTransaction},
    storage::Meta,
    tip::REMOVALS_KEPT,
};
use alloy_primitives::keccak256;
use std::{collections::BTreeMap, sync::Arc};

impl Chain {
    /// Removes the newest blocks. Their transactions are forgotten, the clock runs on.
    pub(crate) fn rollback(&mut self, depth: u64) -> Result<(), ChainError> {
        if depth == 0 {
            return Ok(());
        }
        let head = self.ancestor(depth)?;
        self.retreat(head, self.clock)
    }

    /// Goes back to the first block and forgets everything that was set.
    pub(crate) fn reset(&mut self) -> Result<(), ChainError> {
        let gone = || ChainError::StateGone { block: 0, oldest: self.head.number() };
        let first = self.first.clone().ok_or_else(gone)?;
        self.retreat(first, ChainClock::new(0))?;
        self.pool = Pool::default();
        self.set(Settings::reset)
    }

    /// Replaces the newest blocks by as many others at the same times, with the transactions that are given for each,
    /// counted from the first replaced block. When one of these is invalid, nothing changes.
    pub(crate) fn reorg(
        &mut self,
        depth: u64,
        mut transactions: BTreeMap<u64, Vec<PooledTransaction>>,
    ) -> Result<(), ChainError> {
        if depth == 0 {
            return Ok(());
        }
        let ancestor = self.ancestor(depth)?;
        if let Some(outside) = transactions.keys().find(|place| **place >= depth) {
            return Err(ChainError::ReorgDepth { depth: *outside, newest: depth });
        }
        let (mut parent, mut made) = (Arc::clone(&ancestor), Vec::new());
        for place in 0..depth {
            let draft = self.replacement(&parent, transactions.remove(&place).unwrap_or_default())?;
            let (block, head) = self.settings.seal(draft, &parent);
            made.push((block, Arc::new(head)));
            parent = made.last().map_or(parent, |(_, head)| Arc::clone(head));
        }
        self.retreat(ancestor, self.clock)?;
        for (block, head) in made {
            self.add(block, head, self.clock)?;
        }
        Ok(())
    }

    /// A block that takes the place of the one after `parent`.
    fn replacement(&self, parent: &Head, transactions: Vec<PooledTransaction>) -> Result<Draft, ChainError> {
        let mut header = parent.next.clone();
        let replaced = self.storage.block(header.number)?;
        if let Some(replaced) = replaced {
            header.timestamp = replaced.header.timestamp;
            // Two empty blocks of one second would otherwise be the same block.
            header.mix_hash = keccak256([header.mix_hash, replaced.hash].concat());
        }
        let mut draft = Draft::new(header, parent.view.clone());
        for transaction in transactions {
            draft.execute(self.chain_id, transaction)?;
        }
        Ok(draft)
    }

    /// The block so many blocks before the newest, as it was when it was the newest.
    fn ancestor(&self, depth: u64) -> Result<Arc<Head>, ChainError> {
        self.storage.flush()?;
        let newest = self.head.number();
        let number = newest.checked_sub(depth).ok_or(ChainError::ReorgDepth { depth, newest })?;
        let state = self.state_at(number)?;
        let unknown = || ChainError::UnknownBlock(number.to_string());
        let block: Arc<Block> = self.storage.block(number)?.ok_or_else(unknown)?;
        let view = View { state, hashes: Arc::new(self.storage.hashes(number)?) };
        Ok(Arc::new(Head::new(&block, view, &self.settings)))
    }

    /// Makes an older block the newest and tells everybody what was removed, as far as memory allows.
    pub(super) fn retreat(&mut self, head: Arc<Head>, clock: ChainClock) -> Result<(), ChainError> {
        let meta = Meta { chain_id: self.chain_id, head: head.number(), time_offset: clock.offset() };
        self.storage.flush()?;
        let change = head.view.state.change_since(&self.head.view.state);
        let removed = self.storage.rewind(meta, self.head.number(), &change, REMOVALS_KEPT)?;
        self.snapshots.truncate(head.number());
        drop(self.states.split_off(&head.number()));
        self.states.insert(head.number(), head.view.state.clone());
        debug_assert!(self.states.len() <= STATES_KEPT);
        self.clock = clock;
        self.head = Arc::clone(&head);
        self.tip.retract(head, removed);
        Ok(())
    }
}
