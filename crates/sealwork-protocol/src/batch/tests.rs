use super::*;
use proptest::prelude::*;

fn words(count: usize) -> Vec<B256> {
    (0..count).map(|number| keccak256(number.to_be_bytes())).collect()
}

fn receipt(deal: u8, index: u32, status: u16) -> Receipt {
    let word = B256::repeat_byte;
    Receipt {
        work: Work { app: word(1), codeHash: word(2), policyHash: word(3), input: word(4) },
        dealId: word(deal),
        index,
        status,
        fuel: 5,
        keyEpoch: 0,
        output: word(6),
        callbackHash: B256::ZERO,
        stateBefore: B256::ZERO,
        stateAfter: B256::ZERO,
        deltaIndex: 0,
    }
}

#[test]
fn there_is_no_tree_without_leaves() {
    assert_eq!(Tree::new(vec![]), None);
    assert_eq!(AllowList::new([]), None);
    assert_eq!(ReceiptBatch::new(&[]), Err(BatchError::Empty));
}

#[test]
fn a_single_leaf_is_the_root_and_needs_no_path() {
    let leaf = B256::repeat_byte(1);
    let tree = Tree::new(vec![leaf]).unwrap();
    assert_eq!((tree.root(), tree.path(0), tree.path(1)), (leaf, Some(vec![]), None));
}

#[test]
fn an_odd_node_moves_up_as_it_is() {
    let [a, b, c] = [1, 2, 3].map(B256::repeat_byte);
    let tree = Tree::new(vec![a, b, c]).unwrap();
    assert_eq!(tree.root(), node(node(a, b), c));
    assert_eq!(tree.path(2).unwrap(), [node(a, b)]);
}

#[test]
fn a_batch_counts_its_tasks_and_proves_each() {
    let statuses = [0, 108, 3, 1, 9_999];
    let receipts: Vec<_> = (7..).zip(statuses).map(|(index, status)| receipt(9, index, status)).collect();
    let batch = ReceiptBatch::new(&receipts).unwrap();
    let statement = batch.statement();
    assert_eq!(statement.tally, tally(statuses.map(Status::new)));
    assert_eq!((statement.first, statement.dealId), (7, B256::repeat_byte(9)));
    for receipt in &receipts {
        let proof = batch.proof(receipt.index, Bytes::new()).unwrap();
        assert!(verify(statement.root, receipt_leaf(receipt), &proof.path));
        assert_eq!(&proof.batch(receipt.work.clone(), DealId::new(receipt.dealId)), statement);
    }
    assert!(batch.proof(6, Bytes::new()).is_none() && batch.proof(12, Bytes::new()).is_none());
}

#[test]
fn receipts_of_other_deals_or_with_gaps_make_no_batch() {
    let gap = ReceiptBatch::new(&[receipt(9, 0, 0), receipt(9, 2, 0)]);
    assert_eq!(gap, Err(BatchError::Order { expected: 1, found: 2 }));
    let twice = ReceiptBatch::new(&[receipt(9, 0, 0), receipt(9, 0, 0)]);
    assert_eq!(twice, Err(BatchError::Order { expected: 1, found: 0 }));
    let other = ReceiptBatch::new(&[receipt(9, 0, 0), receipt(8, 1, 0)]);
    assert!(matches!(other, Err(BatchError::OtherDeal { index: 1, .. })));
}

#[test]
fn an_allow_list_is_the_same_whatever_the_order_of_its_members() {
    let mut members = words(10);
    let list = AllowList::new(members.clone()).unwrap();
    members.reverse();
    members.push(members[0]);
    assert_eq!(AllowList::new(members.clone()).unwrap(), list);
    for member in members {
        let membership = list.membership(member).unwrap();
        assert!(admits(&membership));
        assert!(!admits(&Membership { member: B256::ZERO, ..membership }));
    }
    assert_eq!(list.membership(B256::ZERO), None);
}

#[test]
fn no_inner_node_stands_on_an_allow_list() {
    let list = AllowList::new(words(4)).unwrap();
    let inner = node(membership_leaf(list.members[0]), membership_leaf(list.members[1]));
    let path = vec![node(membership_leaf(list.members[2]), membership_leaf(list.members[3]))];
    assert!(verify(list.root(), inner, &path), "the node is there");
    assert!(!admits(&Membership { root: list.root(), member: inner, path }), "but it is no member");
}

proptest! {
    #[test]
    fn every_leaf_is_proven_and_nothing_else(count in 1_usize..200, other in any::<[u8; 32]>()) {
        let leaves = words(count);
        let tree = Tree::new(leaves.clone()).unwrap();
        for (index, leaf) in leaves.iter().enumerate() {
            let path = tree.path(index).unwrap();
            prop_assert!(verify(tree.root(), *leaf, &path));
            prop_assert!(!verify(tree.root(), other.into(), &path));
            prop_assert!(path.len() <= usize::BITS as usize - (count - 1).leading_zeros() as usize);
        }
        prop_assert_eq!(tree.path(count), None);
    }

    #[test]
    fn every_leaf_matters_to_the_root(count in 2_usize..100, at in any::<prop::sample::Index>()) {
        let leaves = words(count);
        let root = Tree::new(leaves.clone()).unwrap().root();
        let mut changed = leaves.clone();
        changed[at.index(count)] = B256::ZERO;
        prop_assert_ne!(Tree::new(changed).unwrap().root(), root);
        prop_assert_ne!(Tree::new(leaves[1..].to_vec()).unwrap().root(), root);
    }

    #[test]
    fn paths_that_were_changed_prove_nothing(count in 2_usize..100, at in any::<prop::sample::Index>(), bit in 0_usize..256) {
        let leaves = words(count);
        let tree = Tree::new(leaves.clone()).unwrap();
        let index = at.index(count);
        let mut path = tree.path(index).unwrap();
        let sibling = at.index(path.len());
        path[sibling][bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!verify(tree.root(), leaves[index], &path));
    }
}
