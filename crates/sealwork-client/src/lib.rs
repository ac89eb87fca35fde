//! The Rust SDK: verify the network, seal an input, submit a task, watch it, check its receipt, open its output.
//!
//! ```text
//! Client::connect ─► app(id) ─► run(request, progress) ─► Outcome { receipt, output }
//!                      │             seal → upload → match → wait → verify → open
//!                      └ manifest and policy checked against the registry
//! ```
//!
//! Whatever sends transactions is a [`Plan`] first: [`Client::estimate`] says what it will cost, [`Client::rehearse`]
//! tries it out, [`Client::carry_out`] sends it.
//!
//! What the client trusts: its own machine, the network document it was given (CAS member addresses, contract
//! addresses), and its chain endpoint for the registry and for events. It does not trust storage, workers or pools: every
//! byte from them is checked against a hash or a signature before it is used.

mod app;
mod bag;
mod batch;
mod book;
mod cas_trust;
mod channel_run;
mod channels;
mod client;
mod deals;
mod deliver;
mod direct;
mod drafts;
mod error;
mod funds;
mod history;
mod offers;
mod open;
mod order_state;
mod orders;
mod plan;
mod publish;
mod registry;
mod run;
mod salts;
mod sealing;
mod streams;
mod task;
mod vouchers;
mod watch;

pub use app::AppView;
pub use bag::{BagNews, BagOutcome, BagTask, TaskEnd};
pub use batch::{BatchSettlement, CheckedBatch};
pub use book::{BookEntry, BookFilter};
pub use cas_trust::{MemberReport, check_recipient};
pub use channel_run::ChannelRun;
pub use channels::{ChannelStatus, MAX_VOUCHER_DOCUMENT_BYTES, VoucherDocument};
pub use client::{Client, Parts, output_identity};
pub use deals::DealRecord;
pub use error::ClientError;
pub use open::{OpenedOutput, open_output};
pub use order_state::{OrderReport, OrderState};
pub use orders::Proposal;
pub use plan::{Cost, Plan, Spending, Step, StepCost};
pub use publish::{Prepared, PublishRequest, Published};
pub use run::{Outcome, Progress, Quote, RunRequest, Settlement};
pub use salts::Salts;
pub use sealing::{InputFile, RunInput, Source};
pub use task::{SettledTask, TaskRecord, TaskState};
pub use vouchers::SignedVouchers;
