//! Merkle tree hash of RFC 6962, section 2.1, over leaves of a fixed size, keeping one hash for each level only.

use sealwork_guest as guest;
use sha2::{Digest, Sha256};

/// Size of every leaf but the last, bytes.
pub(crate) const LEAF_BYTES: usize = 1 << 20;

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

/// Builds the tree while the data goes by.
pub(crate) struct Hasher<F> {
    leaf: Sha256,
    /// Bytes of the leaf that is being read.
    filled: usize,
    leaves: u64,
    /// Roots of complete subtrees, largest first: one for each bit that is set in `leaves`.
    subtrees: Vec<Hash>,
    on_leaf: F,
}

impl<F: FnMut(&Hash) -> guest::Result> Hasher<F> {
    pub(crate) fn new(on_leaf: F) -> Self {
        Self { leaf: leaf_hasher(), filled: 0, leaves: 0, subtrees: Vec::new(), on_leaf }
    }

    /// Adds the next bytes.
    pub(crate) fn update(&mut self, mut bytes: &[u8]) -> guest::Result {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(LEAF_BYTES - self.filled));
            self.leaf.update(now);
            self.filled += now.len();
            bytes = later;
            if self.filled == LEAF_BYTES {
                self.end_leaf()?;
            }
        }
        Ok(())
    }

    /// Number of leaves and root of the tree. Without leaves the root is the hash of nothing.
    pub(crate) fn finish(mut self) -> guest::Result<(u64, Hash)> {
        if self.filled > 0 {
            self.end_leaf()?;
        }
        let root = self.subtrees.into_iter().rev().reduce(|right, left| node(&left, &right));
        Ok((self.leaves, root.unwrap_or_else(|| Sha256::digest([]).into())))
    }

    fn end_leaf(&mut self) -> guest::Result {
        let mut hash: Hash = std::mem::replace(&mut self.leaf, leaf_hasher()).finalize().into();
        self.filled = 0;
        (self.on_leaf)(&hash)?;
        self.leaves += 1;
        // As in counting: each one that is carried joins two subtrees of the same size.
        for _ in 0..self.leaves.trailing_zeros() {
            let Some(left) = self.subtrees.pop() else { break };
            hash = node(&left, &hash);
        }
        self.subtrees.push(hash);
        Ok(())
    }
}

fn leaf_hasher() -> Sha256 {
    Sha256::new_with_prefix([0])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(data: &[u8], piece: usize) -> (u64, Hash) {
        let mut hasher = Hasher::new(|_| Ok(()));
        for piece in data.chunks(piece) {
            hasher.update(piece).unwrap();
        }
        hasher.finish().unwrap()
    }

    /// The recursive definition of the RFC.
    fn defined(leaves: &[&[u8]]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => Sha256::new_with_prefix([0]).chain_update(leaf).finalize().into(),
            _ => {
                let half = leaves.len().next_power_of_two() / 2;
                node(&defined(&leaves[..half]), &defined(&leaves[half..]))
            }
        }
    }

    #[test]
    fn equals_the_definition_for_every_shape() {
        let data: Vec<u8> = (0..9 * LEAF_BYTES).map(|i| (i / 1000 % 251) as u8).collect();
        for leaves in 0..9 {
            for extra in [0, 1] {
                let data = &data[..leaves * LEAF_BYTES + extra];
                let expected: Vec<&[u8]> = data.chunks(LEAF_BYTES).collect();
                assert_eq!(
                    root(data, 64 * 1024),
                    ((leaves + extra) as u64, defined(&expected)),
                    "{leaves} + {extra}"
                );
            }
        }
    }

    #[test]
    fn does_not_depend_on_the_pieces() {
        let data = vec![3; LEAF_BYTES + 12_345];
        assert_eq!(root(&data, 1), root(&data, 100_003));
    }
}
