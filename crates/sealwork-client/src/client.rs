//! [`Client`]: one network, one wallet key.

use crate::ClientError;
use alloy_sol_types::SolCall;
use sealwork_ports::{Chain, Clock, KeyService, PortError, ProgressSource, Store, TxOutcome};
use sealwork_seal::{age::Identity, kdf, sign::SigningKey};
use sealwork_types::{
    Address, U256,
    abi::{Account, IEscrow, IToken},
    domains,
    network::NetworkDocument,
};
use std::sync::Arc;

/// The adapters that a client works through.
pub struct Parts {
    /// The chain, with the wallet's account as sender.
    pub chain: Arc<dyn Chain>,
    /// Storage.
    pub store: Arc<dyn Store>,
    /// CAS members in the order of the network document.
    pub cas: Vec<Arc<dyn KeyService>>,
    /// How pools are asked about their tasks.
    pub progress: Arc<dyn ProgressSource>,
    /// Time.
    pub clock: Arc<dyn Clock>,
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

    /// Escrow account of the wallet.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn account(&self) -> Result<Account, ClientError> {
        Ok(self.parts.chain.account(self.address()).await?)
    }

    /// Token balance of the wallet outside escrow.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn token_balance(&self) -> Result<U256, ClientError> {
        let call = IToken::balanceOfCall { owner: self.address() };
        let answer = self.parts.chain.call(self.network.contracts.token, call.abi_encode()).await?;
        IToken::balanceOfCall::abi_decode_returns(&answer).map_err(|_| {
            PortError::new(sealwork_ports::ErrorKind::Corrupt, "the token's balance does not decode").into()
        })
    }

    /// Moves tokens into escrow.
    ///
    /// # Errors
    /// When the wallet has too little or the chain cannot be reached.
    pub async fn deposit(&self, amount: U256) -> Result<TxOutcome, ClientError> {
        let contracts = &self.network.contracts;
        let approve = IToken::approveCall { spender: contracts.escrow, amount };
        self.parts.chain.send(contracts.token, approve.abi_encode()).await?;
        Ok(self.parts.chain.send(contracts.escrow, IEscrow::depositCall { amount }.abi_encode()).await?)
    }

    /// Announces a withdrawal; [`Client::withdraw`] takes it after the delay.
    ///
    /// # Errors
    /// When less than `amount` is available.
    pub async fn request_withdrawal(&self, amount: U256) -> Result<TxOutcome, ClientError> {
        let call = IEscrow::requestWithdrawalCall { amount };
        Ok(self.parts.chain.send(self.network.contracts.escrow, call.abi_encode()).await?)
    }

    /// Takes an announced withdrawal whose delay has passed.
    ///
    /// # Errors
    /// When nothing is due yet.
    pub async fn withdraw(&self) -> Result<TxOutcome, ClientError> {
        let call = IEscrow::withdrawCall {};
        Ok(self.parts.chain.send(self.network.contracts.escrow, call.abi_encode()).await?)
    }
}

/// The identity that outputs for a wallet are sealed to, derived from its signing key.
pub fn output_identity(key: &SigningKey) -> Identity {
    Identity::from_seed(
        key.secret_bytes().expose(|secret| kdf::derive(domains::WALLET_OUTPUT_IDENTITY, secret, &[])),
    )
}
