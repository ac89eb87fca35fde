//! What a pool says about its machines. The SHA-256 of the document stands in the pool order, so an offer cannot change
//! behind a requester's back.

use crate::{
    B256, Measurement, Sha256Digest,
    bounded::{DocumentError, parse_json},
    evidence::TeeKind,
    generated::params::MAX_MANIFEST_BYTES,
};
use serde::{Deserialize, Serialize};

/// Resources behind a pool order. A small document in storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceOffer {
    /// Format version, 1.
    pub version: u16,
    /// Tasks at the same time.
    pub slots: u32,
    /// Processors of the machine.
    pub cpus: u32,
    /// Memory of the machine, bytes.
    pub memory_bytes: u64,
    /// Kind of evidence that its enclaves have.
    pub tee: TeeKind,
    /// What its enclaves run.
    pub measurement: Measurement,
}

impl ResourceOffer {
    /// Reads an offer.
    ///
    /// # Errors
    /// [`DocumentError`] for size, syntax, unknown fields or another version.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        const KIND: &str = "resource offer";
        let offer: Self = parse_json(KIND, bytes, MAX_MANIFEST_BYTES)?;
        if offer.version == 1 {
            return Ok(offer);
        }
        let problem = format!("is {}, this version reads 1", offer.version);
        Err(DocumentError::Value { kind: KIND, field: "version", problem })
    }

    /// The bytes that are stored and hashed.
    ///
    /// # Panics
    /// Never: the structure always serializes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("numbers and hashes always serialize")
    }

    /// SHA-256 of the document, as pool orders carry it.
    pub fn hash_of(bytes: &[u8]) -> B256 {
        Sha256Digest::of(bytes)
    }
}
