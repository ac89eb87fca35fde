//! Trees and nodes made by somebody who wishes us ill. The digest of a root proves nothing about its shape.

use crate::support::{cat_all, random};
use bytes::Bytes;
use proptest::prelude::*;
use sealwork_store::{
    Block, BlockStore, DagError, FileNode, FileWalk, Link, MemStore, Profile, WalkLimits, add, reach,
};
use sealwork_types::Codec;

fn leaf(store: &MemStore, data: &[u8]) -> Link {
    let block = Block::new(Codec::Raw, Bytes::copy_from_slice(data));
    store.put(&block).unwrap();
    Link { cid: *block.cid(), content_bytes: data.len() as u64, tree_bytes: data.len() as u64 }
}

fn node(store: &MemStore, links: Vec<Link>) -> Link {
    stored(store, &FileNode { inline: Bytes::new(), links })
}

fn stored(store: &MemStore, node: &FileNode) -> Link {
    let block = Block::new(Codec::DagPb, node.encode());
    store.put(&block).unwrap();
    Link { cid: *block.cid(), content_bytes: node.content_bytes().unwrap(), tree_bytes: 0 }
}

fn raw_node(store: &MemStore, bytes: &[u8]) -> sealwork_store::GeneralCid {
    let block = Block::new(Codec::DagPb, Bytes::copy_from_slice(bytes));
    store.put(&block).unwrap();
    *block.cid()
}

#[test]
fn a_child_that_is_shorter_or_longer_than_declared_is_refused() {
    for lie in [-1, 1] {
        let store = MemStore::new();
        let mut part = leaf(&store, b"twelve bytes");
        part.content_bytes = part.content_bytes.checked_add_signed(lie).unwrap();
        let root = node(&store, vec![leaf(&store, b"honest"), part]);
        assert!(matches!(cat_all(root.cid, &store), Err(DagError::Size { found: 12, .. })));
        assert!(matches!(reach(&root.cid, &store), Err(DagError::Size { found: 12, .. })));
    }
}

#[test]
fn a_wrong_size_cannot_hide_behind_a_repetition() {
    let store = MemStore::new();
    let honest = leaf(&store, b"twelve bytes");
    let liar = Link { content_bytes: 13, ..honest };
    let root = node(&store, vec![honest, honest, liar]);
    assert!(matches!(cat_all(root.cid, &store), Err(DagError::Size { expected: 13, .. })));
    assert!(matches!(reach(&root.cid, &store), Err(DagError::Size { expected: 13, .. })));
}

#[test]
fn children_without_content_are_refused() {
    // 1,000 links to the same empty child on each of 30 levels would be 10^90 visits for no byte at all.
    let store = MemStore::new();
    let root = node(&store, vec![leaf(&store, b""); 1000]);
    assert!(matches!(cat_all(root.cid, &store), Err(DagError::Malformed { .. })));
    assert!(matches!(reach(&root.cid, &store), Err(DagError::Malformed { .. })));
}

#[test]
fn a_tree_that_is_too_deep_is_refused() {
    let store = MemStore::new();
    let mut top = leaf(&store, b"bottom");
    for _ in 0..31 {
        top = node(&store, vec![top]);
    }
    assert_eq!(cat_all(top.cid, &store).unwrap(), b"bottom");
    let too_deep = node(&store, vec![top]);
    assert!(matches!(cat_all(too_deep.cid, &store), Err(DagError::Limit { limit: 32, .. })));
    assert!(matches!(reach(&too_deep.cid, &store), Err(DagError::Limit { limit: 32, .. })));
}

#[test]
fn a_small_tree_of_huge_content_is_bounded_by_the_readers_limit_and_cheap_to_walk() {
    let store = MemStore::new();
    let mut top = leaf(&store, &[0; 1024]);
    for _ in 0..7 {
        top = node(&store, vec![top; 100]);
    }
    assert_eq!(top.content_bytes, 1024 * 100_u64.pow(7));
    let reach = reach(&top.cid, &store).unwrap();
    assert_eq!((reach.blocks.len(), reach.content_bytes), (8, top.content_bytes));
    let limits = WalkLimits { content_bytes: 1 << 20, ..WalkLimits::default() };
    let mut pieces = sealwork_store::cat(top.cid, limits, &store);
    assert!(matches!(pieces.next(), Some(Err(DagError::Limit { limit: 1_048_576, .. }))));
    assert!(pieces.next().is_none());
}

#[test]
fn sizes_that_overflow_are_refused() {
    let store = MemStore::new();
    let child = leaf(&store, b"x");
    let mut bytes = FileNode { inline: Bytes::new(), links: vec![child, child] }.encode().to_vec();
    // Type, file size 2, block sizes 1 and 1 become file size 0 and two halves of 2^64.
    let unixfs: Vec<u8> = {
        let half = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
        [&[0x08, 0x02, 0x18, 0x00, 0x20][..], &half, &[0x20], &half].concat()
    };
    bytes.truncate(bytes.len() - 10);
    bytes.extend([0x0a, u8::try_from(unixfs.len()).unwrap()]);
    bytes.extend(unixfs);
    let root = raw_node(&store, &bytes);
    assert!(matches!(cat_all(root, &store), Err(DagError::Malformed { problem: "sizes overflow", .. })));
}

#[test]
fn nodes_with_too_many_links_are_refused() {
    let store = MemStore::new();
    let root = node(&store, vec![leaf(&store, b"x"); 8193]);
    assert!(matches!(cat_all(root.cid, &store), Err(DagError::Limit { limit: 8192, .. })));
}

#[test]
fn directories_and_other_codecs_are_unsupported() {
    let store = MemStore::new();
    let directory = raw_node(&store, &[0x0a, 0x02, 0x08, 0x01]);
    assert!(matches!(cat_all(directory, &store), Err(DagError::Unsupported { .. })));
    let cbor = sealwork_store::GeneralCid::new_v1(0x71, *directory.hash());
    assert!(matches!(cat_all(cbor, &store), Err(DagError::Unsupported { .. })));
    let link = Link { cid: cbor, content_bytes: 1, tree_bytes: 1 };
    let root = node(&store, vec![link]);
    assert!(matches!(cat_all(root.cid, &store), Err(DagError::Unsupported { .. })));
}

#[test]
fn malformed_nodes_are_told_apart_from_files() {
    let bad: [&[u8]; 11] = [
        b"",
        b"\x0a",
        b"\x0a\x05\x08\x02",
        b"\x0a\x00\x0a\x00",
        b"\x1a\x00",
        b"\x08\x02",
        b"\x0a\x02\x08\x02\x12\x00",
        b"\x0a\x04\x08\x02\x18\x05",
        b"\x0a\x06\x08\x02\x18\x00\x20\x01",
        b"\x0a\x0c\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x0d\x00\x00\x00\x00",
    ];
    for bytes in bad {
        let store = MemStore::new();
        let root = raw_node(&store, bytes);
        let error = cat_all(root, &store).unwrap_err();
        assert!(matches!(error, DagError::Malformed { .. }), "{bytes:x?}: {error:?}");
    }
}

#[test]
fn a_block_out_of_order_is_refused() {
    let store = MemStore::new();
    let content = random(5000, 1);
    let root = add(&content[..], Profile::custom(1000, 8, true, 1).unwrap(), &store).unwrap();
    let mut walk = FileWalk::new(root.cid, WalkLimits::default());
    let (_, digest) = sealwork_store::parts_of(&root.cid).unwrap();
    walk.supply(&Block::verify(&root.cid, store.get(&digest).unwrap().unwrap()).unwrap()).unwrap();
    let second = walk.upcoming().nth(1).unwrap();
    let (_, digest) = sealwork_store::parts_of(&second).unwrap();
    let block = Block::verify(&second, store.get(&digest).unwrap().unwrap()).unwrap();
    assert!(matches!(walk.supply(&block), Err(DagError::WrongBytes { .. })));
    assert_eq!(walk.next(), None);
}

#[test]
fn inline_content_of_inner_nodes_comes_first() {
    let store = MemStore::new();
    let tail = leaf(&store, b"tail");
    let root = stored(&store, &FileNode { inline: Bytes::from_static(b"head "), links: vec![tail] });
    assert_eq!(cat_all(root.cid, &store).unwrap(), b"head tail");
}

proptest! {
    #[test]
    fn any_bytes_are_a_file_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let block = Bytes::from(bytes);
        let cid = *Block::new(Codec::DagPb, block.clone()).cid();
        let _ = FileNode::decode(&cid, &block);
    }

    #[test]
    fn a_changed_node_is_a_file_or_an_error(at in 0_usize..300, bit in 0_u32..8) {
        let store = MemStore::new();
        let links = vec![leaf(&store, b"one"), leaf(&store, b"two"), leaf(&store, b"three")];
        let mut bytes = FileNode { inline: Bytes::from_static(b"zero"), links }.encode().to_vec();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let root = raw_node(&store, &bytes);
        let _ = cat_all(root, &store);
        let _ = reach(&root, &store);
    }

    #[test]
    fn encoding_and_decoding_agree(
        inline in prop::collection::vec(any::<u8>(), 0..50),
        sizes in prop::collection::vec((1_u64..1 << 40, any::<u64>()), 0..20),
    ) {
        let cid = *Block::new(Codec::Raw, Bytes::from_static(b"child")).cid();
        let link = |(content_bytes, tree_bytes)| Link { cid, content_bytes, tree_bytes };
        let node = FileNode { inline: inline.into(), links: sizes.into_iter().map(link).collect() };
        prop_assert_eq!(FileNode::decode(&cid, &node.encode()).unwrap(), node);
    }
}
