//! What only the job log knows, for whoever measures. What happens is told by events (`tracing`), one name each.

use crate::{Worker, error::JournalError, journal::Stage};

impl Worker {
    /// How long ago the deal of the oldest job that waits for a slot, or has one, was agreed, seconds; `None` when no job
    /// does.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn oldest_queued_s(&self) -> Result<Option<u64>, JournalError> {
        let oldest = self.journal.next(Stage::Run, |_| true)?;
        Ok(oldest.map(|job| self.ports.clock.unix_s().saturating_sub(job.agreement.since())))
    }
}
