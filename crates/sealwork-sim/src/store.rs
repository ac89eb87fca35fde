//! Storage of a run: content in memory, and everything that storage can do wrong.

use crate::{faults::Faults, process::Life, trace::Trace};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use sealwork_ports::{ByteStream, ErrorKind, PortError, Store, StoreStat};
use sealwork_types::{Cid, Codec, Sha256Digest};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What is stored.
pub(crate) type Contents = BTreeMap<Cid, Bytes>;

/// Storage as one process sees it.
#[derive(Clone, Debug)]
pub(crate) struct SimStore {
    contents: Arc<Mutex<Contents>>,
    life: Life,
    faults: Faults,
    trace: Trace,
}

impl SimStore {
    /// Storage with some content.
    pub(crate) fn new(contents: Contents, life: Life, faults: Faults, trace: Trace) -> Self {
        Self { contents: Arc::new(Mutex::new(contents)), life, faults, trace }
    }

    /// The same storage for another process.
    pub(crate) fn for_process(&self, life: Life) -> Self {
        Self { life, ..self.clone() }
    }

    async fn begin(&self, what: &str) -> Result<(), PortError> {
        self.life.point(what).await;
        tokio::time::sleep(self.faults.pause(0..=30)).await;
        if self.faults.roll(self.faults.rates.store_away) {
            return Err(PortError::new(ErrorKind::Unavailable, format!("{what}: storage is away")));
        }
        Ok(())
    }

    fn read(&self, cid: &Cid) -> Result<Bytes, PortError> {
        let missing = || PortError::new(ErrorKind::NotFound, format!("read {cid}: it is not stored"));
        self.lock().get(cid).cloned().ok_or_else(missing)
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pieces as they arrive: all of them, other ones, or only the first.
    fn pieces(&self, cid: &Cid, bytes: &Bytes) -> Vec<Result<Bytes, PortError>> {
        let middle = bytes.len() / 2;
        let mut pieces: Vec<_> = [bytes.slice(..middle), bytes.slice(middle..)]
            .into_iter()
            .filter(|piece| !piece.is_empty())
            .map(Ok)
            .collect();
        if self.faults.roll(self.faults.rates.store_corrupts) {
            self.trace.note("storage gives other bytes");
            pieces.pop();
            pieces.push(match self.faults.between(0..=2) {
                0 => Err(PortError::new(ErrorKind::Corrupt, format!("read {cid}: the bytes are not its"))),
                1 => Err(PortError::new(ErrorKind::Unavailable, format!("read {cid}: storage went away"))),
                // A store that breaks its promise: whoever needs the right bytes has to check them.
                _ => Ok(Bytes::from(vec![0; bytes.len() - middle])),
            });
        }
        pieces
    }
}

#[async_trait]
impl Store for SimStore {
    async fn put(&self, mut content: ByteStream) -> Result<Cid, PortError> {
        self.begin("storing content").await?;
        let mut all = BytesMut::new();
        while let Some(piece) = content.next().await {
            let piece = piece?;
            self.trace.watch("storage", &piece);
            all.extend_from_slice(&piece);
        }
        if self.faults.roll(self.faults.rates.store_full) {
            return Err(PortError::new(ErrorKind::Local, "store content: no space is left"));
        }
        let cid = Cid::new(Codec::Raw, Sha256Digest::of(&all));
        self.lock().insert(cid, all.freeze());
        self.life.point("stored content").await;
        Ok(cid)
    }

    async fn get(&self, cid: &Cid) -> Result<ByteStream, PortError> {
        self.begin("reading content").await?;
        let bytes = self.read(cid)?;
        Ok(stream::iter(self.pieces(cid, &bytes)).boxed())
    }

    async fn get_small(&self, cid: &Cid, limit: usize) -> Result<Bytes, PortError> {
        self.begin("reading a document").await?;
        let bytes = self.read(cid)?;
        if bytes.len() > limit {
            let action = format!("read {cid}: it has {} bytes, the limit is {limit}", bytes.len());
            return Err(PortError::new(ErrorKind::Limit, action));
        }
        if self.faults.roll(self.faults.rates.store_corrupts) {
            return Err(PortError::new(ErrorKind::Corrupt, format!("read {cid}: the bytes are not its")));
        }
        Ok(bytes)
    }

    async fn pin(&self, cid: &Cid) -> Result<(), PortError> {
        self.begin("pinning content").await?;
        self.read(cid).map(drop)
    }

    async fn unpin(&self, _: &Cid) -> Result<(), PortError> {
        self.begin("unpinning content").await
    }

    async fn stat(&self, cid: &Cid) -> Result<StoreStat, PortError> {
        self.begin("asking for a size").await?;
        Ok(StoreStat { content_bytes: self.read(cid)?.len() as u64, blocks: 1 })
    }
}
