//! What can go wrong in a worker.

use sealwork_ports::PortError;
use sealwork_protocol::job::TransitionError;
use sealwork_types::{B256, TaskId};
use std::path::PathBuf;

/// Why the job log failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file cannot be opened: wrong path, no permission, or another worker has it open.
    #[error("cannot open the job log {}; is another worker using this directory?", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the database says.
        #[source]
        source: redb::Error,
    },
    /// A read or a durable write failed.
    #[error("the job log failed")]
    Database(#[source] redb::Error),
    /// A record does not decode: it was written by another version or damaged.
    #[error("the job log's record {name} is unreadable")]
    Record {
        /// Which task or deal.
        name: B256,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A record that others speak of is not there: the file was damaged.
    #[error("the job log has no {kind} {name}")]
    Missing {
        /// Task or deal.
        kind: &'static str,
        /// Which.
        name: B256,
    },
    /// An event does not fit the job's state.
    #[error("job {task}")]
    Transition {
        /// Which.
        task: TaskId,
        /// Why.
        #[source]
        source: TransitionError,
    },
}

/// Why a worker stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// The job log failed; going on could lose or repeat work.
    #[error("the worker cannot go on without its job log")]
    Journal(#[from] JournalError),
    /// The local machine or the chain failed in a way that waiting does not mend.
    #[error("the worker cannot go on")]
    Port(#[from] PortError),
}
