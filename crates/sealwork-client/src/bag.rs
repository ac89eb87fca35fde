//! A bag of tasks: many tasks of one deal on one input, delivered as they are settled.

use crate::{
    Client, ClientError, DealRecord, OpenedOutput, Progress, RunRequest, TaskRecord, TaskState,
    deliver::{Delivered, reason},
    watch::{DealWatch, Pace, Reporter},
};
use sealwork_ports::{ErrorKind, PortError};
use sealwork_types::{B256, DealId, Status, TaskId, U256, receipt::ReceiptDocument};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// Given up tasks that are passed over in one look at the pool.
const ASKED_AT_ONCE: usize = 32;

/// News of a bag, for displays and for whoever writes results down.
#[derive(Debug)]
pub enum BagNews {
    /// A step of the whole bag was reached.
    Step(Progress),
    /// So many tasks of so many are closed.
    Closed {
        /// Closed ones.
        closed: usize,
        /// All.
        tasks: u32,
    },
    /// A task came to its end. It comes again when the chain replaced what had ended it.
    Task(Box<BagTask>),
}

/// A task of a bag that came to its end.
#[derive(Debug)]
pub struct BagTask {
    /// Index in the deal.
    pub index: u32,
    /// Task.
    pub task: TaskId,
    /// How it ended.
    pub end: TaskEnd,
}

/// How a task of a bag ended.
#[derive(Debug)]
pub enum TaskEnd {
    /// Settled, and the receipt holds.
    Settled {
        /// How it ended.
        status: Status,
        /// Checked receipt.
        receipt: Box<ReceiptDocument>,
        /// Opened output, if the status comes with one; or why it cannot be opened.
        output: Result<Option<OpenedOutput>, ClientError>,
    },
    /// Settled, but what shall prove how does not hold or is not to be had.
    Unproven {
        /// Why.
        problem: String,
    },
    /// Closed by another module of the Market.
    Closed,
    /// Refunded after the deadline.
    Refunded,
    /// The pool gave it up; its money comes back after the deadline.
    GivenUp {
        /// What the pool says.
        reason: String,
    },
}

/// What became of a bag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BagOutcome {
    /// Deal.
    pub deal: DealId,
    /// Tasks in it.
    pub tasks: u32,
    /// Gas of the match; zero when somebody else matched.
    pub match_gas: u64,
    /// Gas of all settlements together.
    pub settle_gas: u64,
    /// Transactions that settled.
    pub settlements: usize,
    /// Price of one task, smallest token units.
    pub price: U256,
}

/// A bag on its way.
struct Bag<'a> {
    client: &'a Client,
    watch: DealWatch,
    /// What was delivered, by index, with the state that it was delivered in.
    delivered: BTreeMap<u32, TaskState>,
    given_up: BTreeSet<u32>,
    /// Tasks that the pool gave up at the last look. It also gives up what the chain shows closed, which the next look
    /// finds.
    doubtful: BTreeSet<u32>,
    /// Closed tasks at the last report.
    reported: Option<usize>,
    /// Why the newest attempt to deliver failed.
    waits_for: Option<String>,
}

impl Client {
    /// Runs as many tasks as the request's volume says on one input and delivers each as soon as it is settled.
    ///
    /// # Errors
    /// As [`Client::run`] until the match; then `Unavailable` when tasks are open at the end of the request's timeout:
    /// [`Client::collect`] goes on.
    pub async fn run_bag(
        &self,
        request: RunRequest,
        news: &mut (dyn FnMut(BagNews) + Send),
    ) -> Result<BagOutcome, ClientError> {
        let timeout = request.timeout;
        let mut steps = |progress| news(BagNews::Step(progress));
        let watched = self.bring_on_chain(request, &mut Reporter::new(&mut steps)).await?;
        let watch = DealWatch::new(watched.deal, watched.from_block);
        let mut outcome = Bag::new(self, watch).follow(timeout, news).await?;
        outcome.match_gas = watched.match_gas.unwrap_or(0);
        Ok(outcome)
    }

    /// Delivers every task of a deal of this wallet, those that are open as soon as they are settled.
    ///
    /// # Errors
    /// `Rejected` when another wallet asked for the tasks; `Unavailable` when tasks are open at the end of the timeout.
    pub async fn collect(
        &self,
        record: &DealRecord,
        timeout: Duration,
        news: &mut (dyn FnMut(BagNews) + Send),
    ) -> Result<BagOutcome, ClientError> {
        let requester = record.deal.request.requester;
        if requester != self.address() {
            let text = format!(
                "the deal is {requester}'s, not {}'s; choose its wallet with --wallet",
                self.address()
            );
            return Err(PortError::new(ErrorKind::Rejected, text).into());
        }
        let matched = self.parts.chain.transaction(record.matched_in).await?;
        let watch = DealWatch::new(record.id, self.parts.chain.deployment().deployed_at);
        let mut outcome = Bag::new(self, watch).follow(timeout, news).await?;
        outcome.match_gas = matched.gas_used;
        Ok(outcome)
    }
}

impl<'a> Bag<'a> {
    fn new(client: &'a Client, watch: DealWatch) -> Self {
        let (delivered, given_up, doubtful) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        Self { client, watch, delivered, given_up, doubtful, reported: None, waits_for: None }
    }

    async fn follow(
        mut self,
        timeout: Duration,
        news: &mut (dyn FnMut(BagNews) + Send),
    ) -> Result<BagOutcome, ClientError> {
        let deadline = Instant::now() + timeout;
        let mut pace = Pace::default();
        let mut url = String::new();
        loop {
            self.watch.look(self.client).await?;
            if let Some(record) = self.watch.record.clone() {
                if url.is_empty() {
                    url = self.client.pool_url(record.deal.pool).await;
                }
                self.report(&record, news);
                self.deliver(&record, news).await?;
                self.ask_pool(&url, &record, news).await;
                if self.is_done(&record) {
                    return self.outcome(&record).await;
                }
            }
            if Instant::now() >= deadline {
                return Err(self.too_late(timeout));
            }
            pace.pause().await;
        }
    }

    fn report(&mut self, record: &DealRecord, news: &mut (dyn FnMut(BagNews) + Send)) {
        let closed = record.closed();
        if self.reported.replace(closed) != Some(closed) {
            news(BagNews::Closed { closed, tasks: record.volume() });
        }
    }

    /// Delivers what ended since the last look. What cannot be had yet is tried again with the next one.
    async fn deliver(
        &mut self,
        record: &DealRecord,
        news: &mut (dyn FnMut(BagNews) + Send),
    ) -> Result<(), ClientError> {
        self.waits_for = None;
        // After a rewind, tasks may be open again.
        self.delivered.retain(|index, state| record.state(*index) == Some(&*state));
        let mut next = 0;
        for index in 0..record.volume() {
            let delivered = index < next || self.delivered.contains_key(&index);
            let Some(state) = record.state(index).filter(|_| !delivered) else { continue };
            match self.end(&record.task(index), state, news).await {
                Ok(()) => {}
                Err(error) if error.may_pass() => {
                    self.waits_for = Some(reason(&error));
                    next = last_like(index, state);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Delivers a task that ended; with it, all that were settled together with it.
    async fn end(
        &mut self,
        task: &TaskRecord,
        state: &TaskState,
        news: &mut (dyn FnMut(BagNews) + Send),
    ) -> Result<(), ClientError> {
        let mut take = |delivered: Delivered| {
            let Delivered { index, end } = delivered;
            self.delivered.insert(index, state.clone());
            news(BagNews::Task(Box::new(BagTask { index, task: task.agreed.task(index), end })));
        };
        match state {
            TaskState::Open { .. } => {}
            TaskState::Closed { .. } => take(Delivered { index: task.index, end: TaskEnd::Closed }),
            TaskState::Refunded { .. } => take(Delivered { index: task.index, end: TaskEnd::Refunded }),
            TaskState::Settled(_) => take(self.client.deliver_task(task).await?),
            TaskState::Batched { batch } => {
                self.client.deliver_batch(&task.agreed, batch, &mut take).await?;
            }
        }
        Ok(())
    }

    /// Asks the pool about the first open tasks: one that it gave up is waited for no longer.
    async fn ask_pool(&mut self, url: &str, record: &DealRecord, news: &mut (dyn FnMut(BagNews) + Send)) {
        let given_up = self.given_up.clone();
        let open =
            (0..record.volume()).filter(|index| record.state(*index).is_none() && !given_up.contains(index));
        for index in open.take(ASKED_AT_ONCE).filter(|_| !url.is_empty()) {
            let task = record.deal.task(index);
            let Some(reason) = self.client.given_up(url, task).await else { return };
            if self.doubtful.insert(index) {
                continue;
            }
            self.given_up.insert(index);
            news(BagNews::Task(Box::new(BagTask { index, task, end: TaskEnd::GivenUp { reason } })));
        }
    }

    fn is_done(&self, record: &DealRecord) -> bool {
        (0..record.volume()).all(|index| match record.state(index) {
            Some(_) => self.delivered.contains_key(&index),
            None => self.given_up.contains(&index),
        })
    }

    async fn outcome(&self, record: &DealRecord) -> Result<BagOutcome, ClientError> {
        let transactions: BTreeSet<B256> = self.delivered.values().filter_map(settled_in).collect();
        let mut settle_gas = 0_u64;
        for transaction in &transactions {
            let gas = self.client.parts.chain.transaction(*transaction).await?.gas_used;
            settle_gas = settle_gas.saturating_add(gas);
        }
        Ok(BagOutcome {
            deal: record.id,
            tasks: record.volume(),
            match_gas: 0,
            settle_gas,
            settlements: transactions.len(),
            price: record.deal.price(),
        })
    }

    fn too_late(&self, timeout: Duration) -> ClientError {
        let (deal, waited) = (self.watch.deal().short(), timeout.as_secs());
        let done = self.delivered.len();
        let why =
            self.waits_for.as_ref().map_or_else(String::new, |why| format!(" (it waits for this: {why})"));
        let text = format!(
            "not all tasks of deal {deal} were delivered within {waited} s, {done} were{why}; \
             `sealwork task fetch --deal {deal}` goes on"
        );
        PortError::new(ErrorKind::Unavailable, text).into()
    }
}

/// Index behind the tasks that ended by the same statement.
fn last_like(index: u32, state: &TaskState) -> u32 {
    match state {
        TaskState::Batched { batch } => batch.end(),
        TaskState::Open { .. }
        | TaskState::Settled(_)
        | TaskState::Closed { .. }
        | TaskState::Refunded { .. } => index,
    }
}

/// The transaction that settled a task.
fn settled_in(state: &TaskState) -> Option<B256> {
    match state {
        TaskState::Settled(settled) => Some(settled.transaction),
        TaskState::Batched { batch } => Some(batch.transaction),
        TaskState::Open { .. } | TaskState::Closed { .. } | TaskState::Refunded { .. } => None,
    }
}
