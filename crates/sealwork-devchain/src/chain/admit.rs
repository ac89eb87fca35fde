//! Taking transactions.

use super::{Chain, refused};
use crate::{
    error::{ChainError, Rejection},
    evm::{Rules, block_env, tx_env},
    pool::{PooledTransaction, TRANSACTION_BYTES},
};
use alloy_consensus::{Transaction as _, TxEnvelope};
use alloy_eips::{eip2718::Encodable2718 as _, eip2718::Typed2718 as _};
use alloy_primitives::{Address, B256};
use revm::context::result::InvalidTransaction;
use std::time::Instant;

impl PooledTransaction {
    /// Which rules the EVM applies.
    pub(super) fn rules(&self) -> Rules {
        if self.impersonated { Rules::Impersonated } else { Rules::Transaction }
    }
}

impl Chain {
    /// Takes a transaction; with instant mining it and what waited for it are mined before this returns.
    pub(crate) fn submit(&mut self, transaction: PooledTransaction, now: u64) -> Result<B256, ChainError> {
        let (hash, sender, nonce) = (transaction.hash(), transaction.sender, transaction.nonce());
        check_form(&transaction.envelope, self.chain_id)?;
        if self.pool.find(hash).is_some() || self.storage.locate(hash)?.is_some() {
            return Err(Rejection::AlreadyKnown(hash).into());
        }
        let next = self.head.view.state.nonce(sender);
        let base_fee = self.head.next.base_fee_per_gas.unwrap_or_default();
        let payable = transaction.envelope.max_fee_per_gas() >= u128::from(base_fee);
        // What waits with the same nonce must be replaced by the rules of replacement.
        let contested = self.pool.waits(sender, nonce);
        if self.settings.instant && nonce == next && payable && !contested {
            // Mining it is the check.
            self.mine_one(transaction, now, true)?;
        } else {
            self.check_waiting(&transaction, next, now)?;
            if let Some(left) = self.pool.insert(transaction, next)? {
                tracing::debug!(transaction = %left, by = %hash, "a transaction was replaced or evicted");
            }
            self.tip.arrived(hash);
        }
        if self.settings.instant {
            self.mine_ready(now)?;
        }
        Ok(hash)
    }

    /// Mines whatever can be, each transaction in a block of its own.
    fn mine_ready(&mut self, now: u64) -> Result<(), ChainError> {
        while self.pool.length() > 0 {
            let head = self.head();
            let base_fee = head.next.base_fee_per_gas.unwrap_or_default();
            let mut turns = self.pool.turns(base_fee, &|sender| head.view.state.nonce(sender));
            if turns.is_empty() {
                break;
            }
            while let Some(turn) = turns.pop_first() {
                let base_fee = self.head.next.base_fee_per_gas.unwrap_or_default();
                if self.pool.turn(turn.sender, turn.nonce, base_fee).is_none() {
                    // The base fee rose above it; it waits on.
                    continue;
                }
                let Some(waiting) = self.pool.take(turn.sender, turn.nonce) else { continue };
                let hash = waiting.hash();
                match self.mine_one(waiting, now, false) {
                    Ok(()) => {
                        let base_fee = self.head.next.base_fee_per_gas.unwrap_or_default();
                        turns.extend(self.pool.turn(turn.sender, turn.nonce.saturating_add(1), base_fee));
                    }
                    Err(ChainError::Storage(error)) => return Err(error.into()),
                    Err(error) => {
                        tracing::warn!(%error, transaction = %hash, "dropped a waiting transaction");
                    }
                }
            }
        }
        Ok(())
    }

    fn mine_one(&mut self, transaction: PooledTransaction, now: u64, new: bool) -> Result<(), ChainError> {
        let (started, hash) = (Instant::now(), transaction.hash());
        let mut draft = self.draft(now);
        draft.execute(self.chain_id, transaction)?;
        if new {
            self.tip.arrived(hash);
        }
        self.commit(draft, now, started)?;
        Ok(())
    }

    /// Everything that can be known before a transaction's turn comes.
    fn check_waiting(&self, transaction: &PooledTransaction, next: u64, now: u64) -> Result<(), ChainError> {
        let nonce = transaction.nonce();
        if nonce < next {
            let invalid = InvalidTransaction::NonceTooLow { tx: nonce, state: next };
            return Err(Rejection::Invalid(invalid).into());
        }
        let mut header = self.head.next.clone();
        header.timestamp = self.next_timestamp(now);
        let env = tx_env(&transaction.envelope, transaction.sender);
        let view = &self.head.view;
        view.check(self.chain_id, block_env(&header), transaction.rules(), env).map_err(refused)
    }

    /// The nonce that a new transaction of this account needs.
    pub(crate) fn next_nonce(&self, sender: Address) -> u64 {
        self.pool.next_nonce(sender, self.head.view.state.nonce(sender))
    }
}

/// What no state can change.
fn check_form(envelope: &TxEnvelope, chain_id: u64) -> Result<(), Rejection> {
    if envelope.is_eip4844() {
        return Err(Rejection::UnsupportedType(envelope.ty()));
    }
    if let Some(found) = envelope.chain_id().filter(|id| *id != chain_id) {
        return Err(Rejection::OtherChain { found, expected: chain_id });
    }
    let bytes = envelope.encode_2718_len();
    if bytes > TRANSACTION_BYTES {
        return Err(Rejection::Oversized { bytes, limit: TRANSACTION_BYTES });
    }
    Ok(())
}
