//! Chain time: the clock plus an offset that time travel moves.

use crate::error::ChainError;

/// Seconds by which time travel may go beyond the clock in one step: a hundred years.
const MAX_STEP: u64 = 100 * 365 * 24 * 3_600;

/// Chain time: the clock plus an offset that time travel moves.
///
/// Blocks never go back in time, but several may share a second: with a block for each transaction, forcing each
/// one second ahead of the last would make the chain run away from the clock that deadlines are measured with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChainClock {
    offset: i64,
    forced: Option<u64>,
    /// Seconds from each block to the next, instead of the clock.
    interval: Option<u64>,
}

impl ChainClock {
    pub(super) fn new(offset: i64) -> Self {
        Self { offset, forced: None, interval: None }
    }

    /// Seconds by which the chain is ahead of the clock.
    pub(crate) fn offset(self) -> i64 {
        self.offset
    }

    /// Timestamp of the next block.
    pub(super) fn next(self, newest: u64, now: u64) -> u64 {
        let regular = || match self.interval {
            Some(interval) => newest.saturating_add(interval),
            None => now.saturating_add_signed(self.offset),
        };
        self.forced.unwrap_or_else(regular).max(newest)
    }

    /// The clock after a block with this timestamp: a forced time is used up and time runs on from it.
    pub(super) fn after(self, timestamp: u64, now: u64) -> Self {
        if self.forced.is_none() && self.interval.is_none() {
            return self;
        }
        Self { offset: timestamp.checked_signed_diff(now).unwrap_or(self.offset), forced: None, ..self }
    }

    /// Sets the seconds from each block to the next; `None` goes back to the clock.
    pub(crate) fn set_interval(&mut self, interval: Option<u64>) -> Result<(), ChainError> {
        if interval > Some(MAX_STEP) {
            return Err(ChainError::Limit { what: "seconds between blocks", limit: MAX_STEP });
        }
        self.interval = interval;
        Ok(())
    }

    pub(crate) fn interval(self) -> Option<u64> {
        self.interval
    }

    /// Sets chain time; returns the seconds by which it moved.
    pub(crate) fn set_time(&mut self, timestamp: u64, newest: u64, now: u64) -> Result<i64, ChainError> {
        self.force(timestamp, newest)?;
        self.forced = None;
        let before = self.offset;
        self.offset = timestamp.checked_signed_diff(now).unwrap_or(before);
        Ok(self.offset.saturating_sub(before))
    }

    /// Moves all later blocks; returns the whole offset.
    pub(crate) fn increase(&mut self, seconds: u64) -> Result<i64, ChainError> {
        if seconds > MAX_STEP {
            return Err(ChainError::Limit { what: "seconds of time travel", limit: MAX_STEP });
        }
        self.offset = self.offset.saturating_add_unsigned(seconds);
        Ok(self.offset)
    }

    /// Sets the next block's timestamp.
    pub(crate) fn force(&mut self, timestamp: u64, newest: u64) -> Result<(), ChainError> {
        if timestamp < newest {
            return Err(ChainError::TimeRunsForward { asked: timestamp, newest });
        }
        if timestamp - newest > MAX_STEP {
            return Err(ChainError::Limit { what: "seconds of time travel", limit: MAX_STEP });
        }
        self.forced = Some(timestamp);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_on_from_a_forced_timestamp_and_never_back() {
        let mut clock = ChainClock::new(0);
        clock.force(2_000, 1_000).unwrap();
        assert_eq!(clock.next(1_000, 1_005), 2_000);
        let mut clock = clock.after(2_000, 1_005);
        assert_eq!(clock.next(2_000, 1_010), 2_005);
        assert_eq!(clock.increase(10).unwrap(), 1_005);
        assert_eq!(clock.next(9_000, 1_010), 9_000);
        assert!(clock.force(8_999, 9_000).is_err());
        assert!(clock.force(u64::MAX, 9_000).is_err());
        assert!(clock.increase(u64::MAX).is_err());
    }
}
