//! The simulated TEE vendor: a root key, platforms that it certifies, and enclaves on those platforms.
//!
//! Anybody who holds a platform's key file can claim anything, so evidence made here proves nothing about hardware.
//! Verifiers accept it only on development chains and only from the root that the network document names. One root is
//! made for each development network and lives in a file that only its owner can read.
//!
//! This crate makes evidence; `sealwork-attest` checks it and cannot make any.

mod enclave;
mod key_file;
mod measure;
mod platform;
mod root;

pub use enclave::SimEnclave;
pub use key_file::KeyFileError;
pub use measure::measure_file;
pub use platform::SimPlatform;
pub use root::SimRoot;

/// The random generator or the signer of the cryptographic library failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library cannot {action}")]
pub struct CryptoError {
    /// What was tried.
    pub action: &'static str,
}
