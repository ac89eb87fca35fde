//! JSON-RPC error codes.

use crate::error::{ChainError, StorageError};
use jsonrpsee::types::{ErrorObjectOwned, error::INTERNAL_ERROR_CODE, error::INVALID_PARAMS_CODE};

/// A reverted call, with the revert data; go-ethereum's code.
const REVERTED: i32 = 3;
/// Invalid transaction or failed execution; go-ethereum's code for both.
const SERVER: i32 = -32_000;
/// Unknown block (EIP-1474).
const NOT_FOUND: i32 = -32_001;
/// Beyond a limit (EIP-1474).
const LIMIT: i32 = -32_005;

impl From<ChainError> for ErrorObjectOwned {
    fn from(error: ChainError) -> Self {
        let text = error.to_string();
        match error {
            ChainError::Reverted { output } => Self::owned(REVERTED, text, Some(output)),
            ChainError::Rejected(_) | ChainError::Halted { .. } | ChainError::UnknownBlockHash => {
                Self::owned(SERVER, text, None::<()>)
            }
            ChainError::UnknownBlock(_) | ChainError::StateGone { .. } => {
                Self::owned(NOT_FOUND, text, None::<()>)
            }
            ChainError::Limit { .. } => Self::owned(LIMIT, text, None::<()>),
            ChainError::OutOfRange { .. }
            | ChainError::TimeRunsForward { .. }
            | ChainError::ReorgDepth { .. } => invalid(text),
            ChainError::Storage(source) => {
                tracing::error!(error = &source as &dyn std::error::Error, "the chain database failed");
                Self::owned(INTERNAL_ERROR_CODE, chained(&source), None::<()>)
            }
        }
    }
}

impl From<StorageError> for ErrorObjectOwned {
    fn from(error: StorageError) -> Self {
        ChainError::Storage(error).into()
    }
}

/// An error with its causes; those of the database name no secrets.
fn chained(error: &StorageError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// A parameter that makes no sense.
pub(super) fn invalid(text: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(INVALID_PARAMS_CODE, text, None::<()>)
}

/// A filter that does not exist; the code that go-ethereum and anvil answer.
pub(super) fn not_found(text: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(SERVER, text, None::<()>)
}

/// Something that is understood and cannot be done.
pub(super) fn server(text: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(SERVER, text, None::<()>)
}

/// Something beyond a limit.
pub(super) fn limit(text: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(LIMIT, text, None::<()>)
}

/// Something with a code of its own.
pub(super) fn coded(code: i32, text: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code, text, None::<()>)
}
