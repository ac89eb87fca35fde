//! The chain from outside: everything over JSON-RPC, as tools see it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed test panics, also in its helpers"
)]

mod support;

mod blocks;
mod controls;
mod delegation;
mod hostile;
mod local;
mod logs;
mod metrics;
mod persistence;
mod pool;
mod reorg;
mod system;
mod time;
mod transactions;
