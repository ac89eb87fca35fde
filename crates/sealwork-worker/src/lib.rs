//! The worker agent: takes the deals of its pool, runs them in enclaves, settles their receipts.
//!
//! A worker never sees plaintext: it moves sealed bytes between storage and an enclave process and public documents
//! between chain and enclave. What it accepted is in a durable job log ([`Journal`]) before it acts, so a crash at any
//! point loses no task and settles none twice (the contract closes a task once).
//!
//! ```text
//! chain events ──► job log ──► slot: fetch → enclave → sealed output → storage ──► job log ──► settler: one transaction
//! ```
//!
//! A request for one task may also come over HTTP instead of the chain ([`serve_status`]): the worker runs it and puts the
//! request, the offers and the receipt on chain in one transaction. In a prepaid channel a voucher comes with each task, and
//! the requester fetches the receipt; nothing goes on chain until a voucher is redeemed.
//!
//! Services are reached through ports; [`EnclaveProcess`] is the one adapter that lives here, because launching and
//! feeding an enclave is what a worker is.

mod agreement;
mod channel_http;
mod channels;
mod delays;
mod enclave_process;
mod engine;
mod error;
mod execute;
mod finish;
mod follow;
mod journal;
mod metrics;
mod offers;
mod progress;
mod requests;
mod settle;
mod slots;
mod starts;
mod status;
mod status_http;

pub use agreement::{Agreement, DirectRequest, PaidRequest};
pub use enclave_process::{
    ChildLauncher, CompiledFolder, Dialer, EnclaveImage, EnclaveLife, EnclaveProcess, EnclaveSettings,
    EnclaveTimeouts, LaunchedEnclave, Launcher, MemberStream, QuoteProviderFactory, TcpDialer,
};
pub use engine::{Ports, Worker, WorkerConfig};
pub use error::{JournalError, WorkerError};
pub use journal::{
    Change, ChannelChange, ChannelRecord, Closing, Counts, Job, JobKey, Journal, News, Place, Stage,
};
pub use progress::ProgressBoard;
pub use requests::RequestError;
pub use status::WorkerStatus;
pub use status_http::{HttpWorker, serve_status, serve_status_with};
