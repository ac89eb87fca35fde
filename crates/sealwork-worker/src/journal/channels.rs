//! Channels in the job log: the newest voucher of each, and how many tasks it has to cover.

use super::{
    Accepted, Job, Journal,
    tables::{Reader, Tables, database, decode, encode, find, name_in},
};
use crate::{
    agreement::{Agreement, PaidRequest},
    error::JournalError,
};
use redb::ReadableTable;
use sealwork_protocol::job::JobState;
use sealwork_types::{Bytes, DealId, Fault, Status, channel::ChannelState, deal::Deal};
use serde::{Deserialize, Serialize};

/// A channel of the worker's pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelRecord {
    /// What was agreed.
    pub deal: Deal,
    /// Tasks that count: accepted and neither given up nor ended by a fault of the worker.
    pub used: u32,
    /// Tasks that the newest voucher covers.
    pub count: u32,
    /// The newest voucher's signature; empty without one.
    pub voucher: Bytes,
    /// Tasks that the chain shows paid or given back.
    pub closed: u32,
    /// Whether the payer asked for the rest.
    pub closing: bool,
    /// When the oldest voucher came that is not redeemed, seconds since 1970.
    pub unredeemed_since: u64,
}

impl ChannelRecord {
    /// What its parties may know.
    pub fn state(&self) -> ChannelState {
        ChannelState {
            deal: self.deal.id(),
            volume: self.deal.volume,
            used: self.used,
            closed: self.closed,
            closing: self.closing,
        }
    }

    /// Whether a voucher is worth more than was redeemed.
    pub const fn is_redeemable(&self) -> bool {
        self.count > self.closed
    }

    /// Whether nothing is left to pay or to give back.
    pub const fn is_over(&self) -> bool {
        self.closed >= self.deal.volume
    }
}

/// What the chain tells about a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelChange {
    /// The payer asked for the rest.
    Closing,
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
        let accepted = Accepted { agreement: Agreement::Channel(Box::new(paid)), open: vec![0] };
        self.write(|tables| {
            let Some(mut record) = find::<ChannelRecord>(&tables.channels, channel.get())? else {
                return Ok(None);
            };
            if record.used.checked_add(1) != Some(count) || record.closing {
                return Ok(None);
            }
            record.used = count;
            if count > record.count {
                if !record.is_redeemable() {
                    record.unredeemed_since = now;
                }
                (record.count, record.voucher) = (count, voucher.clone());
            }
            tables.accept(&accepted)?;
            tables.put_channel(&record)?;
            Ok(Some(record))
        })
    }

    /// Notes that the chain shows a channel's tasks before `end` paid or given back.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn channel_closed(&self, deal: DealId, end: u32) -> Result<(), JournalError> {
        self.write(|tables| tables.note(deal, ChannelChange::Closed(end)))
    }
}

impl Reader {
    fn open_channels(&self) -> Result<Vec<ChannelRecord>, JournalError> {
        let mut open = Vec::new();
        for entry in self.channels.iter().map_err(database)? {
            let (key, value) = entry.map_err(database)?;
            let record: ChannelRecord = decode(name_in(key.value()), value.value())?;
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
            count: 0,
            voucher: Bytes::new(),
            closed: 0,
            closing: false,
            unredeemed_since: 0,
        })
    }

    /// A task that was given up, or that a receipt blames the worker for, is free: the next one may have its place.
    pub(super) fn give_back(&mut self, job: &Job) -> Result<(), JournalError> {
        let Agreement::Channel(paid) = &*job.agreement else { return Ok(()) };
        let free = match &job.state {
            JobState::Abandoned { .. } => true,
            JobState::Delivered(execution) => {
                matches!(Status::new(execution.receipt.status).fault(), Fault::Worker | Fault::Unproven)
            }
            JobState::Queued { .. }
            | JobState::Running { .. }
            | JobState::Executed(_)
            | JobState::Settled { .. } => false,
        };
        if !free {
            return Ok(());
        }
        self.change_channel(paid.channel, |record| record.used = record.used.saturating_sub(1))
    }

    /// Nothing to do for deals that are no channels of ours.
    pub(super) fn note(&mut self, deal: DealId, change: ChannelChange) -> Result<(), JournalError> {
        self.change_channel(deal, |record| match change {
            ChannelChange::Closing => record.closing = true,
            ChannelChange::Closed(end) => record.closed = record.closed.max(end),
        })
    }

    fn change_channel(
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
