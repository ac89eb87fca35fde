//! Signatures by the development accounts.

use super::{Context, Methods, Reply, error::invalid, send::fill};
use alloy_dyn_abi::TypedData;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, Bytes};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add("eth_sign", |context, params| {
        let (address, message) = (params.next()?, params.next()?);
        sign_message(context, address, &message)
    })?;
    // The same with its parameters the other way round.
    methods.add("personal_sign", |context, params| {
        let (message, address) = (params.next()?, params.next()?);
        sign_message(context, address, &message)
    })?;
    methods.add("eth_signTypedData_v4", sign_typed_data)?;
    methods.add("eth_signTransaction", sign_transaction)
}

/// The key of a development account.
pub(super) fn signer(context: &Context, address: Address) -> Reply<&PrivateKeySigner> {
    let signer = context.node.signers.get(&address);
    signer.ok_or_else(|| invalid(format!("No Signer available: no key of {address} is kept here")))
}

/// EIP-191.
fn sign_message(context: &Context, address: Address, message: &Bytes) -> Reply<Bytes> {
    let signature = signer(context, address)?.sign_message_sync(message).map_err(cannot_sign)?;
    Ok(signature.as_bytes().into())
}

/// EIP-712; the data may come as an object or as its JSON text.
fn sign_typed_data(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<Bytes> {
    let (address, data): (Address, TypedData) = (params.next()?, params.next()?);
    let hash = data.eip712_signing_hash();
    let hash = hash.map_err(|error| invalid(format!("the typed data does not hash: {error}")))?;
    let signature = signer(context, address)?.sign_hash_sync(&hash).map_err(cannot_sign)?;
    Ok(signature.as_bytes().into())
}

/// Completes and signs a transaction without sending it.
fn sign_transaction(context: &Context, params: &mut ParamsSequence<'_>) -> Reply<Bytes> {
    let request: TransactionRequest = params.next()?;
    let from = request.from.ok_or_else(|| invalid("from is missing"))?;
    signer(context, from)?;
    let filled = fill(context, &context.node.chain(), &request)?;
    Ok(filled.envelope.encoded_2718().into())
}

#[expect(clippy::needless_pass_by_value, reason = "serves map_err")]
fn cannot_sign(error: alloy_signer::Error) -> jsonrpsee::types::ErrorObjectOwned {
    invalid(format!("the account cannot sign: {error}"))
}
