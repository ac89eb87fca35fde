//! Carries reads of standard input out of the running program to the loop that drives it.
//!
//! The reader is borrowed by the caller of [`crate::Engine::run`], so it cannot live inside the store. Instead a read
//! suspends the program, the driving loop serves it, and the program goes on.

use std::{
    fmt,
    future::poll_fn,
    io::{self, Read},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::{Duration, Instant},
};

/// Most bytes one read hands over.
pub(crate) const STDIN_CHUNK_BYTES: usize = 64 << 10;

/// Shared between the program's `fd_read` and the driving loop. One thread, so the lock never waits.
#[derive(Clone)]
pub(crate) struct StdinPort(Arc<Mutex<Slot>>);

struct Slot {
    wanted: Option<usize>,
    answer: Option<io::Result<usize>>,
    buffer: Vec<u8>,
    /// Time in the reader that the program has not been given back.
    waited: Duration,
}

impl StdinPort {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Slot {
            wanted: None,
            answer: None,
            buffer: Vec::new(),
            waited: Duration::ZERO,
        })))
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Suspends the program until up to `len` bytes have been read, and returns how many; 0 is the end.
    pub(crate) async fn read(&self, len: usize) -> io::Result<usize> {
        self.slot().wanted = Some(len.min(STDIN_CHUNK_BYTES));
        poll_fn(|_| self.slot().answer.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    /// Copies the first bytes of the last read.
    pub(crate) fn copy_to(&self, out: &mut [u8]) {
        let slot = self.slot();
        if let Some(bytes) = slot.buffer.get(..out.len()) {
            out.copy_from_slice(bytes);
        }
    }

    /// Time that the last read took, once.
    pub(crate) fn take_waited(&self) -> Duration {
        mem::take(&mut self.slot().waited)
    }

    /// Serves the read that the program waits for, if it waits for one. Returns the time in the reader, which is not
    /// the program's.
    pub(crate) fn serve(&self, reader: &mut dyn Read) -> Duration {
        let mut slot = self.slot();
        let Some(wanted) = slot.wanted.take() else { return Duration::ZERO };
        let started = Instant::now();
        slot.buffer.resize(STDIN_CHUNK_BYTES, 0);
        let buffer = slot.buffer.get_mut(..wanted).unwrap_or_default();
        slot.answer = Some(read_once(reader, buffer));
        slot.waited = started.elapsed();
        slot.waited
    }
}

impl fmt::Debug for StdinPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdinPort").finish_non_exhaustive()
    }
}

fn read_once(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A reader that claims more than it was given is broken; trust the buffer.
            answer => return answer.map(|count| count.min(buffer.len())),
        }
    }
}
