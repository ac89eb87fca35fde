//! Checking proofs: what clients of a log do (RFC 9162, sections 2.1.3.2 and 2.1.4.2).

use super::node_hash;
use sealwork_types::B256;

/// Whether `path` proves that the leaf with hash `leaf` is number `index` of the `size` leaves under `root`.
pub fn verify_inclusion(leaf: B256, index: u64, size: u64, path: &[B256], root: B256) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(*sibling, hash);
            climb_to_left_turn(&mut node, &mut last);
        } else {
            hash = node_hash(hash, *sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root
}

/// Whether `path` proves that the tree of `size` leaves under `root` begins with the `from` leaves under `old_root`.
///
/// The empty tree begins every tree; it needs no proof and takes none.
pub fn verify_consistency(from: u64, old_root: B256, size: u64, root: B256, path: &[B256]) -> bool {
    if from > size {
        return false;
    }
    if from == 0 {
        return path.is_empty() && old_root == super::empty_root();
    }
    if from == size {
        return path.is_empty() && old_root == root;
    }
    let (first, rest) = match path.split_first() {
        _ if from.is_power_of_two() => (old_root, path),
        Some((first, rest)) => (*first, rest),
        None => return false,
    };
    fold_consistency(from, old_root, size, root, first, rest)
}

fn fold_consistency(from: u64, old_root: B256, size: u64, root: B256, first: B256, rest: &[B256]) -> bool {
    let (mut node, mut last) = (from - 1, size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(*sibling, old_hash);
            new_hash = node_hash(*sibling, new_hash);
            climb_to_left_turn(&mut node, &mut last);
        } else {
            new_hash = node_hash(new_hash, *sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == old_root && new_hash == root
}

/// Skips levels on which the rightmost node has no sibling.
const fn climb_to_left_turn(node: &mut u64, last: &mut u64) {
    while *node & 1 == 0 && *node != 0 {
        *node >>= 1;
        *last >>= 1;
    }
}
