//! Golden vectors of Merkle trees that contracts check: `UPDATE=1` rewrites the file, forge tests read the same one.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use sealwork_protocol::batch::{AllowList, Tree, receipt_leaf, verify};
use sealwork_types::{
    Address, B256,
    abi::{Receipt, Work},
    deal::membership_leaf,
};
use serde_json::{Value, json};
use std::{env, fs, path::Path};

/// One leaf, full trees, and nodes that move up on one and on several levels.
const SIZES: [u32; 7] = [1, 2, 3, 5, 8, 10, 33];

/// The receipt of a task, different in every field that differs between tasks of a deal.
fn receipt(index: u32) -> Receipt {
    let word = B256::repeat_byte;
    Receipt {
        work: Work { app: word(1), codeHash: word(2), policyHash: word(3), input: word(4) },
        dealId: word(5),
        index,
        status: if index.is_multiple_of(3) { 0 } else { 4 },
        fuel: 1_000 + u64::from(index),
        keyEpoch: 0,
        output: word(6),
        callbackHash: B256::ZERO,
        stateBefore: B256::ZERO,
        stateAfter: B256::ZERO,
        deltaIndex: 0,
    }
}

fn batch(size: u32) -> Value {
    let leaves: Vec<B256> = (0..size).map(|index| receipt_leaf(&receipt(index))).collect();
    let tree = Tree::new(leaves.clone()).unwrap();
    let paths: Vec<_> = (0..leaves.len()).map(|index| tree.path(index).unwrap()).collect();
    assert!(leaves.iter().zip(&paths).all(|(leaf, path)| verify(tree.root(), *leaf, path)));
    json!({ "size": size, "leaves": leaves, "root": tree.root(), "paths": paths })
}

fn allow_list() -> Value {
    let members = (1..=5).map(Address::repeat_byte).map(|address| address.into_word());
    let list = AllowList::new(members.clone()).unwrap();
    let memberships: Vec<_> = members.map(|member| list.membership(member).unwrap()).collect();
    let column = |pick: fn(B256) -> B256| -> Vec<B256> {
        memberships.iter().map(|membership| pick(membership.member)).collect()
    };
    json!({
        "root": list.root(),
        "members": column(|member| member),
        "leaves": column(membership_leaf),
        "paths": memberships.iter().map(|membership| &membership.path).collect::<Vec<_>>(),
    })
}

#[test]
fn trees_have_their_golden_roots_and_paths() {
    let vectors = json!({
        "about": "Merkle trees over receipt structure hashes, and an allow-list: keccak256 of sorted pairs, odd nodes move up",
        "receipts": (0..3).map(receipt).collect::<Vec<_>>(),
        "batches": SIZES.map(batch),
        "allowList": allow_list(),
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/batch.json");
    if env::var_os("UPDATE").is_some() {
        let text = serde_json::to_string_pretty(&vectors).unwrap();
        fs::write(&path, text + "\n").unwrap();
    }
    let golden: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(vectors, golden, "run with UPDATE=1 only when a hash was meant to change");
}
