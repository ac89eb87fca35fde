//! Logs by block range or block hash.

use super::{Methods, Reply, convert, error::invalid};
use crate::{error::ChainError, node::Node};
use alloy_rpc_types_eth::{Filter, FilterBlockOption, Log};
use jsonrpsee::core::RegisterMethodError;

/// Logs in one answer at most.
const LOG_LIMIT: usize = 10_000;
/// Blocks in one range at most.
const RANGE_LIMIT: u64 = 100_000;
/// Addresses, and alternatives for one topic, in one filter at most.
const ALTERNATIVES_LIMIT: usize = 1_024;

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("eth_getLogs", |context, params| {
        let filter: Filter = params.next()?;
        check(&filter)?;
        Ok(select(&context.node, &filter)?)
    })
}

/// Refuses filters that are larger than any honest one.
pub(super) fn check(filter: &Filter) -> Reply<()> {
    if filter.address.len() > ALTERNATIVES_LIMIT
        || filter.topics.iter().any(|topic| topic.len() > ALTERNATIVES_LIMIT)
    {
        return Err(invalid(format!(
            "a filter has at most {ALTERNATIVES_LIMIT} addresses and alternatives per topic"
        )));
    }
    Ok(())
}

/// All logs that a filter matches.
pub(super) fn select(node: &Node, filter: &Filter) -> Result<Vec<Log>, ChainError> {
    let (from, to) = match &filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => {
            let number = node.storage.block_number(*hash)?.ok_or(ChainError::UnknownBlockHash)?;
            (number, number)
        }
        FilterBlockOption::Range { from_block, to_block } => {
            let newest = node.head().number();
            let number = |tag: &Option<_>| tag.map_or(newest, |tag| node.number(tag));
            (number(from_block), number(to_block).min(newest))
        }
    };
    in_range(node, filter, from, to)
}

/// Logs of a range of blocks that match; an empty or reversed range has none.
pub(super) fn in_range(node: &Node, filter: &Filter, from: u64, to: u64) -> Result<Vec<Log>, ChainError> {
    if to.saturating_sub(from) >= RANGE_LIMIT {
        return Err(ChainError::Limit { what: "blocks in one log query", limit: RANGE_LIMIT });
    }
    let mut numbers = Vec::new();
    node.storage.headers(from..=to, &mut |header| {
        if filter.matches_bloom(header.logs_bloom) {
            numbers.push(header.number);
        }
        Ok(true)
    })?;
    let mut found = Vec::new();
    for number in numbers {
        let Some(block) = node.storage.block(number)? else { continue };
        found.extend(convert::logs(&block).filter(|log| filter.matches(&log.inner)));
        if found.len() > LOG_LIMIT {
            let limit = u64::try_from(LOG_LIMIT).unwrap_or(u64::MAX);
            return Err(ChainError::Limit { what: "logs in one answer (narrow the block range)", limit });
        }
    }
    Ok(found)
}
