//! The chain itself: takes transactions, makes blocks, remembers recent states. Knows no clock and no network; the
//! time comes in as seconds since 1970.

mod assemble;
mod clock;
mod snapshot;

use crate::{
    block::Block,
    config::Config,
    error::{ChainError, DevchainError, Rejection, StorageError},
    evm::{BLOCK_GAS_LIMIT, Rules, View, block_env, prevrandao, tx_env},
    pool::{Pool, PooledTransaction},
    state::{AccountState, State},
    storage::{Meta, Storage},
};
use alloy_consensus::{Header, Transaction as _, TxEnvelope, transaction::SignerRecoverable};
use alloy_eips::{eip1559::BaseFeeParams, eip2718::Typed2718};
use alloy_primitives::{Address, B256, Bytes, address, bytes};
use assemble::{Draft, next_header};
use clock::ChainClock;
use revm::context::result::{EVMError, ExecutionResult, InvalidTransaction, ResultAndState};
use snapshot::Snapshots;
use std::{collections::BTreeMap, sync::Arc};

/// How many recent blocks keep their state.
pub(crate) const STATES_KEPT: usize = 1_024;
/// How many block hashes the EVM can ask for.
const HASHES_KEPT: u64 = 256;
/// Base fee of the first block, in wei per gas.
const FIRST_BASE_FEE: u64 = 1_000_000_000;
/// The well-known contract for addresses that do not depend on the sender's nonce; tools expect it everywhere.
const CREATE2_DEPLOYER: Address = address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");
const CREATE2_DEPLOYER_CODE: Bytes = bytes!(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
);

/// The newest block and its state. Cheap to share; never changes.
#[derive(Debug)]
pub(crate) struct Head {
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
    head: Arc<Head>,
    states: BTreeMap<u64, State>,
    pool: Pool,
    snapshots: Snapshots,
    clock: ChainClock,
    instant: bool,
}

impl Chain {
    /// Opens the stored chain or makes the first block.
    pub(crate) fn open(config: &Config, instant: bool, now: u64) -> Result<Self, DevchainError> {
        let failed = |source| DevchainError::Storage { path: config.path.clone(), source };
        let storage = Storage::open(config.path.as_deref()).map_err(failed)?;
        let (head, time_offset) = match storage.meta().map_err(failed)? {
            Some(meta) if meta.chain_id != config.chain_id => {
                return Err(DevchainError::OtherChain { stored: meta.chain_id, configured: config.chain_id });
            }
            Some(meta) => (stored_head(&storage, meta).map_err(failed)?, meta.time_offset),
            None => (first_head(&storage, config, now).map_err(failed)?, 0),
        };
        Ok(Self {
            chain_id: config.chain_id,
            storage: Arc::new(storage),
            states: BTreeMap::from([(head.header.number, head.view.state.clone())]),
            head: Arc::new(head),
            pool: Pool::default(),
            snapshots: Snapshots::default(),
            clock: ChainClock::new(time_offset),
            instant,
        })
    }

    pub(crate) fn storage(&self) -> Arc<Storage> {
        Arc::clone(&self.storage)
    }

    pub(crate) fn head(&self) -> Arc<Head> {
        Arc::clone(&self.head)
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn clock_mut(&mut self) -> &mut ChainClock {
        &mut self.clock
    }

    pub(crate) fn is_instant(&self) -> bool {
        self.instant
    }

    pub(crate) fn set_instant(&mut self, instant: bool) {
        self.instant = instant;
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

    /// Takes a signed transaction; with instant mining it and what waited for it are mined before this returns.
    pub(crate) fn submit(
        &mut self,
        envelope: TxEnvelope,
        now: u64,
    ) -> Result<(B256, Vec<Arc<Block>>), ChainError> {
        let transaction = self.check(envelope, now)?;
        let hash = transaction.hash();
        let next = self.head.view.state.nonce(transaction.sender);
        if !self.instant {
            self.pool.insert(transaction, next)?;
            return Ok((hash, Vec::new()));
        }
        let (sender, mut blocks) = (transaction.sender, Vec::new());
        if transaction.envelope.nonce() == next {
            blocks.push(self.mine_one(transaction, now)?);
        } else {
            self.pool.insert(transaction, next)?;
        }
        while let Some(waiting) = self.pool.take(sender, self.head.view.state.nonce(sender)) {
            let waiting_hash = waiting.hash();
            match self.mine_one(waiting, now) {
                Ok(block) => blocks.push(block),
                Err(ChainError::Storage(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(%error, transaction = %waiting_hash, "dropped a waiting transaction");
                }
            }
        }
        Ok((hash, blocks))
    }

    /// Makes one block of what waits, possibly empty.
    pub(crate) fn mine(&mut self, now: u64) -> Result<Arc<Block>, ChainError> {
        let mut draft = self.draft(now);
        let state = self.head.view.state.clone();
        let mut turns = self.pool.turns(&|sender| state.nonce(sender));
        while let Some(turn) = turns.pop_first() {
            if !draft.has_room(turn.gas_limit) {
                break;
            }
            let Some(waiting) = self.pool.take(turn.sender, turn.nonce) else { continue };
            let hash = waiting.hash();
            match draft.execute(self.chain_id, waiting) {
                Ok(()) => turns.extend(self.pool.turn(turn.sender, turn.nonce.saturating_add(1))),
                Err(error) => {
                    tracing::warn!(%error, transaction = %hash, "dropped a waiting transaction");
                }
            }
        }
        self.commit(draft, now)
    }

    /// Changes the state outside any transaction, in a block of its own, so that every state root stays true.
    pub(crate) fn edit(
        &mut self,
        address: Address,
        now: u64,
        change: impl FnOnce(&mut AccountState),
    ) -> Result<Arc<Block>, ChainError> {
        let mut draft = self.draft(now);
        let mut account = draft.state().account(address).cloned().unwrap_or_default();
        change(&mut account);
        draft.state_mut().set_account(address, account);
        self.commit(draft, now)
    }

    /// Everything that can be known before a transaction's turn comes.
    fn check(&self, envelope: TxEnvelope, now: u64) -> Result<PooledTransaction, ChainError> {
        if envelope.is_eip4844() || envelope.is_eip7702() {
            return Err(Rejection::UnsupportedType(envelope.ty()).into());
        }
        if let Some(found) = envelope.chain_id().filter(|id| *id != self.chain_id) {
            return Err(Rejection::OtherChain { found, expected: self.chain_id }.into());
        }
        let hash = *envelope.tx_hash();
        let sender = envelope.recover_signer().map_err(|_| {
            Rejection::Invalid(InvalidTransaction::Str("invalid transaction signature".into()))
        })?;
        if self.pool.find(hash).is_some() || self.storage.transaction(hash)?.is_some() {
            return Err(Rejection::AlreadyKnown(hash).into());
        }
        let next = self.head.view.state.nonce(sender);
        if self.instant && envelope.nonce() == next {
            // Mining it right away is the check.
            return Ok(PooledTransaction { envelope, sender });
        }
        if envelope.nonce() < next {
            let invalid = InvalidTransaction::NonceTooLow { tx: envelope.nonce(), state: next };
            return Err(Rejection::Invalid(invalid).into());
        }
        let mut header = self.head.next.clone();
        header.timestamp = self.next_timestamp(now);
        let env = tx_env(&envelope, sender);
        outcome(self.head.view.run(self.chain_id, block_env(&header), Rules::Waiting, env))?;
        Ok(PooledTransaction { envelope, sender })
    }

    fn mine_one(&mut self, transaction: PooledTransaction, now: u64) -> Result<Arc<Block>, ChainError> {
        let mut draft = self.draft(now);
        draft.execute(self.chain_id, transaction)?;
        self.commit(draft, now)
    }

    fn draft(&self, now: u64) -> Draft {
        let mut header = self.head.next.clone();
        header.timestamp = self.next_timestamp(now);
        Draft::new(header, self.head.view.clone())
    }

    /// Makes a block durable, then visible.
    fn commit(&mut self, draft: Draft, now: u64) -> Result<Arc<Block>, ChainError> {
        let (block, state) = draft.seal();
        let clock = self.clock.after(block.header.timestamp, now);
        let meta = Meta { chain_id: self.chain_id, head: block.number(), time_offset: clock.offset() };
        self.storage.append(meta, &block, &state.change_since(&self.head.view.state))?;
        self.clock = clock;
        self.states.insert(block.number(), state.clone());
        while self.states.len() > STATES_KEPT {
            self.states.pop_first();
        }
        let mut hashes = BTreeMap::clone(&self.head.view.hashes);
        remember(&mut hashes, &block);
        let view = View { state, hashes: Arc::new(hashes) };
        self.head = Arc::new(Head::new(&block, view));
        Ok(Arc::new(block))
    }
}

impl Head {
    fn new(block: &Block, view: View) -> Self {
        Self { header: block.header.clone(), view, next: next_header(block) }
    }

    pub(crate) fn number(&self) -> u64 {
        self.header.number
    }
}

/// Sorts what the EVM says into "not a valid transaction" and an outcome.
pub(crate) fn outcome(
    result: Result<ResultAndState, EVMError<std::convert::Infallible, InvalidTransaction>>,
) -> Result<ResultAndState, ChainError> {
    result.map_err(|error| {
        let invalid = match error {
            EVMError::Transaction(invalid) => invalid,
            EVMError::Header(header) => InvalidTransaction::Str(format!("block header: {header}").into()),
            EVMError::Database(never) => match never {},
            EVMError::Custom(text) => InvalidTransaction::Str(text.into()),
            EVMError::CustomAny(error) => InvalidTransaction::Str(error.to_string().into()),
        };
        Rejection::Invalid(invalid).into()
    })
}

/// The output of a call, or why there is none.
pub(crate) fn output(result: ExecutionResult) -> Result<Bytes, ChainError> {
    match result {
        ExecutionResult::Success { output, .. } => Ok(output.into_data()),
        ExecutionResult::Revert { output, .. } => Err(ChainError::Reverted { output }),
        ExecutionResult::Halt { reason, .. } => Err(ChainError::Halted { reason }),
    }
}

fn remember(hashes: &mut BTreeMap<u64, B256>, block: &Block) {
    hashes.insert(block.number(), block.hash);
    while u64::try_from(hashes.len()).unwrap_or(u64::MAX) > HASHES_KEPT {
        hashes.pop_first();
    }
}

fn first_head(storage: &Storage, config: &Config, now: u64) -> Result<Head, StorageError> {
    let mut state = State::default();
    for account in &config.accounts {
        let funded = AccountState { balance: account.balance, ..AccountState::default() };
        state.set_account(account.signer.address(), funded);
    }
    let deployer = AccountState { nonce: 1, ..AccountState::default() }.with_code(CREATE2_DEPLOYER_CODE);
    state.set_account(CREATE2_DEPLOYER, deployer);
    let header = Header {
        timestamp: now,
        gas_limit: BLOCK_GAS_LIMIT,
        base_fee_per_gas: Some(FIRST_BASE_FEE),
        mix_hash: prevrandao(B256::ZERO),
        ..Header::default()
    };
    let view = View { state, hashes: Arc::default() };
    let (block, state) = Draft::new(header, view).seal();
    let meta = Meta { chain_id: config.chain_id, head: 0, time_offset: 0 };
    storage.append(meta, &block, &state.change_since(&State::default()))?;
    let mut hashes = BTreeMap::new();
    remember(&mut hashes, &block);
    Ok(Head::new(&block, View { state, hashes: Arc::new(hashes) }))
}

fn stored_head(storage: &Storage, meta: Meta) -> Result<Head, StorageError> {
    let missing = || StorageError::Record { record: "newest block" };
    let block = storage.block(meta.head)?.ok_or_else(missing)?;
    let state = storage.state()?;
    let (found, expected) = (state.root(), block.header.state_root);
    if found != expected {
        return Err(StorageError::StateRoot { block: meta.head, found, expected });
    }
    let mut hashes = BTreeMap::new();
    storage.headers(meta.head.saturating_sub(HASHES_KEPT - 1)..=meta.head, &mut |header| {
        hashes.insert(header.number, header.hash_slow());
        Ok(true)
    })?;
    Ok(Head::new(&block, View { state, hashes: Arc::new(hashes) }))
}

/// EIP-1559 with Ethereum's parameters. The fee counts from the first block that can hold transactions, so that a
/// new chain starts at a round number, as anvil's does.
pub(crate) fn base_fee_after(header: &Header) -> u64 {
    if header.number == 0 {
        return header.base_fee_per_gas.unwrap_or(FIRST_BASE_FEE);
    }
    header.next_block_base_fee(BaseFeeParams::ethereum()).unwrap_or(FIRST_BASE_FEE)
}
