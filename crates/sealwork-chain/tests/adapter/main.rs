//! The adapter over chains in process, and over endpoints that lie, stall, forget and lag.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed test panics, also in its helpers"
)]

mod events;
mod failover;
mod liars;
mod mishaps;
mod sender;
mod sockets;
mod support;
mod wait;
