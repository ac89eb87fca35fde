//! Names equal those of `ipfs-unixfs-importer`, the importer of Helia.

use crate::support::{Pattern, cat_all};
use sealwork_store::{MemStore, Profile, Root, add};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Table {
    profiles: BTreeMap<String, ProfileRow>,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct ProfileRow {
    chunk: usize,
    width: usize,
    raw_leaves: bool,
    cid_version: u64,
}

#[derive(Deserialize)]
struct Vector {
    profile: String,
    size: u64,
    cid: String,
}

fn table() -> Table {
    serde_json::from_str(include_str!("../../../../spec/vectors/unixfs.json")).unwrap()
}

fn import(profile: Profile, size: u64, store: &MemStore) -> Root {
    add(Pattern::new(size), profile, store).unwrap()
}

fn check(keep: impl Fn(&Vector) -> bool) {
    let table = table();
    let mut checked = 0;
    for vector in table.vectors.iter().filter(|vector| keep(vector)) {
        let row = &table.profiles[&vector.profile];
        let profile = Profile::custom(row.chunk, row.width, row.raw_leaves, row.cid_version).unwrap();
        let store = MemStore::new();
        let root = import(profile, vector.size, &store);
        assert_eq!(root.cid.to_string(), vector.cid, "{} of {} bytes", vector.profile, vector.size);
        assert_eq!(root.content_bytes, vector.size);
        if vector.size <= 10_000_000 {
            assert!(
                cat_all(root.cid, &store).unwrap() == Pattern::bytes(vector.size),
                "bytes of {}",
                vector.cid
            );
        }
        checked += 1;
    }
    assert!(checked > 0);
}

#[test]
fn names_equal_the_reference_importer() {
    check(|vector| vector.size <= 10_000_000);
}

#[test]
fn names_of_big_files_equal_the_reference_importer_slow() {
    check(|vector| vector.size > 10_000_000);
}

#[test]
fn named_profiles_are_those_of_the_table() {
    let table = table();
    for (name, profile) in [
        ("unixfs-v1-2025", Profile::UNIXFS_V1_2025),
        ("kubo-legacy", Profile::KUBO_LEGACY),
        ("kubo-legacy-v1", Profile::KUBO_LEGACY_V1),
    ] {
        let row = &table.profiles[name];
        assert_eq!(Profile::custom(row.chunk, row.width, row.raw_leaves, row.cid_version), Some(profile));
    }
}

#[test]
fn names_a_text_as_every_kubo_does() {
    let root = add(&b"hello world\n"[..], Profile::KUBO_LEGACY, &MemStore::new()).unwrap();
    assert_eq!(root.cid.to_string(), "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o");
}

#[test]
fn refuses_profiles_that_make_no_sense() {
    assert_eq!(Profile::custom(0, 174, true, 1), None);
    assert_eq!(Profile::custom((1 << 20) + 1, 174, true, 1), None);
    assert_eq!(Profile::custom(1000, 1, true, 1), None);
    assert_eq!(Profile::custom(1000, 1025, true, 1), None);
    assert_eq!(Profile::custom(1000, 174, true, 0), None);
    assert_eq!(Profile::custom(1000, 174, false, 2), None);
}
