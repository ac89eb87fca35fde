//! Pins and collection.

use crate::support::{Pattern, cat_all, drain, kind, local, pieces, random, walk};
use bytes::Bytes;
use futures::{SinkExt, StreamExt, channel::mpsc};
use sealwork_ports::{ErrorKind, Store};
use sealwork_store::{Block, BlockStore, Keep, PackStore, Profile, add, general_cid, parts_of, reach};
use sealwork_types::Codec;
use std::collections::BTreeSet;

#[tokio::test]
async fn gc_removes_everything_that_is_not_pinned_and_gives_the_space_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = local(&dir);
    let (kept, freed) = (random(3_000_000, 1), random(5_000_000, 2));
    let kept_cid = store.put(pieces(&kept)).await.unwrap();
    let freed_cid = store.put(pieces(&freed)).await.unwrap();
    assert!(store.gc().await.unwrap().digests.is_empty());
    store.unpin(&freed_cid).await.unwrap();
    let collected = store.gc().await.unwrap();
    assert_eq!(collected.digests.len(), 6);
    assert!(collected.freed_bytes > 4_900_000, "{collected:?}");
    drop(store);
    let store = local(&dir);
    assert_eq!(kind(drain(store.get(&freed_cid).await.unwrap()).await), Some(ErrorKind::NotFound));
    assert!(drain(store.get(&kept_cid).await.unwrap()).await.unwrap() == kept);
    assert!(store.usage().file_bytes < 3_100_000);
    assert_eq!(store.pins(), BTreeSet::from([general_cid(&kept_cid)]));
}

#[tokio::test]
async fn blocks_that_two_files_share_stay_for_the_pinned_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = local(&dir);
    let long = random(3 << 20, 1);
    let short = store.put(pieces(&long[..2 << 20])).await.unwrap();
    let whole = store.put(pieces(&long)).await.unwrap();
    store.unpin(&whole).await.unwrap();
    assert_eq!(store.gc().await.unwrap().digests.len(), 2);
    assert!(drain(store.get(&short).await.unwrap()).await.unwrap() == long[..2 << 20]);
}

#[tokio::test]
async fn content_that_is_being_added_survives_gc() {
    let dir = tempfile::tempdir().unwrap();
    let store = local(&dir);
    let content = random(10_000_000, 3);
    let (mut sender, receiver) = mpsc::channel(0);
    let adding = tokio::spawn({
        let store = store.clone();
        async move { store.put(receiver.boxed()).await }
    });
    let mut halves = content.chunks(5_000_000).map(Bytes::copy_from_slice);
    sender.send(Ok(halves.next().unwrap())).await.unwrap();
    // The channel holds one piece, so once these are taken the first batch is with the store.
    for piece in [Bytes::new(), Bytes::new()] {
        sender.send(Ok(piece)).await.unwrap();
    }
    while store.usage().blocks < 4 {
        tokio::task::yield_now().await;
    }
    assert!(store.gc().await.unwrap().digests.is_empty());
    sender.send(Ok(halves.next().unwrap())).await.unwrap();
    drop(sender);
    let cid = adding.await.unwrap().unwrap();
    assert!(drain(store.get(&cid).await.unwrap()).await.unwrap() == content);
}

#[tokio::test]
async fn unpinned_blocks_are_spared_for_the_grace_time() {
    let dir = tempfile::tempdir().unwrap();
    let store =
        sealwork_store::LocalStore::open(dir.path(), sealwork_store::LocalOptions::default()).unwrap();
    let block = Block::new(Codec::Raw, Bytes::from_static(b"on its way"));
    store.put_block(block.clone()).await.unwrap();
    assert!(store.gc().await.unwrap().digests.is_empty());
    drop(store);
    let store = local(&dir);
    assert_eq!(store.gc().await.unwrap().digests, [*block.digest()]);
}

#[tokio::test]
async fn gc_refuses_to_guess_when_pinned_content_is_incomplete() {
    let dir = tempfile::tempdir().unwrap();
    let pack = PackStore::open(dir.path()).unwrap();
    let root = add(Pattern::new(3_000_000), Profile::default(), &pack).unwrap();
    pack.commit(&[root.cid], &[]).unwrap();
    assert!(pack.delete(&parts_of(&root.cid).unwrap().1).unwrap());
    drop(pack);
    let store = local(&dir);
    assert_eq!(kind(store.gc().await), Some(ErrorKind::NotFound));
    assert_eq!(store.usage().blocks, 3);
}

#[tokio::test]
async fn a_root_with_a_missing_leaf_cannot_be_pinned() {
    let dir = tempfile::tempdir().unwrap();
    let pack = PackStore::open(dir.path()).unwrap();
    let content = random(3_000_000, 5);
    let root = add(&content[..], Profile::default(), &pack).unwrap();
    let leaf = Block::new(Codec::Raw, Bytes::copy_from_slice(&content[1 << 20..2 << 20]));
    assert!(pack.delete(leaf.digest()).unwrap());
    drop(pack);
    let store = local(&dir);
    assert_eq!(kind(store.pin_root(root.cid).await), Some(ErrorKind::NotFound));
    assert!(store.pins().is_empty());
    assert_eq!(kind(drain(store.cat(walk(root.cid))).await), Some(ErrorKind::NotFound));
    store.put_block(leaf).await.unwrap();
    store.pin_root(root.cid).await.unwrap();
}

#[test]
fn collection_over_many_segments_keeps_exactly_the_live_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let profile = Profile::custom(2000, 6, true, 1).unwrap();
    let store = PackStore::open_with(dir.path(), 20_000).unwrap();
    let contents: Vec<_> = (0..20).map(|seed| random(9000, seed)).collect();
    let roots: Vec<_> =
        contents.iter().map(|content| add(&content[..], profile, &store).unwrap().cid).collect();
    store.commit(&roots, &[]).unwrap();
    let dead: Vec<_> = roots.iter().copied().skip(1).step_by(3).collect();
    store.commit(&[], &dead).unwrap();
    let live_roots = store.pins();
    let live: BTreeSet<_> = live_roots
        .iter()
        .flat_map(|root| reach(root, &store).unwrap().blocks)
        .map(|cid| parts_of(&cid).unwrap().1)
        .collect();
    let sequence = store.sequence();
    let collected = store.collect(&live, sequence).unwrap();
    assert_eq!(collected.digests.len(), dead.len() * 6);
    assert!(store.collect(&live, sequence).unwrap().digests.is_empty());
    drop(store);
    let store = PackStore::open_with(dir.path(), 20_000).unwrap();
    assert_eq!(store.pins(), live_roots);
    assert_eq!(store.iterate().into_iter().map(|block| block.digest).collect::<BTreeSet<_>>(), live);
    for (root, content) in roots.iter().zip(&contents).filter(|(root, _)| live_roots.contains(*root)) {
        assert!(cat_all(*root, &store).unwrap() == *content);
    }
}

#[test]
fn a_crash_during_collection_loses_nothing_that_is_pinned() {
    let dir = tempfile::tempdir().unwrap();
    let profile = Profile::custom(2000, 6, true, 1).unwrap();
    let (kept, freed) = (random(9000, 1), random(9000, 2));
    let store = PackStore::open(dir.path()).unwrap();
    let freed_root = add(&freed[..], profile, &store).unwrap().cid;
    let kept_root = add(&kept[..], profile, &store).unwrap().cid;
    store.commit(&[kept_root, freed_root], &[]).unwrap();
    store.commit(&[], &[freed_root]).unwrap();
    let before = std::fs::read(dir.path().join("0000000001.pack")).unwrap();
    let live = reach(&kept_root, &store).unwrap().blocks.iter().map(|cid| parts_of(cid).unwrap().1).collect();
    store.collect(&live, store.sequence()).unwrap();
    drop(store);
    let after = std::fs::read(dir.path().join("0000000002.pack")).unwrap();
    // Until the new segment is complete the old one is still there.
    for cut in (0..=after.len()).step_by(61).chain([after.len()]) {
        let crashed = tempfile::tempdir().unwrap();
        std::fs::write(crashed.path().join("0000000001.pack"), &before).unwrap();
        std::fs::write(crashed.path().join("0000000002.pack"), &after[..cut]).unwrap();
        let store = PackStore::open(crashed.path()).unwrap();
        assert_eq!(store.pins(), BTreeSet::from([kept_root]), "cut at {cut}");
        assert!(cat_all(kept_root, &store).unwrap() == kept, "cut at {cut}");
    }
}

#[tokio::test]
async fn unpinned_adds_are_collected() {
    let dir = tempfile::tempdir().unwrap();
    let store = local(&dir);
    store.add(Pattern::stream(1000), Profile::default(), Keep::Unpinned).await.unwrap();
    assert_eq!(store.gc().await.unwrap().digests.len(), 1);
    assert_eq!(store.usage().blocks, 0);
}
