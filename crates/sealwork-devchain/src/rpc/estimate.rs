//! The smallest gas limit with which a transaction succeeds.

use super::{Reply, call::call_env};
use crate::{
    chain::{outcome, output},
    error::ChainError,
    evm::{Rules, TX_GAS_LIMIT, View},
    sandbox::Sandbox,
};
use alloy_rpc_types_eth::TransactionRequest;
use revm::context::{BlockEnv, TxEnv, result::ExecutionResult};

/// Gas that a call with value lends to the callee.
const CALL_STIPEND: u64 = 2_300;

/// Transactions that spend more than this get a limit that is up to 1/64 too high: each trial costs time.
const EXACT_LIMIT: u64 = 2_000_000;

/// The smallest gas limit with which a transaction succeeds.
pub(super) fn estimate(
    view: &View,
    chain_id: u64,
    block: &BlockEnv,
    request: &TransactionRequest,
) -> Reply<u64> {
    estimate_in(&Sandbox::new(chain_id, view.clone(), block.clone()), request)
}

/// The same where state and block may be overridden.
pub(super) fn estimate_in(sandbox: &Sandbox, request: &TransactionRequest) -> Reply<u64> {
    let mut tx =
        call_env(request, &sandbox.view, sandbox.chain_id, TX_GAS_LIMIT.min(sandbox.block.gas_limit))?;
    let mut enough = tx.gas_limit;
    let mut run = |gas_limit: u64| -> Result<ExecutionResult, ChainError> {
        tx.gas_limit = gas_limit;
        Ok(outcome(sandbox.run(Rules::Call, TxEnv::clone(&tx)))?.result)
    };
    let full = run(enough)?;
    let (used, spent) = (full.tx_gas_used(), full.gas().total_gas_spent());
    output(full)?;
    // Most transactions need what they use.
    if succeeds(run(used)) {
        return Ok(used);
    }
    // All but 1/64 of the gas goes into a call, so a nested call may need more than was used.
    let likely = spent.saturating_add(CALL_STIPEND).saturating_mul(64) / 63;
    let mut short = used;
    if likely < enough {
        if succeeds(run(likely)) {
            enough = likely;
        } else {
            short = likely;
        }
    }
    let tolerance = if spent > EXACT_LIMIT { enough / 64 } else { 1 };
    while enough.saturating_sub(short) > tolerance {
        let middle = short.midpoint(enough);
        if succeeds(run(middle)) {
            enough = middle;
        } else {
            short = middle;
        }
    }
    Ok(enough)
}

/// Too little gas shows as an invalid transaction, a halt, or a revert.
fn succeeds(result: Result<ExecutionResult, ChainError>) -> bool {
    result.is_ok_and(|result| result.is_success())
}
