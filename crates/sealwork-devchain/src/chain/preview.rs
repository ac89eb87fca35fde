//! The block that would be made now, for those who ask for "pending".

use super::{Chain, assemble::Draft};
use crate::{block::Block, evm::View, pool::PooledTransaction};
use alloy_consensus::Header;

/// The block that would be made now; costs no more than making it, and only when somebody looks.
#[derive(Debug)]
pub(crate) struct Preview {
    chain_id: u64,
    header: Header,
    view: View,
    waiting: Vec<PooledTransaction>,
}

impl Chain {
    /// What is needed to make the next block elsewhere.
    pub(crate) fn preview(&self, now: u64) -> Preview {
        let mut header = self.head.next.clone();
        header.timestamp = self.next_timestamp(now);
        let (state, base_fee) = (&self.head.view.state, header.base_fee_per_gas.unwrap_or_default());
        let mut turns = self.pool.ready(base_fee, &|sender| state.nonce(sender));
        let (mut waiting, mut gas) = (Vec::new(), header.gas_limit);
        while let Some(turn) = turns.pop_first() {
            // What these transactions use is not known yet; a block holds at least as many.
            let (Some(left), Some(next)) =
                (gas.checked_sub(turn.gas_limit), self.pool.get(turn.sender, turn.nonce))
            else {
                continue;
            };
            gas = left;
            waiting.push(next.clone());
            turns.extend(self.pool.turn(turn.sender, turn.nonce.saturating_add(1), base_fee));
        }
        Preview { chain_id: self.chain_id, header, view: self.head.view.clone(), waiting }
    }
}

impl Preview {
    /// Runs the waiting transactions; those that fail their checks are left out.
    fn draft(self) -> Draft {
        let mut draft = Draft::new(self.header, self.view);
        for waiting in self.waiting {
            let hash = waiting.hash();
            if let Err(error) = draft.execute(self.chain_id, waiting) {
                tracing::debug!(%error, transaction = %hash, "a waiting transaction is not pending");
            }
        }
        draft
    }

    /// The whole block.
    pub(crate) fn block(self) -> Block {
        self.draft().seal().0
    }

    /// The state after the block's transactions, and its header without roots.
    pub(crate) fn state(self) -> (View, Header) {
        self.draft().into_parts()
    }
}
