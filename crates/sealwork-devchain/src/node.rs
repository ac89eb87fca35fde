//! A running chain: the core behind one lock, and what readers need without it.

use crate::{
    block::Block,
    chain::{Chain, Head, Preview},
    config::Clock,
    error::ChainError,
    evm::{View, block_env},
    metrics::Metrics,
    storage::Storage,
    tip::Tip,
};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, keccak256};
use alloy_signer_local::PrivateKeySigner;
use revm::context::BlockEnv;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// A running chain.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) chain_id: u64,
    pub(crate) signers: BTreeMap<Address, PrivateKeySigner>,
    /// Addresses of the signers in the order of the configuration.
    pub(crate) accounts: Vec<Address>,
    pub(crate) storage: Arc<Storage>,
    pub(crate) metrics: Arc<Metrics>,
    /// Tells this process's chain from every other.
    pub(crate) instance: B256,
    /// Time between blocks that are made without being asked for.
    pub(crate) interval: watch::Sender<Option<Duration>>,
    clock: Clock,
    chain: Mutex<Chain>,
    /// Whoever holds it changes the chain next; waiting for it does not cost a thread.
    turns: tokio::sync::Mutex<()>,
    /// The newest block again, so that readers need not wait for a block that is being made.
    tip: Arc<Tip>,
}

impl Node {
    pub(crate) fn new(
        chain_id: u64,
        chain: Chain,
        signers: Vec<PrivateKeySigner>,
        metrics: Arc<Metrics>,
        interval: Option<Duration>,
        clock: Clock,
    ) -> Self {
        let started = clock.moment();
        let hash = chain.head().hash;
        Self {
            chain_id,
            accounts: signers.iter().map(PrivateKeySigner::address).collect(),
            signers: signers.into_iter().map(|signer| (signer.address(), signer)).collect(),
            storage: chain.storage(),
            metrics,
            instance: keccak256([&started.to_be_bytes(), hash.as_slice()].concat()),
            interval: watch::channel(interval).0,
            tip: chain.tip(),
            clock,
            chain: Mutex::new(chain),
            turns: tokio::sync::Mutex::default(),
        }
    }

    /// The chain for a short look. Its methods change it only at their end, so a panic leaves it whole.
    pub(crate) fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the chain; returns when clients may learn of it.
    pub(crate) fn update<R>(
        &self,
        change: impl FnOnce(&mut Chain) -> Result<R, ChainError>,
    ) -> Result<R, ChainError> {
        let mut chain = self.chain();
        let result = change(&mut chain)?;
        let ticket = self.storage.ticket();
        drop(chain);
        // Others make their blocks meanwhile, and one commit stores all of them.
        self.storage.wait(ticket)?;
        Ok(result)
    }

    /// The same for a quick change, without blocking the thread: those who change the chain take turns.
    pub(crate) async fn update_soon<R>(
        &self,
        change: impl FnOnce(&mut Chain) -> Result<R, ChainError>,
    ) -> Result<R, ChainError> {
        let turn = self.turns.lock().await;
        let (result, ticket) = {
            let mut chain = self.chain();
            (change(&mut chain)?, self.storage.ticket())
        };
        drop(turn);
        self.storage.stored(ticket).await?;
        Ok(result)
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.clock.now()
    }

    /// The newest block.
    pub(crate) fn head(&self) -> Arc<Head> {
        self.tip.head()
    }

    /// The end of the chain as clients see it.
    pub(crate) fn tip(&self) -> &Tip {
        &self.tip
    }

    /// Makes a block of what waits.
    pub(crate) fn mine(&self) -> Result<Arc<Block>, ChainError> {
        self.update(|chain| chain.mine(self.now()))
    }

    /// The number a tag stands for. "pending" is the newest block: the next one has no number until it is made.
    pub(crate) fn number(&self, tag: BlockNumberOrTag) -> u64 {
        match tag {
            BlockNumberOrTag::Number(number) => number,
            BlockNumberOrTag::Earliest => 0,
            BlockNumberOrTag::Latest
            | BlockNumberOrTag::Pending
            | BlockNumberOrTag::Safe
            | BlockNumberOrTag::Finalized => self.head().number(),
        }
    }

    /// The number of an existing block.
    pub(crate) fn existing(&self, id: BlockId) -> Result<u64, ChainError> {
        let unknown = || ChainError::UnknownBlock(id.to_string());
        let number = match id {
            BlockId::Hash(hash) => self.storage.block_number(hash.block_hash)?.ok_or_else(unknown)?,
            BlockId::Number(tag) => self.number(tag),
        };
        let newest = self.head().number();
        if number > newest { Err(ChainError::OutOfRange { asked: number, newest }) } else { Ok(number) }
    }

    /// The block that would be made now.
    pub(crate) fn preview(&self) -> Preview {
        self.chain().preview(self.now())
    }

    /// State and surroundings of a call in the next block, before the transactions that wait for it.
    pub(crate) fn upcoming(&self) -> (View, BlockEnv) {
        let head = self.head();
        let mut header = head.next.clone();
        header.timestamp = self.chain().next_timestamp(self.now());
        (head.view.clone(), block_env(&header))
    }

    /// State and surroundings for a call at a block; at "pending", those after what would be mined now.
    pub(crate) fn at(&self, id: BlockId) -> Result<(View, BlockEnv), ChainError> {
        let head = self.head();
        if id.is_pending() {
            let (view, header) = self.preview().state();
            return Ok((view, block_env(&header)));
        }
        let number = self.existing(id)?;
        if number == head.number() {
            return Ok((head.view.clone(), block_env(&head.header)));
        }
        let state = self.chain().state_at(number)?;
        let unknown = || ChainError::UnknownBlock(number.to_string());
        let block = self.storage.block(number)?.ok_or_else(unknown)?;
        let hashes = Arc::new(self.storage.hashes(number)?);
        Ok((View { state, hashes }, block_env(&block.header)))
    }
}
