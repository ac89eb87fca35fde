//! Names every fact that Sealwork's parts exchange: ids, orders, deals, receipts, statuses, documents and messages.
//!
//! Everything else depends on this crate and it depends on nothing of ours. It is pure: no clock, no network, no file
//! system, no randomness. Two encodings exist: EIP-712 / Solidity ABI for what a chain sees ([`abi`]), and strict JSON
//! for documents that people read ([`manifest`], [`policy`], [`network`], [`receipt`]). Messages between processes use
//! `postcard` ([`enclave_wire`], [`cas_wire`]).
//!
//! Invariants
//! 1. A constant that separates domains stands in [`domains`], once.
//! 2. Parsing never normalises: a wrong length, an unknown field or a trailing byte is an error.
//! 3. Statuses and parameters are generated from `spec/`; Solidity gets the same ones.

pub mod abi;
pub mod artifacts;
pub mod batch;
pub mod bounded;
pub mod cas_wire;
pub mod channel;
mod cid;
pub mod deal;
mod digest;
pub mod domains;
pub mod enclave_wire;
pub mod evidence;
#[rustfmt::skip]
mod generated;
mod ids;
pub mod manifest;
pub mod network;
pub mod offer;
pub mod order;
pub mod policy;
pub mod progress;
pub mod receipt;
pub mod signed_order;
mod status;
pub mod tokens;

pub use alloy_primitives::{Address, B256, Bytes, U256};
pub use cid::{Cid, CidError, Codec};
pub use digest::Sha256Digest;
pub use generated::params;
pub use ids::{
    AppId, CodeHash, DatasetId, DealId, ManifestHash, Measurement, OrderHash, PolicyHash, PoolId, TaskId,
};
pub use status::{Fault, Status};
