//! What can go wrong for a requester or developer.

use sealwork_ports::{ErrorKind, PortError};
use sealwork_protocol::receipt::ReceiptError;
use sealwork_types::{AppId, TaskId, bounded::DocumentError};
use std::path::PathBuf;

/// Why an operation of the SDK failed. `hint` says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// An effect failed.
    #[error("{0}")]
    Port(#[from] PortError),
    /// A document from storage is not what it should be.
    #[error("app {app} has an unusable document")]
    Document {
        /// App.
        app: AppId,
        /// What is wrong with it.
        #[source]
        source: DocumentError,
    },
    /// The CAS said something that does not follow from the network document.
    #[error("the CAS cannot be trusted: {problem}")]
    Cas {
        /// First check that failed.
        problem: String,
    },
    /// No posted order fits.
    #[error("no {kind} order on the market fits: {problem}")]
    NoOrder {
        /// `app` or `pool`.
        kind: &'static str,
        /// What was looked for.
        problem: String,
    },
    /// The pool gave the task up.
    #[error("the worker gave task {} up: {reason}", task.short())]
    Abandoned {
        /// Task.
        task: TaskId,
        /// What the worker says.
        reason: String,
        /// From when on the money can be claimed back, seconds since 1970.
        deadline: u64,
    },
    /// No pool takes a request to settle it in one transaction.
    #[error("the task cannot be settled in one transaction: {problem}")]
    NotTaken {
        /// What was asked for, or what the pool says.
        problem: String,
    },
    /// The pool that had taken a request gave it up.
    #[error(
        "the worker gave task {} up: {reason}; nothing was paid, and the request is void after {expiry} (seconds since 1970)",
        task.short()
    )]
    GivenUp {
        /// Task.
        task: TaskId,
        /// What the worker says.
        reason: String,
        /// When the request expires, seconds since 1970.
        expiry: u64,
    },
    /// The input cannot be read or sealed.
    #[error("cannot seal the input{}: {problem}", path.as_ref().map(|path| format!(" {}", path.display())).unwrap_or_default())]
    Input {
        /// File at fault, if one is.
        path: Option<PathBuf>,
        /// What is wrong.
        problem: String,
    },
    /// The receipt does not hold.
    #[error("the receipt does not hold")]
    Receipt(#[from] ReceiptError),
    /// What shall prove the end of tasks that were settled together does not.
    #[error("the batch of tasks {first} to {last} does not hold: {problem}")]
    Batch {
        /// Index of the first task.
        first: u32,
        /// Index of the last task.
        last: u32,
        /// First thing that does not hold.
        problem: String,
    },
    /// The output cannot be opened with this wallet or is not what the receipt says.
    #[error("cannot open the output: {problem}")]
    Output {
        /// What is wrong.
        problem: String,
    },
}

impl ClientError {
    /// Whether the other side understood and said no, which trying again does not change.
    pub fn is_rejected(&self) -> bool {
        matches!(self, Self::Port(error) if error.kind == ErrorKind::Rejected)
    }

    /// Whether the same may work a moment later: something does not answer, or is not where it will be.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Port(error) if matches!(error.kind, ErrorKind::Unavailable | ErrorKind::NotFound))
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Port(error) if error.is_retryable() => {
                Some("check that the network runs (`sealwork doctor`) and try again")
            }
            Self::NoOrder { kind: "app", .. } => Some("the developer offers the app with `sealwork publish`"),
            Self::NoOrder { .. } => {
                Some("start a worker (`sealwork up` or `sealwork worker start`) or raise --max-price")
            }
            Self::Cas { .. } => {
                Some("do not seal anything; check that the network document is the one you were given")
            }
            Self::Receipt(_) | Self::Batch { .. } => {
                Some("do not use the output; `sealwork verify` shows the failing rule")
            }
            Self::Output { .. } => Some("use the wallet that asked for the task (`--wallet`)"),
            Self::Abandoned { .. } => {
                Some("nothing was paid; after the deadline `sealwork task claim TASK` gets the money back")
            }
            Self::NotTaken { .. } | Self::GivenUp { .. } => Some(
                "run without --one-transaction: then the orders are matched first, which any pool with an offer can serve",
            ),
            Self::Document { .. } => Some("the developer must publish the app again"),
            Self::Port(_) | Self::Input { .. } => None,
        }
    }
}
