//! Blocks, transactions, receipts.

use super::{Context, Methods, Reply, convert};
use crate::block::Block;
use alloy_consensus::transaction::Recovered;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, U64};
use alloy_rpc_types_eth as rpc;
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add_quick("eth_blockNumber", |context, _| Ok(U64::from(context.node.head().number())))?;
    methods.add("eth_getBlockByNumber", |context, params| {
        let tag: BlockNumberOrTag = params.next()?;
        let full = params.optional_next()?.unwrap_or(false);
        Ok(find(context, tag.into())?.map(|block| convert::block(&block, full)))
    })?;
    methods.add("eth_getBlockByHash", |context, params| {
        let hash: B256 = params.next()?;
        let full = params.optional_next()?.unwrap_or(false);
        Ok(find(context, hash.into())?.map(|block| convert::block(&block, full)))
    })?;
    methods.add("eth_getBlockReceipts", |context, params| {
        Ok(find(context, params.next()?)?.map(|block| convert::receipts(&block)))
    })?;
    methods.add("eth_getBlockTransactionCountByNumber", |context, params| {
        let tag: BlockNumberOrTag = params.next()?;
        Ok(find(context, tag.into())?.map(|block| U64::from(block.transactions.len())))
    })?;
    methods.add("eth_getBlockTransactionCountByHash", |context, params| {
        let hash: B256 = params.next()?;
        Ok(find(context, hash.into())?.map(|block| U64::from(block.transactions.len())))
    })?;
    methods.add("eth_getTransactionByHash", transaction)?;
    methods.add("eth_getTransactionReceipt", |context, params| {
        let found = context.node.storage.transaction(params.next()?)?;
        Ok(found.and_then(|(block, index)| convert::receipt(&block, index)))
    })
}

/// A block, or nothing when it does not exist.
fn find(context: &Context, id: BlockId) -> Reply<Option<Block>> {
    let number = match id {
        BlockId::Hash(hash) => context.node.storage.block_number(hash.block_hash)?,
        BlockId::Number(tag) => Some(context.node.number(tag)),
    };
    Ok(number.map(|number| context.node.storage.block(number)).transpose()?.flatten())
}

fn transaction(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<Option<rpc::Transaction>> {
    let hash: B256 = params.next()?;
    if let Some((block, index)) = context.node.storage.transaction(hash)? {
        return Ok(convert::transaction(&block, index));
    }
    Ok(context.node.chain().pool().find(hash).map(|waiting| rpc::Transaction {
        inner: Recovered::new_unchecked(waiting.envelope.clone(), waiting.sender),
        block_hash: None,
        block_number: None,
        transaction_index: None,
        effective_gas_price: None,
        block_timestamp: None,
    }))
}
