//! Development controls: mining, time, snapshots; also under the names other tools use.

use super::{Context, Methods, Reply, convert, number::Number};
use crate::{chain::Chain, error::ChainError};
use alloy_primitives::U64;
use alloy_rpc_types_eth as rpc;
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// Blocks that one call can mine.
const MINE_LIMIT: u64 = 10_000;
/// Longest time between two blocks in seconds.
const INTERVAL_LIMIT: u64 = 24 * 3_600;

#[derive(Deserialize)]
#[serde(untagged)]
enum MineOption {
    Timestamp(Number),
    Options { blocks: Option<Number>, timestamp: Option<Number> },
}

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    register_time(methods)?;
    register_mining(methods)?;
    methods.add("evm_snapshot", |context, _| Ok(U64::from(context.node.chain().snapshot())))?;
    methods.add("evm_revert", |context, params| {
        let id: u64 = params.next::<Number>()?.try_into()?;
        Ok(context.node.update(|chain| chain.revert(id))?)
    })?;
    methods.add("anvil_nodeInfo", node_info)?;
    methods.add("anvil_metadata", metadata)?;
    for (name, of) in [
        ("anvil_snapshot", "evm_snapshot"),
        ("anvil_revert", "evm_revert"),
        ("anvil_increaseTime", "evm_increaseTime"),
        ("anvil_setNextBlockTimestamp", "evm_setNextBlockTimestamp"),
        ("evm_setTime", "anvil_setTime"),
        ("anvil_setAutomine", "evm_setAutomine"),
        ("hardhat_getAutomine", "anvil_getAutomine"),
        ("anvil_setIntervalMining", "evm_setIntervalMining"),
        ("evm_mine_detailed", "anvil_mine_detailed"),
        ("hardhat_mine", "anvil_mine"),
        ("hardhat_metadata", "anvil_metadata"),
    ] {
        methods.alias(name, of)?;
    }
    Ok(())
}

fn register_time(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("evm_increaseTime", |context, params| {
        let seconds: u64 = params.next::<Number>()?.try_into()?;
        Ok(context.node.chain().clock_mut().increase(seconds)?)
    })?;
    methods.add("evm_setNextBlockTimestamp", |context, params| {
        let timestamp: u64 = params.next::<Number>()?.try_into()?;
        force_time(&mut context.node.chain(), timestamp)?;
        Ok(Value::Null)
    })?;
    methods.add("anvil_setTime", |context, params| {
        let timestamp: u64 = params.next::<Number>()?.try_into()?;
        let mut chain = context.node.chain();
        let newest = chain.head().header.timestamp;
        Ok(chain.clock_mut().set_time(timestamp, newest, context.node.now())?)
    })?;
    methods.add("anvil_setBlockTimestampInterval", |context, params| {
        let seconds: u64 = params.next::<Number>()?.try_into()?;
        context.node.chain().clock_mut().set_interval(Some(seconds))?;
        Ok(Value::Null)
    })?;
    methods.add("anvil_removeBlockTimestampInterval", |context, _| {
        let mut chain = context.node.chain();
        let was_set = chain.clock_mut().interval().is_some();
        chain.clock_mut().set_interval(None)?;
        Ok(was_set)
    })
}

fn register_mining(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("evm_mine", |context, params| {
        mine_option(context, params)?;
        Ok("0x0")
    })?;
    methods.add("anvil_mine_detailed", |context, params| {
        let before = context.node.head().number();
        let blocks = mine_option(context, params)?;
        let all = (before.saturating_add(1)..).take(usize::try_from(blocks).unwrap_or(usize::MAX));
        all.map(|number| Ok(context.node.storage.block(number)?.map(|block| convert::block(&block, true))))
            .collect::<Reply<Vec<Option<rpc::Block>>>>()
    })?;
    methods.add("anvil_mine", |context, params| {
        let blocks = params.optional_next::<Number>()?.map_or(Ok(1), TryInto::try_into)?;
        let interval = params.optional_next::<Number>()?.map(TryInto::try_into).transpose()?;
        mine(context, blocks, interval)?;
        Ok(Value::Null)
    })?;
    methods.add("evm_setAutomine", |context, params| {
        let instant: bool = params.next()?;
        context.node.chain().settings_mut().instant = instant;
        if instant {
            context.node.interval.send_replace(None);
        }
        Ok(true)
    })?;
    methods.add("anvil_getAutomine", |context, _| Ok(context.node.chain().settings().instant))?;
    methods.add("evm_setIntervalMining", |context, params| {
        let seconds: u64 = params.next::<Number>()?.try_into()?;
        if seconds > INTERVAL_LIMIT {
            return Err(ChainError::Limit { what: "seconds between blocks", limit: INTERVAL_LIMIT }.into());
        }
        context.node.chain().settings_mut().instant = false;
        context.node.interval.send_replace((seconds > 0).then(|| Duration::from_secs(seconds)));
        Ok(Value::Null)
    })?;
    methods.add("anvil_getIntervalMining", |context, _| {
        Ok(context.node.interval.borrow().map(|interval| interval.as_secs()))
    })
}

fn force_time(chain: &mut Chain, timestamp: u64) -> Result<(), ChainError> {
    let newest = chain.head().header.timestamp;
    chain.clock_mut().force(timestamp, newest)
}

/// Mines as `evm_mine` is told to; returns how many blocks.
fn mine_option(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<u64> {
    let (blocks, timestamp) = match params.optional_next()? {
        None => (None, None),
        Some(MineOption::Timestamp(timestamp)) => (None, Some(timestamp)),
        Some(MineOption::Options { blocks, timestamp }) => (blocks, timestamp),
    };
    if let Some(timestamp) = timestamp {
        force_time(&mut context.node.chain(), timestamp.try_into()?)?;
    }
    let blocks = blocks.map_or(Ok(1), TryInto::try_into)?;
    mine(context, blocks, None)?;
    Ok(blocks)
}

/// Mines blocks, `interval` seconds apart from the second on.
fn mine(context: &Context, blocks: u64, interval: Option<u64>) -> Reply<()> {
    if blocks > MINE_LIMIT {
        return Err(ChainError::Limit { what: "blocks mined by one call", limit: MINE_LIMIT }.into());
    }
    for number in 0..blocks {
        context.node.update(|chain| {
            if let (Some(interval), true) = (interval, number > 0) {
                let timestamp = chain.head().header.timestamp.saturating_add(interval);
                force_time(chain, timestamp)?;
            }
            chain.mine(context.node.now())
        })?;
    }
    Ok(())
}

fn node_info(context: &Context, _: &mut ParamsSequence<'_>) -> Reply<Value> {
    let head = context.node.head();
    let base_fee = head.next.base_fee_per_gas.unwrap_or_default();
    Ok(json!({
        "currentBlockNumber": U64::from(head.number()),
        "currentBlockTimestamp": head.header.timestamp,
        "currentBlockHash": head.hash,
        "hardFork": "Osaka",
        "transactionOrder": "fees",
        "environment": {
            "baseFee": U64::from(base_fee),
            "chainId": context.node.chain_id,
            "gasLimit": U64::from(head.next.gas_limit),
            "gasPrice": U64::from(base_fee.saturating_add(1_000_000_000)),
        },
        "forkConfig": { "forkUrl": null, "forkBlockNumber": null, "forkRetryBackoff": null },
    }))
}

fn metadata(context: &Context, _: &mut ParamsSequence<'_>) -> Reply<Value> {
    let head = context.node.head();
    let snapshots: serde_json::Map<_, _> = context
        .node
        .chain()
        .snapshots()
        .map(|(id, head)| (format!("{id:#x}"), json!([head.number(), head.hash])))
        .collect();
    Ok(json!({
        "clientVersion": concat!("sealwork-devchain/", env!("CARGO_PKG_VERSION")),
        "chainId": context.node.chain_id,
        "instanceId": context.node.instance,
        "latestBlockNumber": head.number(),
        "latestBlockHash": head.hash,
        "snapshots": snapshots,
    }))
}
