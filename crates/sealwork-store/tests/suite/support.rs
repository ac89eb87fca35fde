use bytes::Bytes;
use futures::{StreamExt, stream};
use sealwork_ports::{ByteStream, ErrorKind, PortError};
use sealwork_store::{BlockStore, DagError, FileWalk, LocalOptions, LocalStore, WalkLimits};
use std::{io::Read, time::Duration};

/// The pattern of `spec/vectors/unixfs.json`.
pub(crate) struct Pattern {
    period: Vec<u8>,
    at: usize,
    left: u64,
}

impl Pattern {
    pub(crate) fn new(size: u64) -> Self {
        let byte = |i: usize| u8::try_from((i % 251 + i / 251) % 256).unwrap();
        Self { period: (0..64_256).map(byte).collect(), at: 0, left: size }
    }

    pub(crate) fn bytes(size: u64) -> Vec<u8> {
        let mut all = Vec::new();
        Self::new(size).read_to_end(&mut all).unwrap();
        all
    }

    pub(crate) fn stream(size: u64) -> ByteStream {
        stream::iter(PieceIter(Self::new(size))).boxed()
    }
}

impl Read for Pattern {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(self.period.len() - self.at).min(usize::try_from(self.left).unwrap());
        buffer[..count].copy_from_slice(&self.period[self.at..self.at + count]);
        self.at = (self.at + count) % self.period.len();
        self.left -= count as u64;
        Ok(count)
    }
}

struct PieceIter(Pattern);

impl Iterator for PieceIter {
    type Item = Result<Bytes, PortError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = vec![0; 60_000];
        let count = self.0.read(&mut piece).unwrap();
        piece.truncate(count);
        (count > 0).then(|| Ok(piece.into()))
    }
}

/// Bytes that repeat nowhere, from a seed.
pub(crate) fn random(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..size).map(|_| next()).collect()
}

pub(crate) fn cat_all(root: sealwork_store::GeneralCid, store: &dyn BlockStore) -> Result<Vec<u8>, DagError> {
    let pieces = sealwork_store::cat(root, WalkLimits::default(), store).collect::<Result<Vec<_>, _>>()?;
    Ok(pieces.concat())
}

/// A local store without grace, so that gc acts at once.
pub(crate) fn local(dir: &tempfile::TempDir) -> LocalStore {
    let options = LocalOptions { put_grace: Duration::ZERO, ..LocalOptions::default() };
    LocalStore::open(dir.path(), options).unwrap()
}

pub(crate) fn pieces(bytes: &[u8]) -> ByteStream {
    let pieces: Vec<_> = bytes.chunks(100_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces).boxed()
}

pub(crate) async fn drain(mut content: ByteStream) -> Result<Vec<u8>, PortError> {
    let mut all = Vec::new();
    while let Some(piece) = content.next().await {
        all.extend_from_slice(&piece?);
    }
    Ok(all)
}

pub(crate) fn walk(root: sealwork_store::GeneralCid) -> FileWalk {
    FileWalk::new(root, WalkLimits::default())
}

pub(crate) fn kind<T>(result: Result<T, PortError>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind)
}
