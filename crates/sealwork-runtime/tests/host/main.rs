//! Runs small programs, good and hostile, through the public interface.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking; the lints only know functions marked as tests"
)]

mod common;
mod files;
mod guests;
mod hostile;
mod limits;
mod modules;
mod world;
