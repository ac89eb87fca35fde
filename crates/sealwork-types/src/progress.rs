//! What a worker tells the public about a task it runs: steps and times, nothing else. Information only.

use crate::{DealId, TaskId};
use serde::{Deserialize, Serialize};

/// Steps of a task, in order. Those up to the match and the last three happen at the client, the others at the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskStep {
    /// The input is sealed.
    Sealed,
    /// The sealed input is in storage.
    Uploaded,
    /// A pool took the request, to run it and settle it in one transaction.
    Accepted,
    /// The orders are matched on chain.
    Matched,
    /// A worker's slot took the task.
    Assigned,
    /// The slot's enclave is attested.
    Attested,
    /// The enclave has the key and the program runs.
    Running,
    /// The enclave signed the receipt.
    Executed,
    /// The receipt is settled on chain.
    Settled,
    /// The receipt is checked.
    Verified,
    /// The output is opened.
    Opened,
}

/// A step and when it was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTime {
    /// Step.
    pub step: TaskStep,
    /// Milliseconds since 1970.
    pub at_ms: u64,
}

/// `GET /v1/tasks/{id}` of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskProgress {
    /// Task.
    pub task: TaskId,
    /// Steps reached at this worker.
    pub steps: Vec<StepTime>,
    /// Why the task was given up here, if it was.
    pub abandoned: Option<String>,
}

/// The document behind a pool's manifest hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolManifest {
    /// Format version, 1.
    pub version: u16,
    /// A name for people.
    pub name: String,
    /// Where the pool tells about its tasks; empty when it does not.
    pub url: String,
}

/// Answer to `POST /v1/requests` of a worker, whose body is the JSON of a [`SignedRequest`](crate::order::SignedRequest):
/// the request will be run and settled in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedRequest {
    /// Deal that the settlement will make.
    pub deal: DealId,
    /// Its only task.
    pub task: TaskId,
}

/// Why a worker does not take a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedRequest {
    /// One word for programs.
    pub code: String,
    /// For people: what was wrong and what would be right.
    pub message: String,
}
