//! What can be wrong with a sealed file.

use crate::RandomError;
use std::io;

/// Why nothing, or not everything, was sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Nobody could open the file, or too many stanzas were asked for.
    #[error("cannot seal for {found} recipients, expected 1 to {limit}")]
    Recipients {
        /// Recipients given.
        found: usize,
        /// Recipients allowed.
        limit: usize,
    },
    /// No key could be made.
    #[error("cannot make a file key")]
    Random(#[from] RandomError),
    /// The file below failed; what was written is not a sealed file.
    #[error("cannot write the sealed file")]
    Io(#[from] io::Error),
}

/// Why a sealed file was not opened, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The header is not one that the format allows.
    #[error("the sealed file's header is malformed")]
    Header(#[from] HeaderError),
    /// The header is well formed, but none of its stanzas is for one of the given identities.
    #[error("the sealed file is for other recipients")]
    NoMatch,
    /// The file key was found, but somebody changed the header.
    #[error("the sealed file's header was altered")]
    HeaderMac,
    /// The payload was altered or ends too early. Nothing that follows was released.
    #[error("the sealed file's payload is not intact")]
    Payload(#[from] PayloadError),
    /// The file below failed.
    #[error("cannot read the sealed file")]
    Io(#[source] io::Error),
}

impl From<OpenError> for io::Error {
    /// Keeps the [`OpenError`] as inner error; errors of the file below come back unchanged.
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Io(inner) => inner,
            OpenError::Header(_) | OpenError::NoMatch | OpenError::HeaderMac | OpenError::Payload(_) => {
                Self::new(io::ErrorKind::InvalidData, error)
            }
        }
    }
}

impl From<io::Error> for OpenError {
    /// Finds an [`OpenError`] that travelled inside an I/O error.
    fn from(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(open) => open,
            Err(io) => Self::Io(io),
        }
    }
}

/// What is wrong with a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Not an age file of version 1.
    #[error("expected the first line \"age-encryption.org/v1\"")]
    Version,
    /// The file ends inside the header.
    #[error("ends at byte {at}, before its last line")]
    Truncated {
        /// Bytes read.
        at: usize,
    },
    /// Longer than this reader accepts.
    #[error("is longer than {limit} bytes")]
    TooLarge {
        /// Bytes accepted.
        limit: usize,
    },
    /// A line breaks the grammar.
    #[error("line {line} is not {expected}")]
    Line {
        /// Number of the line, from 1.
        line: usize,
        /// What would be right there.
        expected: &'static str,
    },
    /// A stanza for the hybrid recipient has a wrong shape.
    #[error("a mlkem768x25519 stanza has no {expected}")]
    Stanza {
        /// What would be right there.
        expected: &'static str,
    },
    /// A hybrid stanza carries an X25519 share of low order, which no honest writer makes.
    #[error("a mlkem768x25519 stanza carries a share of low order")]
    LowOrder,
}

/// What is wrong with a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The nonce behind the header is incomplete.
    #[error("ends inside its nonce: {found} of {expected} bytes")]
    Nonce {
        /// Bytes there.
        found: usize,
        /// Bytes of a nonce.
        expected: usize,
    },
    /// A chunk does not authenticate.
    #[error("chunk {chunk} was altered or cut short")]
    Altered {
        /// Number of the chunk, from 0.
        chunk: u64,
    },
    /// The file ends before its last chunk.
    #[error("ends after {chunks} whole chunks, before its last one")]
    Truncated {
        /// Whole chunks there.
        chunks: u64,
    },
    /// There is something behind the last chunk.
    #[error("goes on behind its last chunk, {chunk}")]
    Trailing {
        /// Number of the last chunk, from 0.
        chunk: u64,
    },
    /// The last chunk is empty although it is not the only one.
    #[error("chunk {chunk} is empty, only a sole chunk may be")]
    Empty {
        /// Number of the chunk, from 0.
        chunk: u64,
    },
}
