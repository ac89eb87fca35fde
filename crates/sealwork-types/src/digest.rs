//! SHA-256 in one place, streaming and at once.

use alloy_primitives::B256;
use sha2::{Digest, Sha256};

/// A running SHA-256.
#[derive(Clone, Debug, Default)]
pub struct Sha256Digest(Sha256);

impl Sha256Digest {
    /// Starts an empty digest.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of everything added.
    pub fn finish(self) -> B256 {
        B256::from(<[u8; 32]>::from(self.0.finalize()))
    }

    /// The digest of one slice.
    pub fn of(bytes: &[u8]) -> B256 {
        Self::of_parts(&[bytes])
    }

    /// The digest of the parts one after the other. Callers keep parts unambiguous (fixed lengths or length prefixes).
    pub fn of_parts(parts: &[&[u8]]) -> B256 {
        let mut digest = Self::new();
        parts.iter().for_each(|part| digest.update(part));
        digest.finish()
    }

    /// The digest of `label`, one zero byte, and the parts, each behind its length as eight big-endian bytes.
    pub fn labelled(label: &str, parts: &[&[u8]]) -> B256 {
        let mut digest = Self::new();
        digest.update(label.as_bytes());
        digest.update(&[0]);
        for part in parts {
            digest.update(&(part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.finish()
    }
}
