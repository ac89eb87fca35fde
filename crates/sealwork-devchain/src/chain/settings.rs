//! What tools can change about the blocks to come. In memory only.

use super::{Chain, ChainError, Draft, Head, base_fee_after, next_header};
use crate::{
    block::Block,
    evm::{View, prevrandao},
};
use alloy_primitives::{Address, B256};
use std::{collections::BTreeSet, sync::Arc};

/// Accounts that can be impersonated at most.
const IMPERSONATED_LIMIT: u64 = 65_536;

/// What tools can change about the blocks to come.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Whether every transaction gets a block at once.
    pub(crate) instant: bool,
    pub(crate) gas_limit: u64,
    pub(crate) coinbase: Address,
    /// Base fee of the next block, instead of what EIP-1559 says.
    pub(crate) next_base_fee: Option<u64>,
    pub(crate) next_prevrandao: Option<B256>,
    /// Whether anybody's transactions are taken without a signature.
    pub(crate) impersonates_all: bool,
    impersonated: BTreeSet<Address>,
    configured_gas_limit: u64,
}

impl Settings {
    pub(super) fn new(gas_limit: u64) -> Self {
        Self {
            instant: true,
            gas_limit,
            coinbase: Address::ZERO,
            next_base_fee: None,
            next_prevrandao: None,
            impersonates_all: false,
            impersonated: BTreeSet::new(),
            configured_gas_limit: gas_limit,
        }
    }

    /// Forgets what tools have changed.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.configured_gas_limit);
    }

    /// Finishes a block; what follows it obeys the settings.
    pub(super) fn seal(&self, draft: Draft, parent: &Head) -> (Block, Head) {
        let (block, state) = draft.seal();
        let hashes = Arc::new(parent.view.hashes.with(block.number(), block.hash));
        let mut head = Head::new(&block, View { state, hashes }, self);
        // What was set for one block does not hold for the one after it.
        head.next.base_fee_per_gas = Some(base_fee_after(&block.header));
        head.next.mix_hash = prevrandao(block.hash);
        (block, head)
    }

    /// Forgets what held for one block.
    pub(super) fn used(&mut self) {
        self.next_base_fee = None;
        self.next_prevrandao = None;
    }

    /// Whether this account's transactions are taken without a signature.
    pub(crate) fn impersonates(&self, address: Address) -> bool {
        self.impersonates_all || self.impersonated.contains(&address)
    }

    /// Takes this account's transactions without a signature from now on.
    pub(crate) fn impersonate(&mut self, address: Address) -> Result<(), ChainError> {
        if u64::try_from(self.impersonated.len()).unwrap_or(u64::MAX) >= IMPERSONATED_LIMIT {
            return Err(ChainError::Limit { what: "impersonated accounts", limit: IMPERSONATED_LIMIT });
        }
        self.impersonated.insert(address);
        Ok(())
    }

    pub(crate) fn stop_impersonating(&mut self, address: Address) {
        self.impersonated.remove(&address);
    }
}

impl Head {
    pub(super) fn new(block: &Block, view: View, settings: &Settings) -> Self {
        Self {
            hash: block.hash,
            next: next_header(block.hash, &block.header, settings),
            header: block.header.clone(),
            view,
        }
    }
}

impl Chain {
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes settings; the block to come obeys them.
    pub(crate) fn set(&mut self, change: impl FnOnce(&mut Settings)) -> Result<(), ChainError> {
        // Clients must not see an older tip afterwards.
        self.storage.flush()?;
        change(&mut self.settings);
        self.head = Arc::new(Head {
            hash: self.head.hash,
            header: self.head.header.clone(),
            view: self.head.view.clone(),
            next: next_header(self.head.hash, &self.head.header, &self.settings),
        });
        self.tip.set(Arc::clone(&self.head));
        Ok(())
    }

    /// Changes what does not show in the block to come.
    pub(crate) fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }
}
