//! Opening a store: rebuild the index from the record headers, cut off what was never committed.

use super::{
    PackStore,
    record::{HEADER_BYTES, Kind, Record},
    segment::{FILE_HEADER_BYTES, Opened, Segment, sync_dir},
    state::{Location, State},
    writer::Writer,
};
use crate::{block::GeneralCid, error::BlockError};
use sealwork_types::Sha256Digest;
use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions, TryLockError},
    path::Path,
    sync::{Arc, Mutex, RwLock},
};

pub(super) fn open(dir: &Path, segment_bytes: u64) -> Result<PackStore, BlockError> {
    let failed = |source| BlockError::io("open store", dir, source);
    std::fs::create_dir_all(dir).map_err(failed)?;
    let lock = lock(dir)?;
    let mut ids = segment_ids(dir).map_err(failed)?;
    let mut state = State::default();
    let mut last = None;
    while let Some(id) = ids.pop_first() {
        match Segment::open(dir, id)? {
            Opened::Segment(segment) => {
                let segment = Arc::new(segment);
                let end = load(&segment, ids.is_empty(), &mut state)?;
                last = Some((segment, end));
            }
            Opened::Unborn if ids.is_empty() => {
                let path = Segment::path_of(dir, id);
                std::fs::remove_file(&path).map_err(|source| BlockError::io("remove", &path, source))?;
                sync_dir(dir).map_err(failed)?;
            }
            Opened::Unborn => {
                let path = Segment::path_of(dir, id);
                return Err(BlockError::Damaged { path, offset: 0, problem: "no segment header" });
            }
        }
    }
    let (active, end) = match last {
        Some(last) => last,
        None => (Arc::new(Segment::create(dir, 1)?), FILE_HEADER_BYTES),
    };
    state.set_len(&active, end);
    let dir = dir.to_path_buf();
    let writer =
        Writer { dir: dir.clone(), segment_bytes, active, end, durable_to: end, dirty: false, broken: false };
    Ok(PackStore { dir, state: RwLock::new(state), writer: Mutex::new(writer), _lock: lock })
}

fn lock(dir: &Path) -> Result<File, BlockError> {
    let path = dir.join("LOCK");
    let failed = |source| BlockError::io("lock", &path, source);
    let file = OpenOptions::new().create(true).write(true).truncate(false).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BlockError::InUse { path: dir.to_path_buf() }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn segment_ids(dir: &Path) -> std::io::Result<BTreeSet<u32>> {
    let mut ids = BTreeSet::new();
    for entry in std::fs::read_dir(dir)? {
        ids.extend(entry?.file_name().to_str().and_then(Segment::id_of));
    }
    Ok(ids)
}

/// Reads a segment into the state and returns its end. Only the last segment may end otherwise than with a commit.
fn load(segment: &Arc<Segment>, is_last: bool, state: &mut State) -> Result<u64, BlockError> {
    let file_end = segment.len()?;
    let (mut records, scanned_to) = scan(segment, file_end)?;
    if is_last {
        keep_committed(segment, &mut records)?;
    }
    let end = records.last().map_or(FILE_HEADER_BYTES, Record::end);
    // The next segment was made after this one was flushed, so here a missing end is damage.
    let damaged = |offset, problem| Err(BlockError::Damaged { path: segment.path.clone(), offset, problem });
    let is_whole = end == file_end && records.last().is_none_or(|last| last.kind == Kind::Commit);
    if !is_whole {
        if !is_last {
            return damaged(end, "a closed segment does not end with a commit");
        }
        if was_durable_behind(segment, scanned_to, file_end)? {
            return damaged(scanned_to, "unreadable record before a later commit");
        }
        tracing::warn!(segment = %segment.path.display(), from = end, to = file_end, "cut off uncommitted records");
        segment.truncate(end)?;
        segment.sync()?;
    }
    state.set_len(segment, end);
    for record in &records {
        apply(segment, record, state)?;
    }
    Ok(end)
}

/// Headers from the start until the first that is not one, and where that is.
fn scan(segment: &Segment, end: u64) -> Result<(Vec<Record>, u64), BlockError> {
    let mut records = Vec::new();
    let mut offset = FILE_HEADER_BYTES;
    while let Some(record) = segment.record(offset, end)? {
        offset = record.end();
        records.push(record);
    }
    Ok((records, offset))
}

/// Drops what no commit covers. The unit of the last commit may have reached the disk in part, in any order, so what
/// it does not call durable is hashed; if that is wrong the commit did not happen, and the one before it did.
fn keep_committed(segment: &Segment, records: &mut Vec<Record>) -> Result<(), BlockError> {
    while let Some(commit) = records.last() {
        let Some(durable_to) = commit.durable_to() else {
            records.pop();
            continue;
        };
        let mut intact = true;
        let unit = records.iter().filter(|record| record.offset >= durable_to && record.kind.has_payload());
        for record in unit {
            intact = intact
                && Sha256Digest::of(&segment.payload(record.payload_offset(), record.len)?) == record.digest;
        }
        if intact {
            return Ok(());
        }
        records.pop();
    }
    Ok(())
}

/// Whether a commit behind `from` says that `from` was durable: then the file was damaged, not cut short by a crash.
fn was_durable_behind(segment: &Segment, from: u64, end: u64) -> Result<bool, BlockError> {
    const WINDOW: u64 = 1 << 20;
    let mut start = from;
    while start + HEADER_BYTES <= end {
        let len = u32::try_from((end - start).min(WINDOW)).expect("a window is small");
        let window = segment.payload(start, len)?;
        let says_so = (start..).zip(window.array_windows::<40>()).any(|(offset, header)| {
            let commit =
                header.starts_with(&[0, 0, 0, 7]).then(|| Record::decode(header, &segment.salt, offset));
            commit
                .flatten()
                .and_then(|commit| commit.durable_to())
                .is_some_and(|durable_to| durable_to > from)
        });
        if says_so {
            return Ok(true);
        }
        start += u64::from(len) - (HEADER_BYTES - 1);
    }
    Ok(false)
}

fn apply(segment: &Arc<Segment>, record: &Record, state: &mut State) -> Result<(), BlockError> {
    match record.kind {
        Kind::Block(codec) => {
            let location = Location {
                segment: Arc::clone(segment),
                offset: record.payload_offset(),
                len: record.len,
                codec,
            };
            state.insert(record.digest, location);
        }
        Kind::Tombstone => state.remove(&record.digest),
        Kind::Pin => {
            state.pins.insert(pin_of(segment, record)?);
        }
        Kind::Unpin => {
            state.pins.remove(&pin_of(segment, record)?);
        }
        Kind::ResetPins => state.pins.clear(),
        Kind::Commit => {}
    }
    Ok(())
}

fn pin_of(segment: &Segment, record: &Record) -> Result<GeneralCid, BlockError> {
    let payload = segment.payload(record.payload_offset(), record.len)?;
    let intact = Sha256Digest::of(&payload) == record.digest;
    intact.then(|| GeneralCid::try_from(payload.as_ref()).ok()).flatten().ok_or_else(|| BlockError::Damaged {
        path: segment.path.clone(),
        offset: record.offset,
        problem: "a pin is not a CID",
    })
}
