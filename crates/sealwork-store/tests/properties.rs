//! What holds for every node and every CID, and lengths that are refused before memory is taken.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is a failed test")]

use bytes::Bytes;
use proptest::{collection::vec, prelude::*};
use sealwork_store::{
    Block, FileNode, GeneralCid, Link, MemStore, Profile, WalkLimits, add, cat, cid_v0, cid_v1, parts_of,
};
use sealwork_types::{B256, Codec};
use std::fs;

fn word() -> impl Strategy<Value = B256> {
    any::<[u8; 32]>().prop_map(B256::from)
}

fn link() -> impl Strategy<Value = Link> {
    (word(), 0..3_u8, 1..1_u64 << 40, any::<u64>()).prop_map(|(digest, kind, content_bytes, tree_bytes)| {
        Link {
            cid: match kind {
                0 => cid_v0(digest),
                1 => cid_v1(Codec::Raw, digest),
                _ => cid_v1(Codec::DagPb, digest),
            },
            content_bytes,
            tree_bytes,
        }
    })
}

fn node() -> impl Strategy<Value = FileNode> {
    (vec(any::<u8>(), 0..100), vec(link(), 0..20))
        .prop_map(|(inline, links)| FileNode { inline: inline.into(), links })
}

fn decode(bytes: impl Into<Bytes>) -> Option<FileNode> {
    FileNode::decode(&cid_v1(Codec::DagPb, B256::ZERO), &bytes.into()).ok()
}

proptest! {
    #[test]
    fn nodes_come_back(node in node(), cut in any::<prop::sample::Index>()) {
        let bytes = node.encode();
        prop_assert_eq!(decode(bytes.clone()), Some(node.clone()));
        let cut = bytes.slice(..cut.index(bytes.len()));
        prop_assert_ne!(decode(cut), Some(node));
        prop_assert_eq!(decode([&bytes[..], &[0]].concat()), None);
    }

    #[test]
    fn a_changed_bit_of_a_block_is_another_block(node in node(), place in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let bytes = node.encode();
        let block = Block::new(Codec::DagPb, bytes.clone());
        let mut changed = bytes.to_vec();
        let at = place.index(changed.len());
        changed[at] ^= 1 << bit;
        prop_assert!(Block::verify(block.cid(), bytes).is_ok());
        prop_assert!(Block::verify(block.cid(), changed.into()).is_err());
    }

    #[test]
    fn names_come_back_in_every_version(digest in word()) {
        for (cid, codec) in [(cid_v0(digest), Codec::DagPb), (cid_v1(Codec::Raw, digest), Codec::Raw)] {
            prop_assert_eq!(GeneralCid::try_from(cid.to_string().as_str()).unwrap(), cid);
            prop_assert_eq!(GeneralCid::try_from(&cid.to_bytes()[..]).unwrap(), cid);
            prop_assert_eq!(parts_of(&cid).unwrap(), (codec, digest));
        }
    }

    #[test]
    fn content_comes_back_in_every_profile(content in vec(any::<u8>(), 0..400), chunk in 1..50_usize, width in 2..6_usize, raw in any::<bool>()) {
        let profile = Profile::custom(chunk, width, raw, 1).unwrap();
        let store = MemStore::new();
        let root = add(&content[..], profile, &store).unwrap();
        let back: Vec<u8> = cat(root.cid, WalkLimits::default(), &store).flat_map(Result::unwrap).collect();
        prop_assert_eq!(back, content);
    }
}

/// Address space that this process ever had, in KiB; memory that was reserved but never touched counts as well.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn nodes_with_huge_lengths_are_refused() {
    let numbers: [&[u8]; 3] = [
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    ];
    let before = peak_kib();
    for number in numbers {
        // The data, a link, a link's hash, the content and its size.
        let unixfs = [&[0x08, 2, 0x12][..], number].concat();
        let size = [&[0x08, 2, 0x20][..], number, &[0x20], number].concat();
        let wrap = |field: u8, inner: &[u8]| [&[field, u8::try_from(inner.len()).unwrap()], inner].concat();
        let hash = [&[0x0a][..], number].concat();
        let bad = [
            [&[0x0a][..], number].concat(),
            [&[0x12][..], number].concat(),
            wrap(0x12, &hash),
            wrap(0x0a, &unixfs),
            wrap(0x0a, &size),
        ];
        for bytes in bad {
            assert_eq!(decode(bytes.clone()), None, "{bytes:?}");
        }
    }
    let grown = peak_kib() - before;
    assert!(grown < 160 * 1024, "the process grew by {grown} KiB");
}
