//! Why a request was not served.

use crate::{CasError, LogError};
use sealwork_ports::{ErrorKind, PortError};
use sealwork_types::cas_wire::DenialRule;
use std::{error::Error as StdError, fmt::Write};

/// A request that breaks a rule. Travels to the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule:?}: {detail}")]
pub(crate) struct Denial {
    /// First rule that failed.
    pub(crate) rule: DenialRule,
    /// What was expected and found.
    pub(crate) detail: String,
}

impl Denial {
    pub(crate) fn new(rule: DenialRule, detail: impl Into<String>) -> Self {
        Self { rule, detail: detail.into() }
    }

    /// A denial in the words of `error` and its causes.
    pub(crate) fn because(rule: DenialRule, error: &dyn StdError) -> Self {
        Self { rule, detail: with_causes(error) }
    }

    /// What it means that the chain did not say what was asked.
    pub(crate) fn by_chain(error: &PortError) -> Self {
        match error.kind {
            ErrorKind::NotFound | ErrorKind::Rejected => Self::because(DenialRule::Registration, error),
            ErrorKind::Unavailable | ErrorKind::Corrupt | ErrorKind::Limit | ErrorKind::Local => {
                tracing::warn!(error = %with_causes(error), "the chain cannot be asked");
                // The adapter's words may name endpoints that are nobody's business.
                Self::new(
                    DenialRule::ChainUnavailable,
                    "this member cannot ask the chain right now; try again",
                )
            }
        }
    }
}

/// Why there is no answer: the caller's fault, or ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Told to the caller.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// Logged here; the caller's connection ends.
    #[error(transparent)]
    Broken(#[from] CasError),
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        Self::Broken(error.into())
    }
}

/// An error and its causes on one line.
pub(crate) fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
