//! The `Store` port over a pack store on this machine.

use crate::{
    block::{Block, BlockStore, GeneralCid, Put, general_cid, load, parts_of},
    error::{BlockError, DagError, IntoPort},
    pack::{Collected, DEFAULT_SEGMENT_BYTES, PackStore, Usage},
    stage::gather,
    unixfs::{FileWalk, Importer, Profile, Reach, Root, WalkLimits, next_piece, reach},
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    FutureExt, StreamExt,
    future::{BoxFuture, ready},
    stream,
};
use leases::Leases;
use sealwork_ports::{ByteStream, ErrorKind, PortError, Store, StoreStat};
use std::{
    collections::BTreeSet,
    ops::Range,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

mod leases;

/// How a local store works.
#[derive(Clone, Copy, Debug)]
pub struct LocalOptions {
    /// How added content is cut and named.
    pub profile: Profile,
    /// Size at which a segment file is closed, in bytes.
    pub segment_bytes: u64,
    /// How long at least a block that was put alone, without a pin, is spared by gc.
    pub put_grace: Duration,
}

impl Default for LocalOptions {
    /// `unixfs-v1-2025`, 256 MiB, ten minutes.
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            segment_bytes: DEFAULT_SEGMENT_BYTES,
            put_grace: Duration::from_secs(600),
        }
    }
}

/// What happens to added content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It is stored, pinned, and survives a crash.
    Pinned,
    /// It is stored until the next gc.
    Unpinned,
    /// It is only named.
    NameOnly,
}

/// Content on this machine's disk. Clones share the store. Disk work runs on the runtime's blocking threads.
#[derive(Clone, Debug)]
pub struct LocalStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    blocks: PackStore,
    profile: Profile,
    leases: Leases,
    /// Shared by those who add pins, exclusive for gc: what gets pinned is either seen by gc or waits for its end.
    gate: RwLock<()>,
}

impl LocalStore {
    /// Opens or creates the store in `dir`. Blocks for milliseconds per gigabyte.
    ///
    /// # Errors
    /// As [`PackStore::open`].
    pub fn open(dir: impl AsRef<Path>, options: LocalOptions) -> Result<Self, BlockError> {
        let blocks = PackStore::open_with(dir, options.segment_bytes)?;
        let leases = Leases::new(options.put_grace);
        Ok(Self {
            inner: Arc::new(Inner { blocks, profile: options.profile, leases, gate: RwLock::new(()) }),
        })
    }

    /// The profile that [`Store::put`] uses.
    pub fn profile(&self) -> Profile {
        self.inner.profile
    }

    /// Adds content of any size in constant memory.
    ///
    /// # Errors
    /// The content's own error, or a failure of the disk.
    pub async fn add(
        &self,
        mut content: ByteStream,
        profile: Profile,
        keep: Keep,
    ) -> Result<Root, PortError> {
        let _lease = self.inner.leases.hold(self.inner.blocks.sequence());
        let mut job: BoxFuture<'static, Result<Importer, PortError>> =
            ready(Ok(Importer::new(profile))).boxed();
        loop {
            // The next bytes are gathered while the ones before are hashed and written.
            let (batch, ended) = gather(&mut content).await?;
            let importer = job.await?;
            job = self.spawn(move |inner| inner.import(importer, &batch, keep)).boxed();
            if ended {
                break;
            }
        }
        let importer = job.await?;
        self.spawn(move |inner| inner.finish(importer, keep)).await
    }

    /// Streams a file. The first item is an error when the root is absent.
    pub fn cat(&self, walk: FileWalk) -> ByteStream {
        let store = self.clone();
        let first = self.read_ahead(walk);
        let batches = stream::unfold(Some(first), move |batch| {
            let store = store.clone();
            async move {
                let (pieces, walk) = match batch?.await {
                    Ok(batch) => batch,
                    Err(error) => (vec![Err(error)], None),
                };
                let next = walk.map(|walk| store.read_ahead(walk));
                Some((stream::iter(pieces), next))
            }
        });
        batches.flatten().boxed()
    }

    /// Reads one block.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, or a failure of the disk.
    pub async fn block(&self, cid: GeneralCid) -> Result<Block, PortError> {
        self.spawn(move |inner| {
            load(&inner.blocks, &cid).map_err(|error| error.into_port(format!("read block {cid}")))
        })
        .await
    }

    /// Size of one block, without reading it.
    ///
    /// # Errors
    /// `NotFound`, or `Rejected` for a CID that is not raw or dag-pb under SHA-256.
    pub fn block_len(&self, cid: &GeneralCid) -> Result<u32, PortError> {
        let missing = DagError::Missing { cid: *cid };
        let len = parts_of(cid).and_then(|(_, digest)| self.inner.blocks.len_of(&digest).ok_or(missing));
        len.map_err(|error| error.into_port(format!("find block {cid}")))
    }

    /// Stores one block; it is spared by gc for some time and durable with the next pin.
    ///
    /// # Errors
    /// `Limit` for a block above 2 MiB, or a failure of the disk.
    pub async fn put_block(&self, block: Block) -> Result<Put, PortError> {
        self.spawn(move |inner| {
            inner.leases.note_put(inner.blocks.sequence());
            inner.blocks.put(&block).map_err(|error| error.into_port(format!("store block {}", block.cid())))
        })
        .await
    }

    /// Pins a root of any CID version. Everything below it must be there.
    ///
    /// # Errors
    /// `NotFound` when a part is missing, `Corrupt` for a malformed tree, or a failure of the disk.
    pub async fn pin_root(&self, cid: GeneralCid) -> Result<(), PortError> {
        self.spawn(move |inner| inner.pin(cid).map_err(|error| error.into_port(format!("pin {cid}")))).await
    }

    /// Removes a pin; tells whether there was one.
    ///
    /// # Errors
    /// A failure of the disk.
    pub async fn unpin_root(&self, cid: GeneralCid) -> Result<bool, PortError> {
        self.spawn(move |inner| {
            let pinned = inner.blocks.is_pinned(&cid);
            let removed = if pinned { inner.blocks.commit(&[], &[cid]) } else { Ok(()) };
            removed.map(|()| pinned).map_err(|error| error.into_port(format!("unpin {cid}")))
        })
        .await
    }

    /// Pinned roots.
    pub fn pins(&self) -> BTreeSet<GeneralCid> {
        self.inner.blocks.pins()
    }

    /// Every block below a root.
    ///
    /// # Errors
    /// `NotFound` when a part is missing, `Corrupt` for a malformed tree.
    pub async fn reach(&self, cid: GeneralCid) -> Result<Reach, PortError> {
        self.spawn(move |inner| {
            reach(&cid, &inner.blocks).map_err(|error| error.into_port(format!("walk {cid}")))
        })
        .await
    }

    /// Removes what no pin reaches, except for what is being added now.
    ///
    /// # Errors
    /// `NotFound` or `Corrupt` when pinned content is incomplete: then nothing is removed, since what lies below the
    /// gap is unknown. Or a failure of the disk.
    pub async fn gc(&self) -> Result<Collected, PortError> {
        self.spawn(|inner| inner.gc().map_err(|error| error.into_port("collect garbage"))).await
    }

    /// What the store holds.
    pub fn usage(&self) -> Usage {
        self.inner.blocks.usage()
    }

    /// Makes everything so far survive a crash.
    ///
    /// # Errors
    /// A failure of the disk.
    pub async fn flush(&self) -> Result<(), PortError> {
        self.spawn(|inner| inner.blocks.sync().map_err(|error| error.into_port("flush the store"))).await
    }

    /// Starts `work` on a blocking thread at once; the future only waits for it.
    fn spawn<T, W>(&self, work: W) -> impl Future<Output = Result<T, PortError>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce(&Inner) -> Result<T, PortError> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let job = tokio::task::spawn_blocking(move || work(&inner));
        async move {
            let ended = |error| PortError::because(ErrorKind::Local, "store operation did not end", error);
            job.await.map_err(ended)?
        }
    }

    fn read_ahead(
        &self,
        mut walk: FileWalk,
    ) -> impl Future<Output = Result<ReadBatch, PortError>> + Send + use<> {
        const BATCH: usize = 2 << 20;
        self.spawn(move |inner| {
            let (mut pieces, mut bytes) = (Vec::new(), 0);
            while bytes < BATCH {
                match next_piece(&mut walk, &inner.blocks) {
                    Ok(Some(piece)) => {
                        bytes += piece.len();
                        pieces.push(Ok(piece));
                    }
                    Ok(None) => return Ok((pieces, None)),
                    Err(error) => {
                        pieces.push(Err(error.into_port("read content")));
                        return Ok((pieces, None));
                    }
                }
            }
            Ok((pieces, Some(walk)))
        })
    }
}

/// Pieces in order, and the walk unless it is over.
type ReadBatch = (Vec<Result<Bytes, PortError>>, Option<FileWalk>);

impl Inner {
    fn import(&self, mut importer: Importer, batch: &[Bytes], keep: Keep) -> Result<Importer, PortError> {
        batch.iter().for_each(|piece| importer.hold(piece));
        self.store(importer.release(), keep)?;
        Ok(importer)
    }

    fn finish(&self, importer: Importer, keep: Keep) -> Result<Root, PortError> {
        let (root, blocks) = importer.finish();
        self.store(blocks, keep)?;
        if keep == Keep::Pinned {
            let _gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
            self.blocks
                .commit(&[root.cid], &[])
                .map_err(|error| error.into_port(format!("pin {}", root.cid)))?;
        }
        Ok(root)
    }

    fn store(&self, blocks: Vec<Block>, keep: Keep) -> Result<(), PortError> {
        if keep == Keep::NameOnly {
            return Ok(());
        }
        let put = |block: Block| self.blocks.put(&block).map(drop);
        blocks.into_iter().try_for_each(put).map_err(|error| error.into_port("store content"))
    }

    fn pin(&self, cid: GeneralCid) -> Result<(), DagError> {
        let _gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        reach(&cid, &self.blocks)?;
        let known = self.blocks.is_pinned(&cid);
        self.blocks.commit(if known { &[] } else { std::slice::from_ref(&cid) }, &[])?;
        Ok(())
    }

    fn gc(&self) -> Result<Collected, DagError> {
        let _gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        let spare_after = self.leases.spare_after(self.blocks.sequence());
        let mut live = BTreeSet::new();
        for pin in self.blocks.pins() {
            for cid in reach(&pin, &self.blocks)?.blocks {
                live.insert(parts_of(&cid)?.1);
            }
        }
        Ok(self.blocks.collect(&live, spare_after)?)
    }
}

#[async_trait]
impl Store for LocalStore {
    async fn put(&self, content: ByteStream) -> Result<sealwork_types::Cid, PortError> {
        let root = self.add(content, self.inner.profile, Keep::Pinned).await?;
        let (codec, digest) = parts_of(&root.cid).map_err(|error| error.into_port("name content"))?;
        Ok(sealwork_types::Cid::new(codec, digest))
    }

    async fn get(&self, cid: &sealwork_types::Cid) -> Result<ByteStream, PortError> {
        Ok(self.cat(FileWalk::new(general_cid(cid), WalkLimits::default())))
    }

    async fn get_range(&self, cid: &sealwork_types::Cid, bytes: Range<u64>) -> Result<ByteStream, PortError> {
        Ok(self.cat(FileWalk::within(general_cid(cid), WalkLimits::default(), bytes)))
    }

    async fn get_small(&self, cid: &sealwork_types::Cid, limit: usize) -> Result<Bytes, PortError> {
        let limits = WalkLimits { content_bytes: limit as u64, ..WalkLimits::default() };
        crate::stage::read_all(self.cat(FileWalk::new(general_cid(cid), limits)), limit).await
    }

    async fn pin(&self, cid: &sealwork_types::Cid) -> Result<(), PortError> {
        self.pin_root(general_cid(cid)).await
    }

    async fn unpin(&self, cid: &sealwork_types::Cid) -> Result<(), PortError> {
        self.unpin_root(general_cid(cid)).await.map(drop)
    }

    async fn stat(&self, cid: &sealwork_types::Cid) -> Result<StoreStat, PortError> {
        let reach = self.reach(general_cid(cid)).await?;
        Ok(StoreStat { content_bytes: reach.content_bytes, blocks: reach.blocks.len() as u64 })
    }
}
