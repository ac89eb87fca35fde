use super::*;
use proptest::prelude::*;

fn leaf(index: u64) -> B256 {
    leaf_hash(&index.to_be_bytes())
}

fn tree(size: u64) -> MemoryTree {
    let mut tree = MemoryTree::new();
    (0..size).for_each(|index| tree.push(leaf(index)));
    tree
}

/// RFC 6962's own definition, without any short cut.
fn reference_root(leaves: &[B256]) -> B256 {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        many => {
            let split = many.len().next_power_of_two() / 2;
            node_hash(reference_root(&many[..split]), reference_root(&many[split..]))
        }
    }
}

#[test]
fn roots_equal_the_recursive_definition_at_every_size() {
    let leaves: Vec<B256> = (0..70).map(leaf).collect();
    let whole = tree(70);
    for size in 0..=70_u64 {
        let expected = reference_root(&leaves[..usize::try_from(size).unwrap()]);
        assert_eq!(tree(size).root(), expected);
        assert_eq!(root(&whole, size), Ok(expected));
    }
}

#[test]
fn every_leaf_of_every_small_tree_can_be_proven_and_nowhere_else() {
    for size in 1..=33 {
        let tree = tree(size);
        for index in 0..size {
            let path = prove_inclusion(&tree, index, size).unwrap();
            assert!(verify_inclusion(leaf(index), index, size, &path, tree.root()));
            for other in (0..size + 2).filter(|other| *other != index) {
                assert!(!verify_inclusion(leaf(index), other, size, &path, tree.root()));
            }
        }
    }
}

#[test]
fn every_small_tree_begins_with_every_smaller_one() {
    let trees: Vec<MemoryTree> = (0..=33).map(tree).collect();
    for (size, new) in (0_u64..).zip(&trees) {
        assert!(verify_consistency(0, empty_root(), size, new.root(), &[]));
        for (from, old) in (1..=size).zip(&trees[1..]) {
            let path = prove_consistency(new, from, size).unwrap();
            assert!(verify_consistency(from, old.root(), size, new.root(), &path), "{from} of {size}");
        }
    }
}

#[test]
fn positions_outside_the_tree_are_refused() {
    let tree = tree(5);
    assert_eq!(prove_inclusion(&tree, 5, 5), Err(ProofError::Range { position: 5, size: 5 }));
    assert_eq!(prove_consistency(&tree, 6, 5), Err(ProofError::Range { position: 6, size: 5 }));
    assert_eq!(prove_consistency(&tree, 0, 5), Err(ProofError::Range { position: 0, size: 5 }));
    assert!(!verify_inclusion(leaf(0), 0, 0, &[], empty_root()));
    assert!(!verify_consistency(6, tree.root(), 5, tree.root(), &[]));
}

proptest! {
    #[test]
    fn altered_inclusion_proofs_fail(
        (size, index) in (1_u64..300).prop_flat_map(|size| (Just(size), 0..size)),
        at in any::<prop::sample::Index>(),
        bit in 0..256_usize,
    ) {
        let tree = tree(size);
        let path = prove_inclusion(&tree, index, size).unwrap();
        prop_assert!(verify_inclusion(leaf(index), index, size, &path, tree.root()));
        prop_assert!(!verify_inclusion(leaf(index + 1), index, size, &path, tree.root()));
        let longer = [&path[..], &[B256::ZERO]].concat();
        prop_assert!(!verify_inclusion(leaf(index), index, size, &longer, tree.root()));
        if !path.is_empty() {
            let mut flipped = path.clone();
            flipped[at.index(path.len())][bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!verify_inclusion(leaf(index), index, size, &flipped, tree.root()));
            prop_assert!(!verify_inclusion(leaf(index), index, size, &path[1..], tree.root()));
        }
    }

    #[test]
    fn a_rewritten_past_is_never_consistent(
        (size, from, changed) in (2_u64..200)
            .prop_flat_map(|size| (Just(size), 1..size))
            .prop_flat_map(|(size, from)| (Just(size), Just(from), 0..from)),
    ) {
        let old = tree(from);
        let mut forged = MemoryTree::new();
        (0..size).for_each(|index| forged.push(if index == changed { leaf(u64::MAX) } else { leaf(index) }));
        let path = prove_consistency(&forged, from, size).unwrap();
        prop_assert!(!verify_consistency(from, old.root(), size, forged.root(), &path));
        let honest = prove_consistency(&tree(size), from, size).unwrap();
        prop_assert!(!verify_consistency(from, old.root(), size, forged.root(), &honest));
    }

    #[test]
    fn bytes_from_outside_never_panic(
        index in any::<u64>(), size in any::<u64>(), path in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let path: Vec<B256> = path.into_iter().map(B256::from).collect();
        prop_assert!(!verify_inclusion(leaf(0), index, size, &path, B256::ZERO));
        prop_assert!(!verify_consistency(index, B256::ZERO, size, B256::repeat_byte(1), &path));
    }
}
