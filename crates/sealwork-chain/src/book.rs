//! The whole Book, as its events tell it.

use crate::{ChainError, EvmChain, logs::Place, pages::Kept};
use alloy_primitives::{Address, B256, Bytes};
use alloy_rpc_types_eth::{Filter, Log};
use alloy_sol_types::SolEvent;
use async_trait::async_trait;
use sealwork_ports::{Chain, OrderBook, PortError, PostedOrder};
use sealwork_types::{
    abi::IBook::{AppOrderPosted, DatasetOrderPosted, OrderWithdrawn, PoolOrderPosted, RequestPosted},
    order::SigningDomain,
    signed_order::{Order, SignedOrder},
};
use std::collections::HashMap;
use tokio::sync::MutexGuard;

#[async_trait]
impl OrderBook for EvmChain {
    async fn posted(&self) -> Result<Vec<PostedOrder>, PortError> {
        let kept = shelves(self).await?;
        Ok(entries(self.deployment().domain, kept.found()))
    }

    async fn gas_price(&self) -> Result<u128, PortError> {
        Ok(self.endpoint().gas_price().await?)
    }
}

/// Everything that the Book told of, up to the head.
pub(crate) async fn shelves(chain: &EvmChain) -> Result<MutexGuard<'_, Kept<Log>>, ChainError> {
    let mut kept = chain.book().lock().await;
    let filter = Filter::new().address(chain.contracts().book);
    kept.read(chain, &filter, |log| Some(log.clone())).await?;
    Ok(kept)
}

/// Orders in the order of their first posting. One that its signer took off and posted again stands in its old place.
fn entries(domain: SigningDomain, logs: &[(Place, Log)]) -> Vec<PostedOrder> {
    let mut entries: Vec<PostedOrder> = Vec::new();
    let mut places: HashMap<(Address, B256), usize> = HashMap::new();
    for (_, log) in logs {
        if let Ok(event) = OrderWithdrawn::decode_log(&log.inner) {
            let OrderWithdrawn { signer, orderHash } = event.data;
            let place = places.get(&(signer, orderHash));
            if let Some(entry) = place.and_then(|place| entries.get_mut(*place)) {
                entry.withdrawn = true;
            }
            continue;
        }
        let Some((signer, hash, order, signature)) = posted(log) else { continue };
        if let Some(entry) = places.get(&(signer, hash)).and_then(|place| entries.get_mut(*place)) {
            entry.withdrawn = false;
            entry.signed.signature = signature;
            continue;
        }
        places.insert((signer, hash), entries.len());
        entries.push(PostedOrder {
            signed: SignedOrder { domain, order, signature },
            signer,
            withdrawn: false,
            transaction: log.transaction_hash.unwrap_or_default(),
            block: log.block_number.unwrap_or_default(),
        });
    }
    entries
}

/// What an event posts; `None` for anything that is not a well-formed posting.
fn posted(log: &Log) -> Option<(Address, B256, Order, Bytes)> {
    if let Ok(event) = AppOrderPosted::decode_log(&log.inner) {
        let AppOrderPosted { signer, orderHash, order, signature, .. } = event.data;
        return Some((signer, orderHash, Order::App(Box::new(order)), signature));
    }
    if let Ok(event) = PoolOrderPosted::decode_log(&log.inner) {
        let PoolOrderPosted { signer, orderHash, order, signature, .. } = event.data;
        return Some((signer, orderHash, Order::Pool(Box::new(order)), signature));
    }
    if let Ok(event) = RequestPosted::decode_log(&log.inner) {
        let RequestPosted { signer, orderHash, order, signature, .. } = event.data;
        return Some((signer, orderHash, Order::Request(Box::new(order)), signature));
    }
    let DatasetOrderPosted { signer, orderHash, order, signature, .. } =
        DatasetOrderPosted::decode_log(&log.inner).ok()?.data;
    Some((signer, orderHash, Order::Dataset(Box::new(order)), signature))
}
