//! Blocks and headers, by number, tag or hash; also as raw bytes.

use super::{
    Context, Methods, Reply, convert,
    transactions::{by_hash, by_number},
};
use crate::block::Block;
use alloy_eips::{BlockId, eip2718::Encodable2718};
use alloy_primitives::{Bytes, U64};
use alloy_rpc_types_eth::{self as rpc, Index};
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};
use std::sync::Arc;

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add_quick("eth_blockNumber", |context, _| Ok(U64::from(context.node.head().number())))?;
    methods.add("eth_getBlockByNumber", |context, params| block(context, by_number(params)?, params))?;
    methods.add("eth_getBlockByHash", |context, params| block(context, by_hash(params)?, params))?;
    methods.add("eth_getHeaderByNumber", |context, params| {
        Ok(find(context, by_number(params)?)?.map(|block| convert::header(&block)))
    })?;
    methods.add("eth_getHeaderByHash", |context, params| {
        Ok(find(context, by_hash(params)?)?.map(|block| convert::header(&block)))
    })?;
    register_uncles(methods)?;
    methods.add("debug_getRawHeader", |context, params| {
        Ok(find(context, params.next()?)?.map(|block| Bytes::from(alloy_rlp::encode(&block.header))))
    })?;
    methods.add("debug_getRawBlock", |context, params| {
        Ok(find(context, params.next()?)?.map(|block| Bytes::from(alloy_rlp::encode(convert::whole(&block)))))
    })?;
    methods.add("debug_getRawReceipts", |context, params| {
        let receipts = |block: Arc<Block>| -> Vec<Bytes> {
            block.transactions.iter().map(|mined| mined.receipt.encoded_2718().into()).collect()
        };
        Ok(find(context, params.next()?)?.map(receipts))
    })
}

/// There are no uncles, but tools ask.
fn register_uncles(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("eth_getUncleCountByBlockNumber", |context, params| {
        Ok(find(context, by_number(params)?)?.map(|_| U64::ZERO))
    })?;
    methods.add("eth_getUncleCountByBlockHash", |context, params| {
        Ok(find(context, by_hash(params)?)?.map(|_| U64::ZERO))
    })?;
    methods.add("eth_getUncleByBlockNumberAndIndex", |_, params| {
        let _: (BlockId, Index) = (by_number(params)?, params.next()?);
        Ok(None::<rpc::Block>)
    })?;
    methods.add("eth_getUncleByBlockHashAndIndex", |_, params| {
        let _: (BlockId, Index) = (by_hash(params)?, params.next()?);
        Ok(None::<rpc::Block>)
    })
}

fn block(context: &Context, id: BlockId, params: &mut ParamsSequence<'_>) -> Reply<Option<rpc::Block>> {
    let full = params.optional_next()?.unwrap_or(false);
    Ok(find(context, id)?.map(|block| convert::block(&block, full)))
}

/// A block, or nothing when it does not exist; "pending" is the one that would be made now.
pub(super) fn find(context: &Context, id: BlockId) -> Reply<Option<Arc<Block>>> {
    if id.is_pending() {
        return Ok(Some(Arc::new(context.node.preview().block())));
    }
    let number = match id {
        BlockId::Hash(hash) => context.node.storage.block_number(hash.block_hash)?,
        BlockId::Number(tag) => Some(context.node.number(tag)),
    };
    Ok(number.map(|number| context.node.storage.block(number)).transpose()?.flatten())
}
