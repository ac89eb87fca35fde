//! Writing a sealed file.

use super::{
    Recipient, SealError, header,
    hpke::TAG,
    hybrid,
    stream::{CHUNK, ChunkCipher, PAYLOAD_NONCE, Position, SEALED_CHUNK},
};
use crate::Secret;
use std::{
    fmt,
    io::{self, Write},
};
use zeroize::Zeroizing;

/// Most recipients of one file; their header stays below [`super::MAX_HEADER_BYTES`].
pub const MAX_RECIPIENTS: usize = 32;

const FRAME_BYTES: u64 = 70;
const STANZA_BYTES: u64 = 1557;

/// Bytes of a sealed file with so many recipients and plaintext bytes. Saturates at `u64::MAX`.
pub const fn sealed_len(recipients: u64, plaintext: u64) -> u64 {
    let chunks = plaintext.div_ceil(CHUNK as u64);
    let tags = (if chunks == 0 { 1 } else { chunks }).saturating_mul(TAG as u64);
    FRAME_BYTES
        .saturating_add(recipients.saturating_mul(STANZA_BYTES))
        .saturating_add(PAYLOAD_NONCE as u64)
        .saturating_add(plaintext)
        .saturating_add(tags)
}

/// Seals what is written to it. Only [`SealWriter::finish`] makes the file complete; dropping the writer leaves a file
/// that every reader refuses as truncated.
pub struct SealWriter<W: Write> {
    out: W,
    cipher: ChunkCipher,
    /// The current chunk's plaintext and room for its tag.
    buffer: Zeroizing<Vec<u8>>,
    filled: usize,
    failed: bool,
}

impl<W: Write> SealWriter<W> {
    /// Makes a file key, wraps it for every recipient and writes the header.
    ///
    /// # Errors
    /// [`SealError`] for no or too many recipients, missing randomness, or a failing writer.
    pub fn new(recipients: &[Recipient], mut out: W) -> Result<Self, SealError> {
        if recipients.is_empty() || recipients.len() > MAX_RECIPIENTS {
            return Err(SealError::Recipients { found: recipients.len(), limit: MAX_RECIPIENTS });
        }
        let file_key = Secret::random()?;
        let stanzas = recipients
            .iter()
            .map(|recipient| hybrid::wrap(recipient, &file_key))
            .collect::<Result<Vec<_>, _>>()?;
        let mut nonce = [0; PAYLOAD_NONCE];
        crate::random::fill(&mut nonce)?;
        out.write_all(&header::write(&stanzas, &file_key))?;
        out.write_all(&nonce)?;
        let cipher = ChunkCipher::new(&file_key, &nonce);
        Ok(Self { out, cipher, buffer: Zeroizing::new(vec![0; SEALED_CHUNK]), filled: 0, failed: false })
    }

    /// Seals the last chunk and gives the writer back. Does not flush it.
    ///
    /// # Errors
    /// [`SealError::Io`] when the writer fails or failed before.
    pub fn finish(mut self) -> Result<W, SealError> {
        self.check_usable()?;
        self.seal_chunk(Position::Last)?;
        Ok(self.out)
    }

    fn seal_chunk(&mut self, position: Position) -> io::Result<()> {
        // A chunk that was sealed but only partly written must never be tried again under another number.
        self.failed = true;
        let (chunk, rest) = self.buffer.split_at_mut(self.filled);
        let tag = self.cipher.seal(chunk, position).map_err(io::Error::other)?;
        let room = rest.first_chunk_mut::<TAG>().ok_or_else(|| io::Error::other("no room for a tag"))?;
        *room = tag;
        let sealed = self.buffer.get(..self.filled.saturating_add(TAG)).unwrap_or_default();
        self.out.write_all(sealed)?;
        self.filled = 0;
        self.failed = false;
        Ok(())
    }

    fn check_usable(&self) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("an earlier write to this sealed file failed"));
        }
        Ok(())
    }
}

impl<W: Write> Write for SealWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check_usable()?;
        if bytes.is_empty() {
            return Ok(0);
        }
        // A full chunk waits until it is known not to be the last.
        if self.filled == CHUNK {
            self.seal_chunk(Position::Inner)?;
        }
        let taken = bytes.len().min(CHUNK.saturating_sub(self.filled));
        let end = self.filled.saturating_add(taken);
        let (Some(room), Some(bytes)) = (self.buffer.get_mut(self.filled..end), bytes.get(..taken)) else {
            return Err(io::Error::other("chunk buffer overrun"));
        };
        room.copy_from_slice(bytes);
        self.filled = end;
        Ok(taken)
    }

    /// Flushes whole chunks; the current one stays until it is full or the file is finished.
    fn flush(&mut self) -> io::Result<()> {
        self.check_usable()?;
        self.out.flush()
    }
}

impl<W: Write> fmt::Debug for SealWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealWriter").field("chunk", &self.cipher.number()).finish_non_exhaustive()
    }
}
