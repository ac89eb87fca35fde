//! Storage without a thread of its own, for chains that must do the same every time.

use super::{Queue, Shared, Storage, Store};
use crate::{error::StorageError, tip::Tip};
use std::sync::{Arc, PoisonError, RwLock};

impl Storage {
    /// Ends the thread, after everything is stored; from now on every block is stored where it is made.
    pub(crate) fn work_inline(&self) {
        drop(self.writer.write().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// A second storage with the same blocks, without a thread.
    pub(crate) fn fork(&self, tip: Arc<Tip>) -> Result<Self, StorageError> {
        let Store::Memory(memory) = &self.shared.store else { return Err(StorageError::Fork) };
        self.flush()?;
        let memory = memory.read().unwrap_or_else(PoisonError::into_inner).clone();
        let shared = Shared {
            store: Store::Memory(RwLock::new(memory)),
            recent: RwLock::new(self.shared.recent().clone()),
            queue: Queue::default(),
            tip,
            announces: false,
        };
        Ok(Self { shared: Arc::new(shared), writer: RwLock::default(), waits: false })
    }
}
