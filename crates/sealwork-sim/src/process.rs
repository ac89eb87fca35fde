//! Processes that can be killed: every effect of a process passes two points, before and behind it, and at any of them the
//! process may die and never come back to what it was doing.

use crate::trace::Trace;
use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::watch;

/// The life of a process, over all its restarts.
#[derive(Clone)]
pub struct Life(Arc<Inner>);

struct Inner {
    name: &'static str,
    trace: Trace,
    /// Points passed.
    passed: AtomicU64,
    /// Points at which it dies.
    deaths: Mutex<BTreeSet<u64>>,
    /// Number of the death that happened last.
    died: watch::Sender<u64>,
}

impl Life {
    /// A process that dies at these points.
    pub fn new(name: &'static str, deaths: BTreeSet<u64>, trace: Trace) -> Self {
        let (died, _) = watch::channel(0);
        Self(Arc::new(Inner { name, trace, passed: AtomicU64::new(0), deaths: Mutex::new(deaths), died }))
    }

    /// Passes a point; does not return when the process dies here.
    pub async fn point(&self, what: &str) {
        if self.passes(what) {
            std::future::pending().await
        }
    }

    /// Passes a point without a way to stop there; whether the process is dead now.
    pub fn passes(&self, what: &str) -> bool {
        let number = self.0.passed.fetch_add(1, Ordering::Relaxed);
        let dies = self.deaths().remove(&number);
        if dies {
            self.0.trace.note(format_args!("{} dies at point {number}, {what}", self.0.name));
            self.0.died.send_modify(|count| *count += 1);
        }
        dies
    }

    /// Kills the process from outside.
    pub fn kill(&self) {
        self.0.trace.note(format_args!("{} is killed", self.0.name));
        self.0.died.send_modify(|count| *count += 1);
    }

    /// Tells of deaths.
    pub fn deaths_seen(&self) -> watch::Receiver<u64> {
        let mut seen = self.0.died.subscribe();
        seen.mark_unchanged();
        seen
    }

    /// No more deaths.
    pub fn heal(&self) {
        self.deaths().clear();
    }

    /// Points passed so far.
    pub fn passed(&self) -> u64 {
        self.0.passed.load(Ordering::Relaxed)
    }

    fn deaths(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.0.deaths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Life").field("name", &self.0.name).field("passed", &self.passed()).finish()
    }
}
