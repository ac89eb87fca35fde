//! The worker's loops: follow the chain, run jobs in slots, settle.

use crate::{
    delays::Delays,
    error::{JournalError, WorkerError},
    execute,
    journal::{Job, Journal},
    progress::ProgressBoard,
    settle,
};
use sealwork_ports::{Chain, Clock, EnclaveHost, MarketEvent, PortError, Store};
use sealwork_protocol::job::{JobEvent, JobState};
use sealwork_types::{
    DealId, PoolId, TaskId,
    abi::DealTerms,
    order,
    params::{MAX_DEAL_VOLUME, TASK_DEADLINE_S},
    progress::{TaskProgress, TaskStep},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::{Mutex, Notify, watch};
use tracing::{debug, info, warn};

/// Events taken from the chain at once.
const EVENTS_AT_ONCE: usize = 256;
/// Pause after a failure that waiting may mend.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// What a worker is configured with.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// The pool whose deals it serves.
    pub pool: PoolId,
    /// Tasks at the same time, one enclave each.
    pub slots: usize,
    /// Where the job log lies.
    pub state_dir: PathBuf,
}

/// The effects a worker needs.
pub struct Ports {
    /// The chain, with the account that pays for settlements.
    pub chain: Arc<dyn Chain>,
    /// Storage of bundles, inputs and outputs.
    pub store: Arc<dyn Store>,
    /// Enclaves.
    pub enclaves: Arc<dyn EnclaveHost>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Held while an enclave key is registered, so that two slots do not pay for it twice.
    pub(crate) registering: Mutex<()>,
    /// How far tasks are, for whoever asks.
    pub(crate) board: ProgressBoard,
}

impl Ports {
    /// Bundles the adapters.
    pub fn new(
        chain: Arc<dyn Chain>,
        store: Arc<dyn Store>,
        enclaves: Arc<dyn EnclaveHost>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { chain, store, enclaves, clock, registering: Mutex::default(), board: ProgressBoard::default() }
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").field("sender", &self.chain.sender()).finish_non_exhaustive()
    }
}

/// Jobs by state, for `worker status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// Pool served.
    pub pool: PoolId,
    /// Slots configured.
    pub slots: usize,
    /// Jobs waiting.
    pub queued: usize,
    /// Jobs in an enclave.
    pub running: usize,
    /// Jobs with a receipt that is not settled yet.
    pub executed: usize,
    /// Jobs settled.
    pub settled: usize,
    /// Jobs given up, with the reason of the newest.
    pub abandoned: usize,
    /// Why jobs were given up, at most ten reasons.
    pub reasons: Vec<String>,
    /// Why jobs wait for another attempt, at most ten reasons.
    pub waiting: Vec<String>,
}

/// A worker: agent for a pool of one.
#[derive(Clone, Debug)]
pub struct Worker {
    ports: Arc<Ports>,
    config: Arc<WorkerConfig>,
    journal: Arc<Journal>,
    /// Tasks that a slot holds right now.
    taken: Arc<Mutex<BTreeSet<TaskId>>>,
    news: Arc<Notify>,
    delays: Arc<Delays>,
}

impl Worker {
    /// Opens the job log and puts interrupted jobs back into the queue.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be used.
    pub fn open(config: WorkerConfig, ports: Ports) -> Result<Self, JournalError> {
        let journal = Journal::open(&config.state_dir)?;
        for job in journal.jobs(|job| matches!(job.state, JobState::Running { .. }))? {
            journal.apply(job.task(), JobEvent::Postponed { reason: "the worker was restarted".into() })?;
        }
        Ok(Self {
            ports: Arc::new(ports),
            config: Arc::new(config),
            journal: Arc::new(journal),
            taken: Arc::default(),
            news: Arc::default(),
            delays: Arc::default(),
        })
    }

    /// Works until `stop` becomes true; a task that runs then is interrupted and taken up again at the next start.
    ///
    /// # Errors
    /// [`WorkerError`] when the job log fails. Everything else is retried.
    pub async fn run(&self, stop: watch::Receiver<bool>) -> Result<(), WorkerError> {
        let mut loops = tokio::task::JoinSet::new();
        let follower = self.clone();
        loops.spawn(async move { follower.follow().await });
        for slot in 0..self.config.slots.max(1) {
            let worker = self.clone();
            loops.spawn(async move { worker.serve_slot(slot).await });
        }
        let mut stop = stop;
        let outcome = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => Ok(()),
            ended = loops.join_next() => match ended {
                Some(Ok(result)) => result,
                _ => Ok(()),
            },
        };
        loops.shutdown().await;
        for slot in 0..self.config.slots.max(1) {
            self.ports.enclaves.stop(slot).await;
        }
        outcome
    }

    /// How far a task is, if it is one of the newest here.
    pub fn progress(&self, task: TaskId) -> Option<TaskProgress> {
        self.ports.board.of(task)
    }

    /// Counts jobs by state.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn status(&self) -> Result<WorkerStatus, JournalError> {
        let mut status = WorkerStatus {
            pool: self.config.pool,
            slots: self.config.slots,
            waiting: self.delays.reasons(10),
            ..WorkerStatus::default()
        };
        for job in self.journal.jobs(|_| true)? {
            match job.state {
                JobState::Queued { .. } => status.queued += 1,
                JobState::Running { .. } => status.running += 1,
                JobState::Executed(_) => status.executed += 1,
                JobState::Settled { .. } => status.settled += 1,
                JobState::Abandoned { reason } => {
                    status.abandoned += 1;
                    if status.reasons.len() < 10 {
                        status.reasons.push(reason);
                    }
                }
            }
        }
        Ok(status)
    }

    async fn follow(&self) -> Result<(), WorkerError> {
        loop {
            match self.take_events().await {
                Ok(0) => self.ports.chain.wait().await,
                Ok(_) => self.news.notify_waiters(),
                Err(FollowError::Journal(error)) => return Err(error.into()),
                Err(FollowError::Port(error)) => {
                    warn!(%error, "chain.unavailable");
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    async fn take_events(&self) -> Result<usize, FollowError> {
        let (events, cursor) = self.ports.chain.events(self.journal.cursor()?, EVENTS_AT_ONCE).await?;
        let mut jobs: Vec<Job> = Vec::new();
        for event in &events {
            match event {
                MarketEvent::Matched { deal, terms, request_signature, .. }
                    if terms.pool == self.config.pool.get() =>
                {
                    jobs.extend(Self::jobs_of(*deal, terms, request_signature));
                }
                MarketEvent::Matched { .. } => {}
                MarketEvent::Settled { deal, index, signature, transaction, .. } => {
                    let task = order::task_id(*deal, *index);
                    self.closed(task, Some((signature, *transaction)))?;
                    jobs.retain(|job| job.task() != task);
                }
                MarketEvent::Refunded { deal, index, .. } => {
                    let task = order::task_id(*deal, *index);
                    self.closed(task, None)?;
                    jobs.retain(|job| job.task() != task);
                }
            }
        }
        if cursor != self.journal.cursor()? {
            self.journal.record(&jobs, cursor)?;
        }
        Ok(events.len())
    }

    /// The jobs of a deal. Nothing is looked up here: a deal that cannot be served must not hold up the others.
    fn jobs_of(deal: DealId, terms: &DealTerms, signature: &sealwork_types::Bytes) -> Vec<Job> {
        if terms.volume > MAX_DEAL_VOLUME {
            warn!(%deal, volume = terms.volume, "deal.too_large");
            return Vec::new();
        }
        info!(%deal, volume = terms.volume, "deal.seen");
        let job = |index| Job {
            deal,
            index,
            terms: terms.clone(),
            request_signature: signature.clone(),
            state: JobState::new(),
        };
        (0..terms.volume).map(job).collect()
    }

    /// The chain shows a task closed: by our own receipt, or by somebody else.
    fn closed(
        &self,
        task: TaskId,
        settled: Option<(&sealwork_types::Bytes, sealwork_types::B256)>,
    ) -> Result<(), JournalError> {
        let Some(job) = self.journal.job(task)?.filter(|job| job.state.is_open()) else { return Ok(()) };
        let event = match (&job.state, settled) {
            (JobState::Executed(execution), Some((signature, transaction)))
                if execution.signature == *signature =>
            {
                JobEvent::Settled { transaction }
            }
            _ => JobEvent::Closed,
        };
        self.journal.apply(task, event).map(drop)
    }

    async fn serve_slot(&self, slot: usize) -> Result<(), WorkerError> {
        loop {
            let news = self.news.notified();
            match self.take_job().await? {
                Some(job) => {
                    let task = job.task();
                    let served = self.serve(slot, job).await;
                    self.taken.lock().await.remove(&task);
                    served?;
                }
                None => {
                    let _ = tokio::time::timeout(RETRY_PAUSE, news).await;
                }
            }
        }
    }

    /// The first open job that no slot holds.
    async fn take_job(&self) -> Result<Option<Job>, JournalError> {
        let mut taken = self.taken.lock().await;
        let open = self.journal.jobs(|job| {
            job.state.is_open() && !taken.contains(&job.task()) && self.delays.is_due(job.task())
        })?;
        let next = open.into_iter().min_by_key(|job| (job.terms.startedAt, job.index));
        if let Some(job) = &next {
            taken.insert(job.task());
        }
        Ok(next)
    }

    /// Takes a job as far as it goes now.
    async fn serve(&self, slot: usize, mut job: Job) -> Result<(), JournalError> {
        let task = job.task();
        if self.ports.clock.unix_s() > job.terms.startedAt.saturating_add(TASK_DEADLINE_S) {
            return self.advance(task, JobEvent::DeadlinePassed).map(drop);
        }
        if matches!(job.state, JobState::Queued { .. }) {
            self.journal.apply(task, JobEvent::Started)?;
            self.ports.board.reach(task, TaskStep::Assigned);
            let event = self.attempt(slot, &job).await;
            let Some(next) = self.advance(task, event)? else { return Ok(()) };
            job = next;
        }
        if let JobState::Executed(execution) = &job.state {
            match settle::settle(&self.ports, &job, execution).await {
                Some(event) => self.advance(task, event).map(drop)?,
                None => tokio::time::sleep(RETRY_PAUSE).await,
            }
        }
        Ok(())
    }

    /// One attempt, ended by the deal's deadline at the latest: dropping it kills the enclave.
    async fn attempt(&self, slot: usize, job: &Job) -> JobEvent {
        let task = job.task();
        let deadline = job.terms.startedAt.saturating_add(TASK_DEADLINE_S);
        let left = Duration::from_secs(deadline.saturating_sub(self.ports.clock.unix_s()));
        let attempt = execute::attempt(&self.ports, slot, job);
        let event = tokio::time::timeout(left, attempt).await.unwrap_or(JobEvent::DeadlinePassed);
        match &event {
            JobEvent::Interrupted { reason } | JobEvent::Postponed { reason } => {
                warn!(%task, reason, "task.postponed");
                self.delays.postpone(task, reason.clone());
            }
            JobEvent::GaveUp { reason } => warn!(%task, reason, "task.failed"),
            JobEvent::Started
            | JobEvent::Executed(_)
            | JobEvent::Settled { .. }
            | JobEvent::Closed
            | JobEvent::DeadlinePassed => self.delays.clear(task),
        }
        event
    }

    fn publish(&self, task: TaskId, state: &JobState) {
        if !state.is_open() {
            self.delays.clear(task);
        }
        match state {
            JobState::Queued { .. } | JobState::Running { .. } => {}
            JobState::Executed(_) => self.ports.board.reach(task, TaskStep::Executed),
            JobState::Settled { .. } => self.ports.board.reach(task, TaskStep::Settled),
            JobState::Abandoned { reason } => self.ports.board.abandon(task, reason),
        }
    }

    /// Applies an event unless the follower has closed the job meanwhile.
    fn advance(&self, task: TaskId, event: JobEvent) -> Result<Option<Job>, JournalError> {
        match self.journal.apply(task, event) {
            Ok(job) => {
                self.publish(task, &job.state);
                Ok(Some(job))
            }
            Err(JournalError::Transition { source, .. }) => {
                debug!(%task, %source, "task.already_closed");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// A failed look at the chain.
enum FollowError {
    Journal(JournalError),
    Port(PortError),
}

impl From<JournalError> for FollowError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl From<PortError> for FollowError {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}
