//! Filters that a client polls.

use super::{
    Context, Methods, Reply, convert,
    error::{invalid, not_found},
    logs,
};
use crate::block::Block;
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{B256, U64};
use alloy_rpc_types_eth::{Filter, FilterBlockOption, FilterChanges, Log};
use jsonrpsee::{
    core::RegisterMethodError,
    types::{ErrorObjectOwned, params::ParamsSequence},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Filters at most.
const FILTER_LIMIT: usize = 256;
/// A filter that nobody polls for so long is forgotten.
const IDLE_LIMIT: Duration = Duration::from_secs(300);
/// Blocks that one poll covers at most; the next poll goes on from there.
const BLOCKS_PER_POLL: u64 = 1_000;

/// Filters that a client polls.
#[derive(Debug, Default)]
pub(crate) struct Filters(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    filters: BTreeMap<u64, Polled>,
    last: u64,
}

#[derive(Clone, Debug)]
struct Polled {
    kind: Kind,
    /// First block that was not looked at.
    next: u64,
    /// Removed blocks, or taken transactions, that it knows of.
    seen: u64,
    used: Instant,
}

#[derive(Clone, Debug)]
enum Kind {
    Blocks,
    Logs(Box<Filter>),
    PendingTransactions,
}

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("eth_newBlockFilter", |context, _| context.filters.insert(context, Kind::Blocks))?;
    methods.add("eth_newPendingTransactionFilter", |context, _| {
        context.filters.insert(context, Kind::PendingTransactions)
    })?;
    methods.add("eth_newFilter", |context, params| {
        let filter: Filter = params.next()?;
        logs::check(&filter)?;
        if matches!(filter.block_option, FilterBlockOption::AtBlockHash(_)) {
            return Err(invalid("a filter follows the chain; ask eth_getLogs for the logs of one block"));
        }
        context.filters.insert(context, Kind::Logs(Box::new(filter)))
    })?;
    methods.add("eth_getFilterChanges", changes)?;
    methods.add("eth_getFilterLogs", filter_logs)?;
    methods.add("eth_uninstallFilter", |context, params| {
        let id: U64 = params.next()?;
        Ok(context.filters.table().filters.remove(&id.to()).is_some())
    })
}

impl Filters {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, context: &Context, kind: Kind) -> Reply<U64> {
        let newest = context.node.head().number();
        let next = match &kind {
            Kind::Logs(filter) => match filter.block_option {
                FilterBlockOption::Range { from_block: Some(BlockNumberOrTag::Number(from)), .. } => from,
                FilterBlockOption::Range { from_block: Some(BlockNumberOrTag::Earliest), .. } => 0,
                FilterBlockOption::Range { .. } | FilterBlockOption::AtBlockHash(_) => newest + 1,
            },
            Kind::Blocks | Kind::PendingTransactions => newest + 1,
        };
        let tip = context.node.tip();
        let seen = match &kind {
            Kind::PendingTransactions => tip.arrivals(u64::MAX).0,
            Kind::Blocks | Kind::Logs(_) => tip.removals(u64::MAX).0,
        };
        let (mut table, used) = (self.table(), Instant::now());
        table.filters.retain(|_, filter| used.duration_since(filter.used) < IDLE_LIMIT);
        if table.filters.len() >= FILTER_LIMIT {
            let limit = u64::try_from(FILTER_LIMIT).unwrap_or(u64::MAX);
            return Err(crate::error::ChainError::Limit { what: "filters", limit }.into());
        }
        table.last += 1;
        let id = table.last;
        table.filters.insert(id, Polled { kind, next, seen, used });
        Ok(U64::from(id))
    }

    fn get(&self, id: u64) -> Reply<Polled> {
        self.table().filters.get(&id).cloned().ok_or_else(|| unknown(id))
    }
}

fn unknown(id: u64) -> ErrorObjectOwned {
    not_found(format!("filter not found: {id:#x}; filters end after five minutes without a poll"))
}

/// What happened since the last poll. A poll covers a bounded number of blocks. When blocks left the chain, their logs
/// come first, as removed, and it goes on from the branch.
fn changes(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<FilterChanges> {
    let id = params.next::<U64>()?.to::<u64>();
    let mut polled = context.filters.get(id)?;
    let found = match polled.kind.clone() {
        Kind::PendingTransactions => {
            let (seen, hashes) = context.node.tip().arrivals(polled.seen);
            polled.seen = seen;
            FilterChanges::Hashes(hashes)
        }
        Kind::Blocks => {
            polled.go_back(context, |_| ());
            let (from, last) = polled.advance(context);
            FilterChanges::Hashes(hashes(context, from, last)?)
        }
        Kind::Logs(filter) => {
            let mut found = Vec::new();
            polled.go_back(context, |block| found.extend(removed(block, &filter)));
            let (from, last) = polled.advance(context);
            let last_wanted = match filter.block_option {
                FilterBlockOption::Range { to_block: Some(BlockNumberOrTag::Number(to)), .. } => to.min(last),
                FilterBlockOption::Range { .. } | FilterBlockOption::AtBlockHash(_) => last,
            };
            found.extend(logs::in_range(&context.node, &filter, from, last_wanted)?);
            FilterChanges::Logs(found)
        }
    };
    if let Some(filter) = context.filters.table().filters.get_mut(&id) {
        *filter = Polled { used: Instant::now(), ..polled };
    }
    Ok(found)
}

impl Polled {
    /// Visits the blocks that it told of and that left the chain since.
    fn go_back(&mut self, context: &Context, mut visit: impl FnMut(&Block)) {
        let (seen, removed) = context.node.tip().removals(self.seen);
        self.seen = seen;
        for block in removed {
            if block.number() < self.next {
                visit(&block);
                self.next = block.number();
            }
        }
        // After more removals than are remembered the branch is not known; it is below the newest block at most.
        self.next = self.next.min(context.node.head().number().saturating_add(1));
    }

    /// The blocks of this poll: first and last, none when the first is behind the last.
    fn advance(&mut self, context: &Context) -> (u64, u64) {
        let newest = context.node.head().number();
        let from = self.next;
        let last = newest.min(from.saturating_add(BLOCKS_PER_POLL - 1));
        self.next = last.saturating_add(1).max(from);
        (from, last)
    }
}

fn hashes(context: &Context, from: u64, to: u64) -> Reply<Vec<B256>> {
    let mut hashes = Vec::new();
    if from <= to {
        context.node.storage.headers(from..=to, &mut |header| {
            hashes.push(header.hash_slow());
            Ok(true)
        })?;
    }
    Ok(hashes)
}

fn filter_logs(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<Vec<Log>> {
    let id = params.next::<U64>()?.to::<u64>();
    match context.filters.get(id)?.kind {
        Kind::Logs(filter) => Ok(logs::select(&context.node, &filter)?),
        Kind::Blocks | Kind::PendingTransactions => {
            Err(invalid("this filter is not for logs; poll it with eth_getFilterChanges"))
        }
    }
}

/// Logs of a block that left the chain.
pub(super) fn removed(block: &Block, filter: &Filter) -> Vec<Log> {
    let logs = matching(block, filter).into_iter().rev();
    logs.map(|log| Log { removed: true, ..log }).collect()
}

/// Logs of one block, for subscribers.
pub(super) fn matching(block: &Block, filter: &Filter) -> Vec<Log> {
    if !filter.matches_bloom(block.header.logs_bloom) {
        return Vec::new();
    }
    convert::logs(block).filter(|log| filter.matches(&log.inner)).collect()
}
