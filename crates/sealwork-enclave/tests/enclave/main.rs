//! Tasks from frame to receipt. Most tests use a host in memory and a CAS that gives everything ([`host`]); [`hosted`]
//! uses the real binary, the worker's host and a real CAS member ([`network`]).
#![expect(clippy::unwrap_used, reason = "helpers outside of test functions")]

mod batches;
mod case;
mod compiled;
mod host;
mod hosted;
mod inputs;
mod modules;
mod network;
mod one_process;
mod orders;
mod protocol;
mod wasm;
