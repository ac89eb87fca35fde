//! What a sealed plaintext starts with: for whom and by whom it was sealed.
//!
//! Without a binding anybody could copy a ciphertext from public storage, submit it under an order of their own and
//! have the output sealed to themselves. The enclave compares every field with the signed order; the client compares
//! every field of an output with its task. Encodings have a fixed length, numbers are big-endian:
//!
//! | bytes | input | | bytes | output |
//! |---|---|---|---|---|
//! | 4 | `SWIB` | | 4 | `SWOB` |
//! | 2 | version 1 | | 2 | version 1 |
//! | 8 | chain id | | 8 | chain id |
//! | 20 | market | | 20 | market |
//! | 20 | requester | | 32 | task id |
//! | 32 | app id | | 32 | sealed input digest |
//! | 32 | output recipient digest | | 2 | status |
//! | 16 | nonce | | 8 | body length |
//! | 8 | expiry | | | |
//! | 8 | body length | | | |

use alloy_primitives::Address;
use sealwork_types::{AppId, B256, TaskId, order::SigningDomain};

const VERSION: u16 = 1;

/// Ties a sealed input to one requester, app and output recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputBinding {
    /// Chain and market.
    pub domain: SigningDomain,
    /// The only address whose request order may use the input.
    pub requester: Address,
    /// The only app that may read it.
    pub app: AppId,
    /// `Recipient::digest` of the only key that the output may be sealed to.
    pub output_recipient: B256,
    /// Random; makes equal inputs different.
    pub nonce: [u8; 16],
    /// Seconds since 1970 after which the input must be refused.
    pub expiry: u64,
    /// Bytes of the body: head, files and standard input, without padding.
    pub body_len: u64,
}

/// Ties a sealed output to one task and the input that it was computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputBinding {
    /// Chain and market.
    pub domain: SigningDomain,
    /// The task.
    pub task: TaskId,
    /// SHA-256 of the sealed input.
    pub input_digest: B256,
    /// Status of the receipt.
    pub status: u16,
    /// Bytes of the body: head, standard output, standard error and files, without padding.
    pub body_len: u64,
}

/// Why a binding was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindingError {
    /// Wrong length.
    #[error("{kind} binding has {found} bytes, expected {expected}")]
    Length {
        /// Input or output.
        kind: &'static str,
        /// Bytes given.
        found: usize,
        /// Bytes of the encoding.
        expected: usize,
    },
    /// Something else was sealed.
    #[error("sealed plaintext does not start with the mark of an {kind} binding")]
    Magic {
        /// Input or output.
        kind: &'static str,
    },
    /// A later or invalid version.
    #[error("{kind} binding has version {found}, expected 1")]
    Version {
        /// Input or output.
        kind: &'static str,
        /// Version given.
        found: u16,
    },
}

impl InputBinding {
    /// Bytes of the encoding.
    pub const LEN: usize = 150;
    const KIND: &'static str = "input";
    const MAGIC: [u8; 4] = *b"SWIB";

    /// Encodes.
    pub fn to_bytes(&self) -> Vec<u8> {
        [
            &Self::MAGIC[..],
            &VERSION.to_be_bytes(),
            &self.domain.chain_id.to_be_bytes(),
            self.domain.market.as_slice(),
            self.requester.as_slice(),
            self.app.as_slice(),
            self.output_recipient.as_slice(),
            &self.nonce,
            &self.expiry.to_be_bytes(),
            &self.body_len.to_be_bytes(),
        ]
        .concat()
    }

    /// Decodes.
    ///
    /// # Errors
    /// [`BindingError`] unless the bytes are exactly one encoding of version 1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BindingError> {
        let mut fields = Fields::open(bytes, Self::KIND, Self::MAGIC, Self::LEN)?;
        Ok(Self {
            domain: fields.domain(),
            requester: Address::from(fields.take()),
            app: AppId::new(B256::from(fields.take())),
            output_recipient: B256::from(fields.take()),
            nonce: fields.take(),
            expiry: u64::from_be_bytes(fields.take()),
            body_len: u64::from_be_bytes(fields.take()),
        })
    }
}

impl OutputBinding {
    /// Bytes of the encoding.
    pub const LEN: usize = 108;
    const KIND: &'static str = "output";
    const MAGIC: [u8; 4] = *b"SWOB";

    /// Encodes.
    pub fn to_bytes(&self) -> Vec<u8> {
        [
            &Self::MAGIC[..],
            &VERSION.to_be_bytes(),
            &self.domain.chain_id.to_be_bytes(),
            self.domain.market.as_slice(),
            self.task.as_slice(),
            self.input_digest.as_slice(),
            &self.status.to_be_bytes(),
            &self.body_len.to_be_bytes(),
        ]
        .concat()
    }

    /// Decodes.
    ///
    /// # Errors
    /// [`BindingError`] unless the bytes are exactly one encoding of version 1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BindingError> {
        let mut fields = Fields::open(bytes, Self::KIND, Self::MAGIC, Self::LEN)?;
        Ok(Self {
            domain: fields.domain(),
            task: TaskId::new(B256::from(fields.take())),
            input_digest: B256::from(fields.take()),
            status: u16::from_be_bytes(fields.take()),
            body_len: u64::from_be_bytes(fields.take()),
        })
    }
}

/// Fixed-length fields of an encoding whose total length was checked.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn open(
        bytes: &'a [u8],
        kind: &'static str,
        magic: [u8; 4],
        expected: usize,
    ) -> Result<Self, BindingError> {
        if bytes.len() != expected {
            return Err(BindingError::Length { kind, found: bytes.len(), expected });
        }
        let mut fields = Self(bytes);
        if fields.take() != magic {
            return Err(BindingError::Magic { kind });
        }
        match u16::from_be_bytes(fields.take()) {
            VERSION => Ok(fields),
            found => Err(BindingError::Version { kind, found }),
        }
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) =
            self.0.split_first_chunk().expect("the encoding's length is the sum of its fields");
        self.0 = rest;
        *field
    }

    fn domain(&mut self) -> SigningDomain {
        SigningDomain { chain_id: u64::from_be_bytes(self.take()), market: Address::from(self.take()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn input() -> InputBinding {
        InputBinding {
            domain: SigningDomain { chain_id: 31_337, market: Address::repeat_byte(1) },
            requester: Address::repeat_byte(2),
            app: AppId::new(B256::repeat_byte(3)),
            output_recipient: B256::repeat_byte(4),
            nonce: [5; 16],
            expiry: 6,
            body_len: 7,
        }
    }

    fn output() -> OutputBinding {
        OutputBinding {
            domain: SigningDomain { chain_id: 31_337, market: Address::repeat_byte(1) },
            task: TaskId::new(B256::repeat_byte(2)),
            input_digest: B256::repeat_byte(3),
            status: 4,
            body_len: 5,
        }
    }

    #[test]
    fn bindings_round_trip_in_their_stated_length() {
        let bytes = input().to_bytes();
        assert_eq!((bytes.len(), InputBinding::from_bytes(&bytes)), (InputBinding::LEN, Ok(input())));
        let bytes = output().to_bytes();
        assert_eq!((bytes.len(), OutputBinding::from_bytes(&bytes)), (OutputBinding::LEN, Ok(output())));
    }

    #[test]
    fn rejects_other_lengths_marks_and_versions() {
        let mut bytes = input().to_bytes();
        assert_eq!(OutputBinding::from_bytes(&bytes[..108]), Err(BindingError::Magic { kind: "output" }));
        let length = BindingError::Length { kind: "input", found: 149, expected: 150 };
        assert_eq!(InputBinding::from_bytes(&bytes[..149]), Err(length));
        bytes[5] = 2;
        assert_eq!(InputBinding::from_bytes(&bytes), Err(BindingError::Version { kind: "input", found: 2 }));
        bytes.push(0);
        assert!(matches!(InputBinding::from_bytes(&bytes), Err(BindingError::Length { found: 151, .. })));
    }

    proptest! {
        #[test]
        fn every_accepted_input_binding_has_one_encoding(tail in proptest::collection::vec(any::<u8>(), 144)) {
            let bytes = [b"SWIB\0\x01", &tail[..]].concat();
            prop_assert_eq!(InputBinding::from_bytes(&bytes).unwrap().to_bytes(), bytes);
        }
    }
}
