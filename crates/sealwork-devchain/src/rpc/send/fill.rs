//! Completing what a client left out of a transaction.

use super::super::{Context, Reply, error::invalid, estimate::estimate, fees::PRIORITY_FEE};
use crate::{block::nobodys_signature, chain::Chain, evm::block_env, pool::PooledTransaction};
use alloy_consensus::{SignableTransaction, Signed, TxEip1559, TxEip2930, TxEip7702, TxEnvelope, TxLegacy};
use alloy_primitives::{Address, Signature, TxKind};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use jsonrpsee::types::ErrorObjectOwned;

/// Completes a request and signs it, if its sender is a development account.
pub(crate) fn fill(
    context: &Context,
    chain: &Chain,
    request: &TransactionRequest,
) -> Reply<PooledTransaction> {
    let from = request.from.ok_or_else(|| invalid("from is missing"))?;
    let seal = match context.node.signers.get(&from) {
        Some(signer) => Seal::Key(signer),
        None if chain.settings().impersonates(from) => Seal::Impersonated(from),
        None => return Err(invalid(format!("No Signer available: no key of {from} is kept here"))),
    };
    let nonce = request.nonce.unwrap_or_else(|| chain.next_nonce(from));
    let gas_limit = match request.gas {
        Some(gas) => gas,
        None => {
            let head = chain.head();
            let mut header = head.next.clone();
            header.timestamp = chain.next_timestamp(context.node.now());
            estimate(&head.view, context.node.chain_id, &block_env(&header), request)?
        }
    };
    let base_fee = chain.head().next.base_fee_per_gas.unwrap_or_default();
    let envelope =
        Fields { request, chain_id: context.node.chain_id, nonce, gas_limit, base_fee }.envelope(&seal)?;
    Ok(PooledTransaction { envelope, sender: from, impersonated: matches!(seal, Seal::Impersonated(_)) })
}

/// Where the signature comes from.
enum Seal<'a> {
    Key(&'a PrivateKeySigner),
    Impersonated(Address),
}

impl Seal<'_> {
    fn sign<T>(&self, tx: T) -> Reply<TxEnvelope>
    where
        T: SignableTransaction<Signature>,
        TxEnvelope: From<Signed<T>>,
    {
        let signature = match self {
            Self::Key(signer) => signer
                .sign_hash_sync(&tx.signature_hash())
                .map_err(|error| invalid(format!("the account cannot sign: {error}")))?,
            Self::Impersonated(from) => nobodys_signature(*from),
        };
        Ok(tx.into_signed(signature).into())
    }
}

/// A request and what it left out.
struct Fields<'a> {
    request: &'a TransactionRequest,
    chain_id: u64,
    nonce: u64,
    gas_limit: u64,
    base_fee: u64,
}

impl Fields<'_> {
    fn envelope(&self, seal: &Seal<'_>) -> Reply<TxEnvelope> {
        let (request, chain_id, nonce, gas_limit) = (self.request, self.chain_id, self.nonce, self.gas_limit);
        let to = request.to.unwrap_or(TxKind::Create);
        let value = request.value.unwrap_or_default();
        let input = request.input.clone().into_input().unwrap_or_default();
        let access_list = request.access_list.clone();
        if request.authorization_list.is_some() {
            return seal.sign(self.delegation()?);
        }
        match (request.gas_price, access_list) {
            (Some(gas_price), None) => seal.sign(TxLegacy {
                chain_id: Some(chain_id),
                nonce,
                gas_price,
                gas_limit,
                to,
                value,
                input,
            }),
            (Some(gas_price), Some(access_list)) => {
                seal.sign(TxEip2930 { chain_id, nonce, gas_price, gas_limit, to, value, access_list, input })
            }
            (None, access_list) => {
                let (max_fee_per_gas, max_priority_fee_per_gas) = self.fees();
                let access_list = access_list.unwrap_or_default();
                seal.sign(TxEip1559 {
                    chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas,
                    max_priority_fee_per_gas,
                    to,
                    value,
                    access_list,
                    input,
                })
            }
        }
    }

    fn delegation(&self) -> Result<TxEip7702, ErrorObjectOwned> {
        let (max_fee_per_gas, max_priority_fee_per_gas) = self.fees();
        let Some(TxKind::Call(to)) = self.request.to else {
            return Err(invalid(
                "a transaction with an authorization list cannot create a contract; name its target",
            ));
        };
        Ok(TxEip7702 {
            chain_id: self.chain_id,
            nonce: self.nonce,
            gas_limit: self.gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            value: self.request.value.unwrap_or_default(),
            access_list: self.request.access_list.clone().unwrap_or_default(),
            authorization_list: self.request.authorization_list.clone().unwrap_or_default(),
            input: self.request.input.clone().into_input().unwrap_or_default(),
        })
    }

    /// Maximum fee and tip, in wei per gas.
    fn fees(&self) -> (u128, u128) {
        let tip = self.request.max_priority_fee_per_gas.unwrap_or(PRIORITY_FEE);
        let likely = u128::from(self.base_fee).saturating_mul(2).saturating_add(tip);
        let fee = self.request.max_fee_per_gas.unwrap_or(likely);
        (fee, tip.min(fee))
    }
}
