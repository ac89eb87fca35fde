//! Deals that are done are forgotten, so the log does not grow for ever.

use super::{
    name,
    records::DealRecord,
    tables::{Tables, database},
};
use crate::{agreement::Agreement, error::JournalError};
use redb::ReadableTable;
use sealwork_types::DealId;

/// How long a deal is remembered after its last task was closed: somebody may ask how far its tasks are.
const KEEP_S: u64 = 3_600;
/// How long a task of a channel is remembered: its requester has to fetch the receipt.
const KEEP_DELIVERED_S: u64 = 7 * 86_400;
/// Deals forgotten at once.
const AT_ONCE: usize = 1_000;

impl Tables<'_> {
    /// Notes when a deal that is done may be forgotten.
    pub(super) fn schedule(
        &mut self,
        record: &DealRecord,
        deal: DealId,
        closed_at: u64,
    ) -> Result<(), JournalError> {
        let keep = match record.agreement {
            Agreement::Channel(_) => KEEP_DELIVERED_S,
            Agreement::Matched(_) | Agreement::Direct(_) => KEEP_S,
        };
        let mut key = [0; 16];
        let (time, arrival) = key.split_at_mut(8);
        time.copy_from_slice(&closed_at.saturating_add(keep).to_be_bytes());
        arrival.copy_from_slice(&record.arrival.to_be_bytes());
        self.done.insert(&key[..], deal.as_slice()).map(drop).map_err(database)
    }

    /// Forgets deals whose time has come; those that a replaced block may still bring back wait.
    pub(super) fn forget(&mut self, now: u64, final_block: u64) -> Result<usize, JournalError> {
        let end = now.to_be_bytes();
        let mut due = Vec::new();
        for entry in self.done.range::<&[u8]>(..&end[..]).map_err(database)?.take(AT_ONCE) {
            let (key, deal) = entry.map_err(database)?;
            due.push((key.value().to_vec(), DealId::new(name(deal.value()))));
        }
        let mut forgotten = 0;
        for (key, deal) in due {
            self.done.remove(&key[..]).map_err(database)?;
            let Some(record) = self.find_deal(deal)? else { continue };
            match record.closed {
                Some(closed) if closed.block < final_block => {
                    self.remove_deal(&record, deal)?;
                    forgotten += 1;
                }
                Some(_) => self.schedule(&record, deal, now)?,
                // Open again: it is scheduled when it ends.
                None => {}
            }
        }
        Ok(forgotten)
    }
}
