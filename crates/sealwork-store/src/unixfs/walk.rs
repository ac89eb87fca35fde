//! From a root to its content: a walk that names the next block it needs and checks everything it is given.

use super::node::FileNode;
use crate::{
    block::{Block, BlockStore, GeneralCid, load, parts_of},
    error::DagError,
};
use bytes::Bytes;
use sealwork_types::Codec;
use std::{collections::BTreeSet, ops::Range};

/// Deepest tree that is read. Width 2 reaches four billion leaves at this depth; importers stay below 8.
pub(crate) const MAX_DEPTH: u16 = 32;

/// What a reader is willing to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalkLimits {
    /// Most bytes of content.
    pub content_bytes: u64,
    /// Most levels, the root being level 1.
    pub depth: u16,
}

impl Default for WalkLimits {
    /// No limit on the content, 32 levels.
    fn default() -> Self {
        Self { content_bytes: u64::MAX, depth: MAX_DEPTH }
    }
}

/// Reads a file in order without doing any I/O: ask [`next`](Self::next) which block it needs, hand it the bytes with
/// [`supply`](Self::supply).
///
/// A [`Block`] was hashed when it was made, every size is compared with what the parent says, depth and links are bounded, and a child
/// without content is refused; so the work is bounded by the content, and wrong bytes never come out.
#[derive(Debug)]
pub struct FileWalk {
    root: GeneralCid,
    limits: WalkLimits,
    /// Bytes of the pending parts that are passed over first.
    skip: u64,
    /// Bytes that are wanted behind them.
    left: u64,
    /// Parts still to read, the next one at the end.
    pending: Vec<Part>,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    cid: GeneralCid,
    /// Content below it as the parent says; unknown for the root.
    content_bytes: Option<u64>,
    level: u16,
}

/// What a supplied block was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The next bytes of the file; may be empty.
    pub content: Bytes,
    /// Bytes of content below and in the block.
    pub content_bytes: u64,
}

impl FileWalk {
    /// Starts at a root.
    pub fn new(root: GeneralCid, limits: WalkLimits) -> Self {
        Self::within(root, limits, 0..u64::MAX)
    }

    /// Starts at a root and reads only these bytes of the file, or fewer when it ends earlier. Blocks without any of them
    /// are not asked for, but those above.
    pub fn within(root: GeneralCid, limits: WalkLimits, bytes: Range<u64>) -> Self {
        let pending = vec![Part { cid: root, content_bytes: None, level: 1 }];
        Self { root, limits, skip: bytes.start, left: bytes.end.saturating_sub(bytes.start), pending }
    }

    /// The block that is needed next; `None` at the end of the file.
    pub fn next(&self) -> Option<GeneralCid> {
        self.pending.last().map(|part| part.cid)
    }

    /// Blocks that will be needed soon, the next one first.
    pub fn upcoming(&self) -> impl Iterator<Item = GeneralCid> {
        self.pending.iter().rev().map(|part| part.cid)
    }

    /// Leaves out the next part when it lies within the next `skip` bytes; returns how many bytes that were.
    pub fn skip_part(&mut self, skip: u64) -> u64 {
        match self.pending.last().and_then(|part| part.content_bytes).filter(|bytes| *bytes <= skip) {
            Some(bytes) => {
                self.pending.pop();
                bytes
            }
            None => 0,
        }
    }

    /// Hands over the block that [`next`](Self::next) named.
    ///
    /// # Errors
    /// [`DagError`] for another block, a malformed node, a wrong size, or a limit. The walk is over then.
    pub fn supply(&mut self, block: &Block) -> Result<Piece, DagError> {
        let Some(part) = self.pending.pop() else {
            return Ok(Piece { content: Bytes::new(), content_bytes: 0 });
        };
        let result = self.take(part, block);
        result.inspect_err(|_| self.stop())
    }

    /// Ends the walk: nothing is needed any more.
    pub fn stop(&mut self) {
        self.pending.clear();
    }

    fn take(&mut self, part: Part, block: &Block) -> Result<Piece, DagError> {
        if *block.cid() != part.cid {
            return Err(DagError::WrongBytes { cid: part.cid });
        }
        let node = match block.codec() {
            Codec::Raw => FileNode { inline: block.data().clone(), links: Vec::new() },
            Codec::DagPb => FileNode::decode(&part.cid, block.data())?,
        };
        let found = node.content_bytes().unwrap_or(u64::MAX);
        if let Some(expected) = part.content_bytes.filter(|expected| *expected != found) {
            return Err(DagError::Size { cid: part.cid, expected, found });
        }
        let limit = self.limits.content_bytes;
        if found > limit {
            return Err(DagError::Limit { cid: self.root, what: "bytes of content", found, limit });
        }
        if !node.links.is_empty() && part.level >= self.limits.depth {
            let (found, limit) = (u64::from(part.level) + 1, u64::from(self.limits.depth));
            return Err(DagError::Limit { cid: self.root, what: "levels or more", found, limit });
        }
        let child = |link: &super::Link| Part {
            cid: link.cid,
            content_bytes: Some(link.content_bytes),
            level: part.level + 1,
        };
        self.pending.extend(node.links.iter().rev().map(child));
        let content = self.cut(node.inline);
        self.leave_out();
        Ok(Piece { content, content_bytes: found })
    }

    /// The wanted bytes of the content that comes next.
    fn cut(&mut self, mut content: Bytes) -> Bytes {
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(content.len());
        drop(content.split_to(skipped));
        content.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.skip -= skipped as u64;
        self.left -= content.len() as u64;
        content
    }

    /// Drops pending parts without wanted bytes.
    fn leave_out(&mut self) {
        while self.skip > 0 {
            match self.skip_part(self.skip) {
                0 => break,
                bytes => self.skip -= bytes,
            }
        }
        let mut wanted = if self.left == 0 { 0 } else { self.skip.saturating_add(self.left) };
        let needed = self.pending.iter().rev().take_while(|part| {
            let is_needed = wanted > 0;
            wanted = wanted.saturating_sub(part.content_bytes.unwrap_or(u64::MAX));
            is_needed
        });
        let needed = needed.count();
        self.pending.drain(..self.pending.len() - needed);
    }
}

/// Everything below a root, each block once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Bytes of the file's content.
    pub content_bytes: u64,
    /// The blocks.
    pub blocks: BTreeSet<GeneralCid>,
}

/// Finds every block of a file and makes sure that it is stored. Raw leaves are not read, only their size is compared.
///
/// # Errors
/// [`DagError`], `Missing` among them.
pub fn reach(root: &GeneralCid, store: &dyn BlockStore) -> Result<Reach, DagError> {
    let mut blocks = BTreeSet::new();
    let mut content_bytes = None;
    // A block is looked at once for each size that some parent gives it, so wrong sizes cannot hide behind a repetition.
    let mut seen = BTreeSet::new();
    let mut pending = vec![Part { cid: *root, content_bytes: None, level: 1 }];
    while let Some(part) = pending.pop() {
        let (found, children) = look_at(&part, store)?;
        content_bytes.get_or_insert(found);
        blocks.insert(part.cid);
        pending.extend(children.into_iter().filter(|child| seen.insert((child.cid, child.content_bytes))));
    }
    Ok(Reach { content_bytes: content_bytes.unwrap_or(0), blocks })
}

fn look_at(part: &Part, store: &dyn BlockStore) -> Result<(u64, Vec<Part>), DagError> {
    let (codec, digest) = parts_of(&part.cid)?;
    if codec == Codec::Raw {
        let found = u64::from(store.len_of(&digest).ok_or(DagError::Missing { cid: part.cid })?);
        return match part.content_bytes.filter(|expected| *expected != found) {
            Some(expected) => Err(DagError::Size { cid: part.cid, expected, found }),
            None => Ok((found, Vec::new())),
        };
    }
    let block = load(store, &part.cid)?;
    let mut walk = FileWalk { pending: vec![*part], ..FileWalk::new(part.cid, WalkLimits::default()) };
    let piece = walk.supply(&block)?;
    Ok((piece.content_bytes, walk.pending))
}
