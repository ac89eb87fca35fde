//! Wiring: from a network document and a wallet to a client with real adapters.

use crate::wallet::Wallet;
use anyhow::Result;
use sealwork_cas::HttpKeyService;
use sealwork_chain::EvmChain;
use sealwork_client::{Client, Parts, Salts, SignedVouchers};
use sealwork_ports::{Clock, KeyService, OrderBook, Store, SystemClock};
use sealwork_store::{KuboOptions, KuboStore};
use sealwork_types::network::NetworkDocument;
use sealwork_worker::HttpWorker;
use std::sync::Arc;

/// A client of a network, with a wallet's key and what was counted for it.
pub(crate) async fn client(
    network: NetworkDocument,
    wallet: Wallet,
    (salts, vouchers): (Salts, SignedVouchers),
) -> Result<Client> {
    let chain = Arc::new(EvmChain::connect(&network, wallet.signer).await?);
    let parts = Parts {
        book: Arc::clone(&chain) as Arc<dyn OrderBook>,
        chain,
        store: store(&network.store)?,
        cas: members(&network)?,
        progress: Arc::new(HttpWorker::default()),
        requests: Arc::new(HttpWorker::default()),
        clock: clock(),
        salts,
        vouchers,
    };
    Ok(Client::new(network, wallet.key, parts))
}

/// Storage at a Kubo RPC URL.
pub(crate) fn store(url: &str) -> Result<Arc<dyn Store>> {
    Ok(Arc::new(KuboStore::new(url, KuboOptions::default())?))
}

/// The CAS members of a network.
pub(crate) fn members(network: &NetworkDocument) -> Result<Vec<Arc<dyn KeyService>>> {
    network
        .cas
        .iter()
        .map(|member| Ok(Arc::new(HttpKeyService::new(&member.url)?) as Arc<dyn KeyService>))
        .collect()
}

/// The machine's clock.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}
