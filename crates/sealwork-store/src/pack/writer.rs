//! The one place that appends.

use super::{
    record::{Kind, Record},
    segment::{FILE_HEADER_BYTES, Segment},
    state::{Location, State},
};
use crate::{block::GeneralCid, error::BlockError};
use sealwork_types::{B256, Codec, Sha256Digest};
use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

/// Appends records to the active segment.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) dir: PathBuf,
    pub(super) segment_bytes: u64,
    pub(super) active: Arc<Segment>,
    /// End of the last record.
    pub(super) end: u64,
    /// Up to where the active segment is known to be durable.
    pub(super) durable_to: u64,
    /// Whether there are records behind the last commit.
    pub(super) dirty: bool,
    /// A flush failed, or a torn record could not be cut off.
    pub(super) broken: bool,
}

impl Writer {
    /// Appends a block to the active segment, beginning a new one when it is full.
    pub(super) fn append_block(
        &mut self,
        codec: Codec,
        digest: &B256,
        data: &[u8],
        state: &RwLock<State>,
    ) -> Result<Location, BlockError> {
        self.make_room(state)?;
        let len = u32::try_from(data.len()).expect("blocks are at most MAX_BLOCK_BYTES");
        let record = self.append(Kind::Block(codec), *digest, data, state)?;
        Ok(Location { segment: Arc::clone(&self.active), offset: record.payload_offset(), len, codec })
    }

    /// Appends that a block is gone.
    pub(super) fn append_tombstone(
        &mut self,
        digest: &B256,
        state: &RwLock<State>,
    ) -> Result<(), BlockError> {
        self.make_room(state)?;
        self.append(Kind::Tombstone, *digest, &[], state).map(drop)
    }

    /// Appends changes of pins and a commit, and flushes. Without changes and news it does nothing.
    pub(super) fn commit(
        &mut self,
        add: &[GeneralCid],
        remove: &[GeneralCid],
        shared: &RwLock<State>,
    ) -> Result<(), BlockError> {
        if add.is_empty() && remove.is_empty() && !self.dirty {
            return Ok(());
        }
        self.refuse_if_broken()?;
        let start = self.end;
        let changes =
            add.iter().map(|cid| (Kind::Pin, cid)).chain(remove.iter().map(|cid| (Kind::Unpin, cid)));
        let mut appended = Ok(());
        for (kind, cid) in changes {
            let cid = cid.to_bytes();
            appended =
                appended.and_then(|()| self.append(kind, Sha256Digest::of(&cid), &cid, shared).map(drop));
        }
        if let Err(error) = appended.and_then(|()| self.seal(shared)) {
            self.cut(start, shared);
            return Err(error);
        }
        let mut state = shared.write().unwrap_or_else(PoisonError::into_inner);
        state.pins.extend(add);
        for cid in remove {
            state.pins.remove(cid);
        }
        drop(state);
        self.confirm(shared);
        Ok(())
    }

    /// Voids all pins and states them anew in the active segment. Durable with the next commit.
    pub(super) fn restate_pins(&mut self, state: &RwLock<State>) -> Result<(), BlockError> {
        let pins = state.read().unwrap_or_else(PoisonError::into_inner).pins.clone();
        let start = self.end;
        let mut appended = self.append(Kind::ResetPins, B256::ZERO, &[], state).map(drop);
        for cid in pins {
            let cid = cid.to_bytes();
            appended =
                appended.and_then(|()| self.append(Kind::Pin, Sha256Digest::of(&cid), &cid, state).map(drop));
        }
        appended.inspect_err(|_| self.cut(start, state))
    }

    /// Commits, and begins the next segment.
    pub(super) fn rotate(&mut self, state: &RwLock<State>) -> Result<(), BlockError> {
        self.commit(&[], &[], state)?;
        self.refuse_if_broken()?;
        let ran_out = || BlockError::Damaged {
            path: self.active.path.clone(),
            offset: 0,
            problem: "no segment number is left",
        };
        let id = self.active.id.checked_add(1).ok_or_else(ran_out)?;
        self.active = Arc::new(Segment::create(&self.dir, id)?);
        self.end = FILE_HEADER_BYTES;
        self.durable_to = FILE_HEADER_BYTES;
        self.dirty = false;
        self.publish_len(state);
        Ok(())
    }

    fn make_room(&mut self, state: &RwLock<State>) -> Result<(), BlockError> {
        if self.end >= self.segment_bytes && self.end > FILE_HEADER_BYTES {
            self.rotate(state)
        } else {
            Ok(())
        }
    }

    fn append(
        &mut self,
        kind: Kind,
        digest: B256,
        data: &[u8],
        state: &RwLock<State>,
    ) -> Result<Record, BlockError> {
        self.refuse_if_broken()?;
        let len = u32::try_from(data.len()).expect("payloads are at most MAX_BLOCK_BYTES");
        let record = Record { offset: self.end, kind, len, digest };
        self.write(&record, data, state)?;
        Ok(record)
    }

    fn write(&mut self, record: &Record, data: &[u8], state: &RwLock<State>) -> Result<(), BlockError> {
        let header = record.encode(&self.active.salt);
        let written = self
            .active
            .write(data, record.payload_offset())
            .and_then(|()| self.active.write(&header, record.offset));
        if let Err(error) = written {
            self.cut(record.offset, state);
            return Err(error);
        }
        self.end = record.end();
        self.dirty = true;
        self.publish_len(state);
        Ok(())
    }

    /// Writes the commit record and flushes.
    fn seal(&mut self, state: &RwLock<State>) -> Result<(), BlockError> {
        self.write(&Record::commit(self.end, self.durable_to), &[], state)?;
        // After a failed flush the kernel may have dropped the pages; what the file holds is unknown until it is read.
        self.active.sync().inspect_err(|_| self.broken = true)?;
        self.durable_to = self.end;
        self.dirty = false;
        Ok(())
    }

    /// Notes, without another flush, that the last commit is durable. Whoever opens the file then knows damage from a
    /// crash, and need not hash the last unit. The note may be lost; an error is met again by the next write.
    fn confirm(&mut self, state: &RwLock<State>) {
        if self.write(&Record::commit(self.end, self.durable_to), &[], state).is_ok() {
            self.dirty = false;
        }
    }

    /// Takes back everything from `offset`.
    fn cut(&mut self, offset: u64, state: &RwLock<State>) {
        self.end = offset;
        if self.active.truncate(offset).is_err() {
            self.broken = true;
        }
        self.publish_len(state);
    }

    fn publish_len(&self, state: &RwLock<State>) {
        state.write().unwrap_or_else(PoisonError::into_inner).set_len(&self.active, self.end);
    }

    fn refuse_if_broken(&self) -> Result<(), BlockError> {
        if self.broken { Err(BlockError::ReadOnly { path: self.active.path.clone() }) } else { Ok(()) }
    }
}
