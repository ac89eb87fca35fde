//! One suite per port that every implementation must pass.

mod store;

pub use store::{byte_stream, store_suite};
