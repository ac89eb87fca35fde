//! What gas costs.

use super::{Context, Methods, Reply, error::invalid};
use crate::block::Block;
use alloy_consensus::Transaction as _;
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{U64, U128};
use alloy_rpc_types_eth::FeeHistory;
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};

/// Tip that is always enough, in wei per gas.
pub(super) const PRIORITY_FEE: u128 = 1_000_000_000;
/// Blocks that one fee history covers at most, as in go-ethereum.
const HISTORY_LIMIT: u64 = 1_024;
/// Percentiles in one request at most.
const PERCENTILE_LIMIT: usize = 100;

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add_quick("eth_gasPrice", |context, _| {
        let base_fee = context.node.head().next.base_fee_per_gas.unwrap_or_default();
        Ok(U128::from(u128::from(base_fee) + PRIORITY_FEE))
    })?;
    methods.add_quick("eth_maxPriorityFeePerGas", |_, _| Ok(U128::from(PRIORITY_FEE)))?;
    methods.add_quick("eth_blobBaseFee", |_, _| Ok(U64::from(1)))?;
    methods.add("eth_feeHistory", fee_history)
}

fn fee_history(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<FeeHistory> {
    let (count, newest): (U64, BlockNumberOrTag) = (params.next()?, params.next()?);
    let percentiles: Vec<f64> = params.optional_next()?.unwrap_or_default();
    let ascending = percentiles.windows(2).all(|pair| pair.first() <= pair.last());
    if percentiles.len() > PERCENTILE_LIMIT
        || !ascending
        || !percentiles.iter().all(|p| (0.0..=100.0).contains(p))
    {
        return Err(invalid("reward percentiles must ascend from 0 to 100, at most 100 of them"));
    }
    let newest = context.node.existing(newest.into())?;
    let count = count.to::<u64>().clamp(1, HISTORY_LIMIT).min(newest.saturating_add(1));
    let oldest_block = newest + 1 - count;
    let mut history = FeeHistory { oldest_block, ..FeeHistory::default() };
    let mut rewards = Vec::new();
    for number in oldest_block..=newest {
        let Some(block) = context.node.storage.block(number)? else { continue };
        history.base_fee_per_gas.push(block.header.base_fee_per_gas.unwrap_or_default().into());
        history.gas_used_ratio.push(ratio(block.header.gas_used, block.header.gas_limit));
        rewards.push(percentiles.iter().map(|percentile| reward(&block, *percentile)).collect());
        if number == newest {
            history.base_fee_per_gas.push(crate::chain::base_fee_after(&block.header).into());
        }
    }
    let blocks = history.gas_used_ratio.len();
    history.base_fee_per_blob_gas = vec![1; blocks + 1];
    history.blob_gas_used_ratio = vec![0.0; blocks];
    history.reward = (!percentiles.is_empty()).then_some(rewards);
    Ok(history)
}

#[expect(clippy::cast_precision_loss, reason = "block gas is far below 2^53")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// The tip that a share of the block's gas paid at most. Nothing in an empty block.
fn reward(block: &Block, percentile: f64) -> u128 {
    let base_fee = block.header.base_fee_per_gas.unwrap_or_default();
    let mut tips: Vec<_> = block
        .transactions
        .iter()
        .map(|mined| (mined.envelope.effective_tip_per_gas(base_fee).unwrap_or_default(), mined.gas_used))
        .collect();
    tips.sort_unstable();
    let mut passed = 0u64;
    for (tip, gas_used) in &tips {
        passed = passed.saturating_add(*gas_used);
        if ratio(passed, block.header.gas_used.max(1)) * 100.0 >= percentile {
            return *tip;
        }
    }
    tips.last().map_or(0, |(tip, _)| *tip)
}
