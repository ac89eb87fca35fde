//! Merkle proofs of accounts and slots (EIP-1186), and whole accounts.

use super::{Context, Methods, Reply, error::invalid};
use crate::state::{AccountState, hashed_slot};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, U256};
use alloy_rpc_types_eth::{Account, AccountInfo, EIP1186AccountProofResponse, EIP1186StorageProof};
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};
use serde::Deserialize;

/// Slots in one request at most, as in go-ethereum.
const SLOT_LIMIT: usize = 1_024;

/// A slot as tools name it: all 32 bytes, or a quantity. The answer repeats it the same way.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Key {
    Whole(B256),
    Quantity(U256),
}

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("eth_getProof", proof)?;
    methods.add("eth_getAccount", |context, params| {
        let account = account(context, params)?;
        let AccountState { nonce, balance, code_hash, .. } = account;
        Ok(Account { nonce, balance, storage_root: account.storage.root(), code_hash })
    })?;
    methods.add("eth_getAccountInfo", |context, params| {
        let AccountState { nonce, balance, code, .. } = account(context, params)?;
        Ok(AccountInfo { balance, nonce, code: code.original_bytes() })
    })
}

fn account(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<AccountState> {
    let (address, block): (Address, Option<BlockId>) = (params.next()?, params.optional_next()?);
    let (view, _) = context.node.at(block.unwrap_or_default())?;
    Ok(view.state.account(address).cloned().unwrap_or_default())
}

fn proof(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<EIP1186AccountProofResponse> {
    let (address, keys): (Address, Vec<Key>) = (params.next()?, params.next()?);
    if keys.len() > SLOT_LIMIT {
        return Err(invalid(format!("{} slots are asked for, at most {SLOT_LIMIT} can be", keys.len())));
    }
    let block: BlockId = params.optional_next()?.unwrap_or_default();
    let (view, _) = context.node.at(block)?;
    let account = view.state.account(address).cloned().unwrap_or_default();
    let slots = keys.into_iter().map(|key| {
        let (slot, key) = match key {
            Key::Whole(word) => (word.into(), word.into()),
            Key::Quantity(number) => (number, number.into()),
        };
        EIP1186StorageProof {
            key,
            value: account.slot(slot),
            proof: account.storage.proof(&hashed_slot(slot)),
        }
    });
    Ok(EIP1186AccountProofResponse {
        address,
        balance: account.balance,
        code_hash: account.code_hash,
        nonce: account.nonce,
        storage_hash: account.storage.root(),
        account_proof: view.state.proof(address),
        storage_proof: slots.collect(),
    })
}
