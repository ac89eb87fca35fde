//! What readers see: where every block lies, and the pins.

use super::segment::Segment;
use crate::block::GeneralCid;
use sealwork_types::{B256, Codec};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Where a block lies.
#[derive(Clone, Debug)]
pub(super) struct Location {
    pub(super) segment: Arc<Segment>,
    /// Of the payload.
    pub(super) offset: u64,
    pub(super) len: u32,
    pub(super) codec: Codec,
}

/// A block in the index.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) location: Location,
    /// Number of the last put.
    pub(super) touched: AtomicU64,
}

/// The index. Only the writer changes it; `touch` may be called by anybody who reads.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) index: HashMap<B256, Entry>,
    pub(super) pins: BTreeSet<GeneralCid>,
    /// Closed and open segments by number, with the bytes that no live record needs.
    pub(super) segments: BTreeMap<u32, SegmentUse>,
    sequence: AtomicU64,
}

/// A segment and its garbage.
#[derive(Debug)]
pub(super) struct SegmentUse {
    pub(super) segment: Arc<Segment>,
    /// Bytes up to the end of the last record.
    pub(super) len: u64,
    /// Whether it has blocks that were deleted or stored again.
    pub(super) has_dead_blocks: bool,
}

impl State {
    pub(super) fn locate(&self, digest: &B256) -> Option<Location> {
        self.index.get(digest).map(|entry| entry.location.clone())
    }

    pub(super) fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::SeqCst)
    }

    /// Marks a block as wanted now; tells whether it is there.
    pub(super) fn touch(&self, digest: &B256) -> bool {
        let Some(entry) = self.index.get(digest) else { return false };
        entry.touched.fetch_max(self.next(), Ordering::SeqCst);
        true
    }

    pub(super) fn insert(&mut self, digest: B256, location: Location) {
        let touched = AtomicU64::new(self.next());
        if let Some(old) = self.index.insert(digest, Entry { location, touched }) {
            self.mark_dead(old.location.segment.id);
        }
    }

    /// Points a block that is there to its copy.
    pub(super) fn relocate(&mut self, digest: &B256, location: Location) {
        if let Some(entry) = self.index.get_mut(digest) {
            entry.location = location;
        }
    }

    pub(super) fn remove(&mut self, digest: &B256) {
        if let Some(old) = self.index.remove(digest) {
            self.mark_dead(old.location.segment.id);
        }
    }

    pub(super) fn file_bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.len).sum()
    }

    pub(super) fn set_len(&mut self, segment: &Arc<Segment>, len: u64) {
        let unused = || SegmentUse { segment: Arc::clone(segment), len, has_dead_blocks: false };
        self.segments.entry(segment.id).or_insert_with(unused).len = len;
    }

    fn mark_dead(&mut self, segment: u32) {
        if let Some(segment) = self.segments.get_mut(&segment) {
            segment.has_dead_blocks = true;
        }
    }

    fn next(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::SeqCst) + 1
    }
}
