//! What a call may pretend about accounts and the block.

use super::{Reply, error::invalid};
use crate::{evm::View, sandbox::Sandbox, state::hashed_slot, trie::Trie};
use alloy_primitives::{Address, B256, U256, map::HashSet};
use alloy_rpc_types_eth::{
    BlockOverrides,
    state::{AccountOverride, StateOverride},
};
use revm::{context::BlockEnv, context_interface::block::BlobExcessGasAndPrice, handler::EthPrecompiles};

/// Accounts in one state override at most.
const ACCOUNT_LIMIT: usize = 1_024;
/// Slots in one state override at most.
const SLOT_LIMIT: usize = 65_536;
/// Block hashes in one block override at most.
const HASH_LIMIT: usize = 256;

/// Changes accounts as a call asks for.
pub(super) fn override_state(sandbox: &mut Sandbox, overrides: StateOverride) -> Reply<()> {
    check_size(&overrides)?;
    let mut moved = HashSet::<Address>::default();
    // Moves first: the address that a precompile leaves may get code of its own.
    for (address, change) in &overrides {
        if let Some(to) = change.move_precompile_to {
            move_precompile(sandbox, *address, to)?;
            moved.insert(to);
        }
    }
    for (address, change) in overrides {
        if moved.contains(&address) {
            return Err(invalid(format!("account {address} is overridden and a precompile is moved to it")));
        }
        set(&mut sandbox.view, address, change)?;
    }
    Ok(())
}

fn check_size(overrides: &StateOverride) -> Reply<()> {
    let slots = |change: &AccountOverride| {
        let count = |map: &Option<_>| map.as_ref().map_or(0, alloy_primitives::map::B256HashMap::<B256>::len);
        count(&change.state).saturating_add(count(&change.state_diff))
    };
    let (accounts, slots) = (overrides.len(), overrides.values().map(slots).sum::<usize>());
    if accounts > ACCOUNT_LIMIT || slots > SLOT_LIMIT {
        return Err(invalid(format!(
            "{accounts} accounts with {slots} slots are overridden, at most {ACCOUNT_LIMIT} with {SLOT_LIMIT} can be"
        )));
    }
    Ok(())
}

fn move_precompile(sandbox: &mut Sandbox, from: Address, to: Address) -> Reply<()> {
    if !EthPrecompiles::new(crate::evm::SPEC).contains(&from) {
        return Err(invalid(format!("account {from} is not a precompile")));
    }
    if sandbox.moved.insert(to, from).is_some() {
        return Err(invalid(format!("two precompiles are moved to {to}")));
    }
    Ok(())
}

fn set(view: &mut View, address: Address, change: AccountOverride) -> Reply<()> {
    if change.state.is_some() && change.state_diff.is_some() {
        return Err(invalid(format!("account {address} has both 'state' and 'stateDiff'")));
    }
    let mut account = view.state.account(address).cloned().unwrap_or_default();
    account.balance = change.balance.unwrap_or(account.balance);
    account.nonce = change.nonce.unwrap_or(account.nonce);
    if let Some(code) = change.code {
        account = account.with_code(code);
    }
    if change.state.is_some() {
        account.storage = Trie::default();
    }
    for (slot, value) in change.state.into_iter().chain(change.state_diff).flatten() {
        account.set_slot(hashed_slot(slot.into()), value.into());
    }
    view.state.set_account(address, account);
    Ok(())
}

/// Changes the block as a call asks for.
pub(super) fn override_block(sandbox: &mut Sandbox, change: BlockOverrides) -> Reply<()> {
    if let Some(hashes) = change.block_hash {
        if hashes.len() > HASH_LIMIT {
            return Err(invalid(format!("at most {HASH_LIMIT} block hashes can be overridden")));
        }
        for (number, hash) in hashes {
            sandbox.view.remember(number, hash);
        }
    }
    let block = &mut sandbox.block;
    *block = BlockEnv {
        number: change.number.unwrap_or(block.number),
        beneficiary: change.coinbase.unwrap_or(block.beneficiary),
        timestamp: change.time.map_or(block.timestamp, U256::from),
        gas_limit: change.gas_limit.unwrap_or(block.gas_limit),
        basefee: change
            .base_fee
            .map(|fee| narrow(fee, "baseFeePerGas"))
            .transpose()?
            .unwrap_or(block.basefee),
        difficulty: change.difficulty.unwrap_or(block.difficulty),
        prevrandao: change.random.or(block.prevrandao),
        blob_excess_gas_and_price: block.blob_excess_gas_and_price,
        slot_num: block.slot_num,
    };
    if let Some(fee) = change.blob_base_fee {
        let blob_gasprice = narrow(fee, "blobBaseFee")?;
        block.blob_excess_gas_and_price = Some(BlobExcessGasAndPrice { excess_blob_gas: 0, blob_gasprice });
    }
    Ok(())
}

fn narrow<T: TryFrom<U256>>(number: U256, what: &str) -> Reply<T> {
    T::try_from(number).map_err(|_| invalid(format!("{what} {number:#x} is out of range")))
}
