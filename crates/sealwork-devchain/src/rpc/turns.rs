//! Work that is done one at a time, because together it would take too much memory.

use super::{Reply, error::limit};
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

/// Requests that wait for their turn at most. Each holds a thread while it waits.
const WAITING_LIMIT: usize = 32;

/// A door through which one request passes at a time.
#[derive(Debug, Default)]
pub(super) struct Turns {
    door: Mutex<()>,
    /// Requests that wait or are inside.
    here: AtomicUsize,
}

/// A request that is inside; the next one enters when it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    _inside: MutexGuard<'a, ()>,
    _here: Here<'a>,
}

#[derive(Debug)]
struct Here<'a>(&'a AtomicUsize);

impl Turns {
    /// Waits for its turn, or fails when too many wait already.
    pub(super) fn take(&self) -> Reply<Turn<'_>> {
        let before = self.here.fetch_add(1, Ordering::Relaxed);
        let here = Here(&self.here);
        if before > WAITING_LIMIT {
            return Err(limit(format!("{WAITING_LIMIT} traces wait already; try again later")));
        }
        let inside = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Turn { _inside: inside, _here: here })
    }
}

impl Drop for Here<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_end_and_too_many_are_refused() {
        let turns = Turns::default();
        for _ in 0..100 {
            turns.take().unwrap();
        }
        turns.here.store(WAITING_LIMIT + 1, Ordering::Relaxed);
        assert_eq!(turns.take().unwrap_err().code(), -32_005);
        assert_eq!(turns.here.load(Ordering::Relaxed), WAITING_LIMIT + 1);
    }
}
