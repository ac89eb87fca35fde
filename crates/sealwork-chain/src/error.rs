//! What can go wrong between us and a chain.

use alloy_primitives::{B256, Bytes};
use alloy_sol_types::SolError;
use alloy_transport::TransportError;
use sealwork_ports::{ErrorKind, PortError};

/// Why a call or a transaction failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The endpoint's address is not usable.
    #[error("{url:?} is not an http(s) URL of a JSON-RPC endpoint")]
    Url {
        /// What was given.
        url: String,
    },
    /// The endpoint cannot be reached or answered with something that is not JSON-RPC.
    #[error("the chain endpoint failed at {method}; is it running and reachable?")]
    Endpoint {
        /// JSON-RPC method.
        method: &'static str,
        /// What happened.
        #[source]
        source: TransportError,
    },
    /// A contract said no.
    #[error("the contract refused: {reason}")]
    Reverted {
        /// Decoded error with its values.
        reason: String,
        /// Revert data; empty when there is none.
        data: Bytes,
    },
    /// A transaction was not mined in time. It may still be.
    #[error("transaction {hash} was not mined within {waited_s} s")]
    NotMined {
        /// Transaction.
        hash: B256,
        /// How long we waited.
        waited_s: u64,
    },
    /// An answer does not decode as what the interface promises.
    #[error("the chain's answer to {call} is malformed; is the network document of this chain?")]
    Answer {
        /// Call.
        call: &'static str,
    },
    /// The sender's key or transaction is unusable.
    #[error("cannot sign the transaction")]
    Sign(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The endpoint serves another chain.
    #[error("the endpoint serves chain {found}, the network document says {expected}")]
    OtherChain {
        /// In the network document.
        expected: u64,
        /// From the endpoint.
        found: u64,
    },
}

impl ChainError {
    /// Whether a contract refused with this error.
    pub fn is_revert<E: SolError>(&self) -> bool {
        matches!(self, Self::Reverted { data, .. } if data.starts_with(&E::SELECTOR))
    }
}

impl From<ChainError> for PortError {
    fn from(error: ChainError) -> Self {
        let kind = match &error {
            ChainError::Endpoint { .. } | ChainError::NotMined { .. } => ErrorKind::Unavailable,
            ChainError::Reverted { .. } => ErrorKind::Rejected,
            ChainError::Answer { .. } | ChainError::OtherChain { .. } => ErrorKind::Corrupt,
            ChainError::Url { .. } | ChainError::Sign(_) => ErrorKind::Local,
        };
        let action = error.to_string();
        match std::error::Error::source(&error) {
            Some(source) => Self::because(kind, format!("{action} ({source})"), error),
            None => Self::new(kind, action),
        }
    }
}
