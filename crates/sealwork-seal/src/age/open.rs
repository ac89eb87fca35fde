//! Reading a sealed file.

use super::{
    HeaderError, Identity, OpenError, PayloadError,
    header::{FileKey, Header, Stanza},
    hpke::TAG,
    hybrid::Wrapped,
    stream::{CHUNK, ChunkCipher, PAYLOAD_NONCE, Position, SEALED_CHUNK},
};
use std::{
    fmt,
    io::{self, BufReader, Read},
};
use zeroize::Zeroizing;

/// Opens a sealed file while it is read.
///
/// Bytes come out only after their chunk authenticated. End of stream is reported only after the chunk marked as last
/// authenticated and nothing follows it. Every failure is an [`io::Error`] whose inner error is an [`OpenError`]
/// (`OpenError::from(error)` finds it), and stays: later reads fail alike. What was read before a failure is authentic
/// but incomplete.
pub struct OpenReader<R: Read> {
    source: BufReader<R>,
    cipher: ChunkCipher,
    /// A sealed chunk and the byte behind it, which tells whether it is the last one.
    sealed: Vec<u8>,
    /// Bytes at the start of `sealed` that were read with the chunk before.
    held: usize,
    plaintext: Zeroizing<Vec<u8>>,
    /// Unread part of `plaintext`.
    start: usize,
    end: usize,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Reading,
    Finished,
    Failed(PayloadError),
    /// The file below failed in the middle of a chunk; where to go on is unknown.
    Broken,
}

impl<R: Read> OpenReader<R> {
    /// Reads the header and finds the file key.
    ///
    /// # Errors
    /// [`OpenError`]: malformed or altered header, no stanza for an identity, missing payload nonce, failing reader.
    pub fn new(identities: &[Identity], source: R) -> Result<Self, OpenError> {
        Self::with(source, |stanzas| unwrap_file_key(identities, stanzas))
    }

    /// Like [`OpenReader::new`] with another way to find the file key.
    pub(super) fn with(
        source: R,
        unwrap: impl FnOnce(&[Stanza]) -> Result<Option<FileKey>, HeaderError>,
    ) -> Result<Self, OpenError> {
        let mut source = BufReader::new(source);
        let header = Header::read(&mut source).map_err(OpenError::Io)??;
        let file_key = unwrap(&header.stanzas)?.ok_or(OpenError::NoMatch)?;
        if !header.check_mac(&file_key) {
            return Err(OpenError::HeaderMac);
        }
        let mut nonce = [0; PAYLOAD_NONCE];
        let found = read_full(&mut source, &mut nonce).map_err(OpenError::Io)?;
        if found < PAYLOAD_NONCE {
            return Err(PayloadError::Nonce { found, expected: PAYLOAD_NONCE }.into());
        }
        Ok(Self {
            source,
            cipher: ChunkCipher::new(&file_key, &nonce),
            sealed: vec![0; SEALED_CHUNK.saturating_add(1)],
            held: 0,
            plaintext: Zeroizing::new(vec![0; CHUNK]),
            start: 0,
            end: 0,
            state: State::Reading,
        })
    }

    /// The reader below, for its digest or position. It stands at its end only after this reader reported the end.
    pub fn into_inner(self) -> R {
        self.source.into_inner()
    }

    /// Opens the next chunk into `direct`, which has room for a whole one, or else into `plaintext`. Gives its length.
    fn open_chunk(&mut self, direct: Option<&mut [u8]>) -> Result<usize, OpenError> {
        let room = self.sealed.get_mut(self.held..).unwrap_or_default();
        let filled = self.held.saturating_add(read_full(&mut self.source, room).map_err(OpenError::Io)?);
        let (found, at_end) = (filled.min(SEALED_CHUNK), filled <= SEALED_CHUNK);
        let chunk = self.cipher.number();
        let sealed = self.sealed.get(..found).unwrap_or_default();
        let Some(len) = found.checked_sub(TAG) else {
            return Err(PayloadError::Truncated { chunks: chunk }.into());
        };
        let plaintext = direct.unwrap_or(&mut self.plaintext).get_mut(..len).unwrap_or_default();
        // Which failure it was is found out by trying the other mark: the bytes are authentic either way.
        let (expected, other, verdict) = if at_end {
            (Position::Last, Position::Inner, PayloadError::Truncated { chunks: chunk.saturating_add(1) })
        } else {
            (Position::Inner, Position::Last, PayloadError::Trailing { chunk })
        };
        if self.cipher.open(sealed, plaintext, expected).is_ok() {
            if at_end && len == 0 && chunk > 0 {
                return Err(PayloadError::Empty { chunk }.into());
            }
            self.state = if at_end { State::Finished } else { State::Reading };
        } else if found == SEALED_CHUNK && self.cipher.open(sealed, plaintext, other).is_ok() {
            self.state = State::Failed(verdict);
        } else {
            plaintext.fill(0);
            return Err(PayloadError::Altered { chunk }.into());
        }
        self.held = filled.saturating_sub(found);
        self.sealed.copy_within(found..filled, 0);
        Ok(len)
    }

    /// [`OpenReader::open_chunk`], after which a failure stays.
    fn next_chunk(&mut self, direct: Option<&mut [u8]>) -> io::Result<usize> {
        self.open_chunk(direct).map_err(|error| {
            self.state = match &error {
                OpenError::Payload(payload) => State::Failed(*payload),
                OpenError::Io(_) | OpenError::Header(_) | OpenError::NoMatch | OpenError::HeaderMac => {
                    State::Broken
                }
            };
            error.into()
        })
    }
}

impl<R: Read> Read for OpenReader<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        while self.start == self.end {
            match self.state {
                State::Finished => return Ok(0),
                State::Failed(error) => return Err(OpenError::Payload(error).into()),
                State::Broken => return Err(io::Error::other("an earlier read of the sealed file failed")),
                State::Reading => {}
            }
            // A caller with room for a whole chunk gets it without another copy.
            if bytes.len() >= CHUNK {
                match self.next_chunk(Some(bytes))? {
                    0 => continue,
                    len => return Ok(len),
                }
            }
            (self.start, self.end) = (0, self.next_chunk(None)?);
        }
        let unread = self.plaintext.get(self.start..self.end).unwrap_or_default();
        let taken = unread.len().min(bytes.len());
        if let (Some(to), Some(from)) = (bytes.get_mut(..taken), unread.get(..taken)) {
            to.copy_from_slice(from);
        }
        self.start = self.start.saturating_add(taken);
        Ok(taken)
    }
}

impl<R: Read> fmt::Debug for OpenReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenReader").field("chunk", &self.cipher.number()).finish_non_exhaustive()
    }
}

/// Every stanza of the hybrid type must be well formed, even when another one has the key.
fn unwrap_file_key(identities: &[Identity], stanzas: &[Stanza]) -> Result<Option<FileKey>, HeaderError> {
    let wrapped = stanzas.iter().filter_map(|stanza| Wrapped::parse(stanza).transpose());
    let wrapped = wrapped.collect::<Result<Vec<_>, _>>()?;
    for stanza in &wrapped {
        for identity in identities {
            if let Some(file_key) = stanza.unwrap(identity)? {
                return Ok(Some(file_key));
            }
        }
    }
    Ok(None)
}

/// Reads until the buffer is full or the source ends.
fn read_full(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0_usize;
    loop {
        let room = buffer.get_mut(filled..).unwrap_or_default();
        if room.is_empty() {
            return Ok(filled);
        }
        match source.read(room) {
            Ok(0) => return Ok(filled),
            Ok(more) => filled = filled.saturating_add(more),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
