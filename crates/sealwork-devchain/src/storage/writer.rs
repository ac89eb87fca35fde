//! The thread that brings blocks into the store, and the queue before it.

use super::{Entry, Shared};
use crate::error::StorageError;
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

/// Blocks that wait for the store at most; making blocks waits then.
const QUEUE_LIMIT: usize = 512;
/// Gas of all blocks that wait at most. Gas bounds the bytes of a block.
const QUEUE_GAS: u64 = 600_000_000;
/// Blocks in one commit at most.
const GROUP_LIMIT: usize = 256;

/// Blocks on their way into the store, in order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Something to do for the writer.
    filled: Condvar,
    /// Something was stored, or nothing ever will be.
    emptied: Condvar,
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<Entry>,
    gas: u64,
    /// Appends ever.
    last: u64,
    /// Appends that are stored.
    stored: u64,
    /// Number of the newest stored block.
    newest: Option<u64>,
    failed: Option<Arc<StorageError>>,
    closing: bool,
}

/// The running thread; dropping this stores what waits and ends it.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Queue {
    /// Adds a block; `visible` runs before the writer can see it. Returns the newest stored block.
    pub(super) fn push(&self, entry: Entry, visible: impl FnOnce()) -> Result<Option<u64>, StorageError> {
        let mut state = self.lock();
        while state.failed.is_none() && (state.entries.len() >= QUEUE_LIMIT || state.gas >= QUEUE_GAS) {
            state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.check()?;
        visible();
        state.gas = state.gas.saturating_add(entry.block.header.gas_used);
        state.entries.push_back(entry);
        state.last += 1;
        if state.entries.len() == 1 {
            self.filled.notify_one();
        }
        Ok(state.newest)
    }

    pub(super) fn last_ticket(&self) -> u64 {
        self.lock().last
    }

    pub(super) fn length(&self) -> usize {
        self.lock().entries.len()
    }

    /// Returns when so many appends are stored.
    pub(super) fn wait(&self, ticket: u64) -> Result<(), StorageError> {
        let mut state = self.lock();
        while state.stored < ticket {
            state.check()?;
            state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the next commit takes; `None` when the thread may end.
    fn next_group(&self) -> Option<Vec<Entry>> {
        let mut state = self.lock();
        while state.entries.is_empty() {
            if state.closing {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        // They stay in the queue until they are stored, so that the limits count them.
        Some(state.entries.iter().take(GROUP_LIMIT).cloned().collect())
    }

    fn finish(&self, group: &[Entry]) {
        let mut state = self.lock();
        for entry in group {
            state.entries.pop_front();
            state.gas = state.gas.saturating_sub(entry.block.header.gas_used);
            state.stored += 1;
            state.newest = Some(entry.block.number());
        }
        drop(state);
        self.emptied.notify_all();
    }

    fn fail(&self, error: StorageError) {
        let mut state = self.lock();
        state.entries.clear();
        state.gas = 0;
        state.failed = Some(Arc::new(error));
        drop(state);
        self.emptied.notify_all();
    }

    fn close(&self) {
        self.lock().closing = true;
        self.filled.notify_one();
    }

    fn newest(&self) -> Option<u64> {
        self.lock().newest
    }
}

impl State {
    /// After a failed commit nothing is taken any more: later blocks would build on ones that do not exist.
    fn check(&self) -> Result<(), StorageError> {
        match &self.failed {
            Some(cause) => Err(StorageError::Stopped { newest: self.newest, cause: Arc::clone(cause) }),
            None => Ok(()),
        }
    }
}

impl Writer {
    pub(super) fn start(shared: Arc<Shared>) -> Result<Self, StorageError> {
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("devchain-writer".into())
            .spawn(move || write(&own))
            .map_err(StorageError::Thread)?;
        Ok(Self { shared, thread: Some(thread) })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.queue.close();
        // A panic of the writer was logged where it happened.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn write(shared: &Shared) {
    while let Some(group) = shared.queue.next_group() {
        if let Err(error) = shared.store.append(&group) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "blocks cannot be stored; the chain stops"
            );
            if let Some(newest) = shared.queue.newest() {
                shared.recent_mut().truncate(newest);
            }
            shared.queue.fail(error);
            continue;
        }
        if shared.announces {
            for entry in &group {
                shared.tip.advance(Arc::clone(&entry.head), Arc::clone(&entry.block));
            }
        }
        shared.queue.finish(&group);
    }
}
