//! Reading JSON documents from untrusted bytes: size first, then syntax, then meaning.

use serde::de::DeserializeOwned;

/// Why a document was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Larger than its kind may be.
    #[error("{kind} has {found} bytes, the limit is {limit}")]
    TooLarge {
        /// Kind of document.
        kind: &'static str,
        /// Bytes given.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not the JSON that its kind asks for.
    #[error("{kind} is not valid at line {line}, column {column}")]
    Syntax {
        /// Kind of document.
        kind: &'static str,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// Well formed, but a value is not allowed.
    #[error("{kind}: {field} {problem}")]
    Value {
        /// Kind of document.
        kind: &'static str,
        /// Field at fault.
        field: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
}

/// Parses `bytes` as a `T`, refusing more than `limit` bytes before looking at them.
///
/// # Errors
/// [`DocumentError::TooLarge`] or [`DocumentError::Syntax`].
pub fn parse_json<T: DeserializeOwned>(
    kind: &'static str,
    bytes: &[u8],
    limit: usize,
) -> Result<T, DocumentError> {
    if bytes.len() > limit {
        return Err(DocumentError::TooLarge { kind, found: bytes.len(), limit });
    }
    serde_json::from_slice(bytes).map_err(|source| DocumentError::Syntax {
        kind,
        line: source.line(),
        column: source.column(),
        source,
    })
}
