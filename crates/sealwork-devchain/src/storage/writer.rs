//! The thread that brings blocks into the store, and the queue before it.

use super::{Entry, Shared};
use crate::error::StorageError;
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// Blocks that wait for the store at most; making blocks waits then.
const QUEUE_LIMIT: usize = 512;
/// Gas of all blocks that wait at most. Gas bounds the bytes of a block.
const QUEUE_GAS: u64 = 600_000_000;
/// Blocks in one commit at most.
const GROUP_LIMIT: usize = 256;
/// When nobody waits for a block, so many are gathered before they are stored,
const GATHERED: usize = 64;
/// or as many as come in this time: waking the thread costs more than storing a small block.
const GATHER_TIME: Duration = Duration::from_millis(20);

/// Blocks on their way into the store, in order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Something to do for the writer.
    filled: Condvar,
    /// Something was stored, or nothing ever will be.
    emptied: Condvar,
    /// The same for those who cannot block.
    progress: watch::Sender<()>,
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
    /// Somebody waits.
    hurry: bool,
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
            self.hasten(&mut state);
            state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.check()?;
        visible();
        state.gas = state.gas.saturating_add(entry.block.header.gas_used);
        state.entries.push_back(entry);
        state.last += 1;
        if matches!(state.entries.len(), 1 | GATHERED) {
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
            self.hasten(&mut state);
            state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// The same without blocking the thread.
    pub(super) async fn stored(&self, ticket: u64) -> Result<(), StorageError> {
        let mut progress = self.progress.subscribe();
        loop {
            {
                let mut state = self.lock();
                if state.stored >= ticket {
                    return Ok(());
                }
                state.check()?;
                self.hasten(&mut state);
            }
            // The sender lives as long as this queue.
            let _ = progress.changed().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the writer gather no longer.
    fn hasten(&self, state: &mut State) {
        if !std::mem::replace(&mut state.hurry, true) {
            self.filled.notify_one();
        }
    }

    /// What the next commit takes; `None` when the thread may end.
    fn next_group(&self) -> Option<Vec<Entry>> {
        let mut state = self.lock();
        while state.entries.is_empty() {
            state.hurry = false;
            if state.closing {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let deadline = Instant::now() + GATHER_TIME;
        while !state.hurry && !state.closing && state.entries.len() < GATHERED {
            let Some(rest) = deadline.checked_duration_since(Instant::now()) else { break };
            state = self.filled.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.hurry = false;
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
        self.progress.send_replace(());
    }

    fn fail(&self, error: StorageError) {
        let mut state = self.lock();
        state.entries.clear();
        state.gas = 0;
        state.failed = Some(Arc::new(error));
        drop(state);
        self.emptied.notify_all();
        self.progress.send_replace(());
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

/// Nobody must wait for a thread that is gone.
struct LastWords<'a>(&'a Queue);

impl Drop for LastWords<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail(StorageError::Thread(std::io::Error::other("it panicked")));
        }
    }
}

fn write(shared: &Shared) {
    let _last_words = LastWords(&shared.queue);
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
