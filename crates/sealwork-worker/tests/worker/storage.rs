//! Storage in memory that can search for ever for what it does not have, as a network does.

use async_trait::async_trait;
use bytes::Bytes;
use sealwork_ports::{ByteStream, ErrorKind, PortError, Store, StoreStat, memory::MemoryStore};
use sealwork_types::Cid;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) struct Storage {
    inner: MemoryStore,
    searches: AtomicBool,
}

impl Storage {
    pub(crate) fn new() -> Self {
        Self { inner: MemoryStore::new(), searches: AtomicBool::new(false) }
    }

    /// From now on whoever asks for what is not there waits.
    pub(crate) fn search(&self) {
        self.searches.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Store for Storage {
    async fn put(&self, content: ByteStream) -> Result<Cid, PortError> {
        self.inner.put(content).await
    }

    async fn get(&self, cid: &Cid) -> Result<ByteStream, PortError> {
        self.inner.get(cid).await
    }

    async fn get_small(&self, cid: &Cid, limit: usize) -> Result<Bytes, PortError> {
        self.inner.get_small(cid, limit).await
    }

    async fn pin(&self, cid: &Cid) -> Result<(), PortError> {
        self.inner.pin(cid).await
    }

    async fn unpin(&self, cid: &Cid) -> Result<(), PortError> {
        self.inner.unpin(cid).await
    }

    async fn stat(&self, cid: &Cid) -> Result<StoreStat, PortError> {
        match self.inner.stat(cid).await {
            Err(error) if error.kind == ErrorKind::NotFound && self.searches.load(Ordering::SeqCst) => {
                std::future::pending().await
            }
            answer => answer,
        }
    }
}
