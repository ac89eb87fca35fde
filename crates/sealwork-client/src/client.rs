//! [`Client`]: one network, one wallet key.

use crate::{ClientError, Salts, SignedVouchers};
use alloy_sol_types::SolCall;
use sealwork_ports::{
    Chain, Clock, ErrorKind, KeyService, OrderBook, PortError, ProgressSource, RequestTaker, Store,
};
use sealwork_seal::{age::Identity, kdf, sign::SigningKey};
use sealwork_types::{Address, abi::Account, domains, network::NetworkDocument};
use std::sync::Arc;

/// The adapters that a client works through.
pub struct Parts {
    /// The chain, with the wallet's account as sender.
    pub chain: Arc<dyn Chain>,
    /// The posted orders, and what gas costs.
    pub book: Arc<dyn OrderBook>,
    /// Storage.
    pub store: Arc<dyn Store>,
    /// CAS members in the order of the network document.
    pub cas: Vec<Arc<dyn KeyService>>,
    /// How pools are asked about their tasks.
    pub progress: Arc<dyn ProgressSource>,
    /// How requests are handed to pools.
    pub requests: Arc<dyn RequestTaker>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Salts of the wallet's requests.
    pub salts: Salts,
    /// What the wallet has signed for in each channel.
    pub vouchers: SignedVouchers,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("sender", &self.chain.sender()).finish_non_exhaustive()
    }
}

/// A requester's or developer's view of one network.
#[derive(Debug)]
pub struct Client {
    pub(crate) parts: Parts,
    pub(crate) network: NetworkDocument,
    pub(crate) key: SigningKey,
}

impl Client {
    /// Joins a network with a wallet key.
    pub const fn new(network: NetworkDocument, key: SigningKey, parts: Parts) -> Self {
        Self { parts, network, key }
    }

    /// The wallet's address.
    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// The network joined.
    pub const fn network(&self) -> &NetworkDocument {
        &self.network
    }

    /// The chain adapter.
    pub fn chain(&self) -> &dyn Chain {
        &*self.parts.chain
    }

    /// The identity that outputs for this wallet are sealed to.
    pub fn output_identity(&self) -> Identity {
        output_identity(&self.key)
    }

    /// The wallet's account in the Market.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn account(&self) -> Result<Account, ClientError> {
        Ok(self.parts.chain.account(self.address()).await?)
    }

    /// The later of this machine's and the chain's time, in seconds since 1970. The chain's can be ahead on a
    /// development network, and behind when no block was made for a while.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn now(&self) -> Result<u64, ClientError> {
        Ok(self.parts.chain.head().await?.1.max(self.parts.clock.unix_s()))
    }

    /// Asks a view function and decodes its answer.
    pub(crate) async fn view<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return, ClientError> {
        let answer = self.parts.chain.call(to, call.abi_encode()).await?;
        C::abi_decode_returns(&answer).map_err(|_| {
            let text = format!(
                "the answer to {} does not decode; is the network document of this chain?",
                C::SIGNATURE
            );
            PortError::new(ErrorKind::Corrupt, text).into()
        })
    }
}

/// The identity that outputs for a wallet are sealed to, derived from its signing key.
pub fn output_identity(key: &SigningKey) -> Identity {
    Identity::from_seed(
        key.secret_bytes().expose(|secret| kdf::derive(domains::WALLET_OUTPUT_IDENTITY, secret, &[])),
    )
}
