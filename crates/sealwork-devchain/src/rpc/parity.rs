//! `trace_…`: flat call traces as Parity began them.

use super::{
    Context, Methods, Reply,
    blocks::find,
    debug::transaction,
    replay::{Next, Replay},
    trace_budget::TraceBudget,
    transactions::by_number,
};
use crate::{block::Block, chain::outcome};
use alloy_primitives::B256;
use alloy_rpc_types_eth::TransactionInfo;
use alloy_rpc_types_trace::parity::LocalizedTransactionTrace;
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};
use revm::state::EvmState;
use revm_inspectors::tracing::{TracingInspector, TracingInspectorConfig};

type Traces = Vec<LocalizedTransactionTrace>;

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("trace_transaction", trace_transaction)?;
    methods.add("trace_block", trace_block)
}

fn trace_transaction(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<Traces> {
    let hash: B256 = params.next()?;
    let (block, index) = transaction(context, hash)?;
    let _alone = context.tracing.take()?;
    let replay = Replay::at(context, &block, index)?;
    let Some(next) = replay.next() else { return Ok(Vec::new()) };
    Ok(trace(&block, &replay, next, &mut TraceBudget::calls())?.0)
}

/// All traces of a block; none when there is no such block.
fn trace_block(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<Traces> {
    let Some(block) = find(context, by_number(params)?)? else { return Ok(Vec::new()) };
    let _alone = context.tracing.take()?;
    let mut replay = Replay::new(context, &block)?;
    let (mut traces, mut budget) = (Vec::new(), TraceBudget::calls());
    while let Some(next) = replay.next() {
        let (found, changes) = trace(&block, &replay, next, &mut budget)?;
        traces.extend(found);
        replay.apply(changes);
    }
    Ok(traces)
}

fn trace(
    block: &Block,
    replay: &Replay<'_>,
    next: Next<'_>,
    budget: &mut TraceBudget,
) -> Reply<(Traces, EvmState)> {
    let info = TransactionInfo {
        hash: Some(next.mined.hash()),
        index: u64::try_from(next.index).ok(),
        block_hash: Some(block.hash),
        block_number: Some(block.number()),
        base_fee: block.header.base_fee_per_gas,
        ..TransactionInfo::default()
    };
    let mut inspector = TracingInspector::new(TracingInspectorConfig::default_parity());
    let done =
        outcome(replay.sandbox().inspect(next.mined.rules(), next.env, (&mut *budget, &mut inspector)))?;
    budget.check()?;
    // Gas of an action and gas used both leave out what the transaction costs before it runs.
    Ok((inspector.into_parity_builder().into_localized_transaction_traces(info), done.state))
}
