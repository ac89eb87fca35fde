//! The JSON-RPC surface: every method from outside, as tools call it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed test panics, also in its helpers"
)]

mod support;

mod blocks;
mod calls;
mod hostile;
mod pending;
mod proofs;
mod signatures;
mod simulate;
mod traces;
