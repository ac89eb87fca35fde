//! The Rust SDK: verify the network, seal an input, submit a task, watch it, check its receipt, open its output.
//!
//! ```text
//! Client::connect ─► app(id) ─► run(request, progress) ─► Outcome { receipt, output }
//!                      │             seal → upload → match → wait → verify → open
//!                      └ manifest and policy checked against the registry
//! ```
//!
//! What the client trusts: its own machine, the network document it was given (CAS member addresses, contract
//! addresses), and its chain endpoint for the registry and for events. It does not trust storage, workers or pools: every
//! byte from them is checked against a hash or a signature before it is used.

mod app;
mod cas_trust;
mod client;
mod error;
mod offers;
mod open;
mod publish;
mod run;
mod sealing;
mod streams;
mod task;

pub use app::AppView;
pub use cas_trust::{MemberReport, check_recipient};
pub use client::{Client, Parts, output_identity};
pub use error::ClientError;
pub use open::{OpenedOutput, open_output};
pub use publish::{PublishRequest, Published};
pub use run::{Outcome, Progress, RunRequest};
pub use sealing::{InputFile, RunInput, Source};
pub use task::{SettledTask, TaskRecord, TaskState};
