//! Storage with a counter of what goes in and comes out.

use super::Registry;
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use sealwork_ports::{ByteStream, PortError, Store, StoreStat};
use sealwork_types::Cid;
use std::{ops::Range, sync::Arc};

/// Another store, counted.
pub(crate) struct CountedStore {
    inner: Arc<dyn Store>,
    registry: Arc<Registry>,
}

impl CountedStore {
    pub(crate) fn new(inner: Arc<dyn Store>, registry: Arc<Registry>) -> Self {
        Self { inner, registry }
    }

    fn counted(&self, content: ByteStream, direction: &'static str) -> ByteStream {
        let registry = Arc::clone(&self.registry);
        let count = move |piece: &Result<Bytes, PortError>| {
            if let Ok(piece) = piece {
                registry.add("sealwork_storage_bytes_total", &[("direction", direction)], piece.len() as u64);
            }
        };
        content.inspect(count).boxed()
    }
}

#[async_trait]
impl Store for CountedStore {
    async fn put(&self, content: ByteStream) -> Result<Cid, PortError> {
        self.inner.put(self.counted(content, "written")).await
    }

    async fn get(&self, cid: &Cid) -> Result<ByteStream, PortError> {
        Ok(self.counted(self.inner.get(cid).await?, "read"))
    }

    async fn get_range(&self, cid: &Cid, bytes: Range<u64>) -> Result<ByteStream, PortError> {
        Ok(self.counted(self.inner.get_range(cid, bytes).await?, "read"))
    }

    async fn get_small(&self, cid: &Cid, limit: usize) -> Result<Bytes, PortError> {
        let bytes = self.inner.get_small(cid, limit).await?;
        self.registry.add("sealwork_storage_bytes_total", &[("direction", "read")], bytes.len() as u64);
        Ok(bytes)
    }

    async fn pin(&self, cid: &Cid) -> Result<(), PortError> {
        self.inner.pin(cid).await
    }

    async fn unpin(&self, cid: &Cid) -> Result<(), PortError> {
        self.inner.unpin(cid).await
    }

    async fn stat(&self, cid: &Cid) -> Result<StoreStat, PortError> {
        self.inner.stat(cid).await
    }
}
