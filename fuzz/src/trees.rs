//! Merkle trees: proofs about the release log, places in batches, allow-lists.

use crate::seeds::{Seed, chosen};
use arbitrary::{Result, Unstructured};
use sealwork_protocol::{
    batch::{AllowList, Tree, admits, root_of, verify},
    merkle::{
        MemoryTree, empty_root, leaf_hash, prove_consistency, prove_inclusion, root, verify_consistency,
        verify_inclusion,
    },
};
use sealwork_types::{B256, abi::Membership};

const LEAVES: u64 = 70;

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let script = &mut Unstructured::new(rest);
    let _ = match kind % 4 {
        0 => inclusion(script),
        1 => consistency(script),
        2 => place(script),
        _ => membership(script),
    };
}

fn leaf(number: u64) -> B256 {
    leaf_hash(&number.to_be_bytes())
}

fn log(size: u64) -> MemoryTree {
    let mut tree = MemoryTree::new();
    (0..size).for_each(|number| tree.push(leaf(number)));
    tree
}

/// A position: usually one that exists, sometimes one that cannot.
fn position(script: &mut Unstructured<'_>, size: u64) -> Result<u64> {
    if script.ratio(1, 8)? { script.arbitrary() } else { script.int_in_range(0..=size) }
}

/// A path that starts as the genuine one.
fn changed(script: &mut Unstructured<'_>, mut path: Vec<B256>) -> Result<Vec<B256>> {
    for _ in 0..script.int_in_range(0..=2)? {
        let at = script.choose_index(path.len() + 1)?;
        match script.int_in_range(0..=3)? {
            0 => path.truncate(at),
            1 => path.insert(at, B256::from(script.arbitrary::<[u8; 32]>()?)),
            2 => path.extend(path.clone()),
            _ => path.iter_mut().skip(at).take(1).for_each(|hash| hash.0[0] ^= 1),
        }
    }
    Ok(path)
}

/// A proof passes for its own leaf, position and size only.
fn inclusion(script: &mut Unstructured<'_>) -> Result<()> {
    let size = script.int_in_range(1..=LEAVES)?;
    let (index, claimed, claimed_size) =
        (script.int_in_range(0..=size - 1)?, position(script, size)?, position(script, LEAVES)?);
    let tree = log(size);
    let genuine = prove_inclusion(&tree, index, size).expect("the leaf is there");
    assert!(verify_inclusion(leaf(index), index, size, &genuine, tree.root()));
    let path = changed(script, genuine.clone())?;
    let passes = verify_inclusion(leaf(index), claimed, claimed_size, &path, tree.root());
    if passes && claimed_size == size {
        assert_eq!((claimed, path), (index, genuine));
    } else if passes {
        // RFC 6962 ties a root to its size in the signed head; the path alone must at least be of the right leaf.
        assert_eq!(path, genuine);
    }
    Ok(())
}

/// A newer log passes only as one that begins with the older.
fn consistency(script: &mut Unstructured<'_>) -> Result<()> {
    let size = script.int_in_range(1..=LEAVES)?;
    let from = script.int_in_range(1..=size)?;
    let tree = log(size);
    let Ok(old) = root(&tree, from);
    let genuine = prove_consistency(&tree, from, size).expect("an older log");
    assert!(verify_consistency(from, old, size, tree.root(), &genuine));
    let path = changed(script, genuine.clone())?;
    if path != genuine {
        assert!(!verify_consistency(from, old, size, tree.root(), &path));
    }
    let mut other = old;
    other.0[0] ^= 1;
    assert!(!verify_consistency(from, other, size, tree.root(), &path));
    let _ = verify_consistency(position(script, size)?, old, position(script, size)?, tree.root(), &path);
    assert!(verify_consistency(0, empty_root(), size, tree.root(), &[]));
    Ok(())
}

fn place(script: &mut Unstructured<'_>) -> Result<()> {
    let size = script.int_in_range(1..=LEAVES)?;
    let leaves: Vec<B256> = (0..size).map(leaf).collect();
    let index = script.choose_index(leaves.len())?;
    let tree = Tree::new(leaves.clone()).expect("a tree with leaves");
    let genuine = tree.path(index).expect("a leaf of the tree");
    assert_eq!(root_of(leaves[index], &genuine), tree.root());
    let path = changed(script, genuine.clone())?;
    if path != genuine {
        assert!(!verify(tree.root(), leaves[index], &path));
    }
    assert_eq!(tree.path(leaves.len() + index), None);
    Ok(())
}

fn membership(script: &mut Unstructured<'_>) -> Result<()> {
    let count = script.int_in_range(1..=LEAVES)?;
    let members: Vec<B256> = (0..count).map(leaf).collect();
    let list = AllowList::new(members.iter().copied()).expect("a list with members");
    let member = leaf(script.int_in_range(0..=2 * LEAVES)?);
    let Some(genuine) = list.membership(member) else {
        assert!(!members.contains(&member));
        return Ok(());
    };
    assert!(admits(&genuine) && members.contains(&member));
    let changed = Membership { path: changed(script, genuine.path.clone())?, ..genuine.clone() };
    assert_eq!(admits(&changed), changed == genuine);
    Ok(())
}

pub fn seeds() -> Vec<Seed> {
    (0..4)
        .flat_map(|kind| {
            [chosen(&format!("{kind}-ones"), kind, [1; 60]), chosen(&format!("{kind}-many"), kind, [77; 90])]
        })
        .collect()
}
