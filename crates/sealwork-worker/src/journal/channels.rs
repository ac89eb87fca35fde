//! Channels in the job log: their vouchers, and how many tasks are done.

use super::{
    Job, Journal, name,
    tables::{Reader, Tables, database, decode, encode, find},
};
use crate::{
    agreement::{Agreement, PaidRequest},
    error::JournalError,
};
use redb::ReadableTable;
use sealwork_protocol::job::{JobState, Statement};
use sealwork_types::{
    Bytes, DealId, Fault, Status, channel::ChannelState, deal::Deal, params::DEAL_LIFETIME_S,
};
use serde::{Deserialize, Serialize};

/// A channel of the worker's pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelRecord {
    /// What was agreed.
    pub deal: Deal,
    /// Tasks that count: accepted and neither given up nor ended by a fault of the worker.
    pub used: u32,
    /// Of these, tasks that are not done yet.
    pub pending: u32,
    /// Tasks that did not count in the end.
    pub given_back: u32,
    /// Tasks that the chain shows paid or given back.
    pub closed: u32,
    /// Until when vouchers are taken, seconds since 1970, since the payer asked for the rest.
    pub closing: Option<u64>,
    /// When the oldest voucher came that is not redeemed, seconds since 1970.
    pub unredeemed_since: u64,
}

impl ChannelRecord {
    /// What anybody may know: most of it is on chain.
    pub fn state(&self) -> ChannelState {
        ChannelState {
            deal: self.deal.id(),
            volume: self.deal.volume,
            used: self.used,
            closed: self.closed,
            closing: self.closing.is_some(),
        }
    }

    /// Tasks that are done and count.
    pub const fn earned(&self) -> u32 {
        self.used.saturating_sub(self.pending)
    }

    /// Whether more was earned than was redeemed.
    pub const fn is_redeemable(&self) -> bool {
        self.earned() > self.closed
    }

    /// Whether nothing is left to pay or to give back.
    pub const fn is_over(&self) -> bool {
        self.closed >= self.deal.volume
    }

    /// When its money is the payer's again, whatever vouchers there are, seconds since 1970.
    pub const fn end(&self) -> u64 {
        self.deal.terms.startedAt.saturating_add(DEAL_LIFETIME_S)
    }
}

/// What the chain tells about a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelChange {
    /// The payer asked for the rest; vouchers are taken until then, seconds since 1970.
    Closing(u64),
    /// Tasks before this one are paid or given back.
    Closed(u32),
}

impl Journal {
    /// A channel, if it is known.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn channel(&self, deal: DealId) -> Result<Option<ChannelRecord>, JournalError> {
        find(&self.read()?.channels, deal.get())
    }

    /// Channels that are not over.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn open_channels(&self) -> Result<Vec<ChannelRecord>, JournalError> {
        self.read()?.open_channels()
    }

    /// The payer's signature over a voucher for so many tasks, if it came and was not redeemed.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub fn voucher(&self, channel: DealId, count: u32) -> Result<Option<Bytes>, JournalError> {
        let found = self.read()?.vouchers.get(&voucher_key(channel, count)[..]).map_err(database)?;
        Ok(found.map(|entry| Bytes::copy_from_slice(entry.value())))
    }

    /// Adds a task and the voucher that pays it, both or neither. `None`, and nothing is added, when the voucher is not
    /// for exactly one task more than are used.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn accept_paid(
        &self,
        paid: PaidRequest,
        count: u32,
        voucher: &Bytes,
    ) -> Result<Option<ChannelRecord>, JournalError> {
        let (channel, now) = (paid.channel, paid.accepted_at);
        let agreement = Agreement::Channel(Box::new(paid));
        self.write(|tables| {
            let Some(mut record) = find::<ChannelRecord>(&tables.channels, channel.get())? else {
                return Ok(None);
            };
            let ends = record.closing.is_some() || record.is_over();
            if ends || record.used.checked_add(1) != Some(count) {
                return Ok(None);
            }
            if record.used <= record.closed {
                record.unredeemed_since = now;
            }
            record.used = count;
            record.pending = record.pending.saturating_add(1);
            let key = voucher_key(channel, count);
            tables.vouchers.insert(&key[..], &voucher[..]).map_err(database)?;
            tables.accept(&agreement)?;
            tables.put_channel(&record)?;
            Ok(Some(record))
        })
    }

    /// Notes that a block of the chain shows a channel's tasks before `end` paid or given back.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn channel_closed(&self, deal: DealId, end: u32, block: u64) -> Result<(), JournalError> {
        self.write(|tables| tables.note(block, deal, ChannelChange::Closed(end)))
    }
}

impl Reader {
    fn open_channels(&self) -> Result<Vec<ChannelRecord>, JournalError> {
        let mut open = Vec::new();
        for entry in self.channels.iter().map_err(database)? {
            let (key, value) = entry.map_err(database)?;
            let record: ChannelRecord = decode(name(key.value()), value.value())?;
            if !record.is_over() {
                open.push(record);
            }
        }
        Ok(open)
    }
}

impl Tables<'_> {
    pub(super) fn open_channel(&mut self, deal: &Deal) -> Result<(), JournalError> {
        if find::<ChannelRecord>(&self.channels, deal.id().get())?.is_some() {
            return Ok(());
        }
        self.put_channel(&ChannelRecord {
            deal: deal.clone(),
            used: 0,
            pending: 0,
            given_back: 0,
            closed: 0,
            closing: None,
            unredeemed_since: 0,
        })
    }

    /// A task that is done. One that was given up, or that a receipt blames the worker for, does not count: the next one
    /// takes its place, and its voucher.
    pub(super) fn close_in_channel(&mut self, job: &Job) -> Result<(), JournalError> {
        let Agreement::Channel(paid) = &*job.agreement else { return Ok(()) };
        let counts = match &job.state {
            JobState::Abandoned { .. } => false,
            JobState::Delivered(execution) => match &execution.statement {
                Statement::Task { receipt, .. } => {
                    !matches!(Status::new(receipt.status).fault(), Fault::Worker | Fault::Unproven)
                }
                // Tasks of channels are run one by one.
                Statement::Batch { .. } => false,
            },
            JobState::Queued { .. }
            | JobState::Running { .. }
            | JobState::Executed(_)
            | JobState::Settled { .. } => return Ok(()),
        };
        self.change_channel(paid.channel, |record| {
            record.pending = record.pending.saturating_sub(1);
            if !counts {
                record.used = record.used.saturating_sub(1);
                record.given_back = record.given_back.saturating_add(1);
            }
        })
    }

    /// Nothing to do for deals that are no channels of ours.
    pub(super) fn note(
        &mut self,
        block: u64,
        deal: DealId,
        change: ChannelChange,
    ) -> Result<(), JournalError> {
        let Some(before) = find::<ChannelRecord>(&self.channels, deal.get())? else { return Ok(()) };
        let mut record = before.clone();
        match change {
            ChannelChange::Closing(until) => record.closing = Some(until),
            ChannelChange::Closed(end) => record.closed = record.closed.max(end),
        }
        if record == before {
            return Ok(());
        }
        self.undo_channel(block, &before, change)?;
        self.put_channel(&record)
    }

    /// Vouchers that a final block shows redeemed are of no use any more.
    pub(super) fn spend_vouchers(&mut self, deal: DealId, end: u32) -> Result<(), JournalError> {
        let (first, last) = (voucher_key(deal, 0), voucher_key(deal, end));
        let spent = self.vouchers.extract_from_if(&first[..]..=&last[..], |_, _| true).map_err(database)?;
        for voucher in spent {
            voucher.map_err(database)?;
        }
        Ok(())
    }

    pub(super) fn change_channel(
        &mut self,
        deal: DealId,
        change: impl FnOnce(&mut ChannelRecord),
    ) -> Result<(), JournalError> {
        let Some(mut record) = find::<ChannelRecord>(&self.channels, deal.get())? else { return Ok(()) };
        change(&mut record);
        self.put_channel(&record)
    }

    fn put_channel(&mut self, record: &ChannelRecord) -> Result<(), JournalError> {
        let key = record.deal.id();
        self.channels.insert(key.as_slice(), &encode(record)[..]).map(drop).map_err(database)
    }
}

fn voucher_key(channel: DealId, count: u32) -> [u8; 36] {
    let mut key = [0; 36];
    let (name, place) = key.split_at_mut(32);
    name.copy_from_slice(channel.as_slice());
    place.copy_from_slice(&count.to_be_bytes());
    key
}
