//! Power cuts, rot and failing disks.

use crate::support::{cat_all, random};
use bytes::Bytes;
use sealwork_store::{Block, BlockError, BlockStore, DagError, PackStore, Profile, add};
use sealwork_types::Codec;
use std::{
    fs,
    path::{Path, PathBuf},
};

fn segment(dir: &Path) -> PathBuf {
    dir.join("0000000001.pack")
}

fn raw(text: &'static str) -> Block {
    Block::new(Codec::Raw, Bytes::from_static(text.as_bytes()))
}

/// A store whose only segment is exactly `bytes`.
fn reopened(bytes: &[u8]) -> (tempfile::TempDir, Result<PackStore, BlockError>) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(segment(dir.path()), bytes).unwrap();
    let store = PackStore::open(dir.path());
    (dir, store)
}

/// The note behind a commit that says that it is durable.
const CONFIRMATION: usize = 40;

/// Two commits: the first with a block and its pin, the second with two blocks and a pin.
struct TwoCommits {
    bytes: Vec<u8>,
    first_end: usize,
    blocks: [Block; 3],
}

fn two_commits() -> TwoCommits {
    let dir = tempfile::tempdir().unwrap();
    let blocks = [raw("first"), raw("second"), raw("third")];
    let store = PackStore::open(dir.path()).unwrap();
    store.put(&blocks[0]).unwrap();
    store.commit(&[*blocks[0].cid()], &[]).unwrap();
    let first_end = fs::read(segment(dir.path())).unwrap().len();
    store.put(&blocks[1]).unwrap();
    store.put(&blocks[2]).unwrap();
    store.commit(&[*blocks[2].cid()], &[*blocks[0].cid()]).unwrap();
    drop(store);
    TwoCommits { bytes: fs::read(segment(dir.path())).unwrap(), first_end, blocks }
}

#[test]
fn a_file_cut_anywhere_opens_with_exactly_what_was_committed_before_the_cut() {
    let TwoCommits { bytes, first_end, blocks } = two_commits();
    for cut in 0..=bytes.len() {
        let (_dir, store) = reopened(&bytes[..cut]);
        let store = store.unwrap();
        let commits =
            usize::from(cut >= first_end - CONFIRMATION) + usize::from(cut >= bytes.len() - CONFIRMATION);
        let present: Vec<_> = blocks.iter().map(|block| store.has(block.digest())).collect();
        assert_eq!(present, [commits > 0, commits > 1, commits > 1], "cut at {cut}");
        let pinned: Vec<_> = blocks.iter().map(|block| store.is_pinned(block.cid())).collect();
        assert_eq!(pinned, [commits == 1, false, commits == 2], "cut at {cut}");
        let late = raw("after the crash");
        store.put(&late).unwrap();
        store.sync().unwrap();
        assert_eq!(store.get(late.digest()).unwrap().as_ref(), Some(late.data()), "cut at {cut}");
    }
}

#[test]
fn garbage_behind_the_last_commit_is_cut_off() {
    let TwoCommits { bytes, .. } = two_commits();
    for garbage in [vec![0; 5], vec![0; 5000], random(5000, 3), bytes[32..].to_vec()] {
        let (dir, store) = reopened(&[bytes.clone(), garbage].concat());
        assert_eq!(store.unwrap().iterate().len(), 3);
        assert_eq!(fs::read(segment(dir.path())).unwrap(), bytes);
    }
}

#[test]
fn a_commit_whose_blocks_did_not_reach_the_disk_did_not_happen() {
    let TwoCommits { bytes, first_end, .. } = two_commits();
    // The crash lost a page in the middle of the second unit but kept its commit record.
    let bytes = &bytes[..bytes.len() - CONFIRMATION];
    for offset in first_end..bytes.len() {
        let mut torn = bytes.to_vec();
        torn[offset] ^= 0x10;
        let (_dir, store) = reopened(&torn);
        let store = store.unwrap();
        assert_eq!(store.iterate().len(), 1, "torn at {offset}");
    }
}

#[test]
fn a_flipped_bit_in_durable_records_never_gives_wrong_bytes() {
    let TwoCommits { bytes, first_end, blocks } = two_commits();
    let (mut refused, mut corrupt) = (0, 0);
    for offset in 0..first_end {
        let mut rotten = bytes.clone();
        rotten[offset] ^= 1;
        let (_dir, store) = reopened(&rotten);
        let store = match store {
            Err(BlockError::Damaged { .. }) => {
                refused += 1;
                continue;
            }
            Err(other) => panic!("flip at {offset}: {other}"),
            Ok(store) => store,
        };
        for block in &blocks {
            match store.get(block.digest()) {
                Ok(Some(data)) => assert_eq!(&data, block.data(), "flip at {offset}"),
                Err(BlockError::Corrupt { digest }) => {
                    assert_eq!(&digest, block.digest());
                    corrupt += 1;
                }
                other => panic!("flip at {offset}: {other:?}"),
            }
        }
    }
    assert!(refused > 100 && corrupt == "first".len(), "refused {refused}, corrupt {corrupt}");
}

#[test]
fn rot_in_a_leaf_is_told_with_its_digest_and_can_be_healed() {
    let dir = tempfile::tempdir().unwrap();
    let content = random(20_000, 4);
    let profile = Profile::custom(1000, 5, true, 1).unwrap();
    let store = PackStore::open(dir.path()).unwrap();
    let root = add(&content[..], profile, &store).unwrap();
    store.sync().unwrap();
    let mut bytes = fs::read(segment(dir.path())).unwrap();
    let at = bytes.windows(16).position(|window| window == &content[5000..5016]).unwrap();
    bytes[at] ^= 1;
    fs::write(segment(dir.path()), &bytes).unwrap();
    let leaf = Block::new(Codec::Raw, Bytes::copy_from_slice(&content[5000..6000]));
    let error = cat_all(root.cid, &store).unwrap_err();
    assert!(
        matches!(error, DagError::Block(BlockError::Corrupt { digest }) if digest == *leaf.digest()),
        "{error:?}"
    );
    assert!(store.delete(leaf.digest()).unwrap());
    store.put(&leaf).unwrap();
    assert!(cat_all(root.cid, &store).unwrap() == content);
}

#[test]
fn rot_in_the_last_unit_is_not_taken_for_a_crash() {
    let TwoCommits { bytes, blocks, .. } = two_commits();
    let mut rotten = bytes.clone();
    let at = bytes.windows(5).position(|window| window == b"third").unwrap();
    rotten[at] ^= 1;
    let (_dir, store) = reopened(&rotten);
    let store = store.unwrap();
    assert!(matches!(store.get(blocks[2].digest()), Err(BlockError::Corrupt { .. })));
    assert!(store.is_pinned(blocks[2].cid()));
}

#[test]
fn what_was_deleted_stays_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let block = raw("short-lived");
    let store = PackStore::open(dir.path()).unwrap();
    store.put(&block).unwrap();
    assert!(store.delete(block.digest()).unwrap());
    assert!(!store.delete(block.digest()).unwrap());
    drop(store);
    assert!(!PackStore::open(dir.path()).unwrap().has(block.digest()));
}

#[test]
fn an_interrupted_rotation_leaves_a_store_that_opens() {
    for leftover in [0, 10, 32] {
        let dir = tempfile::tempdir().unwrap();
        let store = PackStore::open(dir.path()).unwrap();
        store.put(&raw("kept")).unwrap();
        drop(store);
        fs::write(dir.path().join("0000000002.pack"), vec![0; leftover]).unwrap();
        let store = PackStore::open(dir.path()).unwrap();
        assert!(store.has(raw("kept").digest()));
    }
}

#[test]
fn a_closed_segment_that_lost_its_end_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = PackStore::open_with(dir.path(), 100).unwrap();
    for text in ["one", "two", "three", "four", "five", "six"] {
        store.put(&raw(text)).unwrap();
    }
    drop(store);
    let bytes = fs::read(segment(dir.path())).unwrap();
    fs::write(segment(dir.path()), &bytes[..bytes.len() - 1]).unwrap();
    assert!(matches!(PackStore::open(dir.path()), Err(BlockError::Damaged { .. })));
}

#[test]
fn refuses_a_block_above_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let store = PackStore::open(dir.path()).unwrap();
    let block = Block::new(Codec::Raw, vec![0; (2 << 20) + 1].into());
    assert!(matches!(store.put(&block), Err(BlockError::TooLarge { .. })));
    assert!(!store.has(block.digest()));
}

/// Set in the child process of the test below, which may not grow files beyond a limit.
const FULL_DISK_DIR: &str = "SEALWORK_TEST_FULL_DISK_DIR";

#[test]
fn a_full_disk_is_told_and_leaves_nothing_half_written() {
    let dir = tempfile::tempdir().unwrap();
    // A file size limit acts like a full disk: the write that crosses it stops in the middle of a record.
    let status = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 200; exec \"$0\" --exact crash::fills_the_disk"])
        .arg(std::env::current_exe().unwrap())
        .env(FULL_DISK_DIR, dir.path())
        .status()
        .unwrap();
    assert!(status.success());
    let store = PackStore::open(dir.path()).unwrap();
    let stored = store.iterate();
    assert!(stored.len() >= 5, "{} blocks", stored.len());
    for block in stored {
        assert!(store.get(&block.digest).unwrap().is_some());
    }
}

#[test]
fn fills_the_disk() {
    let Some(dir) = std::env::var_os(FULL_DISK_DIR) else { return };
    let store = PackStore::open(dir).unwrap();
    let blocks = (0..1000).map(|seed| Block::new(Codec::Raw, random(10_000, seed).into()));
    let mut stored = Vec::new();
    let refused = blocks.map(|block| (store.put(&block), block)).find_map(|(result, block)| match result {
        Ok(_) => {
            stored.push(block);
            None
        }
        Err(error) => Some((error, block)),
    });
    let (error, block) = refused.unwrap();
    assert!(matches!(error, BlockError::DiskFull { .. }), "{error:?}");
    assert!(!store.has(block.digest()));
    store.sync().unwrap();
    for block in &stored {
        assert_eq!(store.get(block.digest()).unwrap().as_ref(), Some(block.data()));
    }
    assert!(matches!(store.put(&block), Err(BlockError::DiskFull { .. })));
    assert_eq!(store.iterate().len(), stored.len());
}
