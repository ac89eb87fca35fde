//! What gc must spare although nothing pins it yet: content that is being added.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Points in the store's sequence from which blocks are spared.
#[derive(Debug)]
pub(super) struct Leases {
    state: Mutex<LeaseState>,
    put_grace: Duration,
}

#[derive(Debug, Default)]
struct LeaseState {
    /// Running adds, by number, with the sequence at their start.
    adds: BTreeMap<u64, u64>,
    next: u64,
    /// Starts of the present and of the previous window in which single blocks were put.
    window: Option<(Instant, u64)>,
    window_before: Option<(Instant, u64)>,
}

/// Spares everything that is put until it is dropped.
#[derive(Debug)]
pub(super) struct Lease<'a> {
    leases: &'a Leases,
    number: u64,
}

impl Leases {
    pub(super) fn new(put_grace: Duration) -> Self {
        Self { state: Mutex::default(), put_grace }
    }

    /// Spares what is put after `sequence`.
    pub(super) fn hold(&self, sequence: u64) -> Lease<'_> {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.adds.insert(number, sequence);
        Lease { leases: self, number }
    }

    /// Notes that a single block is put after `sequence`; it is spared for one to two grace times.
    pub(super) fn note_put(&self, sequence: u64) {
        let now = Instant::now();
        let mut state = self.lock();
        if state.window.is_none_or(|(start, _)| now.duration_since(start) >= self.put_grace) {
            state.window_before = state.window.replace((now, sequence));
        }
    }

    /// The sequence after which everything is spared, now that it is `sequence`.
    pub(super) fn spare_after(&self, sequence: u64) -> u64 {
        let now = Instant::now();
        let state = self.lock();
        let is_held = |(start, _): &&(Instant, u64)| now.duration_since(*start) < self.put_grace * 2;
        let windows = [&state.window, &state.window_before].into_iter().flatten().filter(is_held);
        let held = windows.map(|(_, sequence)| *sequence).chain(state.adds.values().copied());
        held.fold(sequence, u64::min)
    }

    fn lock(&self) -> MutexGuard<'_, LeaseState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.leases.lock().adds.remove(&self.number);
    }
}
