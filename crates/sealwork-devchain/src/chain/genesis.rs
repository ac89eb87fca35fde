//! The first block, and opening a chain that has one.

use super::{Draft, Head, Settings, system};
use crate::{
    config::Config,
    error::StorageError,
    evm::{Hashes, View, prevrandao},
    state::{AccountState, State},
    storage::{Entry, Meta, Storage},
};
use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, address, bytes};
use std::sync::Arc;

/// The well-known contract for addresses that do not depend on the sender's nonce; tools expect it everywhere.
const CREATE2_DEPLOYER: Address = address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");
const CREATE2_DEPLOYER_CODE: Bytes = bytes!(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
);

/// Makes and stores the first block.
pub(super) fn first_head(
    storage: &Storage,
    config: &Config,
    now: u64,
    settings: &Settings,
) -> Result<Arc<Head>, StorageError> {
    let mut state = State::default();
    for account in &config.accounts {
        let funded = AccountState { balance: account.balance, ..AccountState::default() };
        state.set_account(account.signer.address(), funded);
    }
    let deployer = AccountState { nonce: 1, ..AccountState::default() }.with_code(CREATE2_DEPLOYER_CODE);
    state.set_account(CREATE2_DEPLOYER, deployer);
    for (address, contract) in system::contracts() {
        state.set_account(address, contract);
    }
    let header = Header {
        timestamp: now,
        gas_limit: config.gas_limit,
        base_fee_per_gas: Some(config.base_fee),
        mix_hash: prevrandao(B256::ZERO),
        parent_beacon_block_root: Some(B256::ZERO),
        ..Header::default()
    };
    let (block, state) = Draft::new(header, View { state, hashes: Arc::default() }).seal();
    let hashes = Hashes::default().with(0, block.hash);
    let head = Head::new(&block, View { state, hashes: Arc::new(hashes) }, settings);
    let head = Arc::new(head);
    storage.append(Entry {
        meta: Meta { chain_id: config.chain_id, head: 0, time_offset: 0 },
        block: Arc::new(block),
        before: State::default(),
        head: Arc::clone(&head),
    })?;
    storage.flush()?;
    Ok(head)
}

/// The newest stored block; its state is rebuilt and compared with its root.
pub(super) fn stored_head(
    storage: &Storage,
    meta: Meta,
    settings: &Settings,
) -> Result<Arc<Head>, StorageError> {
    let missing = || StorageError::Record { record: "newest block" };
    let block = storage.block(meta.head)?.ok_or_else(missing)?;
    let state = storage.state()?;
    let (found, expected) = (state.root(), block.header.state_root);
    if found != expected {
        return Err(StorageError::StateRoot { block: meta.head, found, expected });
    }
    let hashes = Arc::new(storage.hashes(meta.head)?);
    Ok(Arc::new(Head::new(&block, View { state, hashes }, settings)))
}
