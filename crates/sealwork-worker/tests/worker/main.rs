//! The worker against a market in memory: what it serves, when it starts and settles, and which requests it takes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod channels;
mod deals;
mod enclaves;
mod http;
mod ledger;
mod requests;
mod starts;
mod storage;
mod world;
