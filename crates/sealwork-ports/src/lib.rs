//! Every effect that a service needs, as a small trait.
//!
//! Services (worker, CAS, client) are written against these ports and never name an adapter; only the binary wires
//! adapters to ports. In-memory implementations live in [`memory`], and [`conformance`] holds one suite per port that
//! every implementation must pass.

mod chain;
mod clock;
pub mod conformance;
mod enclave_host;
mod error;
mod key_service;
pub mod memory;
mod order_book;
mod progress;
mod quote;
mod requests;
mod store;

pub use chain::{
    Chain, Deployment, EventCursor, EventPage, MarketEvent, PostedAppOrder, PostedPoolOrder, REORG_DEPTH,
    SettledBatch, TxInfo, TxOutcome,
};
pub use clock::{Clock, SystemClock};
pub use enclave_host::{EnclaveHost, EnclaveInfo, RunningTask, TaskInput, TaskOutcome, TaskUpdate};
pub use error::{ErrorKind, PortError};
pub use key_service::KeyService;
pub use order_book::{OrderBook, PostedOrder};
pub use progress::ProgressSource;
pub use quote::QuoteProvider;
pub use requests::RequestTaker;
pub use store::{ByteStream, Store, StoreStat};
