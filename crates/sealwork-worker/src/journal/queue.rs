//! Jobs in the log: found, taken, split, changed.

use super::{
    Place, name,
    records::{Closed, DealRecord, JobRecord},
    tables::{Reader, Tables, database, decode, encode},
};
use crate::{agreement::Agreement, error::JournalError};
use redb::ReadableTable;
use sealwork_protocol::job::{Execution, JobEvent, JobState};
use sealwork_types::{DealId, TaskId, order};
use std::sync::Arc;

/// Names a job: its deal and its first task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobKey {
    /// Deal.
    pub deal: DealId,
    /// Index of the first task.
    pub first: u32,
}

/// What is to be done next with an open job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// An enclave has to run it.
    Run,
    /// Its statement has to be settled.
    Settle,
}

/// Tasks of a deal that follow each other, as the worker knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What was agreed about it.
    pub agreement: Arc<Agreement>,
    /// Index of the first task in the deal.
    pub first: u32,
    /// Tasks.
    pub count: u32,
    /// Where it stands.
    pub state: JobState,
}

impl Job {
    /// Its name in the log.
    pub fn key(&self) -> JobKey {
        JobKey { deal: self.deal(), first: self.first }
    }

    /// The tasks' deal.
    pub fn deal(&self) -> DealId {
        self.agreement.id()
    }

    /// Id of the first task.
    pub fn task(&self) -> TaskId {
        order::task_id(self.deal(), self.first)
    }

    /// Ids of all tasks.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> {
        let deal = self.deal();
        (self.first..self.first.saturating_add(self.count)).map(move |index| order::task_id(deal, index))
    }
}

/// What a state is waiting for.
pub(super) const fn stage(state: &JobState) -> Option<Stage> {
    match state {
        JobState::Queued { .. } | JobState::Running { .. } => Some(Stage::Run),
        JobState::Executed(_) => Some(Stage::Settle),
        JobState::Settled { .. } | JobState::Delivered(_) | JobState::Abandoned { .. } => None,
    }
}

const fn stage_byte(stage: Stage) -> u8 {
    match stage {
        Stage::Run => 0,
        Stage::Settle => 1,
    }
}

/// Key of an open job: the oldest agreement comes first, then the one that arrived first.
pub(super) fn queue_key(stage: Stage, deal: &DealRecord, first: u32) -> [u8; 21] {
    let mut key = [0; 21];
    let (kind, rest) = key.split_at_mut(1);
    let (since, rest) = rest.split_at_mut(8);
    let (arrival, place) = rest.split_at_mut(8);
    kind.copy_from_slice(&[stage_byte(stage)]);
    since.copy_from_slice(&deal.agreement.since().to_be_bytes());
    arrival.copy_from_slice(&deal.arrival.to_be_bytes());
    place.copy_from_slice(&first.to_be_bytes());
    key
}

pub(super) fn first_in(key: &[u8]) -> u32 {
    key.last_chunk::<4>().copied().map_or(0, u32::from_be_bytes)
}

pub(super) fn job_key(key: JobKey) -> [u8; 36] {
    let mut bytes = [0; 36];
    let (deal, first) = bytes.split_at_mut(32);
    deal.copy_from_slice(key.deal.as_slice());
    first.copy_from_slice(&key.first.to_be_bytes());
    bytes
}

impl Reader {
    pub(super) fn job(&self, key: JobKey) -> Result<Option<Job>, JournalError> {
        let Some(entry) = self.jobs.get(&job_key(key)[..]).map_err(database)? else { return Ok(None) };
        let JobRecord { count, state } = decode(key.deal.get(), entry.value())?;
        let agreement = Arc::new(self.deal(key.deal)?.agreement);
        Ok(Some(Job { agreement, first: key.first, count, state }))
    }

    pub(super) fn next(
        &self,
        stage: Stage,
        suits: impl Fn(JobKey) -> bool,
    ) -> Result<Option<Job>, JournalError> {
        let (from, to) = ([stage_byte(stage)], [stage_byte(stage) + 1]);
        for entry in self.queue.range::<&[u8]>(&from[..]..&to[..]).map_err(database)? {
            let (key, deal) = entry.map_err(database)?;
            let key = JobKey { deal: DealId::new(name(deal.value())), first: first_in(key.value()) };
            if suits(key) {
                return self.job(key);
            }
        }
        Ok(None)
    }

    pub(super) fn open_jobs(&self) -> Result<Vec<Job>, JournalError> {
        let mut jobs = Vec::new();
        for entry in self.queue.iter().map_err(database)? {
            let (key, deal) = entry.map_err(database)?;
            let key = JobKey { deal: DealId::new(name(deal.value())), first: first_in(key.value()) };
            jobs.extend(self.job(key)?);
        }
        jobs.sort_by_key(|job| (job.agreement.since(), job.first));
        Ok(jobs)
    }
}

impl Tables<'_> {
    /// Puts jobs that ran when the worker ended back into the queue: nothing was promised about them.
    pub(super) fn requeue(&mut self) -> Result<(), JournalError> {
        let mut running = Vec::new();
        for entry in self.queue.iter().map_err(database)? {
            let (key, deal) = entry.map_err(database)?;
            running.push(JobKey { deal: DealId::new(name(deal.value())), first: first_in(key.value()) });
        }
        let event = JobEvent::Postponed { reason: "the worker was restarted".into() };
        for key in running {
            self.apply(key, &event, Place::default())?;
        }
        Ok(())
    }

    pub(super) fn begin(&mut self, key: JobKey, count: u32) -> Result<Option<Job>, JournalError> {
        let Some(mut record) = self.find_job(key)? else { return Ok(None) };
        let Ok(running) = record.state.apply(JobEvent::Started) else { return Ok(None) };
        let deal = self.deal(key.deal)?;
        self.cut(&deal, key, &mut record, count.max(1))?;
        self.put_job(&deal, key, JobRecord { state: running, ..record }).map(Some)
    }

    pub(super) fn executed(
        &mut self,
        key: JobKey,
        execution: Box<Execution>,
    ) -> Result<Option<Job>, JournalError> {
        let Some(mut record) = self.find_job(key)? else { return Ok(None) };
        let JobState::Running { attempt } = record.state else { return Ok(None) };
        let deal = self.deal(key.deal)?;
        let done = execution.statement.tasks();
        // What was not begun has had no attempt.
        record.state = JobState::Queued { attempts: attempt.saturating_sub(1) };
        self.cut(&deal, key, &mut record, done.max(1))?;
        self.put_job(&deal, key, JobRecord { state: JobState::Executed(execution), ..record }).map(Some)
    }

    /// Leaves a queued job with its first `count` tasks and makes a job of the rest.
    fn cut(
        &mut self,
        deal: &DealRecord,
        key: JobKey,
        record: &mut JobRecord,
        count: u32,
    ) -> Result<(), JournalError> {
        let rest = record.count.saturating_sub(count);
        if rest == 0 {
            return Ok(());
        }
        record.count = count;
        let behind = JobKey { first: key.first.saturating_add(count), ..key };
        self.put_job(deal, behind, JobRecord { count: rest, state: record.state.clone() }).map(drop)
    }

    pub(super) fn apply(
        &mut self,
        key: JobKey,
        event: &JobEvent,
        at: Place,
    ) -> Result<Option<Job>, JournalError> {
        let Some(record) = self.find_job(key)? else { return Ok(None) };
        let Ok(state) = record.state.apply(event.clone()) else { return Ok(None) };
        let deal = self.deal(key.deal)?;
        if let Some(block) = at.block.filter(|_| !state.is_open()) {
            self.keep_undo(block, key, &record)?;
        }
        let job = self.put_job(&deal, key, JobRecord { state, ..record })?;
        if !job.state.is_open() {
            self.close_in_channel(&job)?;
            self.note_end(&job, Closed { block: at.block.unwrap_or_default(), at: at.now })?;
        }
        Ok(Some(job))
    }

    /// Writes a job and its place in the queue.
    pub(super) fn put_job(
        &mut self,
        deal: &DealRecord,
        key: JobKey,
        record: JobRecord,
    ) -> Result<Job, JournalError> {
        let before = self.find_job(key)?;
        self.count_job(before.as_ref(), Some(&record))?;
        for stage in [Stage::Run, Stage::Settle] {
            let place = queue_key(stage, deal, key.first);
            if self::stage(&record.state) == Some(stage) {
                self.queue.insert(&place[..], key.deal.as_slice()).map_err(database)?;
            } else {
                self.queue.remove(&place[..]).map_err(database)?;
            }
        }
        self.jobs.insert(&job_key(key)[..], &encode(&record)[..]).map_err(database)?;
        let agreement = Arc::new(deal.agreement.clone());
        Ok(Job { agreement, first: key.first, count: record.count, state: record.state })
    }

    /// Whether a deal has open jobs.
    pub(super) fn is_queued(&self, deal: &DealRecord) -> Result<bool, JournalError> {
        for stage in [Stage::Run, Stage::Settle] {
            let (from, to) = (queue_key(stage, deal, 0), queue_key(stage, deal, u32::MAX));
            if self.queue.range::<&[u8]>(&from[..]..=&to[..]).map_err(database)?.next().is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes a job and its place in the queue.
    pub(super) fn remove_job(&mut self, deal: &DealRecord, key: JobKey) -> Result<(), JournalError> {
        let before = self.find_job(key)?;
        self.count_job(before.as_ref(), None)?;
        for stage in [Stage::Run, Stage::Settle] {
            self.queue.remove(&queue_key(stage, deal, key.first)[..]).map_err(database)?;
        }
        self.jobs.remove(&job_key(key)[..]).map(drop).map_err(database)
    }

    pub(super) fn find_job(&self, key: JobKey) -> Result<Option<JobRecord>, JournalError> {
        let found = self.jobs.get(&job_key(key)[..]).map_err(database)?;
        found.map(|entry| decode(key.deal.get(), entry.value())).transpose()
    }

    /// Jobs of a deal in order.
    pub(super) fn jobs_of(&self, deal: DealId) -> Result<Vec<(JobKey, JobRecord)>, JournalError> {
        let bound = |first| job_key(JobKey { deal, first });
        let (from, to) = (bound(0), bound(u32::MAX));
        let mut jobs = Vec::new();
        for entry in self.jobs.range::<&[u8]>(&from[..]..=&to[..]).map_err(database)? {
            let (key, record) = entry.map_err(database)?;
            let key = JobKey { deal, first: first_in(key.value()) };
            jobs.push((key, decode(deal.get(), record.value())?));
        }
        Ok(jobs)
    }
}
