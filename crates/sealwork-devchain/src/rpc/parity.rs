//! `trace_…`: flat call traces as Parity began them.

use super::{
    Context, Methods, Reply,
    blocks::find,
    debug::transaction,
    error::limit,
    replay::{Next, Replay},
    trace_budget::TraceBudget,
    transactions::by_number,
};
use crate::{block::Block, chain::outcome, error::ChainError};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, map::HashSet};
use alloy_rpc_types_eth::TransactionInfo;
use alloy_rpc_types_trace::{
    filter::TraceFilter,
    parity::{LocalizedTransactionTrace, TraceResults, TraceResultsWithTransactionHash, TraceType},
};
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};
use revm::{context::result::ResultAndState, state::EvmState};
use revm_inspectors::tracing::{TracingInspector, TracingInspectorConfig};

/// Blocks in one filter at most; each is run again.
const RANGE_LIMIT: u64 = 1_024;
/// Traces in one answer at most.
const TRACE_LIMIT: usize = 10_000;

type Traces = Vec<LocalizedTransactionTrace>;

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("trace_transaction", trace_transaction)?;
    methods.add("trace_block", trace_block)?;
    methods.add("trace_filter", trace_filter)?;
    methods.add("trace_replayTransaction", replay_transaction)?;
    methods.add("trace_replayBlockTransactions", replay_block)
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
    traces(context, &block, &mut TraceBudget::calls())
}

/// The traces of a range of blocks that match, in order.
fn trace_filter(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<Traces> {
    let filter: TraceFilter = params.next()?;
    let (from, newest) = (filter.from_block.unwrap_or_default(), context.node.head().number());
    let to = filter.to_block.unwrap_or(newest).min(newest);
    if to.saturating_sub(from) >= RANGE_LIMIT {
        return Err(ChainError::Limit { what: "blocks in one trace filter", limit: RANGE_LIMIT }.into());
    }
    let _alone = context.tracing.take()?;
    let (matcher, mut budget, mut found) = (filter.matcher(), TraceBudget::calls(), Vec::new());
    for number in from..=to {
        let Some(block) = context.node.storage.block(number)? else { continue };
        if !block.transactions.is_empty() {
            let traces = traces(context, &block, &mut budget)?;
            found.extend(traces.into_iter().filter(|trace| matcher.matches(&trace.trace)));
        }
    }
    let after = usize::try_from(filter.after.unwrap_or_default()).unwrap_or(usize::MAX);
    let count = filter.count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
    let found: Traces = found.into_iter().skip(after).take(count).collect();
    if found.len() > TRACE_LIMIT {
        return Err(limit(format!(
            "{} traces match, at most {TRACE_LIMIT} are sent; narrow it",
            found.len()
        )));
    }
    Ok(found)
}

fn traces(context: &Context, block: &Block, budget: &mut TraceBudget) -> Reply<Traces> {
    let (mut replay, mut traces) = (Replay::new(context, block)?, Vec::new());
    while let Some(next) = replay.next() {
        let (found, changes) = trace(block, &replay, next, budget)?;
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
    let (inspector, done) = inspect(replay, next, TracingInspectorConfig::default_parity(), budget)?;
    // Gas of an action and gas used both leave out what the transaction costs before it runs.
    Ok((inspector.into_parity_builder().into_localized_transaction_traces(info), done.state))
}

fn inspect(
    replay: &Replay<'_>,
    next: Next<'_>,
    config: TracingInspectorConfig,
    budget: &mut TraceBudget,
) -> Reply<(TracingInspector, ResultAndState)> {
    let mut inspector = TracingInspector::new(config);
    let observers = (&mut *budget, &mut inspector);
    let done = outcome(replay.sandbox().inspect(next.mined.rules(), next.env, observers))?;
    budget.check()?;
    Ok((inspector, done))
}

fn replay_transaction(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<TraceResults> {
    let (hash, kinds): (B256, HashSet<TraceType>) = (params.next()?, params.next()?);
    let (block, index) = transaction(context, hash)?;
    let _alone = context.tracing.take()?;
    let mut replay = Replay::at(context, &block, index)?;
    Ok(results(&mut replay, &kinds, &mut TraceBudget::for_parity(&kinds))?.full_trace)
}

fn replay_block(
    context: &Context,
    params: &mut ParamsSequence<'_>,
) -> Reply<Vec<TraceResultsWithTransactionHash>> {
    let (id, kinds): (BlockNumberOrTag, HashSet<TraceType>) = (params.next()?, params.next()?);
    let block = find(context, id.into())?;
    let block = block.ok_or_else(|| ChainError::UnknownBlock(BlockId::from(id).to_string()))?;
    let _alone = context.tracing.take()?;
    let (mut replay, mut budget) = (Replay::new(context, &block)?, TraceBudget::for_parity(&kinds));
    (0..block.transactions.len()).map(|_| results(&mut replay, &kinds, &mut budget)).collect()
}

/// What the next transaction did, in the forms that are asked for; goes on to the one after it.
fn results(
    replay: &mut Replay<'_>,
    kinds: &HashSet<TraceType>,
    budget: &mut TraceBudget,
) -> Reply<TraceResultsWithTransactionHash> {
    let next = replay.next().ok_or_else(|| super::error::server("the transaction is not in its block"))?;
    let transaction_hash = next.mined.hash();
    let config = TracingInspectorConfig::from_parity_config(kinds);
    let (inspector, done) = inspect(replay, next, config, budget)?;
    let builder = inspector.into_parity_builder();
    let full_trace = match builder.into_trace_results_with_state(&done, kinds, &replay.sandbox().view) {
        Ok(full_trace) => full_trace,
        Err(never) => match never {},
    };
    replay.apply(done.state);
    Ok(TraceResultsWithTransactionHash { full_trace, transaction_hash })
}
