//! Watching a task until it is settled or refunded.

use crate::{Client, ClientError, DealRecord, Progress, TaskRecord, TaskState, deals::deal_of};
use sealwork_ports::{ErrorKind, EventCursor, MarketEvent, PortError, TxOutcome};
use sealwork_types::{
    DealId,
    order::task_id,
    progress::{StepTime, TaskStep},
};
use std::time::{Duration, Instant};

/// First pause between looks at a running task; grows to [`MAX_PAUSE`].
const MIN_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_millis(500);
/// Events read at once while waiting.
const PAGE: usize = 256;

/// Reports steps with the time since the start.
pub(crate) struct Reporter<'a> {
    started: Instant,
    reached: Option<(TaskStep, Duration)>,
    /// The pool's clock and ours when the pool's first step was seen.
    pool_clock: Option<(u64, Duration)>,
    report: &'a mut (dyn FnMut(Progress) + Send),
}

impl<'a> Reporter<'a> {
    /// Starts the clock.
    pub(crate) fn new(report: &'a mut (dyn FnMut(Progress) + Send)) -> Self {
        Self { started: Instant::now(), reached: None, pool_clock: None, report }
    }

    /// Reports a step as reached now, unless it or a later one was reported already.
    pub(crate) fn reach(&mut self, step: TaskStep, detail: impl Into<String>) {
        self.reach_at(step, self.started.elapsed(), detail);
    }

    /// Reports a step of the pool: later ones at the distance from its first step that the pool's clock shows.
    fn reach_at_pool(&mut self, reached: StepTime) {
        let now = self.started.elapsed();
        let (pool_ms, ours) = *self.pool_clock.get_or_insert((reached.at_ms, now));
        let since = Duration::from_millis(reached.at_ms.saturating_sub(pool_ms));
        self.reach_at(reached.step, now.min(ours.saturating_add(since)), "");
    }

    fn reach_at(&mut self, step: TaskStep, elapsed: Duration, detail: impl Into<String>) {
        let (before, since) = self.reached.unzip();
        if before.is_none_or(|before| before < step) {
            let elapsed = elapsed.max(since.unwrap_or_default());
            let took = elapsed.saturating_sub(since.unwrap_or_default());
            self.reached = Some((step, elapsed));
            (self.report)(Progress { step, took, elapsed, detail: detail.into() });
        }
    }
}

impl Client {
    /// Waits until the first task of a deal is settled or refunded.
    pub(crate) async fn watch(
        &self,
        deal: DealId,
        matched: TxOutcome,
        timeout: Duration,
        reporter: &mut Reporter<'_>,
    ) -> Result<TaskRecord, ClientError> {
        let mut cursor = EventCursor { block: matched.block, log_index: 0 };
        let mut record: Option<DealRecord> = None;
        let mut pool_url = String::new();
        let mut pause = MIN_PAUSE;
        let deadline = Instant::now() + timeout;
        while Instant::now() < deadline {
            let (events, next) = self.parts.chain.events(cursor, PAGE).await?;
            cursor = next;
            for event in events.into_iter().filter(|event| deal_of(event) == deal) {
                note(event, &mut record);
            }
            if let Some(found) = record.as_ref().map(|record| record.task(0)) {
                if pool_url.is_empty() {
                    pool_url = self.pool_url(found.agreed.pool).await;
                }
                let abandoned = self.report_progress(&pool_url, &found, reporter).await;
                match (&found.state, abandoned) {
                    (TaskState::Open { .. }, None) => {}
                    (TaskState::Open { deadline }, Some(reason)) => {
                        return Err(ClientError::Abandoned { task: found.task, reason, deadline: *deadline });
                    }
                    _ => return Ok(found),
                }
            }
            tokio::time::sleep(pause).await;
            pause = MAX_PAUSE.min(pause.mul_f32(1.2));
        }
        let task = task_id(deal, 0);
        let text = format!(
            "task {} was not settled within {} s; `sealwork task wait {}` goes on waiting",
            task.short(),
            timeout.as_secs(),
            task.short()
        );
        Err(PortError::new(ErrorKind::Limit, text).into())
    }

    /// Reports what the pool says; the reason if it gave the task up. Best effort: a pool that does not answer costs
    /// nothing but detail.
    async fn report_progress(
        &self,
        url: &str,
        record: &TaskRecord,
        reporter: &mut Reporter<'_>,
    ) -> Option<String> {
        if url.is_empty() {
            return None;
        }
        let progress = self.parts.progress.progress(url, record.task).await.ok()?;
        for reached in progress.steps {
            if reached.step > TaskStep::Matched && reached.step < TaskStep::Settled {
                reporter.reach_at_pool(reached);
            }
        }
        progress.abandoned
    }
}

/// Takes an event of the deal into account.
fn note(event: MarketEvent, record: &mut Option<DealRecord>) {
    match event {
        MarketEvent::Matched { id, deal, transaction } => {
            *record = Some(DealRecord::new(id, *deal, transaction));
        }
        event @ (MarketEvent::Started { .. }
        | MarketEvent::Settled { .. }
        | MarketEvent::Closed { .. }
        | MarketEvent::Refunded { .. }) => {
            if let Some(record) = record {
                record.apply(event);
            }
        }
    }
}
