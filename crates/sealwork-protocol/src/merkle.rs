//! The append-only Merkle tree of the CAS release log: roots, inclusion and consistency, made and checked.
//!
//! Shape and proofs are those of RFC 6962 (and RFC 9162, section 2.1); hashes carry this protocol's own labels, so a
//! leaf can never pass for a node. A tree of `n` leaves splits at the largest power of two below `n`; full subtrees
//! never change again, which is why a log keeps their hashes and answers every question in logarithmic time.
//!
//! ```text
//! level 2          ┌── (2,0) ──┐
//! level 1      (1,0)         (1,1)         a subtree (level, index) covers leaves
//! level 0    0     1       2     3    4    [index << level, (index + 1) << level)
//! ```

mod proof;

pub use proof::{verify_consistency, verify_inclusion};

use sealwork_types::{B256, Sha256Digest, domains};
use std::convert::Infallible;

/// Hash of one leaf's bytes.
pub fn leaf_hash(leaf: &[u8]) -> B256 {
    Sha256Digest::labelled(domains::LOG_LEAF, &[leaf])
}

/// Hash of a node over its two children.
pub fn node_hash(left: B256, right: B256) -> B256 {
    Sha256Digest::labelled(domains::LOG_NODE, &[left.as_slice(), right.as_slice()])
}

/// Root of the tree without leaves.
pub fn empty_root() -> B256 {
    Sha256Digest::labelled(domains::LOG_NODE, &[])
}

/// Where the hashes of full subtrees lie.
pub trait Subtrees {
    /// Why a hash cannot be had.
    type Error;

    /// Hash of the full subtree `(level, index)`. Asked only for subtrees that are full.
    ///
    /// # Errors
    /// When the hash cannot be read.
    fn subtree(&self, level: u32, index: u64) -> Result<B256, Self::Error>;
}

/// A proof was asked for positions that the tree does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError<E> {
    /// Out of range.
    #[error("position {position} is not in a tree of {size} leaves")]
    Range {
        /// Asked for.
        position: u64,
        /// Leaves of the tree.
        size: u64,
    },
    /// A hash could not be read.
    #[error("subtree hash cannot be read")]
    Read(#[from] E),
}

/// The full subtrees that come into being when leaf number `index` is appended: the leaf itself, then upwards.
///
/// # Errors
/// What `known` returns for the left siblings, which are full already.
pub fn new_subtrees<S: Subtrees>(
    known: &S,
    index: u64,
    leaf: B256,
) -> Result<Vec<(u32, u64, B256)>, S::Error> {
    let mut made = vec![(0, index, leaf)];
    let (mut level, mut position, mut hash) = (0, index, leaf);
    while position & 1 == 1 {
        hash = node_hash(known.subtree(level, position - 1)?, hash);
        level += 1;
        position >>= 1;
        made.push((level, position, hash));
    }
    Ok(made)
}

/// Root of the first `size` leaves.
///
/// # Errors
/// What `known` returns.
pub fn root<S: Subtrees>(known: &S, size: u64) -> Result<B256, S::Error> {
    if size == 0 { Ok(empty_root()) } else { Span { start: 0, len: size }.hash(known) }
}

/// Proof that leaf `index` is one of the first `size`.
///
/// # Errors
/// [`ProofError`] unless `index < size`, or what `known` returns.
pub fn prove_inclusion<S: Subtrees>(
    known: &S,
    index: u64,
    size: u64,
) -> Result<Vec<B256>, ProofError<S::Error>> {
    if index >= size {
        return Err(ProofError::Range { position: index, size });
    }
    let mut path = Vec::new();
    let mut span = Span { start: 0, len: size };
    while span.len > 1 {
        let (left, right) = span.split();
        let (inside, sibling) = if index < right.start { (left, right) } else { (right, left) };
        path.push(sibling.hash(known)?);
        span = inside;
    }
    path.reverse();
    Ok(path)
}

/// Proof that the tree of `size` leaves begins with the tree of `from` leaves.
///
/// # Errors
/// [`ProofError`] unless `1 <= from <= size`, or what `known` returns.
pub fn prove_consistency<S: Subtrees>(
    known: &S,
    from: u64,
    size: u64,
) -> Result<Vec<B256>, ProofError<S::Error>> {
    if from == 0 || from > size {
        return Err(ProofError::Range { position: from, size });
    }
    let mut path = Vec::new();
    let mut span = Span { start: 0, len: size };
    // Whether the span so far is the old tree's left part; its hash is then known to the verifier.
    let mut known_to_verifier = true;
    let mut rest = from;
    while rest != span.len {
        let (left, right) = span.split();
        if rest <= left.len {
            path.push(right.hash(known)?);
            span = left;
        } else {
            path.push(left.hash(known)?);
            rest -= left.len;
            span = right;
            known_to_verifier = false;
        }
    }
    if !known_to_verifier {
        path.push(span.hash(known)?);
    }
    path.reverse();
    Ok(path)
}

/// Leaves `[start, start + len)`, as the recursion of RFC 6962 meets them: `start` is a multiple of the largest power
/// of two that is not above `len`.
#[derive(Clone, Copy)]
struct Span {
    start: u64,
    len: u64,
}

impl Span {
    /// Both halves; only for `len > 1`.
    const fn split(self) -> (Self, Self) {
        let left = 1 << (u64::BITS - 1 - (self.len - 1).leading_zeros());
        (Self { start: self.start, len: left }, Self { start: self.start + left, len: self.len - left })
    }

    fn hash<S: Subtrees>(self, known: &S) -> Result<B256, S::Error> {
        if self.len.is_power_of_two() {
            let level = self.len.trailing_zeros();
            return known.subtree(level, self.start >> level);
        }
        let (left, right) = self.split();
        Ok(node_hash(left.hash(known)?, right.hash(known)?))
    }
}

/// A tree in memory, for verifiers and tests.
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    levels: Vec<Vec<B256>>,
}

impl MemoryTree {
    /// A tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of leaves.
    pub fn len(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Whether there are no leaves.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a leaf's hash.
    pub fn push(&mut self, leaf: B256) {
        let made = match new_subtrees(self, self.len(), leaf) {
            Ok(made) => made,
            Err(never) => match never {},
        };
        for (level, (_, _, hash)) in made.into_iter().enumerate() {
            match self.levels.get_mut(level) {
                Some(hashes) => hashes.push(hash),
                None => self.levels.push(vec![hash]),
            }
        }
    }

    /// Root of all leaves.
    pub fn root(&self) -> B256 {
        match root(self, self.len()) {
            Ok(root) => root,
            Err(never) => match never {},
        }
    }
}

impl Subtrees for MemoryTree {
    type Error = Infallible;

    fn subtree(&self, level: u32, index: u64) -> Result<B256, Infallible> {
        let hash = usize::try_from(level)
            .ok()
            .and_then(|level| self.levels.get(level))
            .zip(usize::try_from(index).ok())
            .and_then(|(hashes, index)| hashes.get(index));
        Ok(*hash
            .expect("asked only for full subtrees, and every full subtree was kept when it came into being"))
    }
}

#[cfg(test)]
mod tests;
