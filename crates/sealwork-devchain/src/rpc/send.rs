//! Transactions: signed elsewhere, or by a development account.

use super::{Context, Methods, Reply, error::invalid, estimate::estimate, fees::PRIORITY_FEE};
use crate::{chain::Chain, error::Rejection, evm::block_env, node::unix_now};
use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{B256, Bytes, Signature, TxKind};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("eth_sendRawTransaction", send_raw)?;
    methods.add("eth_sendTransaction", send)
}

fn send_raw(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<B256> {
    let raw: Bytes = params.next()?;
    if let Some(kind @ (3 | 4)) = raw.first().copied() {
        return Err(crate::error::ChainError::from(Rejection::UnsupportedType(kind)).into());
    }
    let envelope = TxEnvelope::decode_2718_exact(&raw)
        .map_err(|error| invalid(format!("not a signed transaction: {error}")))?;
    Ok(context.node.update(|chain| chain.submit(envelope, unix_now()))?)
}

fn send(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<B256> {
    let request: TransactionRequest = params.next()?;
    let from = request.from.ok_or_else(|| invalid("from is missing"))?;
    let signer = context.node.signers.get(&from);
    let signer =
        signer.ok_or_else(|| invalid(format!("no key of {from}; sign it yourself and send it raw")))?;
    // Nonce and submission must not be separated by somebody else's transaction.
    let mut failed = None;
    let sent = context.node.update(|chain| match fill(context, chain, &request, signer) {
        Ok(envelope) => chain.submit(envelope, unix_now()).map(|(hash, blocks)| (Some(hash), blocks)),
        Err(error) => {
            failed = Some(error);
            Ok((None, Vec::new()))
        }
    })?;
    sent.ok_or_else(|| failed.unwrap_or_else(|| invalid("the transaction could not be completed")))
}

/// Completes and signs a request.
pub(super) fn fill(
    context: &Context,
    chain: &Chain,
    request: &TransactionRequest,
    signer: &PrivateKeySigner,
) -> Reply<TxEnvelope> {
    let (head, chain_id) = (chain.head(), context.node.chain_id);
    let on_chain = head.view.state.nonce(signer.address());
    let nonce = request.nonce.unwrap_or_else(|| chain.pool().next_nonce(signer.address(), on_chain));
    let mut header = head.next.clone();
    header.timestamp = chain.next_timestamp(unix_now());
    let gas_limit = match request.gas {
        Some(gas) => gas,
        None => estimate(&head.view, chain_id, &block_env(&header), request)?,
    };
    let to = request.to.unwrap_or(TxKind::Create);
    let value = request.value.unwrap_or_default();
    let input = request.input.clone().into_input().unwrap_or_default();
    let access_list = request.access_list.clone();
    let base_fee = u128::from(header.base_fee_per_gas.unwrap_or_default());
    match (request.gas_price, access_list) {
        (Some(gas_price), None) => {
            sign(TxLegacy { chain_id: Some(chain_id), nonce, gas_price, gas_limit, to, value, input }, signer)
        }
        (Some(gas_price), Some(access_list)) => {
            sign(TxEip2930 { chain_id, nonce, gas_price, gas_limit, to, value, access_list, input }, signer)
        }
        (None, access_list) => {
            let max_priority_fee_per_gas = request.max_priority_fee_per_gas.unwrap_or(PRIORITY_FEE);
            let likely = base_fee.saturating_mul(2).saturating_add(max_priority_fee_per_gas);
            let max_fee_per_gas = request.max_fee_per_gas.unwrap_or(likely);
            let tx = TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas: max_priority_fee_per_gas.min(max_fee_per_gas),
                to,
                value,
                access_list: access_list.unwrap_or_default(),
                input,
            };
            sign(tx, signer)
        }
    }
}

fn sign<T>(tx: T, signer: &PrivateKeySigner) -> Reply<TxEnvelope>
where
    T: SignableTransaction<Signature>,
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    let signature = signer.sign_hash_sync(&tx.signature_hash());
    let signature = signature.map_err(|error| invalid(format!("the account cannot sign: {error}")))?;
    Ok(tx.into_signed(signature).into())
}
