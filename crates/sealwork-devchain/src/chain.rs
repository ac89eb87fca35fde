//! The chain itself: takes transactions, makes blocks, remembers recent states. Knows no calendar and no network; the
//! time comes in as seconds since 1970.

mod admit;
mod assemble;
mod clock;
mod genesis;
mod preview;
mod reorg;
mod settings;
mod snapshot;
mod system;

use crate::{
    block::Block,
    config::{Config, DEFAULT_BASE_FEE},
    error::{ChainError, DevchainError, Rejection, StorageError},
    evm::{View, prevrandao},
    metrics::Metrics,
    pool::Pool,
    state::{AccountState, State},
    storage::{Entry, Meta, Storage},
    tip::Tip,
};
use alloy_consensus::Header;
use alloy_eips::eip1559::BaseFeeParams;
use alloy_primitives::{Address, B256, Bytes};
use assemble::Draft;
use clock::ChainClock;
use revm::context::result::{EVMError, ExecutionResult, InvalidTransaction, ResultAndState};
use snapshot::Snapshots;
use std::{collections::BTreeMap, sync::Arc, time::Instant};

pub(crate) use preview::Preview;
pub(crate) use settings::Settings;
pub(crate) use system::begin_block;

/// How many recent blocks keep their state.
pub(crate) const STATES_KEPT: usize = 1_024;

/// The newest block and its state. Cheap to share; never changes.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) hash: B256,
    pub(crate) header: Header,
    pub(crate) view: View,
    /// Header of the block after this one, without roots: what a pending call sees, apart from the time.
    pub(crate) next: Header,
}

/// The chain itself.
#[derive(Debug)]
pub(crate) struct Chain {
    chain_id: u64,
    storage: Arc<Storage>,
    tip: Arc<Tip>,
    metrics: Arc<Metrics>,
    /// The newest block; clients see it as the tip, maybe a moment later.
    head: Arc<Head>,
    /// The first block, if this process made it.
    first: Option<Arc<Head>>,
    states: BTreeMap<u64, State>,
    pool: Pool,
    snapshots: Snapshots,
    clock: ChainClock,
    settings: Settings,
}

impl Chain {
    /// Opens the stored chain or makes the first block.
    pub(crate) fn open(
        config: &Config,
        instant: bool,
        now: u64,
        metrics: Arc<Metrics>,
    ) -> Result<Self, DevchainError> {
        let failed = |source| DevchainError::Storage { path: config.path.clone(), source };
        let tip = Arc::new(Tip::default());
        let storage =
            Storage::open(config.path.as_deref(), config.durability, Arc::clone(&tip)).map_err(failed)?;
        let mut chain = Self::with_storage(config, storage, tip, now)?;
        chain.settings.instant = instant;
        chain.metrics = metrics;
        Ok(chain)
    }

    /// The same on a storage that is open already.
    pub(crate) fn with_storage(
        config: &Config,
        storage: Storage,
        tip: Arc<Tip>,
        now: u64,
    ) -> Result<Self, DevchainError> {
        let failed = |source| DevchainError::Storage { path: config.path.clone(), source };
        let settings = Settings::new(config.gas_limit);
        let (head, time_offset) = match storage.meta().map_err(failed)? {
            Some(meta) if meta.chain_id != config.chain_id => {
                return Err(DevchainError::OtherChain { stored: meta.chain_id, configured: config.chain_id });
            }
            Some(meta) => {
                (genesis::stored_head(&storage, meta, &settings).map_err(failed)?, meta.time_offset)
            }
            None => (genesis::first_head(&storage, config, now, &settings).map_err(failed)?, 0),
        };
        tip.set(Arc::clone(&head));
        Ok(Self {
            chain_id: config.chain_id,
            storage: Arc::new(storage),
            tip,
            metrics: Arc::default(),
            states: BTreeMap::from([(head.header.number, head.view.state.clone())]),
            first: (head.number() == 0).then(|| Arc::clone(&head)),
            head,
            pool: Pool::default(),
            snapshots: Snapshots::default(),
            clock: ChainClock::new(time_offset),
            settings,
        })
    }

    /// A second chain with the same past, which goes its own way from here; both must be kept in memory and have no
    /// thread for it ([`Storage::work_inline`]).
    pub(crate) fn fork(&self, metrics: Arc<Metrics>) -> Result<Self, StorageError> {
        let tip = Arc::new(Tip::default());
        tip.set(Arc::clone(&self.head));
        Ok(Self {
            chain_id: self.chain_id,
            storage: Arc::new(self.storage.fork(Arc::clone(&tip))?),
            tip,
            metrics,
            head: Arc::clone(&self.head),
            first: self.first.clone(),
            states: self.states.clone(),
            pool: self.pool.clone(),
            snapshots: self.snapshots.clone(),
            clock: self.clock,
            settings: self.settings.clone(),
        })
    }

    pub(crate) fn storage(&self) -> Arc<Storage> {
        Arc::clone(&self.storage)
    }

    pub(crate) fn tip(&self) -> Arc<Tip> {
        Arc::clone(&self.tip)
    }

    pub(crate) fn head(&self) -> Arc<Head> {
        Arc::clone(&self.head)
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn pool_mut(&mut self) -> &mut Pool {
        &mut self.pool
    }

    pub(crate) fn clock_mut(&mut self) -> &mut ChainClock {
        &mut self.clock
    }

    /// Timestamp that the next block would get.
    pub(crate) fn next_timestamp(&self, now: u64) -> u64 {
        self.clock.next(self.head.header.timestamp, now)
    }

    /// State after a block.
    pub(crate) fn state_at(&self, number: u64) -> Result<State, ChainError> {
        let oldest = self.states.keys().next().copied().unwrap_or_default();
        let gone = || ChainError::StateGone { block: number, oldest };
        self.states.get(&number).cloned().ok_or_else(gone)
    }

    /// Makes one block of what waits, possibly empty.
    pub(crate) fn mine(&mut self, now: u64) -> Result<Arc<Block>, ChainError> {
        let started = Instant::now();
        let mut draft = self.draft(now);
        draft.fill(self.chain_id, &mut self.pool);
        self.commit(draft, now, started)
    }

    /// Changes the state outside any transaction, in a block of its own, so that every state root stays true.
    pub(crate) fn edit(
        &mut self,
        address: Address,
        now: u64,
        change: impl FnOnce(&mut AccountState),
    ) -> Result<Arc<Block>, ChainError> {
        let started = Instant::now();
        let mut draft = self.draft(now);
        let mut account = draft.state().account(address).cloned().unwrap_or_default();
        change(&mut account);
        draft.state_mut().set_account(address, account);
        self.commit(draft, now, started)
    }

    fn draft(&self, now: u64) -> Draft {
        let mut header = self.head.next.clone();
        header.timestamp = self.next_timestamp(now);
        Draft::new(header, self.head.view.clone())
    }

    /// Adds a block to the chain.
    fn commit(&mut self, draft: Draft, now: u64, started: Instant) -> Result<Arc<Block>, ChainError> {
        let (block, head) = self.settings.seal(draft, &self.head);
        let clock = self.clock.after(block.header.timestamp, now);
        let block = self.add(block, Arc::new(head), clock)?;
        self.settings.used();
        self.metrics.block(&block, started.elapsed());
        Ok(block)
    }

    /// Adds a finished block.
    fn add(&mut self, block: Block, head: Arc<Head>, clock: ChainClock) -> Result<Arc<Block>, ChainError> {
        let block = Arc::new(block);
        let meta = Meta { chain_id: self.chain_id, head: block.number(), time_offset: clock.offset() };
        self.storage.append(Entry {
            meta,
            block: Arc::clone(&block),
            before: self.head.view.state.clone(),
            head: Arc::clone(&head),
        })?;
        self.clock = clock;
        self.states.insert(block.number(), head.view.state.clone());
        while self.states.len() > STATES_KEPT {
            self.states.pop_first();
        }
        self.head = head;
        Ok(block)
    }
}

impl Head {
    pub(crate) fn number(&self) -> u64 {
        self.header.number
    }
}

/// Sorts what the EVM says into "not a valid transaction" and an outcome.
pub(crate) fn outcome(
    result: Result<ResultAndState, EVMError<std::convert::Infallible, InvalidTransaction>>,
) -> Result<ResultAndState, ChainError> {
    result.map_err(refused)
}

/// Why the EVM does not run a transaction.
fn refused(error: EVMError<std::convert::Infallible, InvalidTransaction>) -> ChainError {
    let invalid = match error {
        EVMError::Transaction(invalid) => invalid,
        EVMError::Header(header) => InvalidTransaction::Str(format!("block header: {header}").into()),
        EVMError::Database(never) => match never {},
        EVMError::Custom(text) => InvalidTransaction::Str(text.into()),
        EVMError::CustomAny(error) => InvalidTransaction::Str(error.to_string().into()),
    };
    Rejection::Invalid(invalid).into()
}

/// The output of a call, or why there is none.
pub(crate) fn output(result: ExecutionResult) -> Result<Bytes, ChainError> {
    match result {
        ExecutionResult::Success { output, .. } => Ok(output.into_data()),
        ExecutionResult::Revert { output, .. } => Err(ChainError::Reverted { output }),
        ExecutionResult::Halt { reason, .. } => Err(ChainError::Halted { reason }),
    }
}

/// EIP-1559 with Ethereum's parameters.
pub(crate) fn base_fee_after(header: &Header) -> u64 {
    if header.number == 0 {
        return header.base_fee_per_gas.unwrap_or(DEFAULT_BASE_FEE);
    }
    header.next_block_base_fee(BaseFeeParams::ethereum()).unwrap_or(DEFAULT_BASE_FEE)
}

/// The header after a block, without time and roots.
fn next_header(hash: B256, header: &Header, settings: &Settings) -> Header {
    Header {
        parent_hash: hash,
        number: header.number.saturating_add(1),
        gas_limit: settings.gas_limit,
        beneficiary: settings.coinbase,
        base_fee_per_gas: Some(settings.next_base_fee.unwrap_or_else(|| base_fee_after(header))),
        mix_hash: settings.next_prevrandao.unwrap_or_else(|| prevrandao(hash)),
        timestamp: header.timestamp,
        parent_beacon_block_root: Some(B256::ZERO),
        ..Header::default()
    }
}
