//! Transactions and receipts, by hash or by place; also as raw bytes.

use super::{Context, Methods, Reply, blocks::find, convert, txpool};
use crate::block::Block;
use alloy_eips::{BlockId, BlockNumberOrTag, eip2718::Encodable2718};
use alloy_primitives::{B256, Bytes, U64};
use alloy_rpc_types_eth as rpc;
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};
use std::sync::Arc;

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("eth_getTransactionByHash", transaction)?;
    methods.add("eth_getTransactionByBlockNumberAndIndex", |context, params| {
        Ok(place(context, by_number(params)?, params)?
            .and_then(|(block, at)| convert::transaction(&block, at)))
    })?;
    methods.add("eth_getTransactionByBlockHashAndIndex", |context, params| {
        Ok(place(context, by_hash(params)?, params)?.and_then(|(block, at)| convert::transaction(&block, at)))
    })?;
    methods.add("eth_getTransactionReceipt", |context, params| {
        let found = context.node.storage.transaction(params.next()?)?;
        Ok(found.and_then(|(block, index)| convert::receipt(&block, index)))
    })?;
    methods.add("eth_getBlockReceipts", |context, params| {
        Ok(find(context, params.next()?)?.map(|block| convert::receipts(&block)))
    })?;
    methods.add("eth_getRawTransactionByHash", raw_transaction)?;
    methods.alias("debug_getRawTransaction", "eth_getRawTransactionByHash")?;
    methods.add("eth_getRawTransactionByBlockNumberAndIndex", |context, params| {
        Ok(place(context, by_number(params)?, params)?.and_then(|(block, at)| raw(&block, at)))
    })?;
    methods.add("eth_getRawTransactionByBlockHashAndIndex", |context, params| {
        Ok(place(context, by_hash(params)?, params)?.and_then(|(block, at)| raw(&block, at)))
    })?;
    register_counts(methods)
}

fn register_counts(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("eth_getBlockTransactionCountByNumber", |context, params| {
        Ok(find(context, by_number(params)?)?.map(|block| U64::from(block.transactions.len())))
    })?;
    methods.add("eth_getBlockTransactionCountByHash", |context, params| {
        Ok(find(context, by_hash(params)?)?.map(|block| U64::from(block.transactions.len())))
    })
}

pub(super) fn by_number(params: &mut ParamsSequence<'_>) -> Reply<BlockId> {
    Ok(params.next::<BlockNumberOrTag>()?.into())
}

pub(super) fn by_hash(params: &mut ParamsSequence<'_>) -> Reply<BlockId> {
    Ok(params.next::<B256>()?.into())
}

/// A block and the index in it that comes next in the parameters.
fn place(
    context: &Context,
    block: BlockId,
    params: &mut ParamsSequence<'_>,
) -> Reply<Option<(Arc<Block>, usize)>> {
    let index: rpc::Index = params.next()?;
    Ok(find(context, block)?.map(|block| (block, index.into())))
}

fn raw(block: &Block, index: usize) -> Option<Bytes> {
    Some(block.transactions.get(index)?.envelope.encoded_2718().into())
}

fn raw_transaction(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<Option<Bytes>> {
    let hash: B256 = params.next()?;
    if let Some((block, index)) = context.node.storage.transaction(hash)? {
        return Ok(raw(&block, index));
    }
    Ok(context.node.chain().pool().find(hash).map(|waiting| waiting.envelope.encoded_2718().into()))
}

fn transaction(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<Option<rpc::Transaction>> {
    let hash: B256 = params.next()?;
    if let Some((block, index)) = context.node.storage.transaction(hash)? {
        return Ok(convert::transaction(&block, index));
    }
    Ok(context.node.chain().pool().find(hash).map(txpool::transaction))
}
