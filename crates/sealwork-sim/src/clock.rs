//! Time of a run: seconds of the simulation, and clocks that are wrong.

use sealwork_ports::Clock;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use tokio::time::Instant;

/// When every run begins, seconds since 1970.
pub(crate) const BEGINNING: u64 = 1_900_000_000;

/// A process's clock.
#[derive(Clone, Debug)]
pub(crate) struct SimClock {
    started: Instant,
    skew_s: Arc<AtomicI64>,
}

impl SimClock {
    /// A clock that begins now and is right.
    pub(crate) fn begin() -> Self {
        Self { started: Instant::now(), skew_s: Arc::default() }
    }

    /// The same time, on a clock of its own.
    pub(crate) fn another(&self) -> Self {
        Self { started: self.started, skew_s: Arc::default() }
    }

    /// Sets the clock ahead of the right time, or behind it.
    pub(crate) fn set_skew(&self, seconds: i64) {
        self.skew_s.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn unix_s(&self) -> u64 {
        let right = BEGINNING.saturating_add(self.started.elapsed().as_secs());
        right.saturating_add_signed(self.skew_s.load(Ordering::Relaxed))
    }
}
