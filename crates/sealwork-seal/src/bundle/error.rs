//! What can be wrong with a bundle.

use crate::{age::OpenError, binding::BindingError};
use std::io;

/// Why a bundle was not written or not read. Never quotes names, arguments or contents.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The sealed file below is not intact or cannot be read.
    #[error("cannot read the bundle")]
    Read(#[from] OpenError),
    /// Something that goes into the bundle cannot be read.
    #[error("cannot read {what} for the bundle")]
    Source {
        /// Which part.
        what: Part,
        /// The reader's error.
        #[source]
        source: io::Error,
    },
    /// The file below cannot be written.
    #[error("cannot write the bundle")]
    Write(#[source] io::Error),
    /// The plaintext does not start with a binding.
    #[error("the bundle's binding is not valid")]
    Binding(#[from] BindingError),
    /// More than is allowed.
    #[error("{what}: {found}, the limit is {limit}")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// Count or bytes stated; `u64::MAX` when the sum has no room in 64 bits.
        found: u64,
        /// Count or bytes allowed.
        limit: u64,
    },
    /// A part is not as long as stated.
    #[error("{what}: stated {stated}, found {found}")]
    Length {
        /// Which part.
        what: Part,
        /// Bytes or count stated.
        stated: u64,
        /// Bytes or count found, or the first number that is too large.
        found: u64,
    },
    /// Bytes that no writer makes.
    #[error("{what} is not {expected}")]
    Malformed {
        /// Which part.
        what: Part,
        /// What would be right.
        expected: &'static str,
    },
}

/// A part of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The whole body.
    Body,
    /// The head.
    Head,
    /// An argument, by its number from 0.
    Argument(usize),
    /// The number of files.
    Files,
    /// A file, by its number from 0.
    File(usize),
    /// Standard input.
    Stdin,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The zeros at the end.
    Padding,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Body => f.write_str("bundle body"),
            Self::Head => f.write_str("bundle head"),
            Self::Argument(index) => write!(f, "argument {index}"),
            Self::Files => f.write_str("number of files"),
            Self::File(index) => write!(f, "file {index}"),
            Self::Stdin => f.write_str("standard input"),
            Self::Stdout => f.write_str("standard output"),
            Self::Stderr => f.write_str("standard error"),
            Self::Padding => f.write_str("padding"),
        }
    }
}

/// Checks a count or size.
pub(super) const fn at_most(what: &'static str, found: u64, limit: u64) -> Result<(), BundleError> {
    if found > limit {
        return Err(BundleError::Limit { what, found, limit });
    }
    Ok(())
}

/// Adds sizes; a sum without room counts as `u64::MAX`, which is above every limit.
pub(super) fn sum(sizes: impl IntoIterator<Item = u64>) -> u64 {
    sizes.into_iter().fold(0, u64::saturating_add)
}
