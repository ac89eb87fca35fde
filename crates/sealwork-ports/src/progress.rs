//! What workers tell about their tasks.

use crate::PortError;
use async_trait::async_trait;
use sealwork_types::{TaskId, progress::TaskProgress};

/// Asks a pool how far a task is. Best effort: nothing depends on the answer.
#[async_trait]
pub trait ProgressSource: Send + Sync + 'static {
    /// Whether a pool answers at this URL.
    async fn serves(&self, url: &str) -> bool;

    /// Progress of a task at the pool with this URL; `NotFound` when the pool does not know it.
    async fn progress(&self, url: &str, task: TaskId) -> Result<TaskProgress, PortError>;
}
