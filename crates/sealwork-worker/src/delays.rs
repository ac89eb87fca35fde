//! Tasks that wait because their surroundings failed: when to try again, and why. In memory: after a restart everything
//! is tried at once.

use sealwork_types::TaskId;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// First pause; doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

#[derive(Debug)]
struct Delay {
    until: Instant,
    pause: Duration,
    reason: String,
}

/// Delays by task.
#[derive(Debug, Default)]
pub(crate) struct Delays(Mutex<BTreeMap<TaskId, Delay>>);

impl Delays {
    /// Puts a task off; each time in a row for twice as long.
    pub(crate) fn postpone(&self, task: TaskId, reason: String) {
        let mut delays = self.lock();
        let pause = delays.get(&task).map_or(FIRST, |delay| LONGEST.min(delay.pause.saturating_mul(2)));
        delays.insert(task, Delay { until: Instant::now() + pause, pause, reason });
    }

    /// Forgets a task's delays.
    pub(crate) fn clear(&self, task: TaskId) {
        self.lock().remove(&task);
    }

    /// Whether a task may be tried now.
    pub(crate) fn is_due(&self, task: TaskId) -> bool {
        self.lock().get(&task).is_none_or(|delay| delay.until <= Instant::now())
    }

    /// Why tasks wait, at most `limit` different reasons.
    pub(crate) fn reasons(&self, limit: usize) -> Vec<String> {
        let mut reasons: Vec<String> = self.lock().values().map(|delay| delay.reason.clone()).collect();
        reasons.sort();
        reasons.dedup();
        reasons.truncate(limit);
        reasons
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TaskId, Delay>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwork_types::B256;

    #[test]
    fn a_postponed_task_is_not_due_until_its_pause_is_over() {
        let (delays, task) = (Delays::default(), TaskId::new(B256::ZERO));
        assert!(delays.is_due(task));
        delays.postpone(task, "the CAS is away".into());
        assert!(!delays.is_due(task));
        assert_eq!(delays.reasons(10), ["the CAS is away"]);
        delays.clear(task);
        assert!(delays.is_due(task) && delays.reasons(10).is_empty());
    }

    #[test]
    fn pauses_double_up_to_a_bound() {
        let (delays, task) = (Delays::default(), TaskId::new(B256::ZERO));
        for _ in 0..20 {
            delays.postpone(task, String::new());
        }
        assert_eq!(delays.lock().get(&task).unwrap().pause, LONGEST);
    }
}
