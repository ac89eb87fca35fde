//! What benchmark programs share: the development wallet's client of a local network, and how samples are printed.
#![expect(clippy::print_stdout, reason = "a tool for developers")]

use alloy_signer_local::PrivateKeySigner;
use anyhow::{Context, Result};
use sealwork_cas::HttpKeyService;
use sealwork_chain::EvmChain;
use sealwork_client::{Client, Parts, Salts, SignedVouchers};
use sealwork_devchain::DEV_PRIVATE_KEYS;
use sealwork_ports::{KeyService, SystemClock};
use sealwork_seal::{Secret, sign::SigningKey};
use sealwork_store::{KuboOptions, KuboStore};
use sealwork_types::{U256, network::NetworkDocument};
use sealwork_worker::HttpWorker;
use std::sync::Arc;

/// The wallet `dev` of a local network.
const DEV: usize = 1;
/// Deposit before all runs, ten times, smallest token units.
const ACCOUNT: u64 = 10_000_000_000_000_000_000;

/// The development wallet's client, with money in its account.
pub(crate) async fn client(network: &[u8]) -> Result<Client> {
    let network = NetworkDocument::parse(network)?;
    let signer = PrivateKeySigner::from_bytes(&DEV_PRIVATE_KEYS[DEV])?;
    let secret = Secret::from_slice(DEV_PRIVATE_KEYS[DEV].as_slice()).context("a key has 32 bytes")?;
    let member = |url: &str| -> Result<Arc<dyn KeyService>> { Ok(Arc::new(HttpKeyService::new(url)?)) };
    let chain = Arc::new(EvmChain::connect(&network, signer).await?);
    let parts = Parts {
        book: Arc::<EvmChain>::clone(&chain),
        chain,
        store: Arc::new(KuboStore::new(&network.store, KuboOptions::default())?),
        cas: network.cas.iter().map(|cas| member(&cas.url)).collect::<Result<_>>()?,
        progress: Arc::new(HttpWorker::default()),
        requests: Arc::new(HttpWorker::default()),
        clock: Arc::new(SystemClock),
        salts: Salts::in_memory(),
        vouchers: SignedVouchers::in_memory(),
    };
    let client = Client::new(network, SigningKey::from_bytes(secret)?, parts);
    for _ in 0..10 {
        client.deposit(U256::from(ACCOUNT)).await?;
    }
    Ok(client)
}

/// Prints samples as `cargo xtask bench` reads them.
pub(crate) fn report(name: &str, unit: &str, samples: impl IntoIterator<Item = f64>) {
    let samples: Vec<f64> = samples.into_iter().collect();
    println!(r#"{{"name":"{name}","unit":"{unit}","samples":{samples:?}}}"#);
}
