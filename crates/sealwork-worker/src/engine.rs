//! The worker: its slots run jobs, its settlers settle them, while other loops follow the chain and watch for starts.

use crate::{
    delays::Delays,
    error::{JournalError, WorkerError},
    journal::{Job, JobKey, Journal, Place, Stage},
    progress::ProgressBoard,
};
use sealwork_ports::{Chain, Clock, EnclaveHost, Store};
use sealwork_protocol::job::{JobEvent, JobState};
use sealwork_types::{
    PoolId, TaskId,
    progress::{TaskProgress, TaskStep},
};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc, Mutex as SyncMutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, Notify, watch},
    task::JoinSet,
    time::timeout,
};
use tracing::info;

/// Pause after a failure that waiting may mend.
pub(crate) const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// Statements settled at the same time, beside one for each slot.
const MORE_SETTLERS: usize = 2;

/// What a worker is configured with.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// The pool whose deals it serves.
    pub pool: PoolId,
    /// Jobs at the same time, one enclave each.
    pub slots: usize,
    /// Where the job log lies.
    pub state_dir: PathBuf,
    /// Whether requests are taken over HTTP and settled in one transaction. The requester's money is not locked
    /// meanwhile: a requester who spends it elsewhere gets the work for nothing.
    pub takes_requests: bool,
    /// How long a worker that is asked to stop goes on with what it has begun.
    pub drain: Duration,
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
    /// Held while an enclave key is registered, so that two settlers do not pay for it twice.
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

    /// Notes that all tasks of a job reached a step now.
    pub(crate) fn reach(&self, job: &Job, step: TaskStep) {
        let now = self.clock.unix_ms();
        job.tasks().for_each(|task| self.board.reach(task, step, now));
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
    /// Jobs that a slot or a settler holds right now.
    taken: Arc<SyncMutex<BTreeSet<JobKey>>>,
    /// Rings when there may be new jobs.
    pub(crate) news: Arc<Notify>,
    pub(crate) delays: Arc<Delays>,
    /// Held while a request is accepted, so that no two count on the same money.
    pub(crate) accepting: Arc<Mutex<()>>,
    /// When the chain's newest block was last seen, seconds since 1970.
    pub(crate) caught_up: Arc<AtomicU64>,
    /// Whether nothing new is begun.
    pub(crate) draining: Arc<AtomicBool>,
}

impl Worker {
    /// Opens the job log and puts interrupted jobs back into the queue.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be used.
    pub fn open(config: WorkerConfig, ports: Ports) -> Result<Self, JournalError> {
        let journal = Journal::open(&config.state_dir)?;
        Ok(Self::with(config, ports, journal))
    }

    /// A worker with an opened job log.
    pub fn with(config: WorkerConfig, ports: Ports, journal: Journal) -> Self {
        Self {
            ports: Arc::new(ports),
            config: Arc::new(config),
            journal: Arc::new(journal),
            taken: Arc::default(),
            news: Arc::default(),
            delays: Arc::default(),
            accepting: Arc::default(),
            caught_up: Arc::default(),
            draining: Arc::default(),
        }
    }

    /// Works until `stop` becomes true. Then nothing new is begun, and what was begun gets the configured time to end; a
    /// job that is interrupted then is taken up again at the next start.
    ///
    /// # Errors
    /// [`WorkerError`] when the job log fails. Everything else is retried.
    pub async fn run(&self, stop: watch::Receiver<bool>) -> Result<(), WorkerError> {
        let (mut watchers, mut workers) = (JoinSet::new(), JoinSet::new());
        for watching in [Watching::Chain, Watching::Starts, Watching::Vouchers] {
            let worker = self.clone();
            watchers.spawn(async move { worker.keep_watching(watching).await });
        }
        for slot in 0..self.slots() {
            let worker = self.clone();
            workers.spawn(async move { worker.serve_slot(slot).await });
        }
        for _ in 0..self.slots().saturating_add(MORE_SETTLERS) {
            let worker = self.clone();
            workers.spawn(async move { worker.serve_settlements().await });
        }
        let outcome = self.until_stopped(stop, &mut watchers, &mut workers).await;
        workers.shutdown().await;
        watchers.shutdown().await;
        for slot in 0..self.slots() {
            self.ports.enclaves.stop(slot).await;
        }
        outcome
    }

    async fn until_stopped(
        &self,
        mut stop: watch::Receiver<bool>,
        watchers: &mut JoinSet<Result<(), WorkerError>>,
        workers: &mut JoinSet<Result<(), WorkerError>>,
    ) -> Result<(), WorkerError> {
        tokio::select! {
            biased;
            Some(ended) = watchers.join_next() => return ended.unwrap_or(Ok(())),
            Some(ended) = workers.join_next() => return ended.unwrap_or(Ok(())),
            _ = stop.wait_for(|stop| *stop) => {}
        }
        self.draining.store(true, Ordering::Relaxed);
        self.news.notify_waiters();
        info!("worker.draining");
        let finish = async {
            while let Some(ended) = workers.join_next().await {
                ended.unwrap_or(Ok(()))?;
            }
            Ok(())
        };
        timeout(self.config.drain, finish).await.unwrap_or(Ok(()))
    }

    async fn keep_watching(&self, watching: Watching) -> Result<(), WorkerError> {
        match watching {
            Watching::Chain => self.follow().await,
            Watching::Starts => self.watch_starts().await,
            Watching::Vouchers => self.redeem_vouchers().await,
        }
    }

    pub(crate) fn slots(&self) -> usize {
        self.config.slots.max(1)
    }

    /// How far a task is, if it is one of the newest here.
    pub fn progress(&self, task: TaskId) -> Option<TaskProgress> {
        self.ports.board.of(task)
    }

    /// Serves jobs at a stage one after the other; ends when the worker drains and, for settling, nothing is left.
    pub(crate) async fn serve<F>(&self, stage: Stage, serve: impl Fn(Job) -> F) -> Result<(), WorkerError>
    where
        F: Future<Output = Result<(), JournalError>>,
    {
        loop {
            let news = self.news.notified();
            let draining = self.draining.load(Ordering::Relaxed);
            if draining && stage == Stage::Run {
                return Ok(());
            }
            match self.take(stage)? {
                Some(job) => {
                    let taken = Taken { worker: self, key: job.key() };
                    serve(job).await?;
                    drop(taken);
                }
                None if draining && self.is_idle() => return Ok(()),
                None => {
                    let _ = timeout(RETRY_PAUSE, news).await;
                }
            }
        }
    }

    /// The oldest job at a stage that nobody holds.
    fn take(&self, stage: Stage) -> Result<Option<Job>, JournalError> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let next = self.journal.next(stage, |key| !taken.contains(&key) && self.delays.is_due(key))?;
        if let Some(job) = &next {
            taken.insert(job.key());
        }
        Ok(next)
    }

    fn is_idle(&self) -> bool {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Applies an event unless the follower has closed the job meanwhile.
    pub(crate) fn advance(
        &self,
        key: JobKey,
        event: &JobEvent,
        block: Option<u64>,
    ) -> Result<Option<Job>, JournalError> {
        let at = Place { block, now: self.ports.clock.unix_s() };
        let job = self.journal.apply(key, event, at)?;
        if let Some(job) = &job {
            self.publish(job);
        }
        Ok(job)
    }

    /// Tells whoever waits how far a job is.
    pub(crate) fn publish(&self, job: &Job) {
        if !job.state.is_open() {
            self.delays.clear(job.key());
        }
        match &job.state {
            JobState::Queued { .. } | JobState::Running { .. } => {}
            JobState::Executed(_) => self.ports.reach(job, TaskStep::Executed),
            JobState::Settled { .. } | JobState::Delivered(_) => self.ports.reach(job, TaskStep::Settled),
            JobState::Abandoned { reason } => {
                job.tasks().for_each(|task| self.ports.board.abandon(task, reason));
            }
        }
    }
}

/// What is watched all the time.
#[derive(Clone, Copy)]
enum Watching {
    Chain,
    Starts,
    Vouchers,
}

/// A job that is held; given back when dropped, and then somebody else may have something to do with it.
struct Taken<'a> {
    worker: &'a Worker,
    key: JobKey,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.worker.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        self.worker.news.notify_waiters();
    }
}
