//! The time that a program sees: it starts at a given second and moves by what the program does, not by the host.

const NS_PER_S: u64 = 1_000_000_000;
/// How far a look at a clock moves it, ns. Programs divide by time differences, so two looks never see the same time.
const TICK_NS: u64 = 1_000;

/// Virtual time of one run.
#[derive(Debug)]
pub(crate) struct Clock {
    start_ns: u64,
    elapsed_ns: u64,
}

impl Clock {
    pub(crate) const fn new(now_unix_s: u64) -> Self {
        Self { start_ns: now_unix_s.saturating_mul(NS_PER_S), elapsed_ns: 0 }
    }

    /// Resolution of every clock, ns.
    pub(crate) const fn resolution_ns() -> u64 {
        TICK_NS
    }

    /// Time since 1970, ns, without moving the clock. Times of files.
    pub(crate) const fn stamp_ns(&self) -> u64 {
        self.start_ns.saturating_add(self.elapsed_ns)
    }

    /// Time since 1970, ns.
    pub(crate) const fn realtime_ns(&mut self) -> u64 {
        self.start_ns.saturating_add(self.monotonic_ns())
    }

    /// Time since the start of the run, ns.
    pub(crate) const fn monotonic_ns(&mut self) -> u64 {
        self.elapsed_ns = self.elapsed_ns.saturating_add(TICK_NS);
        self.elapsed_ns
    }

    /// A clock's time without moving it, ns.
    pub(crate) const fn now_ns(&self, realtime: bool) -> u64 {
        if realtime { self.stamp_ns() } else { self.elapsed_ns }
    }

    /// Lets the time pass that the program wants to sleep.
    pub(crate) const fn sleep_ns(&mut self, duration_ns: u64) {
        self.elapsed_ns = self.elapsed_ns.saturating_add(duration_ns);
    }
}
