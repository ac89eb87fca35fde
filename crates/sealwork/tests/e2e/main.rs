//! The whole system through its real binaries, as separate processes: command line, chain, storage, CAS, worker, enclave.
//!
//! Each test owns its own network in temporary folders on free ports. Nothing sleeps blindly: everything that takes time
//! is awaited as a condition with a deadline, and children die with the test.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers outside of test functions")]

mod bags;
mod canary;
mod chain;
mod crash;
mod happy_path;
mod market;
mod one_transaction;
mod operating;
mod orders;
mod programs;
mod refusals;
mod sealed_files;
mod support;
