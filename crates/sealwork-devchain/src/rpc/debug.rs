//! `debug_trace…`: what go-ethereum's tracers see.

use super::{
    Context, Methods, Reply,
    blocks::find,
    call::call_env,
    error::{invalid, server},
    overrides::{override_block, override_state},
    replay::{Next, Replay},
    trace_budget::TraceBudget,
    transactions::{by_hash, by_number},
    turns::Turn,
};
use crate::{block::Block, chain::outcome, error::ChainError, evm::Rules, sandbox::Sandbox};
use alloy_eips::BlockId;
use alloy_primitives::B256;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_rpc_types_trace::{
    common::TraceResult,
    geth::{GethDebugTracingCallOptions, GethDebugTracingOptions, GethTrace},
};
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};
use revm::{context::TxEnv, state::EvmState};
use revm_inspectors::tracing::{DebugInspector, TransactionContext};
use std::sync::Arc;

type BlockTraces = Vec<TraceResult<GethTrace, String>>;

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("debug_traceTransaction", trace_transaction)?;
    methods.add("debug_traceCall", trace_call)?;
    methods.add("debug_traceBlockByNumber", |context, params| {
        trace_block(context, by_number(params)?, params)
    })?;
    methods.add("debug_traceBlockByHash", |context, params| trace_block(context, by_hash(params)?, params))
}

fn trace_transaction(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<GethTrace> {
    let hash: B256 = params.next()?;
    let options: GethDebugTracingOptions = params.optional_next()?.unwrap_or_default();
    let (block, index) = transaction(context, hash)?;
    let mut tracer = Tracer::new(context, options)?;
    let replay = Replay::at(context, &block, index)?;
    let next = replay.next().ok_or_else(|| unknown(hash))?;
    let place = place(&block, &next);
    Ok(tracer.trace(replay.sandbox(), next.mined.rules(), &next.env, place)?.0)
}

/// A mined transaction's block and its index there.
pub(super) fn transaction(context: &Context, hash: B256) -> Reply<(Arc<Block>, usize)> {
    context.node.storage.transaction(hash)?.ok_or_else(|| unknown(hash))
}

fn unknown(hash: B256) -> jsonrpsee::types::ErrorObjectOwned {
    server(format!("transaction not found: {hash}"))
}

fn trace_block(context: &Context, id: BlockId, params: &mut ParamsSequence<'_>) -> Reply<BlockTraces> {
    let options: GethDebugTracingOptions = params.optional_next()?.unwrap_or_default();
    let block = find(context, id)?.ok_or_else(|| ChainError::UnknownBlock(id.to_string()))?;
    let mut tracer = Tracer::new(context, options)?;
    let mut replay = Replay::new(context, &block)?;
    let mut traces = Vec::with_capacity(block.transactions.len());
    while let Some(next) = replay.next() {
        let (place, hash) = (place(&block, &next), next.mined.hash());
        let (trace, changes) = tracer.trace(replay.sandbox(), next.mined.rules(), &next.env, place)?;
        traces.push(TraceResult::new_success(trace, Some(hash)));
        replay.apply(changes);
    }
    Ok(traces)
}

fn trace_call(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<GethTrace> {
    let request: TransactionRequest = params.next()?;
    let id: BlockId = params.optional_next()?.unwrap_or_default();
    let options: GethDebugTracingCallOptions = params.optional_next()?.unwrap_or_default();
    let mut sandbox = match options.tx_index {
        None => context.sandbox(id)?,
        Some(index) => {
            let block = find(context, id)?.ok_or_else(|| ChainError::UnknownBlock(id.to_string()))?;
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            Replay::at(context, &block, index)?.into_sandbox()
        }
    };
    if let Some(overrides) = options.block_overrides {
        override_block(&mut sandbox, overrides)?;
    }
    if let Some(overrides) = options.state_overrides {
        override_state(&mut sandbox, overrides)?;
    }
    let tx = call_env(&request, &sandbox.view, sandbox.chain_id, sandbox.block.gas_limit)?;
    let mut tracer = Tracer::new(context, options.tracing_options)?;
    Ok(tracer.trace(&sandbox, Rules::Call, &tx, TransactionContext::default())?.0)
}

fn place(block: &Block, next: &Next<'_>) -> TransactionContext {
    TransactionContext {
        block_hash: Some(block.hash),
        tx_index: Some(next.index),
        tx_hash: Some(next.mined.hash()),
    }
}

/// A tracer for one request. Only one exists at a time: together they would take too much memory.
struct Tracer<'a> {
    inspector: DebugInspector,
    budget: TraceBudget,
    _alone: Turn<'a>,
}

impl<'a> Tracer<'a> {
    fn new(context: &'a Context, options: GethDebugTracingOptions) -> Reply<Self> {
        let budget = TraceBudget::new(&options);
        let inspector = DebugInspector::new(options).map_err(|error| invalid(error.to_string()))?;
        Ok(Self { inspector, budget, _alone: context.tracing.take()? })
    }

    /// What the tracer says of one transaction, and what the transaction changed.
    fn trace(
        &mut self,
        sandbox: &Sandbox,
        rules: Rules,
        tx: &TxEnv,
        place: TransactionContext,
    ) -> Reply<(GethTrace, EvmState)> {
        let failed = |error: revm_inspectors::tracing::DebugInspectorError| server(error.to_string());
        self.inspector.fuse().map_err(failed)?;
        let observers = (&mut self.budget, &mut self.inspector);
        let done = outcome(sandbox.inspect(rules, tx.clone(), observers))?;
        self.budget.check()?;
        let mut before = sandbox.view.clone();
        let trace = self.inspector.get_result(Some(place), tx, &sandbox.block, &done, &mut before);
        Ok((trace.map_err(failed)?, done.state))
    }
}
