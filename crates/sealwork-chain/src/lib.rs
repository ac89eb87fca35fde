//! Talks to one Sealwork deployment on any EVM chain through standard JSON-RPC.
//!
//! [`EvmChain`] implements [`sealwork_ports::Chain`]: registry look-ups, market events in order, and transactions that
//! are sent by one account and waited for. Contract errors come back decoded by name with their values.
//!
//! It is made to run for a year without anybody looking. Several endpoints are as good as one: the next one answers when
//! one fails, and one that is of another chain or past is not believed any more (`pool`). Events follow one
//! consistent chain, and what is replaced is taken back (`events`); what was read is kept, continued in ranges that
//! endpoints answer, and put right after reorganizations (`pages`). Transactions are followed until they are mined, paid
//! more for when they are not, and sent again when nodes forget them (`sender`).
//! [`deploy()`] creates the contracts of a new deployment with plain transactions from committed artifacts; no node or
//! compiler is needed.
//!
//! What it does not do: it believes its endpoint, or what several of them agree on. Services that must not (the CAS) use
//! endpoints of their own. A reorganization deeper than 64 blocks is not followed.

mod book;
mod deploy;
mod endpoint;
mod error;
mod events;
mod evm;
mod executed;
mod header;
mod logs;
mod member;
mod orders;
mod pages;
mod pool;
mod registrations;
mod revert;
mod sender;
mod trail;
mod transport;
mod urls;
mod verify;
mod ws;

pub use deploy::{DeployOptions, deploy};
pub use endpoint::Endpoint;
pub use error::ChainError;
pub use evm::EvmChain;
pub use sender::SendPolicy;
pub use transport::TextTransport;
pub use verify::{Mismatch, verify_deployment};
