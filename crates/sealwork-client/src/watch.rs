//! Watching a task until it is settled or refunded.

use crate::{Client, ClientError, DealRecord, Progress, TaskRecord, TaskState, history::deal_of};
use sealwork_ports::{ErrorKind, EventCursor, MarketEvent, PortError};
use sealwork_types::{
    DealId, TaskId,
    order::task_id,
    progress::{StepTime, TaskStep},
};
use std::time::Duration;
use tokio::time::Instant;

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

    /// Reports the pool's steps.
    pub(crate) fn report_pool(&mut self, steps: &[StepTime]) {
        for reached in steps {
            if reached.step > TaskStep::Matched && reached.step < TaskStep::Settled {
                self.reach_at_pool(*reached);
            }
        }
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

/// The first task of a deal that comes, or has come, on chain.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) deal: DealId,
    /// Nothing of the deal is in earlier blocks.
    pub(crate) from_block: u64,
    /// Gas of our own match, if we matched.
    pub(crate) match_gas: Option<u64>,
    /// The pool that has the request, if it was not matched.
    pub(crate) handed: Option<Handed>,
}

/// A request that a pool has, of which the chain knows nothing yet.
#[derive(Debug)]
pub(crate) struct Handed {
    /// The pool's page.
    pub(crate) url: String,
    /// Until when the request can be executed, seconds since 1970.
    pub(crate) expiry: u64,
}

impl Watched {
    fn task(&self) -> TaskId {
        task_id(self.deal, 0)
    }

    fn too_late(&self, timeout: Duration) -> ClientError {
        let (task, waited) = (self.task().short(), timeout.as_secs());
        let rest = match &self.handed {
            None => format!("`sealwork task wait {task}` goes on waiting"),
            Some(Handed { expiry, .. }) => format!(
                "the pool can still settle it until {expiry} (seconds since 1970); `sealwork task show {task}` tells \
                 whether it did"
            ),
        };
        let text = format!("task {task} was not settled within {waited} s; {rest}");
        PortError::new(ErrorKind::Unavailable, text).into()
    }
}

impl Client {
    /// Waits until the task is settled or refunded, or the pool has given it up.
    pub(crate) async fn watch(
        &self,
        watched: &Watched,
        timeout: Duration,
        reporter: &mut Reporter<'_>,
    ) -> Result<TaskRecord, ClientError> {
        let mut deal = DealWatch::new(watched.deal, watched.from_block);
        let mut url = watched.handed.as_ref().map(|handed| handed.url.clone()).unwrap_or_default();
        let mut given_up: Option<String> = None;
        let mut pace = Pace::default();
        let deadline = Instant::now() + timeout;
        while Instant::now() < deadline {
            deal.look(self).await?;
            let record = &deal.record;
            if let Some(record) = record.as_ref().filter(|_| url.is_empty()) {
                url = self.pool_url(record.deal.pool).await;
            }
            let reason = self.report_progress(&url, watched.task(), reporter).await;
            if let Some(ended) = record.as_ref().and_then(|record| ended(record.task(0), reason.clone())) {
                return ended;
            }
            // A pool gives up as well when the chain shows somebody else's settlement: then the events tell first.
            match (record.is_none().then_some(given_up).flatten(), &watched.handed) {
                (Some(reason), Some(Handed { expiry, .. })) => {
                    return Err(ClientError::GivenUp { task: watched.task(), reason, expiry: *expiry });
                }
                _ => given_up = reason,
            }
            pace.pause().await;
        }
        Err(watched.too_late(timeout))
    }

    /// Reports what the pool says; the reason if it gave the task up. Best effort: a pool that does not answer costs
    /// nothing but detail.
    async fn report_progress(&self, url: &str, task: TaskId, reporter: &mut Reporter<'_>) -> Option<String> {
        if url.is_empty() {
            return None;
        }
        let progress = self.parts.progress.progress(url, task).await.ok()?;
        reporter.report_pool(&progress.steps);
        progress.abandoned
    }

    /// Why the pool gave a task up, if it says so.
    pub(crate) async fn given_up(&self, url: &str, task: TaskId) -> Option<String> {
        self.parts.progress.progress(url, task).await.ok()?.abandoned
    }
}

/// Pauses that grow.
#[derive(Debug)]
pub(crate) struct Pace(Duration);

impl Default for Pace {
    fn default() -> Self {
        Self(MIN_PAUSE)
    }
}

impl Pace {
    pub(crate) async fn pause(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = MAX_PAUSE.min(self.0.mul_f32(1.2));
    }
}

/// A deal as far as its events were read.
#[derive(Debug)]
pub(crate) struct DealWatch {
    deal: DealId,
    cursor: EventCursor,
    /// `None` until the deal is on chain, or if it is not any more.
    pub(crate) record: Option<DealRecord>,
    /// What was seen, with its blocks: the chain may replace some of them.
    seen: Vec<(u64, Seen)>,
}

/// What the chain told about a deal.
#[derive(Clone, Debug)]
enum Seen {
    Agreed(Box<DealRecord>),
    Event(Box<MarketEvent>),
}

impl DealWatch {
    /// Watches a deal of which nothing is in earlier blocks.
    pub(crate) const fn new(deal: DealId, from_block: u64) -> Self {
        Self { deal, cursor: EventCursor::at_block(from_block), record: None, seen: Vec::new() }
    }

    /// The deal.
    pub(crate) const fn deal(&self) -> DealId {
        self.deal
    }

    /// Takes the events that came since the last look into account.
    pub(crate) async fn look(&mut self, client: &Client) -> Result<(), ClientError> {
        loop {
            let page = client.parts.chain.events(self.cursor, PAGE).await?;
            if let Some(block) = page.rewound_to {
                self.rewind(block);
            }
            let full = page.events.len() >= PAGE;
            let deal = self.deal;
            for (block, event) in page.events.into_iter().filter(|(_, event)| deal_of(event) == deal) {
                let seen = told(event, client).await?;
                self.note(&seen);
                self.seen.push((block, seen));
            }
            self.cursor = page.next;
            if !full {
                return Ok(());
            }
        }
    }

    /// Forgets what this block and later ones told. Events of earlier ones do not come again.
    fn rewind(&mut self, block: u64) {
        self.seen.retain(|(seen_in, _)| *seen_in < block);
        self.record = None;
        let seen = std::mem::take(&mut self.seen);
        seen.iter().for_each(|(_, seen)| self.note(seen));
        self.seen = seen;
    }

    fn note(&mut self, seen: &Seen) {
        match (seen, &mut self.record) {
            (Seen::Agreed(record), _) => self.record = Some(DealRecord::clone(record)),
            (Seen::Event(event), Some(record)) => record.apply(MarketEvent::clone(event)),
            (Seen::Event(_), None) => {}
        }
    }
}

/// What an event tells, with what was agreed if it does not carry that itself.
async fn told(event: MarketEvent, client: &Client) -> Result<Seen, ClientError> {
    let agreed = |id, deal, transaction| Seen::Agreed(Box::new(DealRecord::new(id, deal, transaction)));
    Ok(match event {
        MarketEvent::Matched { id, deal, transaction } => agreed(id, *deal, transaction),
        MarketEvent::Executed { id, transaction, .. } => {
            agreed(id, client.parts.chain.executed(id, transaction).await?, transaction)
        }
        event @ (MarketEvent::Started { .. }
        | MarketEvent::Settled { .. }
        | MarketEvent::Batched { .. }
        | MarketEvent::Closed { .. }
        | MarketEvent::Closing { .. }
        | MarketEvent::Refunded { .. }) => Seen::Event(Box::new(event)),
    })
}

/// What came of a task that is on chain, if something did.
fn ended(found: TaskRecord, abandoned: Option<String>) -> Option<Result<TaskRecord, ClientError>> {
    match (&found.state, abandoned) {
        (TaskState::Open { .. }, None) => None,
        (TaskState::Open { deadline }, Some(reason)) => {
            Some(Err(ClientError::Abandoned { task: found.task, reason, deadline: *deadline }))
        }
        _ => Some(Ok(found)),
    }
}
