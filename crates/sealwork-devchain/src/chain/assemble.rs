//! A block in the making.

use super::{begin_block, outcome};
use crate::{
    block::{Block, MinedTransaction, seal_header},
    error::{ChainError, Rejection},
    evm::{View, block_env, tx_env},
    pool::PooledTransaction,
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

    pub(super) fn base_fee(&self) -> u64 {
        self.header.base_fee_per_gas.unwrap_or_default()
    }

    /// Whether not even the smallest transaction fits.
    pub(super) fn is_full(&self) -> bool {
        !self.has_room(MIN_GAS)
    }

    pub(super) fn state(&self) -> &State {
        &self.view.state
    }

    pub(super) fn state_mut(&mut self) -> &mut State {
        &mut self.view.state
    }

    /// Whether a transaction with this gas limit still fits.
    pub(super) fn has_room(&self, gas_limit: u64) -> bool {
        gas_limit <= self.header.gas_limit.saturating_sub(self.header.gas_used)
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

    /// Fills in roots and bloom.
    pub(super) fn seal(self) -> (Block, State) {
        let root = self.view.state.root();
        (seal_header(self.header, self.transactions, root), self.view.state)
    }
}
