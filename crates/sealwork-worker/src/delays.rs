//! Jobs that wait because their surroundings failed: when to try again, and why. In memory: after a restart everything
//! is tried at once.

use crate::journal::JobKey;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// First pause; doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// A job that was not put off again for so long after its pause starts with the first one, if it is still there at all.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

#[derive(Debug)]
struct Delay {
    until: Instant,
    pause: Duration,
    reason: String,
}

/// Delays by job.
#[derive(Debug, Default)]
pub(crate) struct Delays(Mutex<BTreeMap<JobKey, Delay>>);

impl Delays {
    /// Puts a job off; each time in a row for twice as long.
    pub(crate) fn postpone(&self, job: JobKey, reason: String) {
        let mut delays = self.lock();
        let pause = delays.get(&job).map_or(FIRST, |delay| LONGEST.min(delay.pause.saturating_mul(2)));
        delays.retain(|_, delay| delay.until + FORGOTTEN_AFTER > Instant::now());
        delays.insert(job, Delay { until: Instant::now() + pause, pause, reason });
    }

    /// Forgets a job's delays.
    pub(crate) fn clear(&self, job: JobKey) {
        self.lock().remove(&job);
    }

    /// Whether a job may be tried now.
    pub(crate) fn is_due(&self, job: JobKey) -> bool {
        self.lock().get(&job).is_none_or(|delay| delay.until <= Instant::now())
    }

    /// Why jobs wait, at most `limit` different reasons.
    pub(crate) fn reasons(&self, limit: usize) -> Vec<String> {
        let mut reasons: Vec<String> = self.lock().values().map(|delay| delay.reason.clone()).collect();
        reasons.sort();
        reasons.dedup();
        reasons.truncate(limit);
        reasons
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<JobKey, Delay>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwork_types::{B256, DealId};

    const JOB: JobKey = JobKey { deal: DealId::new(B256::ZERO), first: 0 };

    #[test]
    fn a_postponed_job_is_not_due_until_its_pause_is_over() {
        let delays = Delays::default();
        assert!(delays.is_due(JOB));
        delays.postpone(JOB, "the CAS is away".into());
        assert!(!delays.is_due(JOB));
        assert_eq!(delays.reasons(10), ["the CAS is away"]);
        delays.clear(JOB);
        assert!(delays.is_due(JOB) && delays.reasons(10).is_empty());
    }

    #[test]
    fn pauses_double_up_to_a_bound() {
        let delays = Delays::default();
        for _ in 0..20 {
            delays.postpone(JOB, String::new());
        }
        assert_eq!(delays.lock().get(&JOB).unwrap().pause, LONGEST);
    }
}
