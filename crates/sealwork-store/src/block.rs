//! Blocks: bytes with a CID, and the trait of everything that keeps them.

use crate::error::{BlockError, DagError};
use bytes::Bytes;
use multihash::Multihash;
use sealwork_types::{B256, Codec, Sha256Digest};

/// Largest block that is stored or fetched, in bytes. Bitswap peers refuse larger ones.
pub const MAX_BLOCK_BYTES: usize = 2 << 20;

/// A CID of any version and codec, as other IPFS nodes use them; room for a digest of 32 bytes.
///
/// [`sealwork_types::Cid`] is the narrower kind that the protocol's documents may name.
pub type GeneralCid = cid::CidGeneric<32>;

const SHA2_256: u64 = 0x12;

/// Bytes and their name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    cid: GeneralCid,
    digest: B256,
    data: Bytes,
}

impl Block {
    /// Names `data` with a CIDv1.
    pub fn new(codec: Codec, data: Bytes) -> Self {
        let digest = Sha256Digest::of(&data);
        Self { cid: cid_v1(codec, digest), digest, data }
    }

    /// Names `data` with a CIDv0, which is always dag-pb.
    pub fn new_v0(data: Bytes) -> Self {
        let digest = Sha256Digest::of(&data);
        Self { cid: cid_v0(digest), digest, data }
    }

    /// Accepts `data` as the block `cid` after hashing it.
    ///
    /// # Errors
    /// [`DagError::WrongBytes`] for other bytes, [`DagError::Unsupported`] for a CID that is not raw or dag-pb under
    /// SHA-256.
    pub fn verify(cid: &GeneralCid, data: Bytes) -> Result<Self, DagError> {
        let (_, digest) = parts_of(cid)?;
        if Sha256Digest::of(&data) != digest {
            return Err(DagError::WrongBytes { cid: *cid });
        }
        Ok(Self { cid: *cid, digest, data })
    }

    /// Its name.
    pub const fn cid(&self) -> &GeneralCid {
        &self.cid
    }

    /// SHA-256 of its bytes: the key it is stored under.
    pub const fn digest(&self) -> &B256 {
        &self.digest
    }

    /// How it is read.
    pub fn codec(&self) -> Codec {
        if self.cid.codec() == Codec::Raw.code() { Codec::Raw } else { Codec::DagPb }
    }

    /// Its bytes.
    pub const fn data(&self) -> &Bytes {
        &self.data
    }
}

/// What is known about a stored block without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBlock {
    /// SHA-256 of its bytes.
    pub digest: B256,
    /// How it was read when it was stored first.
    pub codec: Codec,
    /// Its size in bytes.
    pub len: u32,
}

/// Whether a put stored something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// The block was new.
    New,
    /// The block was there.
    Present,
}

/// Keeps blocks by the SHA-256 of their bytes: CIDv0, CIDv1, raw and dag-pb names of the same bytes are one block.
///
/// All methods block the calling thread for as long as the disk takes.
pub trait BlockStore: Send + Sync + 'static {
    /// Reads a block; its bytes were hashed again. `None` when absent.
    ///
    /// # Errors
    /// [`BlockError::Corrupt`] when the bytes changed; [`BlockError::Io`].
    fn get(&self, digest: &B256) -> Result<Option<Bytes>, BlockError>;

    /// Stores a block. It is visible at once and durable after the next [`sync`](Self::sync). Idempotent.
    ///
    /// # Errors
    /// [`BlockError`]; the block is then not visible.
    fn put(&self, block: &Block) -> Result<Put, BlockError>;

    /// Size of a block in bytes, without reading it; `None` when absent.
    fn len_of(&self, digest: &B256) -> Option<u32>;

    /// Whether a block is there.
    fn has(&self, digest: &B256) -> bool {
        self.len_of(digest).is_some()
    }

    /// Removes a block; tells whether it was there. Durable after the next [`sync`](Self::sync).
    ///
    /// # Errors
    /// [`BlockError`]; the block then stays.
    fn delete(&self, digest: &B256) -> Result<bool, BlockError>;

    /// Makes everything so far survive a crash.
    ///
    /// # Errors
    /// [`BlockError`]; what was not durable before may be lost by a crash.
    fn sync(&self) -> Result<(), BlockError>;

    /// Every stored block, ordered by digest.
    fn iterate(&self) -> Vec<StoredBlock>;
}

/// Reads the block `cid`, trusting the store's promise to hash what it reads.
///
/// # Errors
/// [`DagError::Missing`], [`DagError::Unsupported`] or a failure of the store.
pub(crate) fn load(store: &dyn BlockStore, cid: &GeneralCid) -> Result<Block, DagError> {
    let (_, digest) = parts_of(cid)?;
    let data = store.get(&digest)?.ok_or(DagError::Missing { cid: *cid })?;
    Ok(Block { cid: *cid, digest, data })
}

/// Codec and digest of a CID of any version.
///
/// # Errors
/// [`DagError::Unsupported`] for a codec other than raw and dag-pb or a hash other than SHA-256.
pub fn parts_of(cid: &GeneralCid) -> Result<(Codec, B256), DagError> {
    let codec = match cid.codec() {
        code if code == Codec::Raw.code() => Codec::Raw,
        code if code == Codec::DagPb.code() => Codec::DagPb,
        _ => return Err(DagError::Unsupported { cid: *cid, found: "another codec" }),
    };
    let digest = (cid.hash().code() == SHA2_256).then(|| B256::try_from(cid.hash().digest()).ok()).flatten();
    match digest {
        Some(digest) => Ok((codec, digest)),
        None => Err(DagError::Unsupported { cid: *cid, found: "another hash" }),
    }
}

/// CIDv1 of a digest.
pub fn cid_v1(codec: Codec, digest: B256) -> GeneralCid {
    GeneralCid::new_v1(codec.code(), multihash_of(digest))
}

/// CIDv0 of a digest.
///
/// # Panics
/// Never: every 32-byte digest has a CIDv0.
pub fn cid_v0(digest: B256) -> GeneralCid {
    GeneralCid::new_v0(multihash_of(digest)).expect("CIDv0 takes every 32-byte sha2-256 multihash")
}

/// The general form of a CID of the protocol.
pub fn general_cid(cid: &sealwork_types::Cid) -> GeneralCid {
    cid_v1(cid.codec(), cid.digest())
}

fn multihash_of(digest: B256) -> Multihash<32> {
    Multihash::wrap(SHA2_256, digest.as_slice()).expect("a multihash has room for its 32 bytes")
}
