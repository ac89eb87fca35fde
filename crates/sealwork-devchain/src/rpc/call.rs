//! Calls that nobody signs: `eth_call`, `eth_estimateGas`, `eth_createAccessList`.

use super::{
    Context, Methods, Reply, access_list,
    error::invalid,
    estimate::estimate_in,
    overrides::{override_block, override_state},
};
use crate::{
    chain::{outcome, output},
    evm::{Rules, View},
    sandbox::Sandbox,
};
use alloy_eips::BlockId;
use alloy_primitives::{Bytes, TxKind, U64, U256};
use alloy_rpc_types_eth::{BlockOverrides, TransactionRequest, state::StateOverride};
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};
use revm::{context::TxEnv, context_interface::either::Either};

/// Authorizations in one call at most; each costs the caller gas and us a signature recovery.
const AUTHORIZATION_LIMIT: usize = 1_024;

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("eth_call", call)?;
    methods.add("eth_estimateGas", estimate_gas)?;
    methods.add("eth_createAccessList", |context, params| {
        let (request, sandbox) = prepare(context, params, |context| context.sandbox(BlockId::latest()))?;
        access_list::create(&sandbox, &request)
    })
}

fn call(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<Bytes> {
    let (request, sandbox) = prepare(context, params, |context| context.sandbox(BlockId::latest()))?;
    let tx = call_env(&request, &sandbox.view, sandbox.chain_id, sandbox.block.gas_limit)?;
    Ok(output(outcome(sandbox.run(Rules::Call, tx))?.result)?)
}

/// Estimates for the block that would be made now, unless an older one is named: on a chain that makes blocks only
/// for transactions the newest block's time may be long ago.
fn estimate_gas(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<U64> {
    let (request, sandbox) = prepare(context, params, |context| {
        let (view, block) = context.node.upcoming();
        Ok(Sandbox::new(context.node.chain_id, view, block))
    })?;
    Ok(U64::from(estimate_in(&sandbox, &request)?))
}

/// The request, and the state and block it names with its overrides; `latest` makes those for "latest".
fn prepare(
    context: &Context,
    params: &mut ParamsSequence<'_>,
    latest: impl FnOnce(&Context) -> Reply<Sandbox>,
) -> Reply<(TransactionRequest, Sandbox)> {
    let request: TransactionRequest = params.next()?;
    let block: BlockId = params.optional_next()?.unwrap_or_default();
    let mut sandbox = if block.is_latest() { latest(context)? } else { context.sandbox(block)? };
    if let Some(overrides) = params.optional_next::<StateOverride>()? {
        override_state(&mut sandbox, overrides)?;
    }
    if let Some(overrides) = params.optional_next::<BlockOverrides>()? {
        override_block(&mut sandbox, overrides)?;
    }
    Ok((request, sandbox))
}

/// What the EVM needs to know of a request; gas is what the request says, what the sender can pay, or `limit`.
pub(super) fn call_env(request: &TransactionRequest, view: &View, chain_id: u64, limit: u64) -> Reply<TxEnv> {
    let dynamic = request.max_fee_per_gas.is_some() || request.max_priority_fee_per_gas.is_some();
    if request.gas_price.is_some() && dynamic {
        return Err(invalid("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified"));
    }
    let data = request.input.clone().into_input();
    if request.input.unique_input().is_err() {
        return Err(invalid("both \"data\" and \"input\" are set and not equal; give one"));
    }
    let caller = request.from.unwrap_or_default();
    let priority_fee = request.max_priority_fee_per_gas;
    let gas_price = request.gas_price.or(request.max_fee_per_gas).or(priority_fee).unwrap_or_default();
    let value = request.value.unwrap_or_default();
    let funds = view.state.balance(caller).saturating_sub(value);
    let payable = funds.checked_div(U256::from(gas_price)).map_or(limit, |gas| gas.saturating_to::<u64>());
    let mut env = TxEnv {
        tx_type: 0,
        caller,
        gas_limit: request.gas.unwrap_or(limit).min(payable.max(21_000)).min(limit),
        gas_price,
        kind: request.to.unwrap_or(TxKind::Create),
        value,
        data: data.unwrap_or_default(),
        nonce: view.state.nonce(caller),
        chain_id: request.chain_id.or(Some(chain_id)),
        access_list: request.access_list.clone().unwrap_or_default(),
        gas_priority_fee: dynamic.then(|| priority_fee.unwrap_or_default()),
        blob_hashes: request.blob_versioned_hashes.clone().unwrap_or_default(),
        max_fee_per_blob_gas: request.max_fee_per_blob_gas.unwrap_or_default(),
        authorization_list: Vec::new(),
    };
    let authorizations = request.authorization_list.as_deref().unwrap_or_default();
    if authorizations.len() > AUTHORIZATION_LIMIT {
        return Err(invalid(format!("a call has at most {AUTHORIZATION_LIMIT} authorizations")));
    }
    env.authorization_list = authorizations.iter().cloned().map(Either::Left).collect();
    env.tx_type = kind(&env, dynamic);
    Ok(env)
}

/// The transaction type that carries what the request contains.
fn kind(env: &TxEnv, dynamic: bool) -> u8 {
    if !env.authorization_list.is_empty() {
        4
    } else if !env.blob_hashes.is_empty() {
        3
    } else if dynamic {
        2
    } else {
        u8::from(!env.access_list.is_empty())
    }
}
