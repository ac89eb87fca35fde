//! Transactions: signed elsewhere, by a development account, or not at all for an impersonated one.

mod fill;

use super::{Context, Methods, Reply, convert, error::invalid};
use crate::{
    error::{ChainError, Rejection},
    pool::PooledTransaction,
};
use alloy_consensus::{Transaction as _, TxEnvelope};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_eth as rpc;
use jsonrpsee::{
    core::RegisterMethodError,
    types::{ErrorCode, ErrorObjectOwned, Params, params::ParamsSequence},
};
use std::sync::Arc;

pub(crate) use fill::fill;

/// Gas limit up to which a transaction runs where it arrived; a few milliseconds at most.
const QUICK_GAS: u64 = 1_000_000;

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add_async("eth_sendRawTransaction", send_raw_soon)?;
    methods.add("eth_sendTransaction", send)?;
    methods.add("eth_sendRawTransactionSync", |context, params| {
        let hash = send_raw(context, params)?;
        receipt(context, hash)
    })?;
    methods.add("eth_sendTransactionSync", |context, params| {
        let hash = send(context, params)?;
        receipt(context, hash)
    })?;
    methods.alias("eth_sendUnsignedTransaction", "eth_sendTransaction")
}

/// Reads a signed transaction and finds out who signed, before anybody has to wait for it.
pub(super) fn decode(raw: &Bytes) -> Reply<PooledTransaction> {
    if raw.first() == Some(&3) {
        return Err(ChainError::from(Rejection::UnsupportedType(3)).into());
    }
    let envelope = TxEnvelope::decode_2718_exact(raw)
        .map_err(|error| invalid(format!("not a signed transaction: {error}")))?;
    Ok(PooledTransaction::recover(envelope).map_err(ChainError::from)?)
}

/// The same without a thread of its own: most transactions take less time than starting one.
async fn send_raw_soon(context: Arc<Context>, params: Params<'static>) -> Reply<B256> {
    let transaction = decode(&params.sequence().next()?)?;
    if transaction.envelope.gas_limit() > QUICK_GAS && !context.inline {
        let sent = tokio::task::spawn_blocking(move || {
            context.node.update(|chain| chain.submit(transaction, context.node.now()))
        });
        return Ok(sent.await.map_err(|_| ErrorObjectOwned::from(ErrorCode::InternalError))??);
    }
    Ok(context.node.update_soon(|chain| chain.submit(transaction, context.node.now())).await?)
}

fn send_raw(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<B256> {
    let transaction = decode(&params.next()?)?;
    Ok(context.node.update(|chain| chain.submit(transaction, context.node.now()))?)
}

fn send(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<B256> {
    let request = params.next()?;
    // Nonce and submission must not be separated by somebody else's transaction.
    context.node.update(|chain| match fill(context, chain, &request) {
        Ok(transaction) => chain.submit(transaction, context.node.now()).map(Ok),
        Err(error) => Ok(Err(error)),
    })?
}

/// The receipt of a transaction that was just sent (EIP-7966); without instant mining there is none yet.
fn receipt(context: &Context, hash: B256) -> Reply<rpc::TransactionReceipt> {
    let found = context.node.storage.transaction(hash)?;
    let receipt = found.and_then(|(block, index)| convert::receipt(&block, index));
    receipt.ok_or_else(|| invalid(format!("transaction {hash} waits for a block; poll for its receipt")))
}
