//! One simulated block in the making.

use super::Mode;
use crate::{
    block::{Block, MinedTransaction, seal_header},
    chain::outcome,
    error::{ChainError, Rejection},
    evm::{Rules, TX_GAS_LIMIT},
    revert::halt_reason,
    rpc::{
        Reply,
        call::call_env,
        convert,
        error::{coded, invalid},
    },
    sandbox::Sandbox,
};
use alloy_consensus::{
    Header, Receipt, ReceiptEnvelope, SignableTransaction as _, Transaction as _, TxEnvelope,
};
use alloy_primitives::{Bytes, Signature, TxKind};
use alloy_rpc_types_eth::{
    TransactionRequest,
    simulate::{SimCallResult, SimulateError},
};
use jsonrpsee::types::ErrorObjectOwned;
use revm::{
    context::{
        TxEnv,
        result::{ExecutionResult, InvalidTransaction, ResultAndState},
    },
    inspector::NoOpInspector,
};
use revm_inspectors::transfer::TransferInspector;

/// Code of the specification: the calls of a block need more gas than it has.
const BLOCK_FULL: i32 = -38_015;

/// One simulated block in the making.
pub(super) struct SimulatedDraft<'a> {
    mode: Mode,
    header: Header,
    sandbox: &'a mut Sandbox,
    gas_left: &'a mut u64,
    transactions: Vec<MinedTransaction>,
    results: Vec<ExecutionResult>,
}

impl<'a> SimulatedDraft<'a> {
    pub(super) fn new(mode: Mode, header: Header, sandbox: &'a mut Sandbox, gas_left: &'a mut u64) -> Self {
        Self { mode, header, sandbox, gas_left, transactions: Vec::new(), results: Vec::new() }
    }

    /// Runs one call and keeps what it changes.
    pub(super) fn call(&mut self, request: TransactionRequest) -> Reply<()> {
        let room = self.header.gas_limit.saturating_sub(self.header.gas_used);
        if request.gas.is_some_and(|gas| gas > room) {
            return Err(coded(
                BLOCK_FULL,
                format!("block gas limit reached: {} > {room}", request.gas.unwrap_or(0)),
            ));
        }
        let most = if self.mode.validation { TX_GAS_LIMIT } else { u64::MAX };
        let limit = room.min(*self.gas_left).min(most);
        let mut env = call_env(&request, &self.sandbox.view, self.sandbox.chain_id, limit)?;
        env.nonce = request.nonce.unwrap_or(env.nonce);
        let envelope = envelope(request, &env)?;
        let done = outcome(self.run(env.clone())).map_err(refused)?;
        self.add(envelope, &env, done);
        Ok(())
    }

    fn run(&self, env: TxEnv) -> Result<ResultAndState, crate::evm::Failure> {
        let rules = if self.mode.validation { Rules::Transaction } else { Rules::Call };
        if self.mode.trace_transfers {
            return self.sandbox.inspect(rules, env, TransferInspector::new(false).with_logs(true));
        }
        self.sandbox.inspect(rules, env, NoOpInspector)
    }

    fn add(&mut self, envelope: TxEnvelope, env: &TxEnv, done: ResultAndState) {
        let gas_used = done.result.tx_gas_used();
        self.header.gas_used = self.header.gas_used.saturating_add(gas_used);
        *self.gas_left = self.gas_left.saturating_sub(gas_used);
        self.sandbox.view.state.apply(done.state);
        let receipt = Receipt {
            status: done.result.is_success().into(),
            cumulative_gas_used: self.header.gas_used,
            logs: if done.result.is_success() { done.result.logs().to_vec() } else { Vec::new() },
        };
        self.transactions.push(MinedTransaction {
            receipt: ReceiptEnvelope::from_typed(envelope.tx_type(), receipt.with_bloom()),
            effective_gas_price: envelope.effective_gas_price(self.header.base_fee_per_gas),
            envelope,
            sender: env.caller,
            gas_used,
            contract: (env.kind == TxKind::Create).then(|| env.caller.create(env.nonce)),
        });
        self.results.push(done.result);
    }

    /// The finished block and what each call gave.
    pub(super) fn seal(self) -> (Block, Vec<SimCallResult>) {
        let block = seal_header(self.header, self.transactions, self.sandbox.view.state.root());
        let results = self.results.into_iter().enumerate();
        let calls = results.map(|(index, result)| call_result(&block, index, &result)).collect();
        (block, calls)
    }
}

/// The call as a transaction that nobody signed.
fn envelope(mut request: TransactionRequest, env: &TxEnv) -> Reply<TxEnvelope> {
    request.nonce = Some(env.nonce);
    request.gas = Some(env.gas_limit);
    request.chain_id = env.chain_id;
    request.to = Some(env.kind);
    if request.gas_price.is_none() {
        request.max_fee_per_gas = Some(env.gas_price);
        request.max_priority_fee_per_gas = Some(env.gas_priority_fee.unwrap_or_default());
    }
    let unsigned = request.build_consensus_tx();
    let unsigned =
        unsigned.map_err(|error| invalid(format!("the call is no transaction: {}", error.error)))?;
    Ok(unsigned.into_signed(Signature::new(Default::default(), Default::default(), false)).into())
}

fn call_result(block: &Block, index: usize, result: &ExecutionResult) -> SimCallResult {
    let error = match result {
        ExecutionResult::Success { .. } => None,
        ExecutionResult::Revert { output, .. } => Some(SimulateError {
            code: SimulateError::EXECUTION_REVERTED_CODE,
            message: ChainError::Reverted { output: output.clone() }.to_string(),
            data: Some(output.clone()),
        }),
        ExecutionResult::Halt { reason, .. } => Some(SimulateError {
            code: SimulateError::VM_EXECUTION_ERROR_CODE,
            message: halt_reason(reason),
            data: None,
        }),
    };
    SimCallResult {
        return_data: result.output().cloned().unwrap_or_else(Bytes::new),
        logs: convert::logs_of(block, index),
        gas_used: result.tx_gas_used(),
        max_used_gas: Some(result.gas().total_gas_spent()),
        status: result.is_success(),
        error,
    }
}

/// An invalid call with the code that the specification has for its reason.
fn refused(error: ChainError) -> ErrorObjectOwned {
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other reasons have no code of their own")]
    let code = match &error {
        ChainError::Rejected(Rejection::Invalid(invalid)) => match invalid {
            InvalidTransaction::NonceTooLow { .. } => -38_010,
            InvalidTransaction::NonceTooHigh { .. } => -38_011,
            InvalidTransaction::GasPriceLessThanBasefee => -38_012,
            InvalidTransaction::CallGasCostMoreThanGasLimit { .. }
            | InvalidTransaction::GasFloorMoreThanGasLimit { .. } => -38_013,
            InvalidTransaction::LackOfFundForMaxFee { .. } => -38_014,
            InvalidTransaction::RejectCallerWithCode => -38_024,
            InvalidTransaction::CreateInitCodeSizeLimit => -38_025,
            _ => return error.into(),
        },
        _ => return error.into(),
    };
    coded(code, error.to_string())
}
