//! How things were before the chain showed otherwise, until the block that shows it is final.

use super::{
    ChannelChange, Job, JobKey,
    channels::ChannelRecord,
    records::{DealRecord, JobRecord},
    tables::{Tables, database, decode, encode},
};
use crate::{agreement::Agreement, error::JournalError};
use sealwork_protocol::job::JobState;
use sealwork_types::{B256, DealId};
use serde::{Deserialize, Serialize};

/// One thing to be taken back.
#[derive(Debug, Serialize, Deserialize)]
enum Undo {
    /// A deal was accepted, or took the place of another version of it.
    Accepted(DealId),
    /// A job was closed.
    Closed { deal: DealId, first: u32, before: JobRecord },
    /// A channel was closed, or is about to be.
    Channel { deal: DealId, before: (u32, Option<u64>), closed: u32 },
}

impl Tables<'_> {
    pub(super) fn undo_acceptance(&mut self, block: u64, deal: DealId) -> Result<(), JournalError> {
        self.keep(block, &Undo::Accepted(deal))
    }

    pub(super) fn keep_undo(
        &mut self,
        block: u64,
        key: JobKey,
        before: &JobRecord,
    ) -> Result<(), JournalError> {
        self.keep(block, &Undo::Closed { deal: key.deal, first: key.first, before: before.clone() })
    }

    pub(super) fn undo_channel(
        &mut self,
        block: u64,
        before: &ChannelRecord,
        change: ChannelChange,
    ) -> Result<(), JournalError> {
        let closed = match change {
            ChannelChange::Closed(end) => end,
            ChannelChange::Closing(_) => before.closed,
        };
        let deal = before.deal.id();
        self.keep(block, &Undo::Channel { deal, before: (before.closed, before.closing), closed })
    }

    fn keep(&mut self, block: u64, undo: &Undo) -> Result<(), JournalError> {
        let counts = self.counts()?;
        counts.undone = counts.undone.saturating_add(1);
        let mut key = [0; 16];
        let (place, number) = key.split_at_mut(8);
        place.copy_from_slice(&block.to_be_bytes());
        number.copy_from_slice(&counts.undone.to_be_bytes());
        self.undo.insert(&key[..], &encode(undo)[..]).map(drop).map_err(database)
    }

    /// Takes back what blocks from `block` on have shown, the newest first.
    pub(super) fn rewind(&mut self, block: u64, changed: &mut Vec<Job>) -> Result<(), JournalError> {
        let from = block.to_be_bytes();
        let mut taken = Vec::new();
        for entry in self.undo.extract_from_if::<&[u8], _>(&from[..].., |_, _| true).map_err(database)? {
            let (_, value) = entry.map_err(database)?;
            taken.push(decode::<Undo>(B256::ZERO, value.value())?);
        }
        for undo in taken.into_iter().rev() {
            match undo {
                Undo::Accepted(deal) => self.disown(deal)?,
                Undo::Closed { deal, first, before } => {
                    changed.extend(self.reopen(JobKey { deal, first }, before)?);
                }
                Undo::Channel { deal, before: (closed, closing), .. } => {
                    self.change_channel(deal, |record| {
                        record.closed = closed;
                        record.closing = closing;
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Forgets a deal of which nothing was begun: if it stands in another block, that block's event brings it again.
    fn disown(&mut self, deal: DealId) -> Result<(), JournalError> {
        let Some(record) = self.find_deal(deal)? else { return Ok(()) };
        let jobs = self.jobs_of(deal)?;
        let untouched = |(_, job): &(JobKey, JobRecord)| job.state == JobState::new();
        if matches!(record.agreement, Agreement::Matched(_)) && jobs.iter().all(untouched) {
            self.remove_deal(&record, deal)?;
        }
        Ok(())
    }

    fn reopen(&mut self, key: JobKey, before: JobRecord) -> Result<Option<Job>, JournalError> {
        let Some(deal) = self.find_deal(key.deal)? else { return Ok(None) };
        let ended = self.find_job(key)?.is_some_and(|job| !job.state.is_open() && job.count == before.count);
        if !ended {
            return Ok(None);
        }
        let deal = DealRecord { closed: None, ..deal };
        self.put_deal(key.deal, &deal)?;
        self.follow_up(&deal)?;
        let mut state = before.state;
        if let JobState::Running { attempt } = state {
            // Nobody works on it any more.
            state = JobState::Queued { attempts: attempt.saturating_sub(1) };
        }
        self.put_job(&deal, key, JobRecord { state, ..before }).map(Some)
    }

    /// Forgets how things were before blocks older than `block`.
    pub(super) fn finalize(&mut self, block: u64) -> Result<(), JournalError> {
        let end = block.to_be_bytes();
        let mut final_channels = Vec::new();
        for entry in self.undo.extract_from_if::<&[u8], _>(..&end[..], |_, _| true).map_err(database)? {
            let (_, value) = entry.map_err(database)?;
            if let Undo::Channel { deal, closed, .. } = decode(B256::ZERO, value.value())? {
                final_channels.push((deal, closed));
            }
        }
        for (deal, closed) in final_channels {
            self.spend_vouchers(deal, closed)?;
        }
        Ok(())
    }

    /// Removes a deal with its jobs.
    pub(super) fn remove_deal(&mut self, record: &DealRecord, deal: DealId) -> Result<(), JournalError> {
        self.unwatch(deal)?;
        for (key, _) in self.jobs_of(deal)? {
            self.remove_job(record, key)?;
        }
        let task = sealwork_types::order::task_id(deal, 0);
        self.names.remove(task.as_slice()).map_err(database)?;
        self.promises.remove(deal.as_slice()).map_err(database)?;
        self.deals.remove(deal.as_slice()).map(drop).map_err(database)
    }
}
