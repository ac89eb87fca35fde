//! Running one transaction or call on a state. Osaka rules.

use crate::state::{State, hashed_slot};
use alloy_consensus::{Header, Transaction as _, TxEnvelope};
use alloy_primitives::{Address, B256, U256, keccak256};
use revm::{
    Context, Database, ExecuteEvm, MainBuilder, MainContext,
    context::{
        BlockEnv, CfgEnv, TxEnv,
        result::{EVMError, InvalidTransaction, ResultAndState},
    },
    context_interface::{block::BlobExcessGasAndPrice, either::Either},
    handler::{EthFrame, Handler as _, MainnetHandler},
    primitives::hardfork::SpecId,
    state::{AccountInfo, Bytecode},
};
use std::{collections::BTreeMap, convert::Infallible, sync::Arc};

/// Rules of the chain: the newest fork that is live on Ethereum.
pub(crate) const SPEC: SpecId = SpecId::OSAKA;
/// Gas of a transaction at most (EIP-7825).
pub(crate) const TX_GAS_LIMIT: u64 = 1 << 24;
/// Memory that one execution may take, in bytes; gas stops honest programs long before.
const MEMORY_LIMIT: u64 = 256 << 20;

/// A state with the hashes of the blocks before it, as the EVM reads it.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) state: State,
    pub(crate) hashes: Arc<Hashes>,
}

/// How many block hashes the EVM can ask for.
const HASHES_KEPT: usize = 256;

/// Hashes of the newest blocks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hashes {
    /// Number of the first of them.
    first: u64,
    /// The last hash is read last, so a new one is a copy of a few kilobytes and no tree.
    hashes: Vec<B256>,
    /// What a call pretends.
    pretended: BTreeMap<u64, B256>,
}

impl Hashes {
    /// The hashes with one more; blocks come in order.
    pub(crate) fn with(&self, number: u64, hash: B256) -> Self {
        let skip = self.hashes.len().saturating_sub(HASHES_KEPT - 1);
        let mut hashes = Vec::with_capacity(HASHES_KEPT);
        hashes.extend(self.hashes.iter().skip(skip));
        hashes.push(hash);
        let before = u64::try_from(hashes.len() - 1).unwrap_or(u64::MAX);
        Self { first: number.saturating_sub(before), hashes, pretended: BTreeMap::new() }
    }

    pub(crate) fn get(&self, number: &u64) -> Option<&B256> {
        let known = || self.hashes.get(usize::try_from(number.checked_sub(self.first)?).ok()?);
        self.pretended.get(number).or_else(known)
    }
}

impl Hashes {
    /// Pretends that a block has this hash.
    pub(crate) fn insert(&mut self, number: u64, hash: B256) {
        self.pretended.insert(number, hash);
    }
}

impl Extend<(u64, B256)> for Hashes {
    fn extend<T: IntoIterator<Item = (u64, B256)>>(&mut self, hashes: T) {
        self.pretended.extend(hashes);
    }
}

impl FromIterator<(u64, B256)> for Hashes {
    fn from_iter<T: IntoIterator<Item = (u64, B256)>>(blocks: T) -> Self {
        blocks.into_iter().fold(Self::default(), |hashes, (number, hash)| hashes.with(number, hash))
    }
}

/// Whether the rules for signed transactions hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    /// Everything is checked.
    Transaction,
    /// Everything but that accounts with code cannot send.
    Impersonated,
    /// A call that nobody signed: no nonce, no base fee, no gas cap, any sender.
    Call,
}

pub(crate) type Failure = EVMError<Infallible, InvalidTransaction>;

impl View {
    /// Runs a transaction; the state stays as it is.
    pub(crate) fn run(
        &self,
        chain_id: u64,
        block: BlockEnv,
        rules: Rules,
        tx: TxEnv,
    ) -> Result<ResultAndState, Failure> {
        let mut evm = Context::mainnet()
            .with_db(self.clone())
            .with_cfg(config(chain_id, rules))
            .with_block(block)
            .build_mainnet();
        evm.transact(tx)
    }

    /// Checks a transaction that has to wait, without running it.
    pub(crate) fn check(
        &self,
        chain_id: u64,
        block: BlockEnv,
        rules: Rules,
        tx: TxEnv,
    ) -> Result<(), Failure> {
        let mut evm = Context::mainnet()
            .with_db(self.clone())
            .with_cfg(config(chain_id, rules))
            .with_block(block)
            .with_tx(tx)
            .build_mainnet();
        evm.cfg.disable_nonce_check = true;
        evm.cfg.disable_base_fee = true;
        MainnetHandler::<_, Failure, EthFrame>::default().validate(&mut evm).map(drop)
    }
}

pub(crate) fn config(chain_id: u64, rules: Rules) -> CfgEnv {
    let mut config = CfgEnv::new_with_spec(SPEC).with_chain_id(chain_id);
    config.memory_limit = MEMORY_LIMIT;
    config.disable_eip3607 = rules != Rules::Transaction;
    if rules == Rules::Call {
        config.disable_nonce_check = true;
        config.disable_base_fee = true;
        config.disable_block_gas_limit = true;
        config.tx_gas_limit_cap = Some(u64::MAX);
    }
    config
}

/// The EVM's picture of a mined block or of the one being made.
pub(crate) fn block_env(header: &Header) -> BlockEnv {
    BlockEnv {
        number: U256::from(header.number),
        beneficiary: header.beneficiary,
        timestamp: U256::from(header.timestamp),
        gas_limit: header.gas_limit,
        basefee: header.base_fee_per_gas.unwrap_or_default(),
        difficulty: U256::ZERO,
        prevrandao: Some(header.mix_hash),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice::new_with_spec(0, SPEC)),
        slot_num: 0,
    }
}

/// The "random" value of a block: predictable, as everything on a development chain.
pub(crate) fn prevrandao(parent: B256) -> B256 {
    keccak256([b"sealwork-devchain-randao".as_slice(), parent.as_slice()].concat())
}

/// What the EVM needs to know of a signed transaction.
pub(crate) fn tx_env(envelope: &TxEnvelope, sender: Address) -> TxEnv {
    TxEnv {
        tx_type: envelope.tx_type().into(),
        caller: sender,
        gas_limit: envelope.gas_limit(),
        gas_price: envelope.max_fee_per_gas(),
        kind: envelope.kind(),
        value: envelope.value(),
        data: envelope.input().clone(),
        nonce: envelope.nonce(),
        chain_id: envelope.chain_id(),
        access_list: envelope.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: envelope.max_priority_fee_per_gas(),
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: envelope
            .authorization_list()
            .map(|list| list.iter().cloned().map(Either::Left).collect())
            .unwrap_or_default(),
    }
}

impl Database for View {
    type Error = Infallible;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.state.account(address).map(|account| account.info()))
    }

    fn code_by_hash(&mut self, _hash: B256) -> Result<Bytecode, Infallible> {
        // `basic` always hands out the code with the account.
        Ok(Bytecode::default())
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, Infallible> {
        let account = self.state.account(address);
        Ok(account.and_then(|account| account.storage.get(&hashed_slot(slot))).copied().unwrap_or_default())
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Infallible> {
        Ok(self.hashes.get(&number).copied().unwrap_or_default())
    }
}
