//! A running chain: the core behind one lock, the newest block for readers, and the news for subscribers.

use crate::{
    block::Block,
    chain::{Chain, Head},
    error::ChainError,
    evm::{View, block_env},
    storage::Storage,
};
use alloy_consensus::Header;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::Address;
use alloy_signer_local::PrivateKeySigner;
use revm::context::BlockEnv;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::broadcast;

/// Blocks that a slow subscriber may be behind before it is cut off.
const NEWS_KEPT: usize = 1_024;

/// A running chain.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) chain_id: u64,
    pub(crate) signers: BTreeMap<Address, PrivateKeySigner>,
    /// Addresses of the signers in the order of the configuration.
    pub(crate) accounts: Vec<Address>,
    pub(crate) storage: Arc<Storage>,
    chain: Mutex<Chain>,
    /// The newest block again, so that readers need not wait for a block that is being written.
    head: RwLock<Arc<Head>>,
    news: broadcast::Sender<Arc<Block>>,
}

impl Node {
    pub(crate) fn new(chain_id: u64, chain: Chain, signers: Vec<PrivateKeySigner>) -> Self {
        Self {
            chain_id,
            accounts: signers.iter().map(PrivateKeySigner::address).collect(),
            signers: signers.into_iter().map(|signer| (signer.address(), signer)).collect(),
            storage: chain.storage(),
            head: RwLock::new(chain.head()),
            chain: Mutex::new(chain),
            news: broadcast::channel(NEWS_KEPT).0,
        }
    }

    /// The chain for a short look. Its methods change it only at their end, so a panic leaves it whole.
    pub(crate) fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the chain, then tells readers and subscribers.
    pub(crate) fn update<R>(
        &self,
        change: impl FnOnce(&mut Chain) -> Result<(R, Vec<Arc<Block>>), ChainError>,
    ) -> Result<R, ChainError> {
        let mut chain = self.chain();
        let outcome = change(&mut chain);
        *self.head.write().unwrap_or_else(PoisonError::into_inner) = chain.head();
        let (result, blocks) = outcome?;
        for block in blocks {
            // Nobody listening is fine.
            let _ = self.news.send(block);
        }
        Ok(result)
    }

    /// The newest block.
    pub(crate) fn head(&self) -> Arc<Head> {
        Arc::clone(&self.head.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Every block from now on.
    pub(crate) fn news(&self) -> broadcast::Receiver<Arc<Block>> {
        self.news.subscribe()
    }

    /// Makes a block of what waits.
    pub(crate) fn mine(&self) -> Result<Arc<Block>, ChainError> {
        self.update(|chain| chain.mine(unix_now()).map(|block| (Arc::clone(&block), vec![block])))
    }

    /// The number a tag stands for. "pending" is the newest block: nothing is pending for longer than a moment.
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

    /// State and surroundings for a call at a block; at "pending", those of the block that would be made now.
    pub(crate) fn at(&self, id: BlockId) -> Result<(View, BlockEnv), ChainError> {
        let head = self.head();
        if id.is_pending() {
            let mut header = head.next.clone();
            header.timestamp = self.chain().next_timestamp(unix_now());
            return Ok((head.view.clone(), block_env(&header)));
        }
        let number = self.existing(id)?;
        if number == head.number() {
            return Ok((head.view.clone(), block_env(&head.header)));
        }
        let state = self.chain().state_at(number)?;
        let (header, hashes) = self.recent(number)?;
        Ok((View { state, hashes: Arc::new(hashes) }, block_env(&header)))
    }

    /// A header with the hashes of the blocks before it.
    fn recent(&self, number: u64) -> Result<(Header, BTreeMap<u64, alloy_primitives::B256>), ChainError> {
        let (mut found, mut hashes) = (None, BTreeMap::new());
        self.storage.headers(number.saturating_sub(256)..=number, &mut |header| {
            hashes.insert(header.number, header.hash_slow());
            found = Some(header);
            Ok(true)
        })?;
        let header = found.filter(|header| header.number == number);
        Ok((header.ok_or_else(|| ChainError::UnknownBlock(number.to_string()))?, hashes))
    }
}

/// Seconds since 1970.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
