//! From bytes to blocks: fixed-size chunks under a balanced tree.

use super::node::{FileNode, Link};
use crate::{
    block::{Block, BlockStore, GeneralCid, MAX_BLOCK_BYTES},
    error::AddError,
};
use bytes::{Bytes, BytesMut};
use sealwork_types::Codec;
use std::io::Read;

/// How many bytes are hashed in one go, by two threads.
pub(crate) const BATCH_BYTES: usize = 4 << 20;

/// How a file is cut and named. Another profile gives the same bytes another CID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    chunk: usize,
    width: usize,
    leaves: Leaves,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaves {
    RawV1,
    NodesV1,
    NodesV0,
}

impl Profile {
    /// `unixfs-v1-2025` of IPIP-499: chunks of 1 MiB, 1,024 links, raw leaves, CIDv1. The default.
    pub const UNIXFS_V1_2025: Self = Self { chunk: 1 << 20, width: 1024, leaves: Leaves::RawV1 };

    /// What Kubo does when it is not told otherwise: chunks of 256 KiB, 174 links, dag-pb leaves, CIDv0.
    pub const KUBO_LEGACY: Self = Self { chunk: 256 << 10, width: 174, leaves: Leaves::NodesV0 };

    /// What Kubo did for `--cid-version=1`: chunks of 256 KiB, 174 links, raw leaves, CIDv1.
    pub const KUBO_LEGACY_V1: Self = Self { chunk: 256 << 10, width: 174, leaves: Leaves::RawV1 };

    /// A profile of one's own. `None` unless the chunk is 1 to 1,048,576 bytes, the width 2 to 1,024, the CID version
    /// 0 or 1, and leaves are not raw under version 0.
    pub const fn custom(chunk: usize, width: usize, raw_leaves: bool, cid_version: u64) -> Option<Self> {
        let leaves = match (raw_leaves, cid_version) {
            (true, 1) => Leaves::RawV1,
            (false, 1) => Leaves::NodesV1,
            (false, 0) => Leaves::NodesV0,
            _ => return None,
        };
        if chunk == 0 || chunk > MAX_BLOCK_BYTES / 2 || width < 2 || width > 1024 {
            return None;
        }
        Some(Self { chunk, width, leaves })
    }

    /// Bytes of content in a leaf.
    pub const fn chunk(&self) -> usize {
        self.chunk
    }

    /// Most children of a node.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Whether leaves are raw blocks.
    pub const fn raw_leaves(&self) -> bool {
        matches!(self.leaves, Leaves::RawV1)
    }

    /// CID version of the nodes, and of the leaves.
    pub const fn cid_version(&self) -> u64 {
        match self.leaves {
            Leaves::RawV1 | Leaves::NodesV1 => 1,
            Leaves::NodesV0 => 0,
        }
    }

    fn leaf(&self, data: Bytes) -> (Block, Link) {
        let content_bytes = data.len() as u64;
        let block = match self.leaves {
            Leaves::RawV1 => Block::new(Codec::Raw, data),
            Leaves::NodesV1 | Leaves::NodesV0 => self.node(&FileNode { inline: data, links: Vec::new() }),
        };
        let link = Link { cid: *block.cid(), content_bytes, tree_bytes: block.data().len() as u64 };
        (block, link)
    }

    fn node(&self, node: &FileNode) -> Block {
        match self.leaves {
            Leaves::RawV1 | Leaves::NodesV1 => Block::new(Codec::DagPb, node.encode()),
            Leaves::NodesV0 => Block::new_v0(node.encode()),
        }
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::UNIXFS_V1_2025
    }
}

/// Imported content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// Its name.
    pub cid: GeneralCid,
    /// Bytes of the content.
    pub content_bytes: u64,
    /// Bytes of all blocks, repeated ones counted each time.
    pub tree_bytes: u64,
}

/// Turns a stream of bytes into blocks. Does no I/O; holds one batch and one unfinished node per level.
#[derive(Debug)]
pub struct Importer {
    profile: Profile,
    pending: BytesMut,
    /// Unfinished nodes, leaves' parents first.
    levels: Vec<Vec<Link>>,
}

impl Importer {
    /// Starts a file.
    pub fn new(profile: Profile) -> Self {
        Self { profile, pending: BytesMut::new(), levels: vec![Vec::new()] }
    }

    /// Takes the next bytes and returns the blocks that are complete. Hashes full chunks on two threads.
    pub fn write(&mut self, data: &[u8]) -> Vec<Block> {
        self.hold(data);
        self.release()
    }

    /// Takes bytes without hashing them yet.
    pub(crate) fn hold(&mut self, data: &[u8]) {
        self.pending.extend_from_slice(data);
    }

    /// Returns the blocks that are complete.
    pub(crate) fn release(&mut self) -> Vec<Block> {
        let full = self.pending.len() / self.profile.chunk * self.profile.chunk;
        let mut ready = self.pending.split_to(full).freeze();
        let mut chunks = Vec::with_capacity(full / self.profile.chunk);
        while !ready.is_empty() {
            chunks.push(ready.split_to(self.profile.chunk));
        }
        self.push_leaves(chunks)
    }

    /// Ends the file and returns its root and the last blocks, the root's block at the end.
    pub fn finish(mut self) -> (Root, Vec<Block>) {
        let mut blocks = Vec::new();
        if !self.pending.is_empty() || self.levels.iter().all(Vec::is_empty) {
            let rest = self.pending.split().freeze();
            blocks = self.push_leaves(vec![rest]);
        }
        let mut level = 0;
        loop {
            let is_top = level + 1 >= self.levels.len();
            let links = self.levels.get_mut(level).map(std::mem::take).unwrap_or_default();
            match links.as_slice() {
                [root] if is_top => {
                    let root = Root {
                        cid: root.cid,
                        content_bytes: root.content_bytes,
                        tree_bytes: root.tree_bytes,
                    };
                    return (root, blocks);
                }
                [] => {}
                _ => {
                    let link = self.close(links, &mut blocks);
                    self.push(level + 1, link, &mut blocks);
                }
            }
            level += 1;
        }
    }

    fn push_leaves(&mut self, chunks: Vec<Bytes>) -> Vec<Block> {
        let mut blocks = Vec::with_capacity(chunks.len() + 1);
        for (block, link) in hash_leaves(&self.profile, chunks) {
            blocks.push(block);
            self.push(0, link, &mut blocks);
        }
        blocks
    }

    /// Adds a link to a level; a full level becomes a node of the next one first.
    fn push(&mut self, level: usize, link: Link, blocks: &mut Vec<Block>) {
        if self.levels.len() <= level {
            self.levels.push(Vec::new());
        }
        let width = self.profile.width;
        let full = self.levels.get_mut(level).filter(|links| links.len() >= width).map(std::mem::take);
        if let Some(full) = full {
            let parent = self.close(full, blocks);
            self.push(level + 1, parent, blocks);
        }
        if let Some(links) = self.levels.get_mut(level) {
            links.push(link);
        }
    }

    fn close(&self, links: Vec<Link>, blocks: &mut Vec<Block>) -> Link {
        let children = links.iter().map(|link| link.tree_bytes).sum::<u64>();
        let node = FileNode { inline: Bytes::new(), links };
        let content_bytes = node.content_bytes().expect("a file is smaller than 2^64 bytes");
        let block = self.profile.node(&node);
        let link =
            Link { cid: *block.cid(), content_bytes, tree_bytes: children + block.data().len() as u64 };
        blocks.push(block);
        link
    }
}

/// Imports everything that `reader` gives. Blocks; memory does not grow with the content. The blocks are durable after
/// the next [`BlockStore::sync`].
///
/// # Errors
/// [`AddError`]; blocks that were stored already stay until garbage is collected.
pub fn add(mut reader: impl Read, profile: Profile, store: &dyn BlockStore) -> Result<Root, AddError> {
    let mut importer = Importer::new(profile);
    let mut buffer = vec![0; BATCH_BYTES];
    loop {
        let filled = fill(&mut reader, &mut buffer).map_err(AddError::Read)?;
        let (data, _) = buffer.split_at(filled);
        for block in importer.write(data) {
            store.put(&block)?;
        }
        if filled < buffer.len() {
            break;
        }
    }
    let (root, blocks) = importer.finish();
    for block in blocks {
        store.put(&block)?;
    }
    Ok(root)
}

/// Reads until the buffer is full or the reader ends.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Hashes leaves in order; the second half on another thread when there is enough to pay for it.
fn hash_leaves(profile: &Profile, mut chunks: Vec<Bytes>) -> Vec<(Block, Link)> {
    const WORTH_A_THREAD: usize = 512 << 10;
    let hash = |chunks: Vec<Bytes>| chunks.into_iter().map(|chunk| profile.leaf(chunk)).collect::<Vec<_>>();
    if chunks.len() < 2 || chunks.len() * profile.chunk < WORTH_A_THREAD {
        return hash(chunks);
    }
    let second = chunks.split_off(chunks.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| hash(second));
        let mut leaves = hash(chunks);
        leaves.extend(other.join().expect("hashing never panics"));
        leaves
    })
}
