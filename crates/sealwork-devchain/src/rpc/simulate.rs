//! `eth_simulateV1`: blocks of calls on top of the chain, one after the other, without anything being kept.

mod draft;

use super::{
    Context, Methods, Reply, convert,
    error::coded,
    overrides::{override_block, override_state},
};
use crate::{block::Block, config::DEFAULT_GAS_LIMIT, error::ChainError, sandbox::Sandbox};
use alloy_consensus::Header;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::U256;
use alloy_rpc_types_eth::{
    self as rpc,
    simulate::{MAX_SIMULATE_BLOCKS, SimBlock, SimulatePayload, SimulatedBlock},
};
use draft::SimulatedDraft;
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};
use std::sync::Arc;

/// Gas that one request may use.
const GAS_BUDGET: u64 = 4 * DEFAULT_GAS_LIMIT;
/// Calls in one request at most.
const CALL_LIMIT: usize = 1_024;
/// Seconds between simulated blocks.
const BLOCK_TIME: u64 = 12;
/// Codes of the specification.
const NUMBERS_OUT_OF_ORDER: i32 = -38_020;
const TIMES_OUT_OF_ORDER: i32 = -38_021;
const TOO_MUCH: i32 = -38_026;

/// What holds for all blocks of a request.
#[derive(Clone, Copy, Debug)]
struct Mode {
    /// Whether the rules for signed transactions hold.
    validation: bool,
    /// Whether transfers of ether appear as logs.
    trace_transfers: bool,
    /// Whether answers hold whole transactions.
    full: bool,
}

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("eth_simulateV1", simulate)
}

fn simulate(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<Vec<SimulatedBlock<rpc::Block>>> {
    let payload: SimulatePayload = params.next()?;
    let mode = Mode {
        validation: payload.validation,
        trace_transfers: payload.trace_transfers,
        full: payload.return_full_transactions,
    };
    let calls: usize = payload.block_state_calls.iter().map(|block| block.calls.len()).sum();
    if calls > CALL_LIMIT {
        return Err(coded(TOO_MUCH, format!("{calls} calls are simulated, at most {CALL_LIMIT} can be")));
    }
    let mut simulation = Simulation::new(context, params.optional_next()?.unwrap_or_default(), mode)?;
    for block in payload.block_state_calls {
        simulation.skip_to(&block)?;
        simulation.block(block)?;
    }
    Ok(simulation.done)
}

/// The chain so far, with what was simulated.
struct Simulation {
    mode: Mode,
    sandbox: Sandbox,
    parent: Arc<Block>,
    gas_left: u64,
    done: Vec<SimulatedBlock<rpc::Block>>,
}

impl Simulation {
    fn new(context: &Context, base: BlockId, mode: Mode) -> Reply<Self> {
        let number = context.node.existing(base)?;
        let parent = context.node.storage.block(number)?;
        let parent = parent.ok_or_else(|| ChainError::UnknownBlock(number.to_string()))?;
        let sandbox = context.sandbox(BlockId::Number(BlockNumberOrTag::Number(number)))?;
        Ok(Self { mode, sandbox, parent, gas_left: GAS_BUDGET, done: Vec::new() })
    }

    /// Adds empty blocks up to the one before `block`, if that asks for a number further on.
    fn skip_to(&mut self, block: &SimBlock) -> Reply<()> {
        let Some(asked) = block.block_number_override() else { return Ok(()) };
        let newest = self.parent.number();
        let distance = asked.checked_sub(U256::from(newest)).filter(|distance| !distance.is_zero());
        let Some(distance) = distance else {
            let text = format!("block numbers must be in order: {asked} <= {newest}");
            return Err(coded(NUMBERS_OUT_OF_ORDER, text));
        };
        if distance > U256::from(MAX_SIMULATE_BLOCKS) {
            return Err(too_many_blocks());
        }
        for _ in 1..distance.saturating_to::<u64>() {
            self.block(SimBlock::default())?;
        }
        Ok(())
    }

    fn block(&mut self, block: SimBlock) -> Reply<()> {
        if u64::try_from(self.done.len()).unwrap_or(u64::MAX) >= MAX_SIMULATE_BLOCKS {
            return Err(too_many_blocks());
        }
        let header = self.header(&block)?;
        self.sandbox.block = crate::evm::block_env(&header);
        if let Some(overrides) = block.block_overrides {
            override_block(&mut self.sandbox, overrides)?;
        }
        if let Some(overrides) = block.state_overrides {
            override_state(&mut self.sandbox, overrides)?;
        }
        let mut draft = SimulatedDraft::new(self.mode, header, &mut self.sandbox, &mut self.gas_left);
        for call in block.calls {
            draft.call(call)?;
        }
        let (block, calls) = draft.seal();
        self.sandbox.view.remember(block.number(), block.hash);
        self.done.push(SimulatedBlock { inner: convert::block(&block, self.mode.full), calls });
        self.parent = Arc::new(block);
        Ok(())
    }

    /// The header of the next block as far as it is known before its calls.
    fn header(&self, block: &SimBlock) -> Reply<Header> {
        let (parent, change) = (&self.parent.header, block.block_overrides.clone().unwrap_or_default());
        let earliest = parent.timestamp.saturating_add(1);
        let timestamp = change.time.unwrap_or_else(|| parent.timestamp.saturating_add(BLOCK_TIME));
        if timestamp < earliest {
            let text = format!("block timestamps must be in order: {timestamp} <= {}", parent.timestamp);
            return Err(coded(TIMES_OUT_OF_ORDER, text));
        }
        let base_fee = if self.mode.validation { crate::chain::base_fee_after(parent) } else { 0 };
        Ok(Header {
            parent_hash: self.parent.hash,
            number: parent.number.saturating_add(1),
            timestamp,
            gas_limit: change.gas_limit.unwrap_or(parent.gas_limit),
            beneficiary: change.coinbase.unwrap_or(parent.beneficiary),
            mix_hash: change.random.unwrap_or_default(),
            base_fee_per_gas: Some(change.base_fee.map_or(base_fee, |fee| fee.saturating_to())),
            ..Header::default()
        })
    }
}

fn too_many_blocks() -> jsonrpsee::types::ErrorObjectOwned {
    coded(TOO_MUCH, format!("too many blocks: at most {MAX_SIMULATE_BLOCKS} can be simulated"))
}
