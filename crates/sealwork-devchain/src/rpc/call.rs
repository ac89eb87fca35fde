//! Calls that nobody signs: `eth_call` and `eth_estimateGas`.

use super::{Context, Methods, Reply, error::invalid, estimate::estimate};
use crate::{
    chain::{outcome, output},
    evm::{BLOCK_GAS_LIMIT, Rules, View},
    state::{AccountState, hashed_slot},
    trie::Trie,
};
use alloy_eips::BlockId;
use alloy_primitives::{Bytes, TxKind, U64, U256};
use alloy_rpc_types_eth::{
    TransactionRequest,
    state::{AccountOverride, StateOverride},
};
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};
use revm::context::TxEnv;

/// Accounts in one state override at most.
const OVERRIDE_LIMIT: usize = 1_024;

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("eth_call", call)?;
    methods.add("eth_estimateGas", estimate_gas)
}

fn call(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<Bytes> {
    let request: TransactionRequest = params.next()?;
    let block: BlockId = params.optional_next()?.unwrap_or_default();
    let (mut view, block) = context.node.at(block)?;
    override_state(&mut view, params.optional_next()?.unwrap_or_default())?;
    let tx = call_env(&request, &view, context.node.chain_id, BLOCK_GAS_LIMIT)?;
    Ok(output(outcome(view.run(context.node.chain_id, block, Rules::Call, tx))?.result)?)
}

/// Estimates for the block that would be made now, unless an older one is named: on a chain that makes blocks only
/// for transactions the newest block's time may be long ago.
fn estimate_gas(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<U64> {
    let request: TransactionRequest = params.next()?;
    let block: BlockId = params.optional_next()?.unwrap_or_default();
    let block = if block.is_latest() { BlockId::pending() } else { block };
    let (mut view, block) = context.node.at(block)?;
    override_state(&mut view, params.optional_next()?.unwrap_or_default())?;
    Ok(U64::from(estimate(&view, context.node.chain_id, &block, &request)?))
}

/// What the EVM needs to know of a request; gas is what the request says, what the sender can pay, or `limit`.
pub(super) fn call_env(request: &TransactionRequest, view: &View, chain_id: u64, limit: u64) -> Reply<TxEnv> {
    if request.gas_price.is_some() && request.max_fee_per_gas.is_some() {
        return Err(invalid("both gasPrice and maxFeePerGas are given; give one"));
    }
    let data = request.input.clone().into_input();
    if request.input.unique_input().is_err() {
        return Err(invalid("input and data differ; give one"));
    }
    let caller = request.from.unwrap_or_default();
    let dynamic = request.max_fee_per_gas.is_some() || request.max_priority_fee_per_gas.is_some();
    let gas_price = request.gas_price.or(request.max_fee_per_gas).unwrap_or_default();
    let gas_price = gas_price.max(request.max_priority_fee_per_gas.unwrap_or_default());
    let value = request.value.unwrap_or_default();
    let funds = view.state.balance(caller).saturating_sub(value);
    let payable = funds.checked_div(U256::from(gas_price)).map_or(limit, |gas| gas.saturating_to::<u64>());
    let access_list = request.access_list.clone().unwrap_or_default();
    Ok(TxEnv {
        tx_type: if dynamic { 2 } else { u8::from(!access_list.is_empty()) },
        caller,
        gas_limit: request.gas.unwrap_or(limit).min(payable.max(21_000)).min(limit),
        gas_price,
        kind: request.to.unwrap_or(TxKind::Create),
        value,
        data: data.unwrap_or_default(),
        nonce: view.state.nonce(caller),
        chain_id: request.chain_id.or(Some(chain_id)),
        access_list,
        gas_priority_fee: dynamic.then(|| request.max_priority_fee_per_gas.unwrap_or_default()),
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: Vec::new(),
    })
}

fn override_state(view: &mut View, overrides: StateOverride) -> Reply<()> {
    if overrides.len() > OVERRIDE_LIMIT {
        return Err(invalid(format!(
            "{} accounts are overridden, at most {OVERRIDE_LIMIT} can be",
            overrides.len()
        )));
    }
    for (address, change) in overrides {
        let account = view.state.account(address).cloned().unwrap_or_default();
        view.state.set_account(address, overridden(account, change)?);
    }
    Ok(())
}

fn overridden(mut account: AccountState, change: AccountOverride) -> Reply<AccountState> {
    if change.move_precompile_to.is_some() {
        return Err(invalid("precompiles cannot be moved"));
    }
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
    Ok(account)
}
