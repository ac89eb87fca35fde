//! Development controls: accounts, the block to come, the pool; also under the names other tools use.

use super::{Context, Methods, Reply, number::Number};
use crate::state::{AccountState, hashed_slot};
use alloy_primitives::{Address, B256, Bytes, U256};
use jsonrpsee::core::RegisterMethodError;
use serde_json::Value;

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    register_accounts(methods)?;
    register_blocks(methods)?;
    register_pool(methods)?;
    for (name, of) in [
        ("hardhat_setBalance", "anvil_setBalance"),
        ("tenderly_setBalance", "anvil_setBalance"),
        ("evm_setAccountBalance", "anvil_setBalance"),
        ("hardhat_addBalance", "anvil_addBalance"),
        ("tenderly_addBalance", "anvil_addBalance"),
        ("hardhat_setCode", "anvil_setCode"),
        ("evm_setAccountCode", "anvil_setCode"),
        ("hardhat_setNonce", "anvil_setNonce"),
        ("evm_setAccountNonce", "anvil_setNonce"),
        ("hardhat_setStorageAt", "anvil_setStorageAt"),
        ("evm_setAccountStorageAt", "anvil_setStorageAt"),
        ("hardhat_impersonateAccount", "anvil_impersonateAccount"),
        ("hardhat_stopImpersonatingAccount", "anvil_stopImpersonatingAccount"),
        ("hardhat_autoImpersonateAccount", "anvil_autoImpersonateAccount"),
        ("hardhat_setCoinbase", "anvil_setCoinbase"),
        ("hardhat_setNextBlockBaseFeePerGas", "anvil_setNextBlockBaseFeePerGas"),
        ("hardhat_setPrevRandao", "anvil_setPrevRandao"),
        ("anvil_setBlockGasLimit", "evm_setBlockGasLimit"),
        ("hardhat_dropTransaction", "anvil_dropTransaction"),
        ("hardhat_dropAllTransactions", "anvil_dropAllTransactions"),
        ("hardhat_removePoolTransactions", "anvil_removePoolTransactions"),
        ("hardhat_setLoggingEnabled", "anvil_setLoggingEnabled"),
    ] {
        methods.alias(name, of)?;
    }
    Ok(())
}

fn register_accounts(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("anvil_setBalance", |context, params| {
        let (address, balance): (_, Number) = (params.next()?, params.next()?);
        edit(context, address, |account| account.balance = balance.into())
    })?;
    methods.add("anvil_addBalance", |context, params| {
        let (address, more): (_, Number) = (params.next()?, params.next()?);
        edit(context, address, |account| account.balance = account.balance.saturating_add(more.into()))
    })?;
    methods.add("anvil_setCode", |context, params| {
        let (address, code): (_, Bytes) = (params.next()?, params.next()?);
        edit(context, address, |account| *account = std::mem::take(account).with_code(code))
    })?;
    methods.add("anvil_setNonce", |context, params| {
        let (address, nonce) = (params.next()?, u64::try_from(params.next::<Number>()?)?);
        edit(context, address, |account| account.nonce = nonce)
    })?;
    methods.add("anvil_setStorageAt", |context, params| {
        let (address, slot, value): (_, U256, B256) = (params.next()?, params.next()?, params.next()?);
        edit(context, address, |account| account.set_slot(hashed_slot(slot), value.into()))
    })?;
    methods.add("anvil_impersonateAccount", |context, params| {
        let address = params.next()?;
        context.node.chain().settings_mut().impersonate(address)?;
        Ok(Value::Null)
    })?;
    methods.add("anvil_stopImpersonatingAccount", |context, params| {
        let address = params.next()?;
        context.node.chain().settings_mut().stop_impersonating(address);
        Ok(Value::Null)
    })?;
    methods.add("anvil_autoImpersonateAccount", |context, params| {
        let all = params.next()?;
        context.node.chain().settings_mut().impersonates_all = all;
        Ok(Value::Null)
    })
}

fn register_blocks(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("anvil_setCoinbase", |context, params| {
        let coinbase: Address = params.next()?;
        context.node.update(|chain| chain.set(|settings| settings.coinbase = coinbase))?;
        Ok(Value::Null)
    })?;
    methods.add("anvil_setNextBlockBaseFeePerGas", |context, params| {
        let base_fee: u64 = params.next::<Number>()?.try_into()?;
        context.node.update(|chain| chain.set(|settings| settings.next_base_fee = Some(base_fee)))?;
        Ok(Value::Null)
    })?;
    methods.add("anvil_setPrevRandao", |context, params| {
        let value: B256 = params.next()?;
        context.node.update(|chain| chain.set(|settings| settings.next_prevrandao = Some(value)))?;
        Ok(Value::Null)
    })?;
    methods.add("evm_setBlockGasLimit", |context, params| {
        let gas_limit: u64 = params.next::<Number>()?.try_into()?;
        context.node.update(|chain| chain.set(|settings| settings.gas_limit = gas_limit))?;
        Ok(true)
    })?;
    // Accepted because tools call it without being asked; logging is a matter of the process.
    methods.add_quick("anvil_setLoggingEnabled", |_, params| {
        params.next::<bool>()?;
        Ok(Value::Null)
    })
}

fn register_pool(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("anvil_dropTransaction", |context, params| {
        let hash: B256 = params.next()?;
        Ok(context.node.chain().pool_mut().remove(hash).map(|dropped| dropped.hash()))
    })?;
    methods.add("anvil_dropAllTransactions", |context, _| {
        *context.node.chain().pool_mut() = crate::pool::Pool::default();
        Ok(Value::Null)
    })?;
    methods.add("anvil_removePoolTransactions", |context, params| {
        let sender: Address = params.next()?;
        context.node.chain().pool_mut().remove_sender(sender);
        Ok(Value::Null)
    })
}

fn edit(context: &Context, address: Address, change: impl FnOnce(&mut AccountState)) -> Reply<Value> {
    let now = context.node.now();
    context.node.update(|chain| chain.edit(address, now, change))?;
    Ok(Value::Bool(true))
}
