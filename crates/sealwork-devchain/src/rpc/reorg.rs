//! Development controls: blocks that leave the chain.

use super::{
    Context, Methods, Reply,
    error::invalid,
    number::Number,
    send::{decode, fill},
};
use crate::{chain::Chain, pool::PooledTransaction};
use alloy_primitives::{Address, Bytes};
use alloy_rpc_types_eth::TransactionRequest;
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Transactions in one reorganization at most.
const TRANSACTION_LIMIT: usize = 10_000;

/// A transaction for a replaced block: signed, or to be completed and signed here.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Signed(Bytes),
    Request(Box<TransactionRequest>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Depth {
    Bare(Number),
    #[serde(rename_all = "camelCase")]
    Options {
        depth: Number,
        tx_block_pairs: Option<Vec<(Given, Number)>>,
    },
}

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("anvil_reorg", reorg)?;
    methods.add("anvil_rollback", |context, params| {
        let depth = params.optional_next::<Number>()?.map_or(Ok(1), TryInto::try_into)?;
        context.node.update(|chain| chain.rollback(depth))?;
        Ok(Value::Null)
    })?;
    methods.add("anvil_reset", |context, params| {
        // Tools name a chain to fork; there is nothing to fork from here.
        let forking: Option<Value> = params.optional_next()?;
        let forks = |asked: &Value| asked.get("forking").is_some_and(|forking| !forking.is_null());
        if forking.as_ref().is_some_and(forks) {
            return Err(invalid("this chain cannot fork another; reset it without a fork"));
        }
        context.node.update(Chain::reset)?;
        context.node.interval.send_replace(None);
        Ok(Value::Null)
    })?;
    methods.alias("hardhat_reset", "anvil_reset")?;
    methods.alias("evm_reorg", "anvil_reorg")?;
    methods.alias("evm_rollback", "anvil_rollback")
}

fn reorg(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<Value> {
    let (depth, given) = match params.next()? {
        Depth::Bare(depth) => (depth, params.optional_next::<Vec<(Given, Number)>>()?),
        Depth::Options { depth, tx_block_pairs } => (depth, tx_block_pairs),
    };
    let (depth, given) = (u64::try_from(depth)?, given.unwrap_or_default());
    if given.len() > TRANSACTION_LIMIT {
        return Err(invalid(format!(
            "{} transactions are given, at most {TRANSACTION_LIMIT} can be",
            given.len()
        )));
    }
    context.node.update(|chain| match sorted(context, chain, depth, given) {
        Ok(transactions) => chain.reorg(depth, transactions).map(Ok),
        Err(error) => Ok(Err(error)),
    })??;
    Ok(Value::Null)
}

/// The transactions by their place among the replaced blocks.
fn sorted(
    context: &Context,
    chain: &Chain,
    depth: u64,
    given: Vec<(Given, Number)>,
) -> Reply<BTreeMap<u64, Vec<PooledTransaction>>> {
    let mut next: BTreeMap<Address, u64> = BTreeMap::new();
    let mut sorted: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    let ancestor = chain.head().number().saturating_sub(depth);
    for (transaction, place) in given {
        let transaction = match transaction {
            Given::Signed(raw) => decode(&raw)?,
            Given::Request(mut request) => {
                let from = request.from.ok_or_else(|| invalid("from is missing"))?;
                let on_chain = chain.state_at(ancestor)?.nonce(from);
                let nonce = next.get(&from).copied().unwrap_or(on_chain);
                request.nonce.get_or_insert(nonce);
                fill(context, chain, &request)?
            }
        };
        next.insert(transaction.sender, transaction.nonce().saturating_add(1));
        sorted.entry(place.try_into()?).or_default().push(transaction);
    }
    Ok(sorted)
}
