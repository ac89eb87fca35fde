//! A block in the making.

use super::{begin_block, outcome};
use crate::{
    block::{Block, MinedTransaction, seal_header},
    error::{ChainError, Rejection},
    evm::{View, block_env, tx_env},
    pool::{Pool, PooledTransaction},
    state::State,
};
use alloy_consensus::{Header, Receipt, ReceiptEnvelope, Transaction as _};
use revm::context::result::{ExecutionResult, InvalidTransaction};

/// Gas of the smallest transaction.
const MIN_GAS: u64 = 21_000;

/// A block in the making.
#[derive(Debug)]
pub(super) struct Draft {
    header: Header,
    view: View,
    transactions: Vec<MinedTransaction>,
}

impl Draft {
    pub(super) fn new(header: Header, mut view: View) -> Self {
        begin_block(&mut view.state, &header);
        Self { header, view, transactions: Vec::new() }
    }

    fn base_fee(&self) -> u64 {
        self.header.base_fee_per_gas.unwrap_or_default()
    }

    /// Whether not even the smallest transaction fits.
    fn is_full(&self) -> bool {
        !self.has_room(MIN_GAS)
    }

    pub(super) fn state(&self) -> &State {
        &self.view.state
    }

    pub(super) fn state_mut(&mut self) -> &mut State {
        &mut self.view.state
    }

    /// Whether a transaction with this gas limit still fits.
    fn has_room(&self, gas_limit: u64) -> bool {
        gas_limit <= self.header.gas_limit.saturating_sub(self.header.gas_used)
    }

    /// Takes out of the pool and runs whatever fits, the best paid first.
    pub(super) fn fill(&mut self, chain_id: u64, pool: &mut Pool) {
        let (state, base_fee) = (self.view.state.clone(), self.base_fee());
        let mut turns = pool.turns(base_fee, &|sender| state.nonce(sender));
        while let Some(turn) = turns.pop_first() {
            if !self.has_room(turn.gas_limit) {
                // It waits for the next block; a smaller one of somebody else may still fit.
                if self.is_full() {
                    break;
                }
                continue;
            }
            let Some(waiting) = pool.take(turn.sender, turn.nonce) else { continue };
            let hash = waiting.hash();
            match self.execute(chain_id, waiting) {
                Ok(()) => turns.extend(pool.turn(turn.sender, turn.nonce.saturating_add(1), base_fee)),
                Err(error) => {
                    tracing::warn!(%error, transaction = %hash, "dropped a waiting transaction");
                }
            }
        }
    }

    /// Runs a transaction and adds it with its receipt. An invalid one leaves the draft as it was.
    pub(super) fn execute(&mut self, chain_id: u64, pooled: PooledTransaction) -> Result<(), ChainError> {
        let rules = pooled.rules();
        let PooledTransaction { envelope, sender, .. } = pooled;
        if !self.has_room(envelope.gas_limit()) {
            return Err(Rejection::Invalid(InvalidTransaction::CallerGasLimitMoreThanBlock).into());
        }
        let env = tx_env(&envelope, sender);
        let done = outcome(self.view.run(chain_id, block_env(&self.header), rules, env))?;
        let gas_used = done.result.tx_gas_used();
        self.header.gas_used = self.header.gas_used.saturating_add(gas_used);
        let logs = if done.result.is_success() { done.result.logs().to_vec() } else { Vec::new() };
        self.view.state.apply(done.state);
        let receipt = Receipt {
            status: matches!(done.result, ExecutionResult::Success { .. }).into(),
            cumulative_gas_used: self.header.gas_used,
            logs,
        };
        let contract = envelope.kind().is_create().then(|| sender.create(envelope.nonce()));
        self.transactions.push(MinedTransaction {
            receipt: ReceiptEnvelope::from_typed(envelope.tx_type(), receipt.with_bloom()),
            effective_gas_price: envelope.effective_gas_price(self.header.base_fee_per_gas),
            envelope,
            sender,
            gas_used,
            contract,
        });
        Ok(())
    }

    /// The state so far and the header without roots.
    pub(super) fn into_parts(self) -> (View, Header) {
        (self.view, self.header)
    }

    /// Fills in roots and bloom.
    pub(super) fn seal(self) -> (Block, State) {
        let root = self.view.state.root();
        (seal_header(self.header, self.transactions, root), self.view.state)
    }
}
