//! The app manifest: what a developer publishes beside the code. Its SHA-256 stands in the registry.

use crate::{
    B256, Cid, CodeHash, Codec, ManifestHash, PolicyHash, Sha256Digest,
    bounded::{DocumentError, parse_json},
    generated::params::MAX_MANIFEST_BYTES,
};
use serde::{Deserialize, Serialize};

/// How a program is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Abi {
    /// WASI preview 1 command: args, stdin, read-only `/in`, writable `/out`, exit code.
    Batch,
}

/// What a developer publishes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppManifest {
    /// Format version, 1.
    pub version: u16,
    /// Short name, `[a-z0-9-]`, at most 64 characters.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// How the program is called.
    pub abi: Abi,
    /// Where the module lies.
    pub code: Cid,
    /// SHA-256 of the module.
    pub code_hash: CodeHash,
    /// SHA-256 of the policy document, which lies in storage as one raw block.
    pub policy_hash: PolicyHash,
}

impl AppManifest {
    const KIND: &'static str = "app manifest";

    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// [`DocumentError`] for size, syntax, unknown fields, another version or a bad name.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let manifest: Self = parse_json(Self::KIND, bytes, MAX_MANIFEST_BYTES)?;
        let wrong = |field, problem: String| Err(DocumentError::Value { kind: Self::KIND, field, problem });
        if manifest.version != 1 {
            return wrong("version", format!("is {}, this version reads 1", manifest.version));
        }
        if !is_app_name(&manifest.name) {
            return wrong("name", format!("is {:?}, expected 1 to 64 of a-z, 0-9 and -", manifest.name));
        }
        Ok(manifest)
    }

    /// The bytes that are stored and hashed.
    ///
    /// # Panics
    /// Never: the structure always serializes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("strings, numbers and hashes always serialize")
    }

    /// Name of the given manifest bytes.
    pub fn hash_of(bytes: &[u8]) -> ManifestHash {
        ManifestHash::new(Sha256Digest::of(bytes))
    }
}

/// Whether `name` may name an app.
pub fn is_app_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Where a document with this SHA-256 lies: small documents are always one raw block.
pub const fn document_cid(digest: B256) -> Cid {
    Cid::new(Codec::Raw, digest)
}
