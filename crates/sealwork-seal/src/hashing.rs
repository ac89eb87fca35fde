//! SHA-256 and length of bytes while they pass.

use sealwork_types::{B256, Sha256Digest};
use std::{
    fmt,
    io::{self, Read, Write},
};

/// Passes bytes on to a writer and digests what the writer took.
pub struct HashingWriter<W> {
    inner: W,
    digest: Sha256Digest,
    len: u64,
}

impl<W: Write> HashingWriter<W> {
    /// Starts with nothing written.
    pub fn new(inner: W) -> Self {
        Self { inner, digest: Sha256Digest::new(), len: 0 }
    }

    /// The writer, the SHA-256 of everything written, and its length in bytes.
    pub fn finish(self) -> (W, B256, u64) {
        (self.inner, self.digest.finish(), self.len)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.inner.write(bytes)?;
        count(&mut self.digest, &mut self.len, bytes, taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W> fmt::Debug for HashingWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashingWriter").field("len", &self.len).finish_non_exhaustive()
    }
}

/// Passes bytes on from a reader and digests them.
pub struct HashingReader<R> {
    inner: R,
    digest: Sha256Digest,
    len: u64,
}

impl<R: Read> HashingReader<R> {
    /// Starts with nothing read.
    pub fn new(inner: R) -> Self {
        Self { inner, digest: Sha256Digest::new(), len: 0 }
    }

    /// The reader, the SHA-256 of everything read so far, and its length in bytes.
    ///
    /// Covers the whole source only when it was read to its end.
    pub fn finish(self) -> (R, B256, u64) {
        (self.inner, self.digest.finish(), self.len)
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let taken = self.inner.read(bytes)?;
        count(&mut self.digest, &mut self.len, bytes, taken)
    }
}

impl<R> fmt::Debug for HashingReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashingReader").field("len", &self.len).finish_non_exhaustive()
    }
}

fn count(digest: &mut Sha256Digest, len: &mut u64, bytes: &[u8], taken: usize) -> io::Result<usize> {
    let passed =
        bytes.get(..taken).ok_or_else(|| io::Error::other("stream claims more bytes than it was given"))?;
    digest.update(passed);
    *len = len.saturating_add(passed.len() as u64);
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_digest_what_passed() {
        let data = vec![5; 100_000];
        let mut writer = HashingWriter::new(Vec::new());
        data.chunks(777).for_each(|chunk| writer.write_all(chunk).unwrap());
        let (written, digest, len) = writer.finish();
        let mut reader = HashingReader::new(&written[..]);
        io::copy(&mut reader, &mut io::sink()).unwrap();
        assert_eq!((digest, len), (Sha256Digest::of(&data), 100_000));
        assert_eq!(reader.finish().1, digest);
    }
}
