//! One member end to end: simulated enclaves over loopback TCP, clients over HTTP.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helpers outside of test functions")]

mod chain;
mod denials;
mod flow;
mod hostile;
mod http;
mod network;
mod opening;
