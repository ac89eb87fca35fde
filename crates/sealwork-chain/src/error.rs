//! What can go wrong between us and a chain.

use crate::member::is_unreachable;
use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::SolError;
use alloy_transport::TransportError;
use sealwork_ports::{ErrorKind, PortError};

/// How endpoints say that a query of logs covers too much, in lower case.
const RANGE_WORDS: [&str; 12] = [
    "query returned more than",
    "block range",
    "limit exceeded",
    "range is too large",
    "range too large",
    "range too wide",
    "too many blocks",
    "too many results",
    "too many logs",
    "response size",
    "exceeds limit",
    "query timeout",
];

/// Why a call or a transaction failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The endpoint's address is not usable.
    #[error(
        "{url:?} is not an http, https, ws or wss URL of a JSON-RPC endpoint; ws takes no user and password"
    )]
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
    /// Something else than what we sent was mined with its nonce.
    #[error(
        "another transaction took nonce {nonce} of {account}; does another program send from this account?"
    )]
    NonceTaken {
        /// Sender.
        account: Address,
        /// Nonce.
        nonce: u64,
    },
    /// Something else waits with the next nonce and cannot be replaced.
    #[error(
        "another transaction of {account} waits with nonce {nonce}; does another program send from this account?"
    )]
    NonceContested {
        /// Sender.
        account: Address,
        /// Nonce.
        nonce: u64,
    },
    /// The sender cannot pay for the transaction.
    #[error("insufficient funds of {account}: {words}")]
    InsufficientFunds {
        /// Sender.
        account: Address,
        /// What the endpoint said.
        words: String,
    },
    /// The chain became more expensive faster than we could follow.
    #[error("the transaction offers too little for gas: {words}")]
    FeeTooLow {
        /// What the endpoint said.
        words: String,
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
    /// There is no endpoint left to ask.
    #[error("no chain endpoint can be asked: {reasons}")]
    NoEndpoint {
        /// Why each is not.
        reasons: String,
    },
    /// What an endpoint says about blocks does not fit together, also when asked again.
    #[error(
        "the chain endpoint contradicts itself about blocks {from} to {to}: {what}; try again, or use another one"
    )]
    Unsteady {
        /// First block.
        from: u64,
        /// Last block.
        to: u64,
        /// What does not fit.
        what: &'static str,
    },
    /// Two endpoints say different things, and it is not known who is right.
    #[error(
        "the chain endpoints {first} and {second} show different events in blocks {from} to {to}; try again"
    )]
    Disagreement {
        /// First block.
        from: u64,
        /// Last block.
        to: u64,
        /// One endpoint.
        first: String,
        /// The other.
        second: String,
    },
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
    /// Whether the endpoint refused a query of logs because of its range or of what it would answer.
    pub(crate) fn refuses_range(&self) -> bool {
        let Self::Endpoint { source, .. } = self else { return false };
        let Some(words) = source.as_error_resp().map(|error| error.message.to_lowercase()) else {
            return false;
        };
        RANGE_WORDS.iter().any(|part| words.contains(part))
    }

    /// Whether the endpoint was of no use, and another one may be.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Endpoint { source, .. } if is_unreachable(source))
    }

    /// Whether a contract refused with this error.
    pub fn is_revert<E: SolError>(&self) -> bool {
        matches!(self, Self::Reverted { data, .. } if data.starts_with(&E::SELECTOR))
    }
}

impl From<ChainError> for PortError {
    fn from(error: ChainError) -> Self {
        let kind = match &error {
            ChainError::Endpoint { .. }
            | ChainError::NotMined { .. }
            | ChainError::NonceTaken { .. }
            | ChainError::NonceContested { .. }
            | ChainError::FeeTooLow { .. }
            | ChainError::NoEndpoint { .. }
            | ChainError::Unsteady { .. }
            | ChainError::Disagreement { .. } => ErrorKind::Unavailable,
            ChainError::Reverted { .. } | ChainError::InsufficientFunds { .. } => ErrorKind::Rejected,
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

/// Puts the method to what went wrong with it.
pub(crate) fn at(method: &'static str) -> impl Fn(TransportError) -> ChainError {
    move |source| ChainError::Endpoint { method, source }
}
