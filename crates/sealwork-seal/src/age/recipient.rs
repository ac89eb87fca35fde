//! The public half of a sealing key.

use super::{hybrid, text};
use sealwork_types::{B256, Sha256Digest};
use std::{fmt, str::FromStr};

/// Bytes of a recipient: ML-KEM-768 key (1184), X25519 share (32).
pub const RECIPIENT_BYTES: usize = 1216;

const HRP: &str = "age1pq";

/// Whom a file is sealed for. Checked when made: every `Recipient` can be sealed for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Recipient(Box<[u8; RECIPIENT_BYTES]>);

/// Why a recipient was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipientError {
    /// Wrong length.
    #[error("recipient has {found} bytes, expected {RECIPIENT_BYTES}")]
    Length {
        /// Bytes given.
        found: usize,
    },
    /// Not the text of a hybrid recipient.
    #[error(
        "not a post-quantum age recipient: expected \"age1pq1\" and 1952 more letters with a valid checksum"
    )]
    Text,
    /// The ML-KEM half has coefficients out of range.
    #[error("recipient's ML-KEM-768 half is not a public key")]
    MlKem,
    /// The X25519 half has low order: everybody could compute its shared secret.
    #[error("recipient's X25519 half has low order")]
    LowOrder,
}

impl Recipient {
    /// Reads and checks the bytes of a recipient.
    ///
    /// # Errors
    /// [`RecipientError`] for a wrong length or a half that is no public key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecipientError> {
        let length = RecipientError::Length { found: bytes.len() };
        let bytes = <&[u8; RECIPIENT_BYTES]>::try_from(bytes).map_err(|_| length)?;
        hybrid::check_public_key(bytes)?;
        Ok(Self(Box::new(*bytes)))
    }

    /// For keys that were just derived and need no check.
    pub(super) fn trusted(bytes: [u8; RECIPIENT_BYTES]) -> Self {
        Self(Box::new(bytes))
    }

    /// Reads and checks the text of a recipient, `age1pq1…`.
    ///
    /// # Errors
    /// [`RecipientError`] unless it is the lower-case text of a valid recipient.
    pub fn parse(recipient: &str) -> Result<Self, RecipientError> {
        let mut bytes = [0; RECIPIENT_BYTES];
        if !text::decode(HRP, recipient, &mut bytes) {
            return Err(RecipientError::Text);
        }
        Self::from_bytes(&bytes)
    }

    /// The bytes that certificates and orders carry.
    pub fn as_bytes(&self) -> &[u8; RECIPIENT_BYTES] {
        &self.0
    }

    /// The name by which orders and certificates know this recipient: SHA-256 of its bytes, so that storage can hold it
    /// under its name.
    pub fn digest(&self) -> B256 {
        Sha256Digest::of(self.0.as_slice())
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::encode(HRP, self.0.as_slice()))
    }
}

impl fmt::Debug for Recipient {
    /// The digest: the text fills a page.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({:#x})", self.digest())
    }
}

impl FromStr for Recipient {
    type Err = RecipientError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}
