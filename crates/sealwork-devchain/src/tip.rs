//! The end of the chain as clients see it: the newest block, and the news when it changes.

use crate::{block::Block, chain::Head};
use alloy_primitives::B256;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError, RwLock},
};
use tokio::sync::broadcast;

/// Blocks that a slow subscriber may be behind before it is cut off.
const NEWS_KEPT: usize = 1_024;
/// Taken transactions that polled filters still learn of.
const ARRIVALS_KEPT: usize = 8_192;
/// Removed blocks that polled filters still learn of.
pub(crate) const REMOVALS_KEPT: usize = 1_024;

/// What subscribers are told.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// A block was added.
    Added(Arc<Block>),
    /// The newest block was removed.
    Removed(Arc<Block>),
    /// A transaction was taken.
    Arrived(B256),
}

/// The end of the chain as clients see it.
#[derive(Debug)]
pub(crate) struct Tip {
    head: RwLock<Option<Arc<Head>>>,
    news: broadcast::Sender<News>,
    /// Removed blocks.
    removals: Mutex<Ring<Arc<Block>>>,
    /// Hashes of transactions that were taken.
    arrivals: Mutex<Ring<B256>>,
}

/// The newest of a stream, for those who poll.
#[derive(Debug)]
struct Ring<T> {
    items: VecDeque<T>,
    /// How many there ever were.
    count: u64,
    limit: usize,
}

impl<T: Clone> Ring<T> {
    fn new(limit: usize) -> Mutex<Self> {
        Mutex::new(Self { items: VecDeque::new(), count: 0, limit })
    }

    fn push(&mut self, item: T) {
        if self.items.len() >= self.limit {
            self.items.pop_front();
        }
        self.items.push_back(item);
        self.count += 1;
    }

    /// How many there ever were, and those after the first `seen`, as far as they are remembered.
    fn since(&self, seen: u64) -> (u64, Vec<T>) {
        let missed = usize::try_from(self.count.saturating_sub(seen)).unwrap_or(usize::MAX);
        let skip = self.items.len().saturating_sub(missed);
        (self.count, self.items.iter().skip(skip).cloned().collect())
    }
}

impl Default for Tip {
    fn default() -> Self {
        Self {
            head: RwLock::default(),
            news: broadcast::channel(NEWS_KEPT).0,
            removals: Ring::new(REMOVALS_KEPT),
            arrivals: Ring::new(ARRIVALS_KEPT),
        }
    }
}

impl Tip {
    /// The newest block.
    ///
    /// # Panics
    /// Before [`Self::set`]: opening a chain sets it first.
    pub(crate) fn head(&self) -> Arc<Head> {
        let head = self.head.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(head.as_ref().expect("an opened chain has a newest block"))
    }

    /// Number of the newest block that clients may see; `None` while the chain is being opened.
    pub(crate) fn number(&self) -> Option<u64> {
        let head = self.head.read().unwrap_or_else(PoisonError::into_inner);
        head.as_ref().map(|head| head.number())
    }

    /// Everything that happens from now on.
    pub(crate) fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// Sets the newest block without telling anybody.
    pub(crate) fn set(&self, head: Arc<Head>) {
        *self.head.write().unwrap_or_else(PoisonError::into_inner) = Some(head);
    }

    /// A block was added.
    pub(crate) fn advance(&self, head: Arc<Head>, block: Arc<Block>) {
        self.set(head);
        self.tell(News::Added(block));
    }

    /// Blocks were removed, the newest first.
    pub(crate) fn retract(&self, head: Arc<Head>, removed: Vec<Arc<Block>>) {
        self.set(head);
        let mut removals = self.removals.lock().unwrap_or_else(PoisonError::into_inner);
        for block in &removed {
            removals.push(Arc::clone(block));
        }
        drop(removals);
        for block in removed {
            self.tell(News::Removed(block));
        }
    }

    /// A transaction was taken.
    pub(crate) fn arrived(&self, hash: B256) {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(hash);
        self.tell(News::Arrived(hash));
    }

    fn tell(&self, news: News) {
        // Nobody listening is fine.
        let _ = self.news.send(news);
    }

    /// How many blocks were ever removed, and those after the first `seen`, as far as they are remembered.
    pub(crate) fn removals(&self, seen: u64) -> (u64, Vec<Arc<Block>>) {
        self.removals.lock().unwrap_or_else(PoisonError::into_inner).since(seen)
    }

    /// How many transactions were ever taken, and those after the first `seen`, as far as they are remembered.
    pub(crate) fn arrivals(&self, seen: u64) -> (u64, Vec<B256>) {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).since(seen)
    }
}
