//! Content-addressed storage.

use crate::PortError;
use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use sealwork_types::Cid;
use std::ops::Range;

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

    /// Streams these bytes of content, fewer when it ends earlier. A store that can reads no others.
    async fn get_range(&self, cid: &Cid, bytes: Range<u64>) -> Result<ByteStream, PortError> {
        Ok(window(self.get(cid).await?, bytes))
    }

    /// Reads content that must have at most `limit` bytes into memory; `Limit` otherwise.
    async fn get_small(&self, cid: &Cid, limit: usize) -> Result<Bytes, PortError>;

    /// Keeps content from being collected. Idempotent.
    async fn pin(&self, cid: &Cid) -> Result<(), PortError>;

    /// Gives content free for collection. Idempotent.
    async fn unpin(&self, cid: &Cid) -> Result<(), PortError>;

    /// Size of stored content.
    async fn stat(&self, cid: &Cid) -> Result<StoreStat, PortError>;
}

/// These bytes of a stream.
fn window(content: ByteStream, bytes: Range<u64>) -> ByteStream {
    let left = bytes.end.saturating_sub(bytes.start);
    stream::try_unfold((content, bytes.start, left), |(mut content, mut skip, mut left)| async move {
        while left > 0 {
            let Some(mut piece) = content.next().await.transpose()? else { break };
            let skipped = usize::try_from(skip).unwrap_or(usize::MAX).min(piece.len());
            drop(piece.split_to(skipped));
            piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            skip -= skipped as u64;
            left -= piece.len() as u64;
            if !piece.is_empty() {
                return Ok(Some((piece, (content, skip, left))));
            }
        }
        Ok(None)
    })
    .boxed()
}
