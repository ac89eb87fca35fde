//! Files of a pack store that somebody else wrote to: the store opens with what a commit left, or says what is damaged.

use crate::{
    memory::{bounded, linear},
    seeds::{Seed, chosen},
};
use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use sealwork_store::{Block, BlockStore, PackStore};
use sealwork_types::{Codec, Sha256Digest};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// Smallest segments, so that a few blocks fill several.
const SEGMENT_BYTES: u64 = 400;

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let folder = folder();
    let script = &mut Unstructured::new(rest);
    let changed = match kind % 2 {
        0 => write(folder.path(), script).and_then(|()| damage(folder.path(), script)),
        _ => {
            fs::write(folder.path().join("0000000001.pack"), rest).expect("a file can be written");
            Ok(())
        }
    };
    if changed.is_ok() {
        open(folder.path(), rest);
    }
}

/// In memory where the system offers it: a disk would be all that is measured.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    made.expect("a temporary folder can be made")
}

/// Blocks, commits, deletions and pins, as a program does them.
fn write(folder: &Path, script: &mut Unstructured<'_>) -> Result<()> {
    let store = PackStore::open_with(folder, SEGMENT_BYTES).expect("an empty folder");
    for _ in 0..script.int_in_range(1..=10)? {
        let codec = if script.arbitrary()? { Codec::Raw } else { Codec::DagPb };
        let block = Block::new(codec, Bytes::from(vec![script.arbitrary()?; script.int_in_range(0..=200)?]));
        match script.int_in_range(0..=4)? {
            0 => drop(store.delete(block.digest()).expect("a deletion")),
            1 => store.sync().expect("a commit"),
            2 => store.commit(&[*block.cid()], &[]).expect("a pin"),
            _ => drop(store.put(&block).expect("a block")),
        }
    }
    if script.arbitrary()? {
        store.sync().expect("a commit");
    }
    Ok(())
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "pack")).collect();
    paths.sort();
    paths
}

/// Bytes flipped, cut off, added or moved.
fn damage(folder: &Path, script: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..script.int_in_range(0..=3)? {
        let paths = segments(folder);
        let path = &paths[script.choose_index(paths.len())?];
        let mut bytes = fs::read(path).expect("a segment can be read");
        let at = script.choose_index(bytes.len() + 1)?;
        match script.int_in_range(0..=4)? {
            0 => bytes.truncate(at),
            1 => bytes.extend(script.arbitrary::<Vec<u8>>()?),
            2 => bytes.extend_from_within(at..),
            3 => fs::remove_file(path).expect("a segment can be removed"),
            _ => {
                let change = script.arbitrary::<u8>()?;
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= change);
            }
        }
        fs::write(path, bytes).expect("a segment can be written");
    }
    Ok(())
}

/// What comes out was hashed, and a store that opened once opens again with the same blocks.
fn open(folder: &Path, input: &[u8]) {
    let limit = linear(3 << 20, 64, input);
    let Ok(store) = bounded(limit, || PackStore::open_with(folder, SEGMENT_BYTES)) else { return };
    let blocks = store.iterate();
    for stored in &blocks {
        if let Ok(Some(bytes)) = bounded(limit, || store.get(&stored.digest)) {
            assert_eq!(Sha256Digest::of(&bytes), stored.digest);
            assert_eq!(bytes.len(), usize::try_from(stored.len).expect("small"));
        }
    }
    let pins = store.pins();
    drop(store);
    let again = PackStore::open_with(folder, SEGMENT_BYTES).expect("what opened once opens again");
    assert_eq!((again.iterate(), again.pins()), (blocks, pins));
    let block = Block::new(Codec::Raw, Bytes::from_static(b"one more"));
    again.put(&block).expect("an opened store takes blocks");
    again.sync().expect("an opened store commits");
    drop(again);
    let last = PackStore::open_with(folder, SEGMENT_BYTES).expect("what was committed opens");
    assert!(last.has(block.digest()), "a committed block is lost");
}

pub fn seeds() -> Vec<Seed> {
    let folder = folder();
    let store = PackStore::open(folder.path()).expect("an empty folder");
    for text in ["one", "two"] {
        store.put(&Block::new(Codec::Raw, Bytes::from(text))).expect("a block");
        store.sync().expect("a commit");
    }
    drop(store);
    let file = fs::read(&segments(folder.path())[0]).expect("a segment");
    vec![
        chosen("damaged", 0, (0..180).collect::<Vec<u8>>()),
        chosen("whole", 0, [1; 100]),
        chosen("cut", 0, [200; 90]),
        chosen("file", 1, file),
    ]
}
