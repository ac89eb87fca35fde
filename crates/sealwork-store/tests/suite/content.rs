//! Bytes in, the same bytes out.

use crate::support::{Pattern, cat_all, drain, kind, local, pieces, random, walk};
use proptest::prelude::*;
use sealwork_ports::{ErrorKind, Store, conformance::store_suite};
use sealwork_store::{BlockStore, Keep, LocalOptions, LocalStore, MemStore, PackStore, Profile, add, reach};
use sealwork_types::{Sha256Digest, manifest::document_cid};

#[tokio::test]
async fn local_store_passes_the_store_suite() {
    let dir = tempfile::tempdir().unwrap();
    store_suite(&local(&dir)).await;
}

#[tokio::test]
async fn content_and_pins_are_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let content = random(3_000_000, 1);
    let store = local(&dir);
    let cid = store.put(pieces(&content)).await.unwrap();
    let pins = store.pins();
    drop(store);
    let store = local(&dir);
    assert_eq!(store.pins(), pins);
    assert!(drain(store.get(&cid).await.unwrap()).await.unwrap() == content);
    assert_eq!(store.stat(&cid).await.unwrap().blocks, 4);
}

#[tokio::test]
async fn a_small_document_is_found_under_its_sha256() {
    let dir = tempfile::tempdir().unwrap();
    let cid = local(&dir).put(pieces(b"{}")).await.unwrap();
    assert_eq!(cid, document_cid(Sha256Digest::of(b"{}")));
}

#[tokio::test]
async fn naming_only_stores_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = local(&dir);
    let root = store.add(Pattern::stream(2_000_000), Profile::default(), Keep::NameOnly).await.unwrap();
    assert_eq!(store.usage().blocks, 0);
    assert_eq!(kind(drain(store.cat(walk(root.cid))).await), Some(ErrorKind::NotFound));
}

#[tokio::test]
async fn every_name_of_the_same_block_finds_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = local(&dir);
    let root = store.add(pieces(b"hello world\n"), Profile::KUBO_LEGACY, Keep::Pinned).await.unwrap();
    let (codec, digest) = sealwork_store::parts_of(&root.cid).unwrap();
    let as_v1 = sealwork_store::cid_v1(codec, digest);
    assert_eq!(drain(store.cat(walk(root.cid))).await.unwrap(), b"hello world\n");
    assert_eq!(drain(store.cat(walk(as_v1))).await.unwrap(), b"hello world\n");
}

#[test]
fn a_second_opener_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let _first = PackStore::open(dir.path()).unwrap();
    assert!(matches!(PackStore::open(dir.path()), Err(sealwork_store::BlockError::InUse { .. })));
}

#[test]
fn segments_rotate_and_all_blocks_stay_readable() {
    let dir = tempfile::tempdir().unwrap();
    let content = random(400_000, 2);
    let profile = Profile::custom(5000, 7, true, 1).unwrap();
    let store = PackStore::open_with(dir.path(), 50_000).unwrap();
    let root = add(&content[..], profile, &store).unwrap();
    store.sync().unwrap();
    let blocks = store.iterate();
    drop(store);
    assert!(std::fs::read_dir(dir.path()).unwrap().count() > 6);
    let store = PackStore::open_with(dir.path(), 50_000).unwrap();
    assert_eq!(store.iterate(), blocks);
    assert_eq!(reach(&root.cid, &store).unwrap().content_bytes, 400_000);
    assert!(cat_all(root.cid, &store).unwrap() == content);
}

#[tokio::test]
async fn the_profile_of_the_options_names_content() {
    let dir = tempfile::tempdir().unwrap();
    let options = LocalOptions { profile: Profile::KUBO_LEGACY_V1, ..LocalOptions::default() };
    let store = LocalStore::open(dir.path(), options).unwrap();
    let cid = store.put(Pattern::stream(262_145)).await.unwrap();
    let expected = add(Pattern::new(262_145), Profile::KUBO_LEGACY_V1, &MemStore::new()).unwrap();
    assert_eq!(cid.to_string(), expected.cid.to_string());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_file_under_any_profile_comes_back(
        size in 0_usize..60_000,
        chunk in 1_usize..3000,
        width in 2_usize..9,
        shape in 0_usize..3,
        seed: u64,
    ) {
        // Single-byte leaves under width 2 would only cost time.
        let chunk = chunk.max(size / 2000 + 1);
        let (raw_leaves, version) = [(true, 1), (false, 1), (false, 0)][shape];
        let profile = Profile::custom(chunk, width, raw_leaves, version).unwrap();
        let content = random(size, seed);
        let store = MemStore::new();
        let root = add(&content[..], profile, &store).unwrap();
        prop_assert_eq!(root.content_bytes, size as u64);
        prop_assert!(cat_all(root.cid, &store).unwrap() == content);
        let reach = reach(&root.cid, &store).unwrap();
        prop_assert_eq!(reach.content_bytes, size as u64);
        prop_assert_eq!(reach.blocks.len(), store.iterate().len());
    }

    #[test]
    fn the_name_does_not_depend_on_how_the_stream_is_cut(cuts in prop::collection::vec(0_usize..5000, 0..12)) {
        let profile = Profile::custom(1000, 3, true, 1).unwrap();
        let content = random(cuts.iter().sum(), 7);
        let mut importer = sealwork_store::Importer::new(profile);
        let mut rest = &content[..];
        for cut in cuts {
            let (piece, behind) = rest.split_at(cut);
            importer.write(piece);
            rest = behind;
        }
        let whole = add(&content[..], profile, &MemStore::new()).unwrap();
        prop_assert_eq!(importer.finish().0, whole);
    }
}
