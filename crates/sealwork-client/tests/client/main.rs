//! The client against a chain that tells what a test wrote down, and storage in memory.
#![expect(clippy::unwrap_used, reason = "helpers outside of test functions")]

mod bags;
mod chain;
mod rewinds;
mod world;
