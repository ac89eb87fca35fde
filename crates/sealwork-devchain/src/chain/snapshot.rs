//! Snapshots: a number, and the way back. They live in memory and end with the process.

use super::{Chain, Head, clock::ChainClock};
use crate::{error::ChainError, pool::Pool};
use std::{collections::BTreeMap, sync::Arc};

/// Snapshots kept at most; the oldest is forgotten first.
const SNAPSHOTS_KEPT: usize = 256;

#[derive(Clone, Debug, Default)]
pub(super) struct Snapshots {
    taken: BTreeMap<u64, Snapshot>,
    last: u64,
}

#[derive(Clone, Debug)]
struct Snapshot {
    head: Arc<Head>,
    clock: ChainClock,
}

impl Snapshots {
    /// Forgets those of blocks above `head`: they lead to blocks that are gone.
    pub(super) fn truncate(&mut self, head: u64) {
        self.taken.retain(|_, snapshot| snapshot.head.number() <= head);
    }
}

impl Chain {
    /// Remembers the chain as it is; returns the number that leads back to it.
    pub(crate) fn snapshot(&mut self) -> u64 {
        self.snapshots.last += 1;
        let snapshot = Snapshot { head: self.head(), clock: self.clock };
        self.snapshots.taken.insert(self.snapshots.last, snapshot);
        while self.snapshots.taken.len() > SNAPSHOTS_KEPT {
            self.snapshots.taken.pop_first();
        }
        self.snapshots.last
    }

    /// Goes back to a snapshot, which is used up with all later ones; waiting transactions are dropped. False when
    /// there is no such snapshot.
    pub(crate) fn revert(&mut self, id: u64) -> Result<bool, ChainError> {
        let Some(snapshot) = self.snapshots.taken.get(&id) else { return Ok(false) };
        let (head, clock) = (Arc::clone(&snapshot.head), snapshot.clock);
        self.retreat(head, clock)?;
        drop(self.snapshots.taken.split_off(&id));
        self.pool = Pool::default();
        Ok(true)
    }

    /// The snapshots with their blocks, by number.
    pub(crate) fn snapshots(&self) -> impl Iterator<Item = (u64, Arc<Head>)> {
        self.snapshots.taken.iter().map(|(id, snapshot)| (*id, Arc::clone(&snapshot.head)))
    }
}
