//! The `Store` port over the RPC of a Kubo node, or of a [`serve`](crate::serve)d store.
//!
//! The node is not trusted with names: content is cut and hashed here, and every block that comes back is hashed again.

use crate::{
    block::{Block, GeneralCid, general_cid, parts_of},
    error::IntoPort,
    stage::{gather, read_all},
    unixfs::{FileWalk, Importer, Profile, Root, WalkLimits},
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use rpc_client::RpcClient;
use sealwork_ports::{ByteStream, ErrorKind, PortError, Store, StoreStat};
use sealwork_types::Codec;
use std::{collections::BTreeSet, ops::Range, time::Duration};

mod fetch;
mod rpc_client;

/// Blocks that are on their way at once, in either direction. With blocks of 1 MiB this bounds memory to a few MiB.
const WINDOW: usize = 8;

/// How a Kubo store works.
#[derive(Clone, Copy, Debug)]
pub struct KuboOptions {
    /// How content is cut and named.
    pub profile: Profile,
    /// How long the node may look for a block or a pin's content, in whole seconds.
    pub search_timeout: Duration,
}

impl Default for KuboOptions {
    /// `unixfs-v1-2025`, one minute.
    fn default() -> Self {
        Self { profile: Profile::default(), search_timeout: Duration::from_secs(60) }
    }
}

/// Content behind a Kubo RPC. Clones share the connections.
#[derive(Clone, Debug)]
pub struct KuboStore {
    rpc: RpcClient,
    profile: Profile,
}

impl KuboStore {
    /// Talks to the node whose RPC is at `url`, for example `http://127.0.0.1:5001`. Does not connect yet.
    ///
    /// # Errors
    /// `Rejected` for a text that is not an http or https URL.
    pub fn new(url: &str, options: KuboOptions) -> Result<Self, PortError> {
        Ok(Self { rpc: RpcClient::new(url, options.search_timeout)?, profile: options.profile })
    }

    /// Version that the node says it has; a cheap way to see that it is there.
    ///
    /// # Errors
    /// `Unavailable` when it is not.
    pub async fn version(&self) -> Result<String, PortError> {
        self.rpc.version().await
    }

    /// Streams a file, fetching the next blocks meanwhile.
    pub fn cat(&self, walk: FileWalk) -> ByteStream {
        fetch::stream(self.rpc.clone(), walk)
    }

    async fn add(&self, mut content: ByteStream) -> Result<Root, PortError> {
        let mut importer = Importer::new(self.profile);
        loop {
            let (batch, ended) = gather(&mut content).await?;
            let hashed = tokio::task::spawn_blocking(move || {
                batch.iter().for_each(|piece| importer.hold(piece));
                (importer.release(), importer)
            });
            let (blocks, rest) = hashed.await.map_err(interrupted)?;
            importer = rest;
            self.put_all(blocks).await?;
            if ended {
                break;
            }
        }
        let (root, blocks) = tokio::task::spawn_blocking(|| importer.finish()).await.map_err(interrupted)?;
        self.put_all(blocks).await?;
        Ok(root)
    }

    async fn put_all(&self, blocks: Vec<Block>) -> Result<(), PortError> {
        let puts = stream::iter(blocks).map(|block| async move { self.rpc.put_block(&block).await });
        puts.buffer_unordered(WINDOW).try_collect().await
    }

    /// Fetches the tree's nodes, and the leaves only where they are not raw.
    async fn walk_nodes(&self, root: GeneralCid) -> Result<StoreStat, PortError> {
        let mut walk = FileWalk::new(root, WalkLimits::default());
        let (mut blocks, mut content_bytes) = (BTreeSet::new(), None);
        while let Some(cid) = walk.next() {
            let is_new = blocks.insert(cid);
            let is_raw = parts_of(&cid).map_err(|error| error.into_port("walk content"))?.0 == Codec::Raw;
            if content_bytes.is_some() && (is_raw || !is_new) {
                if is_new {
                    self.rpc.block_len(&cid).await?;
                }
                walk.skip_part(u64::MAX);
                continue;
            }
            let block = self.rpc.block(cid).await?;
            let piece = walk.supply(&block).map_err(|error| error.into_port(format!("walk {root}")))?;
            content_bytes.get_or_insert(piece.content_bytes);
        }
        Ok(StoreStat { content_bytes: content_bytes.unwrap_or(0), blocks: blocks.len() as u64 })
    }
}

fn interrupted(error: tokio::task::JoinError) -> PortError {
    PortError::because(ErrorKind::Local, "hashing did not end", error)
}

#[async_trait]
impl Store for KuboStore {
    async fn put(&self, content: ByteStream) -> Result<sealwork_types::Cid, PortError> {
        let root = self.add(content).await?;
        let (codec, digest) = parts_of(&root.cid).map_err(|error| error.into_port("name content"))?;
        let cid = sealwork_types::Cid::new(codec, digest);
        self.pin(&cid).await?;
        Ok(cid)
    }

    async fn get(&self, cid: &sealwork_types::Cid) -> Result<ByteStream, PortError> {
        Ok(self.cat(FileWalk::new(general_cid(cid), WalkLimits::default())))
    }

    async fn get_range(&self, cid: &sealwork_types::Cid, bytes: Range<u64>) -> Result<ByteStream, PortError> {
        Ok(self.cat(FileWalk::within(general_cid(cid), WalkLimits::default(), bytes)))
    }

    async fn get_small(&self, cid: &sealwork_types::Cid, limit: usize) -> Result<Bytes, PortError> {
        let limits = WalkLimits { content_bytes: limit as u64, ..WalkLimits::default() };
        read_all(self.cat(FileWalk::new(general_cid(cid), limits)), limit).await
    }

    async fn pin(&self, cid: &sealwork_types::Cid) -> Result<(), PortError> {
        self.rpc.pin(&general_cid(cid)).await
    }

    async fn unpin(&self, cid: &sealwork_types::Cid) -> Result<(), PortError> {
        self.rpc.unpin(&general_cid(cid)).await
    }

    async fn stat(&self, cid: &sealwork_types::Cid) -> Result<StoreStat, PortError> {
        self.walk_nodes(general_cid(cid)).await
    }
}
