//! `eth_createAccessList`: what a transaction touches.

use super::{Reply, call::call_env};
use crate::{chain::outcome, evm::Rules, revert::halt_reason, sandbox::Sandbox};
use alloy_primitives::U256;
use alloy_rpc_types_eth::{AccessListResult, TransactionRequest};
use revm::context::result::ExecutionResult;
use revm_inspectors::access_list::AccessListInspector;

/// The list with which the transaction is cheapest to check, and its gas with that list.
pub(super) fn create(sandbox: &Sandbox, request: &TransactionRequest) -> Reply<AccessListResult> {
    let mut tx = call_env(request, &sandbox.view, sandbox.chain_id, sandbox.block.gas_limit)?;
    // The list in the request is a beginning; what is not touched stays in it, as in go-ethereum.
    let mut inspector = AccessListInspector::new(tx.access_list.clone());
    outcome(sandbox.inspect(Rules::Call, tx.clone(), &mut inspector))?;
    let access_list = inspector.into_access_list();
    tx.access_list = access_list.clone();
    tx.tx_type = tx.tx_type.max(1);
    let result = outcome(sandbox.run(Rules::Call, tx))?.result;
    let error = match &result {
        ExecutionResult::Success { .. } => None,
        ExecutionResult::Revert { .. } => Some("execution reverted".into()),
        ExecutionResult::Halt { reason, .. } => Some(halt_reason(reason)),
    };
    Ok(AccessListResult { access_list, gas_used: U256::from(result.tx_gas_used()), error })
}
