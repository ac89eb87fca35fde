//! One error for all ports: what was tried, what kind of failure, and the adapter's own error as source.

use std::error::Error as StdError;

/// How a caller should react.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The other side cannot be reached or is overloaded. Trying again can help.
    Unavailable,
    /// What was asked for does not exist.
    NotFound,
    /// The other side answered with bytes that do not match their name or shape.
    Corrupt,
    /// The other side understood and said no (a revert, a denial). Trying again does not help.
    Rejected,
    /// A limit was reached.
    Limit,
    /// The local machine failed (disk, process).
    Local,
}

/// A failed effect.
#[derive(Debug, thiserror::Error)]
#[error("{action}")]
pub struct PortError {
    /// How to react.
    pub kind: ErrorKind,
    /// What was tried and what came back, for people.
    pub action: String,
    /// The adapter's own error.
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl PortError {
    /// A failure without an inner error.
    pub fn new(kind: ErrorKind, action: impl Into<String>) -> Self {
        Self { kind, action: action.into(), source: None }
    }

    /// A failure with its cause.
    pub fn because(
        kind: ErrorKind,
        action: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, action: action.into(), source: Some(source.into()) }
    }

    /// Whether trying again can help.
    pub const fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable)
    }
}
