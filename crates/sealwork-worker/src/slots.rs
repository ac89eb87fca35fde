//! What a slot does with a job, and a settler.

use crate::{
    Worker,
    agreement::Agreement,
    engine::RETRY_PAUSE,
    error::{JournalError, WorkerError},
    execute,
    journal::{Job, Stage},
    settle::{self, Settling},
};
use sealwork_protocol::job::{JobEvent, JobState};
use sealwork_types::{batch::MAX_BATCH_TASKS, order::TaskParams, params::START_WINDOW_S, progress::TaskStep};
use std::time::Duration;
use tokio::time::timeout;
use tracing::{debug, warn};

/// Sealed inputs up to this length are kept by the enclave for all tasks of a batch.
const MAX_BATCH_INPUT_BYTES: u64 = 16 << 20;
/// Fewer tasks are not shared among slots: settling them together costs a fraction.
const WORTH_A_BATCH: u32 = 16;

impl Worker {
    pub(crate) async fn serve_slot(&self, slot: usize) -> Result<(), WorkerError> {
        self.warm_up(slot).await;
        self.serve(Stage::Run, |job| self.run_job(slot, job)).await
    }

    /// Attests an enclave before the first job comes. Whatever keeps it from that is met again, and told, by the job.
    async fn warm_up(&self, slot: usize) {
        if let Err(error) = self.ports.enclaves.ensure(slot).await {
            warn!(slot, %error, "enclave.not_ready");
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn run_job(&self, slot: usize, job: Job) -> Result<(), JournalError> {
        let key = job.key();
        if self.ports.clock.unix_s() > job.agreement.deadline() {
            return self.advance(key, &JobEvent::DeadlinePassed, None).map(drop);
        }
        if self.is_closed_on_chain(&job).await {
            self.delays.postpone(key, "the chain shows the task closed, how is being looked up".into());
            return Ok(());
        }
        let count = self.share(&job).await;
        // The follower may have closed the job meanwhile.
        let Some(job) = self.journal.begin(key, count)? else {
            self.delays.postpone(key, "the job changed while it was taken".into());
            return Ok(());
        };
        self.ports.reach(&job, TaskStep::Assigned);
        let event = self.attempt(slot, &job).await;
        let JobEvent::Executed(execution) = event else { return self.advance(key, &event, None).map(drop) };
        self.delays.clear(key);
        match self.journal.executed(key, execution)? {
            Some(job) => self.publish(&job),
            None => debug!(task = %job.task(), "task.already_closed"),
        }
        Ok(())
    }

    /// How many tasks are taken at once: many when one statement can settle them, and the input is small enough for an
    /// enclave to keep.
    async fn share(&self, job: &Job) -> u32 {
        let Agreement::Matched(deal) = &*job.agreement else { return 1 };
        if job.count <= 1 || !deal.terms.callback.is_zero() {
            return 1;
        }
        let Ok(params) = TaskParams::from_bytes(&deal.request.params) else { return 1 };
        match self.ports.store.stat(&params.input_cid).await {
            Ok(stat) if stat.content_bytes <= MAX_BATCH_INPUT_BYTES => {
                let slots = u32::try_from(self.slots()).unwrap_or(1);
                job.count.div_ceil(slots).max(WORTH_A_BATCH).min(job.count).min(MAX_BATCH_TASKS)
            }
            _ => 1,
        }
    }

    /// Asked only about deals of some age: after a long absence, most of what the follower finds is history.
    async fn is_closed_on_chain(&self, job: &Job) -> bool {
        let old = self.ports.clock.unix_s() > job.agreement.since().saturating_add(START_WINDOW_S);
        let matched = matches!(*job.agreement, Agreement::Matched(_));
        old && matched && matches!(self.ports.chain.is_open(job.deal(), job.first).await, Ok(false))
    }

    /// One attempt, ended by the deal's deadline at the latest: dropping it kills the enclave.
    async fn attempt(&self, slot: usize, job: &Job) -> JobEvent {
        let task = job.task();
        let left = job.agreement.deadline().saturating_sub(self.ports.clock.unix_s());
        let attempt = execute::attempt(&self.ports, slot, job);
        let event = timeout(Duration::from_secs(left), attempt).await.unwrap_or(JobEvent::DeadlinePassed);
        match &event {
            JobEvent::Interrupted { reason } | JobEvent::Postponed { reason } => {
                warn!(%task, reason, "task.postponed");
                self.delays.postpone(job.key(), reason.clone());
            }
            JobEvent::GaveUp { reason } => warn!(%task, reason, "task.failed"),
            JobEvent::Started
            | JobEvent::Executed(_)
            | JobEvent::Settled { .. }
            | JobEvent::Delivered
            | JobEvent::Closed
            | JobEvent::DeadlinePassed => {}
        }
        event
    }

    pub(crate) async fn serve_settlements(&self) -> Result<(), WorkerError> {
        self.serve(Stage::Settle, |job| self.settle_job(job)).await
    }

    async fn settle_job(&self, job: Job) -> Result<(), JournalError> {
        let JobState::Executed(execution) = &job.state else { return Ok(()) };
        match settle::settle(&self.ports, &job, execution).await {
            Settling::Mined { transaction, block } => {
                self.advance(job.key(), &JobEvent::Settled { transaction }, Some(block)).map(drop)
            }
            Settling::Ended(event) => self.advance(job.key(), &event, None).map(drop),
            Settling::Waits(reason) => {
                self.delays.postpone(job.key(), reason);
                Ok(())
            }
        }
    }
}
