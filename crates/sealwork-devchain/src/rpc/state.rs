//! Accounts: balance, nonce, code, storage.

use super::{Context, Methods, Reply};
use crate::state::AccountState;
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("eth_getBalance", |context, params| {
        let address = params.next()?;
        Ok(account(context, address, params)?.balance)
    })?;
    methods.add("eth_getCode", |context, params| -> Reply<Bytes> {
        let address = params.next()?;
        Ok(account(context, address, params)?.code.original_bytes())
    })?;
    methods.add("eth_getStorageAt", |context, params| -> Reply<B256> {
        let (address, slot) = (params.next()?, params.next::<U256>()?);
        Ok(account(context, address, params)?.slot(slot).into())
    })?;
    methods.add("eth_getTransactionCount", transaction_count)
}

fn block(params: &mut ParamsSequence<'_>) -> Reply<BlockId> {
    Ok(params.optional_next()?.unwrap_or_default())
}

/// The account at the block that comes next in the parameters; an empty one when there is none.
fn account(context: &Context, address: Address, params: &mut ParamsSequence<'_>) -> Reply<AccountState> {
    let (view, _) = context.node.at(block(params)?)?;
    Ok(view.state.account(address).cloned().unwrap_or_default())
}

fn transaction_count(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<U64> {
    let (address, block) = (params.next::<Address>()?, block(params)?);
    if block.is_pending() {
        return Ok(U64::from(context.node.chain().next_nonce(address)));
    }
    Ok(U64::from(context.node.at(block)?.0.state.nonce(address)))
}
