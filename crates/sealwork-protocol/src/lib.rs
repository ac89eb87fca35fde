//! Decides what is valid: receipts, orders, job lifecycles and the release log, all without any effect.
//!
//! Pure: time comes in as an argument, effects go out as values. Services execute what these machines say.
//!
//! * [`receipt`] checks a receipt document offline, as `sealwork verify` does.
//! * [`job`] is the life of one task at a worker: one transition function, tested over every state and event.
//! * [`batch`] puts receipts under one root, and proves single ones; allow-lists of orders use the same trees.
//! * [`merkle`] is the append-only log of the CAS: roots, inclusion and consistency.

pub mod batch;
pub mod job;
pub mod merkle;
pub mod receipt;
