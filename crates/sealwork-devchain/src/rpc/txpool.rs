//! `txpool_`: what waits, as go-ethereum tells it. "Pending" is what the next block can take if it has room, "queued"
//! lacks an earlier transaction of its sender or the base fee.

use super::{Context, Methods, Reply};
use crate::{chain::Chain, pool::PooledTransaction};
use alloy_consensus::{Transaction as _, transaction::Recovered};
use alloy_primitives::{Address, U64};
use alloy_rpc_types_eth as rpc;
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};
use serde::Serialize;
use std::collections::BTreeMap;

/// By sender, then by nonce in decimal.
type BySender<T> = BTreeMap<Address, BTreeMap<String, T>>;

#[derive(Clone, Debug, Serialize)]
struct Pools<T> {
    pending: T,
    queued: T,
}

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("txpool_status", |context, _| {
        let (pending, queued) = split_pool(&context.node.chain());
        Ok(Pools { pending: U64::from(pending), queued: U64::from(queued) })
    })?;
    methods.add("txpool_content", |context, _| Ok(listed(context, None, transaction)))?;
    methods.add("txpool_inspect", |context, _| Ok(listed(context, None, summary)))?;
    methods.add("txpool_contentFrom", content_from)
}

fn content_from(
    context: &Context,
    params: &mut ParamsSequence<'_>,
) -> Reply<Pools<BTreeMap<String, rpc::Transaction>>> {
    let sender: Address = params.next()?;
    let all = listed(context, Some(sender), transaction);
    let only = |mut pool: BySender<rpc::Transaction>| pool.remove(&sender).unwrap_or_default();
    Ok(Pools { pending: only(all.pending), queued: only(all.queued) })
}

/// How many transactions the next block can take, and how many not.
pub(crate) fn split_pool(chain: &Chain) -> (usize, usize) {
    let mut pending = 0;
    walk(chain, None, |_, ready| pending += usize::from(ready));
    (pending, chain.pool().length() - pending)
}

/// Visits what waits, and whether the next block can take it.
fn walk(chain: &Chain, only: Option<Address>, mut visit: impl FnMut(&PooledTransaction, bool)) {
    let head = chain.head();
    let base_fee = u128::from(head.next.base_fee_per_gas.unwrap_or_default());
    let mut next: Option<(Address, u64)> = None;
    for waiting in chain.pool().iter().filter(|waiting| only.is_none_or(|sender| sender == waiting.sender)) {
        let expected = match next {
            Some((sender, nonce)) if sender == waiting.sender => nonce,
            Some(_) | None => head.view.state.nonce(waiting.sender),
        };
        let ready = waiting.nonce() == expected && waiting.envelope.max_fee_per_gas() >= base_fee;
        let after = if ready { expected.saturating_add(1) } else { expected };
        next = Some((waiting.sender, after));
        visit(waiting, ready);
    }
}

fn listed<T>(
    context: &Context,
    only: Option<Address>,
    show: fn(&PooledTransaction) -> T,
) -> Pools<BySender<T>> {
    let mut pools = Pools { pending: BySender::new(), queued: BySender::new() };
    walk(&context.node.chain(), only, |waiting, ready| {
        let pool = if ready { &mut pools.pending } else { &mut pools.queued };
        pool.entry(waiting.sender).or_default().insert(waiting.nonce().to_string(), show(waiting));
    });
    pools
}

/// A waiting transaction as clients see it; its gas price is the most that it offers.
pub(super) fn transaction(waiting: &PooledTransaction) -> rpc::Transaction {
    rpc::Transaction {
        inner: Recovered::new_unchecked(waiting.envelope.clone(), waiting.sender),
        block_hash: None,
        block_number: None,
        transaction_index: None,
        effective_gas_price: Some(waiting.envelope.max_fee_per_gas()),
        block_timestamp: None,
    }
}

fn summary(waiting: &PooledTransaction) -> String {
    let envelope = &waiting.envelope;
    let to = envelope.to().map_or_else(|| "contract creation".to_owned(), |to| to.to_string());
    format!(
        "{to}: {} wei + {} gas × {} wei",
        envelope.value(),
        envelope.gas_limit(),
        envelope.max_fee_per_gas()
    )
}
