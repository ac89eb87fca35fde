//! What holds for every value: encodings come back as they were, and nothing else is read as one of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is a failed test")]

mod documents;
mod frames;
mod hashes;
mod lengths;
mod names;
mod values;
