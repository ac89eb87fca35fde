//! What events bring to the log, one block after the other.

use super::{
    ChannelChange, Job, JobKey, Place,
    records::{DealRecord, JobRecord},
    tables::{Tables, database, encode},
};
use crate::{agreement::Agreement, error::JournalError};
use sealwork_protocol::job::{JobEvent, JobState};
use sealwork_types::{B256, Bytes, DealId, deal::Deal, order};
use std::ops::RangeInclusive;

/// What a page of events brings. Writing it down twice is writing it down once.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// Whatever blocks from this one on showed is void.
    pub rewound_to: Option<u64>,
    /// Changes in order, each with the block that shows it.
    pub changes: Vec<(u64, Change)>,
    /// Seconds since 1970.
    pub now: u64,
}

/// One thing that the chain shows.
#[derive(Clone, Debug)]
pub enum Change {
    /// A deal to be served.
    Accepted(Box<Deal>),
    /// A channel of the worker's pool.
    Channel(Box<Deal>),
    /// A deal needs no start.
    Started(DealId),
    /// Tasks were closed.
    Closed {
        /// Deal.
        deal: DealId,
        /// Tasks.
        tasks: RangeInclusive<u32>,
        /// By whom.
        closing: Closing,
    },
    /// What became of a deal that may be a channel.
    ChannelChange(DealId, ChannelChange),
}

/// How tasks were closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// By the statement with this signature.
    Statement {
        /// Signature by the enclave.
        signature: Bytes,
        /// Transaction.
        transaction: B256,
    },
    /// By a refund or a module.
    Other,
}

impl Tables<'_> {
    pub(super) fn take(
        &mut self,
        block: u64,
        change: &Change,
        now: u64,
        changed: &mut Vec<Job>,
    ) -> Result<(), JournalError> {
        match change {
            Change::Accepted(deal) => {
                if self.accept(&Agreement::Matched(deal.clone()))? {
                    self.undo_acceptance(block, deal.id())?;
                }
                Ok(())
            }
            Change::Channel(deal) => self.open_channel(deal),
            Change::Started(deal) => self.unwatch(*deal),
            Change::Closed { deal, tasks, closing } => {
                self.close(*deal, tasks, closing, Place { block: Some(block), now }, changed)
            }
            Change::ChannelChange(deal, change) => self.note(block, *deal, *change),
        }
    }

    /// Adds an agreement; whether it is new.
    pub(super) fn accept(&mut self, agreement: &Agreement) -> Result<bool, JournalError> {
        let deal = agreement.id();
        let before = self.find_deal(deal)?;
        if let Some(before) = before {
            // A channel pays its tasks, whatever somebody does with their requests.
            let paid = matches!(before.agreement, Agreement::Channel(_));
            let matched = matches!(agreement, Agreement::Matched(_));
            if paid || !matched || before.agreement == *agreement {
                return Ok(false);
            }
            return self.replace(&before, agreement).map(|()| true);
        }
        let counts = self.counts()?;
        counts.arrivals = counts.arrivals.saturating_add(1);
        let record = DealRecord { agreement: agreement.clone(), arrival: counts.arrivals, closed: None };
        self.put_deal(deal, &record)?;
        self.follow_up(&record)?;
        let queued = JobRecord { count: agreement.volume(), state: JobState::new() };
        self.put_job(&record, JobKey { deal, first: 0 }, queued)?;
        Ok(true)
    }

    /// Puts a deal in the place of the request that it was made of, or of the same deal in a block that is gone. What its
    /// tasks have reached stays valid, but for giving up: the deal is another chance.
    fn replace(&mut self, before: &DealRecord, agreement: &Agreement) -> Result<(), JournalError> {
        let deal = agreement.id();
        let jobs = self.jobs_of(deal)?;
        for (key, _) in &jobs {
            self.remove_job(before, *key)?;
        }
        self.unwatch(deal)?;
        self.promises.remove(deal.as_slice()).map_err(database)?;
        let direct = !matches!(before.agreement, Agreement::Matched(_));
        let record = DealRecord { agreement: agreement.clone(), ..before.clone() };
        self.put_deal(deal, &record)?;
        self.follow_up(&record)?;
        let (mut end, volume) = (0, agreement.volume());
        for (key, mut job) in jobs {
            // In another block fewer tasks may have been left for the deal.
            let left = volume.saturating_sub(key.first).min(job.count);
            if left == 0 {
                continue;
            }
            let again = direct && matches!(job.state, JobState::Abandoned { .. });
            if again || left < job.count {
                job = JobRecord { count: left, state: JobState::new() };
            }
            end = end.max(key.first.saturating_add(job.count));
            self.put_job(&record, key, job)?;
        }
        let rest = volume.saturating_sub(end);
        if rest > 0 {
            let queued = JobRecord { count: rest, state: JobState::new() };
            self.put_job(&record, JobKey { deal, first: end }, queued)?;
        }
        if self.is_queued(&record)? && record.closed.is_some() {
            self.put_deal(deal, &DealRecord { closed: None, ..record })?;
        }
        Ok(())
    }

    /// What has to be remembered about a kind of agreement while its tasks are open.
    pub(super) fn follow_up(&mut self, record: &DealRecord) -> Result<(), JournalError> {
        let deal = record.agreement.id();
        match &record.agreement {
            Agreement::Matched(_) => {
                let place = watch_key(record);
                self.watch.insert(&place[..], deal.as_slice()).map(drop).map_err(database)
            }
            Agreement::Direct(direct) => {
                self.name(deal)?;
                let promise = encode(&(direct.payer(), direct.price));
                self.promises.insert(deal.as_slice(), &promise[..]).map(drop).map_err(database)
            }
            Agreement::Channel(_) => self.name(deal),
        }
    }

    fn name(&mut self, deal: DealId) -> Result<(), JournalError> {
        let task = order::task_id(deal, 0);
        self.names.insert(task.as_slice(), deal.as_slice()).map(drop).map_err(database)
    }

    pub(super) fn unwatch(&mut self, deal: DealId) -> Result<(), JournalError> {
        let Some(record) = self.find_deal(deal)? else { return Ok(()) };
        self.watch.remove(&watch_key(&record)[..]).map(drop).map_err(database)
    }

    /// The chain shows tasks closed: by our own statement, or otherwise.
    fn close(
        &mut self,
        deal: DealId,
        tasks: &RangeInclusive<u32>,
        closing: &Closing,
        at: Place,
        changed: &mut Vec<Job>,
    ) -> Result<(), JournalError> {
        let Some(record) = self.find_deal(deal)? else { return Ok(()) };
        // A channel pays its tasks, whatever somebody does with their requests, which are free of charge.
        if matches!(record.agreement, Agreement::Channel(_)) {
            return Ok(());
        }
        let (start, end) = (*tasks.start(), tasks.end().saturating_add(1));
        for (key, job) in self.jobs_of(deal)? {
            let (from, to) = (key.first.max(start), key.first.saturating_add(job.count).min(end));
            if from >= to || !job.state.is_open() {
                continue;
            }
            let event = ended(&job.state, closing);
            if to.saturating_sub(from) < job.count {
                self.carve(&record, key, &job, from..to)?;
            }
            changed.extend(self.apply(JobKey { deal, first: from }, &event, at)?);
        }
        Ok(())
    }

    /// Makes jobs of what lies before, in and behind a part of a job. A statement about all of it is of no use any more.
    fn carve(
        &mut self,
        deal: &DealRecord,
        key: JobKey,
        job: &JobRecord,
        part: std::ops::Range<u32>,
    ) -> Result<(), JournalError> {
        let attempts = match job.state {
            JobState::Queued { attempts } => attempts,
            JobState::Running { attempt } => attempt.saturating_sub(1),
            JobState::Executed(_)
            | JobState::Settled { .. }
            | JobState::Delivered(_)
            | JobState::Abandoned { .. } => 0,
        };
        let end = key.first.saturating_add(job.count);
        self.remove_job(deal, key)?;
        for (first, end) in [(key.first, part.start), (part.start, part.end), (part.end, end)] {
            let count = end.saturating_sub(first);
            if count > 0 {
                let record = JobRecord { count, state: JobState::Queued { attempts } };
                self.put_job(deal, JobKey { first, ..key }, record)?;
            }
        }
        Ok(())
    }
}

fn ended(state: &JobState, closing: &Closing) -> JobEvent {
    match (state, closing) {
        (JobState::Executed(execution), Closing::Statement { signature, transaction })
            if execution.signature == *signature =>
        {
            JobEvent::Settled { transaction: *transaction }
        }
        _ => JobEvent::Closed,
    }
}

/// Key of a deal that may have to be started.
fn watch_key(deal: &DealRecord) -> [u8; 16] {
    let mut key = [0; 16];
    let (since, arrival) = key.split_at_mut(8);
    since.copy_from_slice(&deal.agreement.since().to_be_bytes());
    arrival.copy_from_slice(&deal.arrival.to_be_bytes());
    key
}
