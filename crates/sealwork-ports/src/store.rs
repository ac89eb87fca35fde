//! Content-addressed storage.

use crate::PortError;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use sealwork_types::Cid;

/// Bytes in order; an error ends the stream.
pub type ByteStream = BoxStream<'static, Result<Bytes, PortError>>;

/// What is known about stored content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreStat {
    /// Bytes of the content itself, without tree nodes.
    pub content_bytes: u64,
    /// Blocks, the root included.
    pub blocks: u64,
}

/// Content-addressed storage with pins. Every byte that comes out was checked against its CID.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Adds content of any size in constant memory, pins it, and names it. Idempotent: equal bytes get the equal CID.
    ///
    /// When this returns, the content survives a crash. Dropping the future leaves only unreferenced blocks for gc.
    async fn put(&self, content: ByteStream) -> Result<Cid, PortError>;

    /// Streams content. The first item is an error of kind `NotFound` when the root is absent.
    async fn get(&self, cid: &Cid) -> Result<ByteStream, PortError>;

    /// Reads content that must have at most `limit` bytes into memory; `Limit` otherwise.
    async fn get_small(&self, cid: &Cid, limit: usize) -> Result<Bytes, PortError>;

    /// Keeps content from being collected. Idempotent.
    async fn pin(&self, cid: &Cid) -> Result<(), PortError>;

    /// Gives content free for collection. Idempotent.
    async fn unpin(&self, cid: &Cid) -> Result<(), PortError>;

    /// Size of stored content.
    async fn stat(&self, cid: &Cid) -> Result<StoreStat, PortError>;
}
