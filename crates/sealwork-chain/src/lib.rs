//! Talks to one Sealwork deployment on any EVM chain through standard JSON-RPC.
//!
//! [`EvmChain`] implements [`sealwork_ports::Chain`]: registry look-ups, market events in order, and transactions that
//! are sent by one account, one at a time, and waited for. Contract errors come back decoded by name with their values.
//! [`deploy()`] creates the contracts of a new deployment with plain transactions from committed artifacts; no node or
//! compiler is needed.
//!
//! What it does not do: it believes its endpoint. Services that must not (the CAS) use an endpoint of their own.

mod book;
mod deploy;
mod endpoint;
mod error;
mod evm;
mod executed;
mod logs;
mod orders;
mod registrations;
mod revert;
mod transport;
mod verify;

pub use deploy::{DeployOptions, deploy};
pub use endpoint::Endpoint;
pub use error::ChainError;
pub use evm::EvmChain;
pub use transport::TextTransport;
pub use verify::{Mismatch, verify_deployment};
