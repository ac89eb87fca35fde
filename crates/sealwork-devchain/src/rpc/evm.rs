//! Development controls: mining, time travel, snapshots, state edits; also under the names other tools use.

use super::{Context, Methods, Reply, error::invalid};
use crate::{
    block::Block,
    chain::Chain,
    error::ChainError,
    node::unix_now,
    state::{AccountState, hashed_slot},
};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use jsonrpsee::{core::RegisterMethodError, types::ErrorObjectOwned};
use serde::Deserialize;
use std::sync::Arc;

/// Blocks that one call can mine.
const MINE_LIMIT: u64 = 10_000;

/// A number as tools send it: a JSON number, or a string in decimal or 0x hexadecimal.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(u64),
    Text(U256),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum MineOption {
    Timestamp(Number),
    Options { blocks: Option<Number>, timestamp: Option<Number> },
}

impl TryFrom<Number> for u64 {
    type Error = ErrorObjectOwned;

    fn try_from(number: Number) -> Reply<Self> {
        match number {
            Number::Plain(number) => Ok(number),
            Number::Text(number) => number.try_into().map_err(|_| invalid("the number exceeds 64 bits")),
        }
    }
}

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    register_time(methods)?;
    methods.add("evm_snapshot", |context, _| Ok(U64::from(context.node.chain().snapshot())))?;
    methods.add("evm_revert", |context, params| {
        let id: u64 = params.next::<Number>()?.try_into()?;
        Ok(context.node.update(|chain| Ok((chain.revert(id)?, Vec::new())))?)
    })?;
    methods.add("evm_setAutomine", |context, params| {
        let instant: bool = params.next()?;
        context.node.chain().set_instant(instant);
        Ok(true)
    })?;
    methods.add("anvil_getAutomine", |context, _| Ok(context.node.chain().is_instant()))?;
    methods.add("anvil_setBalance", |context, params| {
        let (address, balance): (_, U256) = (params.next()?, params.next()?);
        edit(context, address, |account| account.balance = balance)
    })?;
    methods.add("anvil_setCode", |context, params| {
        let (address, code): (_, Bytes) = (params.next()?, params.next()?);
        edit(context, address, |account| *account = std::mem::take(account).with_code(code))
    })?;
    methods.add("anvil_setNonce", |context, params| {
        let (address, nonce): (_, U64) = (params.next()?, params.next()?);
        edit(context, address, |account| account.nonce = nonce.to())
    })?;
    methods.add("anvil_setStorageAt", |context, params| {
        let (address, slot, value): (_, U256, B256) = (params.next()?, params.next()?, params.next()?);
        edit(context, address, |account| account.set_slot(hashed_slot(slot), value.into()))
    })?;
    register_aliases(methods)
}

fn register_time(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("evm_increaseTime", |context, params| {
        let seconds: u64 = params.next::<Number>()?.try_into()?;
        Ok(context.node.chain().clock_mut().increase(seconds)?)
    })?;
    methods.add("evm_setNextBlockTimestamp", |context, params| {
        let timestamp: u64 = params.next::<Number>()?.try_into()?;
        force_time(&mut context.node.chain(), timestamp)?;
        Ok(serde_json::Value::Null)
    })?;
    methods.add("evm_mine", |context, params| {
        let (blocks, timestamp) = match params.optional_next()? {
            None => (None, None),
            Some(MineOption::Timestamp(timestamp)) => (None, Some(timestamp)),
            Some(MineOption::Options { blocks, timestamp }) => (blocks, timestamp),
        };
        if let Some(timestamp) = timestamp {
            force_time(&mut context.node.chain(), timestamp.try_into()?)?;
        }
        mine(context, blocks.map_or(Ok(1), TryInto::try_into)?, None)?;
        Ok("0x0")
    })?;
    methods.add("anvil_mine", |context, params| {
        let blocks = params.optional_next::<Number>()?.map_or(Ok(1), TryInto::try_into)?;
        let interval = params.optional_next::<Number>()?.map(TryInto::try_into).transpose()?;
        mine(context, blocks, interval)?;
        Ok(serde_json::Value::Null)
    })
}

fn register_aliases(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    for (name, of) in [
        ("anvil_snapshot", "evm_snapshot"),
        ("anvil_revert", "evm_revert"),
        ("anvil_increaseTime", "evm_increaseTime"),
        ("anvil_setNextBlockTimestamp", "evm_setNextBlockTimestamp"),
        ("anvil_setAutomine", "evm_setAutomine"),
        ("hardhat_getAutomine", "anvil_getAutomine"),
        ("hardhat_mine", "anvil_mine"),
        ("hardhat_setBalance", "anvil_setBalance"),
        ("hardhat_setCode", "anvil_setCode"),
        ("hardhat_setNonce", "anvil_setNonce"),
        ("hardhat_setStorageAt", "anvil_setStorageAt"),
    ] {
        methods.alias(name, of)?;
    }
    Ok(())
}

fn force_time(chain: &mut Chain, timestamp: u64) -> Result<(), ChainError> {
    let newest = chain.head().header.timestamp;
    chain.clock_mut().force(timestamp, newest)
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
            announced(chain.mine(unix_now())?)
        })?;
    }
    Ok(())
}

fn edit(context: &Context, address: Address, change: impl FnOnce(&mut AccountState)) -> Reply<bool> {
    context.node.update(|chain| announced(chain.edit(address, unix_now(), change)?))?;
    Ok(true)
}

fn announced(block: Arc<Block>) -> Result<((), Vec<Arc<Block>>), ChainError> {
    Ok(((), vec![block]))
}
