//! One segment file.

use super::record::{HEADER_BYTES, Record};
use crate::error::BlockError;
use bytes::{Bytes, BytesMut};
use sealwork_types::Sha256Digest;
use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// Bytes before the first record: magic (8), random salt (16), the segment's number (4), a check of these (4).
pub(super) const FILE_HEADER_BYTES: u64 = 32;
const MAGIC: &[u8; 8] = b"SWPACK1\n";

/// An open segment. Reading needs no lock; only the writer appends.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) id: u32,
    pub(super) path: PathBuf,
    pub(super) salt: [u8; 16],
    file: File,
}

/// What a file turned out to be.
pub(super) enum Opened {
    Segment(Segment),
    /// Its creation was interrupted; it holds nothing.
    Unborn,
}

impl Segment {
    /// File name of a segment.
    pub(super) fn path_of(dir: &Path, id: u32) -> PathBuf {
        dir.join(format!("{id:010}.pack"))
    }

    /// Number of the segment with this file name.
    pub(super) fn id_of(name: &str) -> Option<u32> {
        name.strip_suffix(".pack").filter(|digits| digits.len() >= 10)?.parse().ok()
    }

    /// Makes a new durable, empty segment.
    pub(super) fn create(dir: &Path, id: u32) -> Result<Self, BlockError> {
        let path = Self::path_of(dir, id);
        let failed = |source| BlockError::io("create segment", &path, source);
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| failed(std::io::Error::other(error.to_string())))?;
        let mut header = BytesMut::with_capacity(32);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&salt);
        header.extend_from_slice(&id.to_le_bytes());
        header.extend_from_slice(&check(&salt, id));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).map_err(failed)?;
        let written =
            file.write_all_at(&header, 0).and_then(|()| file.sync_all()).and_then(|()| sync_dir(dir));
        if let Err(error) = written {
            // A leftover without records is removed on the next open as well.
            let _ = std::fs::remove_file(&path);
            return Err(failed(error));
        }
        Ok(Self { id, path, salt, file })
    }

    /// Opens an existing segment.
    pub(super) fn open(dir: &Path, id: u32) -> Result<Opened, BlockError> {
        let path = Self::path_of(dir, id);
        let failed = |source| BlockError::io("open segment", &path, source);
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        let mut header = [0; 32];
        if len >= FILE_HEADER_BYTES {
            file.read_exact_at(&mut header, 0).map_err(failed)?;
        }
        match salt_of(&header, id) {
            Some(salt) => Ok(Opened::Segment(Self { id, salt, path, file })),
            None if len <= FILE_HEADER_BYTES => Ok(Opened::Unborn),
            None => Err(BlockError::Damaged { path, offset: 0, problem: "no segment header" }),
        }
    }

    /// Bytes in the file.
    pub(super) fn len(&self) -> Result<u64, BlockError> {
        Ok(self
            .file
            .metadata()
            .map_err(|source| BlockError::io("measure segment", &self.path, source))?
            .len())
    }

    /// The record whose header starts at `offset`, if there is a whole one before `end`.
    pub(super) fn record(&self, offset: u64, end: u64) -> Result<Option<Record>, BlockError> {
        if offset.saturating_add(HEADER_BYTES) > end {
            return Ok(None);
        }
        let mut header = [0; 40];
        self.read(&mut header, offset)?;
        Ok(Record::decode(&header, &self.salt, offset).filter(|record| record.end() <= end))
    }

    /// Reads bytes at an offset.
    pub(super) fn payload(&self, offset: u64, len: u32) -> Result<Bytes, BlockError> {
        let len = usize::try_from(len).expect("usize has at least 32 bits");
        let mut data = BytesMut::zeroed(len);
        self.read(&mut data, offset)?;
        Ok(data.freeze())
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<(), BlockError> {
        self.file
            .read_exact_at(buffer, offset)
            .map_err(|source| BlockError::io("read segment", &self.path, source))
    }

    /// Writes bytes at an offset.
    pub(super) fn write(&self, bytes: &[u8], offset: u64) -> Result<(), BlockError> {
        self.file
            .write_all_at(bytes, offset)
            .map_err(|source| BlockError::io("write segment", &self.path, source))
    }

    /// Cuts the file.
    pub(super) fn truncate(&self, len: u64) -> Result<(), BlockError> {
        self.file.set_len(len).map_err(|source| BlockError::io("cut segment", &self.path, source))
    }

    /// Makes all writes durable.
    pub(super) fn sync(&self) -> Result<(), BlockError> {
        self.file.sync_data().map_err(|source| BlockError::io("flush segment", &self.path, source))
    }
}

/// The salt in a file header that was written for segment `id`.
fn salt_of(header: &[u8; 32], id: u32) -> Option<[u8; 16]> {
    let (magic, rest) = header.split_first_chunk::<8>()?;
    let (salt, rest) = rest.split_first_chunk::<16>()?;
    let (number, given) = rest.split_first_chunk::<4>()?;
    (magic == MAGIC && *number == id.to_le_bytes() && *given == check(salt, id)).then_some(*salt)
}

fn check(salt: &[u8; 16], id: u32) -> [u8; 4] {
    let [a, b, c, d, ..] = Sha256Digest::of_parts(&[MAGIC, salt, &id.to_le_bytes()]).0;
    [a, b, c, d]
}

/// Makes created and removed names durable.
pub(super) fn sync_dir(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}
