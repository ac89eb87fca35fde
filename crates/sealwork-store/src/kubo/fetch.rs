//! Reading a file block by block over RPC, a few blocks ahead.

use super::{WINDOW, rpc_client::RpcClient};
use crate::{
    block::{Block, GeneralCid},
    error::IntoPort,
    unixfs::FileWalk,
};
use bytes::Bytes;
use futures::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, FuturesUnordered},
};
use sealwork_ports::{ByteStream, PortError};
use std::collections::BTreeMap;

struct Fetcher {
    rpc: RpcClient,
    walk: FileWalk,
    /// Blocks that were asked for; `None` until they are there.
    wanted: BTreeMap<GeneralCid, Option<Block>>,
    running: FuturesUnordered<BoxFuture<'static, Result<Block, PortError>>>,
}

pub(super) fn stream(rpc: RpcClient, walk: FileWalk) -> ByteStream {
    let fetcher = Fetcher { rpc, walk, wanted: BTreeMap::new(), running: FuturesUnordered::new() };
    stream::try_unfold(fetcher, |mut fetcher| async move {
        let piece = fetcher.next_piece().await?;
        Ok(piece.map(|piece| (piece, fetcher)))
    })
    .boxed()
}

impl Fetcher {
    async fn next_piece(&mut self) -> Result<Option<Bytes>, PortError> {
        while let Some(cid) = self.walk.next() {
            self.look_ahead();
            let block = self.arrived(cid).await?;
            let piece = self.walk.supply(&block).map_err(|error| error.into_port("read content"))?;
            if !piece.content.is_empty() {
                return Ok(Some(piece.content));
            }
        }
        Ok(None)
    }

    fn look_ahead(&mut self) {
        for (place, cid) in self.walk.upcoming().take(WINDOW).enumerate() {
            // Siblings that were asked for on the levels above are still held, so depth must not add up.
            if place > 0 && self.wanted.len() >= 2 * WINDOW {
                break;
            }
            if let std::collections::btree_map::Entry::Vacant(entry) = self.wanted.entry(cid) {
                entry.insert(None);
                let rpc = self.rpc.clone();
                self.running.push(async move { rpc.block(cid).await }.boxed());
            }
        }
    }

    /// Waits for a block that was asked for. Each use takes it out, so a repeated block is fetched again later.
    async fn arrived(&mut self, cid: GeneralCid) -> Result<Block, PortError> {
        loop {
            if let Some(Some(block)) = self.wanted.get(&cid) {
                let block = block.clone();
                self.wanted.remove(&cid);
                return Ok(block);
            }
            match self.running.next().await {
                Some(block) => {
                    let block = block?;
                    self.wanted.insert(*block.cid(), Some(block));
                }
                None => return self.rpc.block(cid).await,
            }
        }
    }
}
