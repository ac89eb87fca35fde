//! Content from strangers: dag-pb nodes, trees of blocks, imports.

use crate::{
    memory::{bounded, linear},
    seeds::{Seed, chosen},
};
use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use sealwork_store::{
    Block, BlockStore, FileNode, GeneralCid, Link, MemStore, Profile, WalkLimits, add, cat, cid_v0, cid_v1,
    reach,
};
use sealwork_types::{B256, Codec};

/// Most content that a walk may bring here.
const CONTENT: u64 = 1 << 16;

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 4 {
        0 => node(rest),
        1 => drop(tree(&mut Unstructured::new(rest))),
        2 => drop(import(&mut Unstructured::new(rest))),
        _ => block(rest),
    }
}

/// Every accepted node is a file whose sizes add up, and the writer's form of it is read as the same node.
fn node(bytes: &[u8]) {
    let block = Bytes::copy_from_slice(bytes);
    let cid = cid_v1(Codec::DagPb, B256::ZERO);
    let Ok(node) = bounded(linear(16 * 1024, 128, bytes), || FileNode::decode(&cid, &block)) else { return };
    assert!(node.links.iter().all(|link| link.content_bytes > 0));
    let content = node.content_bytes().expect("an accepted node has a size");
    assert!(content >= node.inline.len() as u64);
    let written = node.encode();
    let again = FileNode::decode(&cid, &written).expect("what was read can be written");
    assert_eq!((&again, again.encode()), (&node, written));
}

/// Nodes over earlier nodes, with sizes that may be lies. A walk ends, within its limits, with what the sizes say.
fn tree(script: &mut Unstructured<'_>) -> Result<()> {
    let store = MemStore::new();
    let mut made: Vec<(GeneralCid, u64)> = Vec::new();
    for _ in 0..script.int_in_range(1..=12)? {
        let length = script.int_in_range(0..=script.len().min(40))?;
        let inline = script.bytes(length.min(script.len()))?;
        let mut links = Vec::new();
        let width = if made.is_empty() { 0 } else { script.int_in_range(0..=5)? };
        for _ in 0..width {
            let (cid, size) = made[script.choose_index(made.len())?];
            let content_bytes = if script.ratio(1, 12)? { script.arbitrary()? } else { size };
            let cid = if script.ratio(1, 12)? {
                cid_v1(Codec::Raw, B256::repeat_byte(script.arbitrary()?))
            } else {
                cid
            };
            links.push(Link { cid, content_bytes, tree_bytes: script.arbitrary()? });
        }
        let node = FileNode { inline: Bytes::copy_from_slice(inline), links };
        let Some(size) = node.content_bytes() else { continue };
        let block = match script.int_in_range(0..=2)? {
            0 if node.links.is_empty() => Block::new(Codec::Raw, node.inline.clone()),
            1 => Block::new_v0(node.encode()),
            _ => Block::new(Codec::DagPb, node.encode()),
        };
        store.put(&block).expect("memory takes blocks");
        made.push((*block.cid(), size));
    }
    if let Some((root, size)) = made.last() {
        walk(*root, *size, &store);
    }
    Ok(())
}

fn walk(root: GeneralCid, size: u64, store: &MemStore) {
    let limits = WalkLimits { content_bytes: CONTENT, ..WalkLimits::default() };
    let mut content = 0;
    let ended = cat(root, limits, store).try_for_each(|piece| {
        content += piece?.len() as u64;
        Ok::<(), sealwork_store::DagError>(())
    });
    assert!(content <= CONTENT, "a walk brought more than its limit");
    if ended.is_ok() {
        assert_eq!(content, size, "a walk that ended well brought another size than the root states");
        let reach = reach(&root, store).expect("what can be read can be reached");
        assert_eq!(reach.content_bytes, size);
        assert!(reach.blocks.contains(&root));
    }
}

/// What is added comes out again, whatever the profile.
fn import(script: &mut Unstructured<'_>) -> Result<()> {
    let (chunk, width, raw, version) = (
        script.int_in_range(0..=40)?,
        script.int_in_range(0..=6)?,
        script.arbitrary()?,
        script.int_in_range(0..=2)?,
    );
    let Some(profile) = Profile::custom(chunk, width, raw, version) else { return Ok(()) };
    let content = script.bytes(script.len().min(600))?;
    let store = MemStore::new();
    let root = add(content, profile, &store).expect("memory takes content");
    assert_eq!(root.content_bytes, content.len() as u64);
    let back: Vec<u8> =
        cat(root.cid, WalkLimits::default(), &store).flat_map(|piece| piece.expect("stored")).collect();
    assert_eq!(back, content);
    if let Some(stored) = store.iterate().first() {
        store.delete(&stored.digest).expect("memory gives blocks up");
        assert!(cat(root.cid, WalkLimits::default(), &store).any(|piece| piece.is_err()));
    }
    Ok(())
}

/// Bytes belong to a CID only by their hash, in every version of it.
fn block(bytes: &[u8]) {
    let data = Bytes::copy_from_slice(bytes);
    let block = Block::new(Codec::Raw, data.clone());
    for cid in
        [cid_v0(*block.digest()), cid_v1(Codec::Raw, *block.digest()), cid_v1(Codec::DagPb, *block.digest())]
    {
        assert!(Block::verify(&cid, data.clone()).is_ok());
        let longer = [bytes, &[0]].concat();
        assert!(Block::verify(&cid, longer.into()).is_err());
    }
    if let Some((cid, content)) = bytes.split_first_chunk::<36>() {
        let named = GeneralCid::try_from(&cid[..]).ok();
        let verified = named.and_then(|cid| Block::verify(&cid, Bytes::copy_from_slice(content)).ok());
        assert!(verified.is_none(), "a hash was guessed");
    }
}

pub fn seeds() -> Vec<Seed> {
    let link = |byte, content_bytes| Link {
        cid: cid_v1(Codec::Raw, B256::repeat_byte(byte)),
        content_bytes,
        tree_bytes: 9,
    };
    let leaf = FileNode { inline: Bytes::from_static(b"hello"), links: Vec::new() };
    let inner = FileNode { inline: Bytes::new(), links: vec![link(1, 5), link(2, 300)] };
    let old = FileNode { links: vec![Link { cid: cid_v0(B256::ZERO), ..link(0, 1) }], ..FileNode::default() };
    vec![
        chosen("empty", 0, FileNode::default().encode()),
        chosen("leaf", 0, leaf.encode()),
        chosen("inner", 0, inner.encode()),
        chosen("v0", 0, old.encode()),
        chosen("tree", 1, (0..200).collect::<Vec<u8>>()),
        chosen("tree-of-one", 1, [255; 120]),
        chosen("import", 2, (0..250).collect::<Vec<u8>>()),
        chosen("block", 3, inner.encode()),
    ]
}
