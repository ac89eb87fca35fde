//! The worker: its slots run jobs and settle them, while other loops follow the chain and watch for starts.

use crate::{
    agreement::Agreement,
    delays::Delays,
    error::{JournalError, WorkerError},
    execute,
    journal::{Job, Journal},
    progress::ProgressBoard,
    settle::{self, Settling},
};
use sealwork_ports::{Chain, Clock, EnclaveHost, Store};
use sealwork_protocol::job::{JobEvent, JobState};
use sealwork_types::{
    PoolId, TaskId,
    params::START_WINDOW_S,
    progress::{TaskProgress, TaskStep},
};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use tokio::sync::{Mutex, Notify, watch};
use tracing::{debug, warn};

/// Pause after a failure that waiting may mend.
pub(crate) const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// What a worker is configured with.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// The pool whose deals it serves.
    pub pool: PoolId,
    /// Tasks at the same time, one enclave each.
    pub slots: usize,
    /// Where the job log lies.
    pub state_dir: PathBuf,
    /// Whether requests are taken over HTTP and settled in one transaction. The requester's money is not locked
    /// meanwhile: a requester who spends it elsewhere gets the work for nothing.
    pub takes_requests: bool,
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

/// A worker: agent for a pool of one.
#[derive(Clone, Debug)]
pub struct Worker {
    pub(crate) ports: Arc<Ports>,
    pub(crate) config: Arc<WorkerConfig>,
    pub(crate) journal: Arc<Journal>,
    /// Tasks that a slot holds right now.
    taken: Arc<Mutex<BTreeSet<TaskId>>>,
    /// Rings when there may be new jobs.
    pub(crate) news: Arc<Notify>,
    pub(crate) delays: Arc<Delays>,
    /// Held while a request is accepted, so that no two count on the same money.
    pub(crate) accepting: Arc<Mutex<()>>,
    /// When the chain's newest block was last seen, seconds since 1970.
    pub(crate) caught_up: Arc<AtomicU64>,
}

impl Worker {
    /// Opens the job log and puts interrupted jobs back into the queue.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be used.
    pub fn open(config: WorkerConfig, ports: Ports) -> Result<Self, JournalError> {
        let journal = Journal::open(&config.state_dir)?;
        for job in journal.open_jobs()? {
            if matches!(job.state, JobState::Running { .. }) {
                journal
                    .apply(job.task(), JobEvent::Postponed { reason: "the worker was restarted".into() })?;
            }
        }
        Ok(Self {
            ports: Arc::new(ports),
            config: Arc::new(config),
            journal: Arc::new(journal),
            taken: Arc::default(),
            news: Arc::default(),
            delays: Arc::default(),
            accepting: Arc::default(),
            caught_up: Arc::default(),
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
        let starter = self.clone();
        loops.spawn(async move { starter.watch_starts().await });
        let redeemer = self.clone();
        loops.spawn(async move { redeemer.redeem_vouchers().await });
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

    /// The oldest open job that no slot holds.
    async fn take_job(&self) -> Result<Option<Job>, JournalError> {
        let mut taken = self.taken.lock().await;
        let next = self.journal.next_open(|task| !taken.contains(&task) && self.delays.is_due(task))?;
        if let Some(job) = &next {
            taken.insert(job.task());
        }
        Ok(next)
    }

    /// Takes a job as far as it goes now.
    async fn serve(&self, slot: usize, mut job: Job) -> Result<(), JournalError> {
        let task = job.task();
        if matches!(job.state, JobState::Queued { .. }) {
            if self.ports.clock.unix_s() > job.agreement.deadline() {
                return self.advance(task, JobEvent::DeadlinePassed).map(drop);
            }
            if self.is_closed_on_chain(&job).await {
                self.delays.postpone(task, "the chain shows the task closed, how is being looked up".into());
                return Ok(());
            }
            // The follower may have closed the job meanwhile.
            if self.advance(task, JobEvent::Started)?.is_none() {
                return Ok(());
            }
            self.ports.board.reach(task, TaskStep::Assigned);
            let event = self.attempt(slot, &job).await;
            let Some(next) = self.advance(task, event)? else { return Ok(()) };
            job = next;
        }
        if let JobState::Executed(execution) = &job.state {
            match settle::settle(&self.ports, &job, execution).await {
                Settling::Ended(event) => self.advance(task, event).map(drop)?,
                Settling::Waits(reason) => self.delays.postpone(task, reason),
            }
        }
        Ok(())
    }

    /// Asked only about deals of some age: after a long absence, most of what the follower finds is history.
    async fn is_closed_on_chain(&self, job: &Job) -> bool {
        let old = self.ports.clock.unix_s() > job.agreement.since().saturating_add(START_WINDOW_S);
        let matched = matches!(*job.agreement, Agreement::Matched(_));
        old && matched && matches!(self.ports.chain.is_open(job.deal(), job.index).await, Ok(false))
    }

    /// One attempt, ended by the deal's deadline at the latest: dropping it kills the enclave.
    async fn attempt(&self, slot: usize, job: &Job) -> JobEvent {
        let task = job.task();
        let left = job.agreement.deadline().saturating_sub(self.ports.clock.unix_s());
        let attempt = execute::attempt(&self.ports, slot, job);
        let event = tokio::time::timeout(Duration::from_secs(left), attempt)
            .await
            .unwrap_or(JobEvent::DeadlinePassed);
        match &event {
            JobEvent::Interrupted { reason } | JobEvent::Postponed { reason } => {
                warn!(%task, reason, "task.postponed");
                self.delays.postpone(task, reason.clone());
            }
            JobEvent::GaveUp { reason } => warn!(%task, reason, "task.failed"),
            JobEvent::Started
            | JobEvent::Executed(_)
            | JobEvent::Settled { .. }
            | JobEvent::Delivered
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
            JobState::Settled { .. } | JobState::Delivered(_) => {
                self.ports.board.reach(task, TaskStep::Settled);
            }
            JobState::Abandoned { reason } => self.ports.board.abandon(task, reason),
        }
    }

    /// Applies an event unless the follower has closed the job meanwhile.
    pub(crate) fn advance(&self, task: TaskId, event: JobEvent) -> Result<Option<Job>, JournalError> {
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
