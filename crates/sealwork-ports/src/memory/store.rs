//! Content in memory.

use crate::{ByteStream, ErrorKind, PortError, Store, StoreStat};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use sealwork_types::{Cid, Codec, Sha256Digest};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A store that keeps each content as one raw block of any size, so only content of up to 1 MiB has the CID that the
/// IPFS profile gives it.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    contents: BTreeMap<Cid, Bytes>,
    pins: BTreeSet<Cid>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps bytes under their name.
    pub fn insert(&self, bytes: Bytes) -> Cid {
        let cid = Cid::new(Codec::Raw, Sha256Digest::of(&bytes));
        let mut state = self.lock();
        state.contents.insert(cid, bytes);
        state.pins.insert(cid);
        cid
    }

    /// Everything that is stored.
    pub fn contents(&self) -> BTreeMap<Cid, Bytes> {
        self.lock().contents.clone()
    }

    /// Removes what is not pinned and returns how many contents that were.
    pub fn collect(&self) -> usize {
        let State { contents, pins } = &mut *self.lock();
        let before = contents.len();
        contents.retain(|cid, _| pins.contains(cid));
        before - contents.len()
    }

    /// Puts other bytes under a name, as a lying or rotten store would have them; reading then fails with `Corrupt`.
    pub fn insecure_replace(&self, cid: Cid, bytes: Bytes) {
        self.lock().contents.insert(cid, bytes);
    }

    fn read(&self, cid: &Cid) -> Result<Bytes, PortError> {
        let missing = || PortError::new(ErrorKind::NotFound, format!("read {cid}: it is not stored"));
        let bytes = self.lock().contents.get(cid).cloned().ok_or_else(missing)?;
        if Sha256Digest::of(&bytes) != cid.digest() {
            return Err(PortError::new(
                ErrorKind::Corrupt,
                format!("read {cid}: stored bytes do not match it"),
            ));
        }
        Ok(bytes)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn put(&self, mut content: ByteStream) -> Result<Cid, PortError> {
        let mut all = BytesMut::new();
        while let Some(piece) = content.next().await {
            all.extend_from_slice(&piece?);
        }
        Ok(self.insert(all.freeze()))
    }

    async fn get(&self, cid: &Cid) -> Result<ByteStream, PortError> {
        let bytes = self.read(cid);
        Ok(stream::iter([bytes])
            .filter(|item| std::future::ready(!item.as_ref().is_ok_and(Bytes::is_empty)))
            .boxed())
    }

    async fn get_small(&self, cid: &Cid, limit: usize) -> Result<Bytes, PortError> {
        let bytes = self.read(cid)?;
        if bytes.len() > limit {
            let action = format!("read {cid}: it has {} bytes, the limit is {limit}", bytes.len());
            return Err(PortError::new(ErrorKind::Limit, action));
        }
        Ok(bytes)
    }

    async fn pin(&self, cid: &Cid) -> Result<(), PortError> {
        self.read(cid)?;
        self.lock().pins.insert(*cid);
        Ok(())
    }

    async fn unpin(&self, cid: &Cid) -> Result<(), PortError> {
        self.lock().pins.remove(cid);
        Ok(())
    }

    async fn stat(&self, cid: &Cid) -> Result<StoreStat, PortError> {
        Ok(StoreStat { content_bytes: self.read(cid)?.len() as u64, blocks: 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{byte_stream, store_suite};
    use futures::FutureExt;

    #[test]
    fn passes_the_store_suite() {
        store_suite(&MemoryStore::new()).now_or_never().expect("nothing in memory waits");
    }

    #[test]
    fn collects_only_what_is_not_pinned() {
        let store = MemoryStore::new();
        let put = |text: &'static str| {
            store.put(byte_stream(vec![Bytes::from_static(text.as_bytes())])).now_or_never()
        };
        let (kept, freed) = (put("kept").unwrap().unwrap(), put("freed").unwrap().unwrap());
        store.unpin(&freed).now_or_never().unwrap().unwrap();
        assert_eq!(store.collect(), 1);
        assert!(store.read(&kept).is_ok());
        assert_eq!(store.read(&freed).unwrap_err().kind, ErrorKind::NotFound);
    }

    #[test]
    fn never_returns_replaced_bytes() {
        let store = MemoryStore::new();
        let cid = Cid::new(Codec::Raw, Sha256Digest::of(b"right"));
        store.insecure_replace(cid, Bytes::from_static(b"wrong"));
        let error = store.get_small(&cid, 100).now_or_never().unwrap().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Corrupt);
    }
}
