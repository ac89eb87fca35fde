//! The header: strict grammar in both directions, nothing normalised.

use super::{HeaderError, base64};
use crate::{Secret, hkdf};
use std::{
    io::{self, BufRead},
    ops::Range,
};
use subtle::ConstantTimeEq;

/// Longest header that is read, bytes.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Bytes of a file key.
pub(super) const FILE_KEY: usize = 16;
/// The key of one file.
pub(super) type FileKey = Secret<[u8; FILE_KEY]>;

const VERSION_LINE: &[u8] = b"age-encryption.org/v1";
const STANZA_PREFIX: &[u8] = b"-> ";
const MAC_PREFIX: &[u8] = b"---";
const COLUMNS: usize = 64;
const MAC: usize = 32;

/// A wrapped file key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stanza {
    pub(super) kind: String,
    pub(super) arguments: Vec<String>,
    pub(super) body: Vec<u8>,
}

/// A parsed header. Nothing in it is authenticated before [`Header::check_mac`].
#[derive(Debug)]
pub(super) struct Header {
    pub(super) stanzas: Vec<Stanza>,
    /// The header's bytes up to and with `---`.
    covered: Vec<u8>,
    mac: [u8; MAC],
}

impl Header {
    /// Whether the MAC is the file key's. Constant time in the MAC.
    pub(super) fn check_mac(&self, file_key: &FileKey) -> bool {
        mac(file_key, &self.covered).expose(|expected| expected.ct_eq(&self.mac).into())
    }

    /// Reads a header and leaves `source` at the first byte behind it.
    pub(super) fn read(source: &mut impl BufRead) -> io::Result<Result<Self, HeaderError>> {
        let mut lines = Lines { source, bytes: Vec::new(), number: 0 };
        match parse(&mut lines) {
            Ok(header) => Ok(Ok(header)),
            Err(Failure::Header(error)) => Ok(Err(error)),
            Err(Failure::Io(error)) => Err(error),
        }
    }
}

/// The bytes of a header.
pub(super) fn write(stanzas: &[Stanza], file_key: &FileKey) -> Vec<u8> {
    let mut text = [VERSION_LINE, b"\n"].concat();
    for stanza in stanzas {
        text.extend_from_slice(b"->");
        for word in std::iter::once(&stanza.kind).chain(&stanza.arguments) {
            text.push(b' ');
            text.extend_from_slice(word.as_bytes());
        }
        text.push(b'\n');
        let body = base64::encode(&stanza.body);
        let mut lines = body.as_bytes().chunks_exact(COLUMNS);
        for line in lines.by_ref() {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        text.extend_from_slice(lines.remainder());
        text.push(b'\n');
    }
    text.extend_from_slice(MAC_PREFIX);
    let mac = mac(file_key, &text).expose(|mac| base64::encode(mac));
    text.push(b' ');
    text.extend_from_slice(mac.as_bytes());
    text.push(b'\n');
    text
}

fn mac(file_key: &FileKey, covered: &[u8]) -> Secret<[u8; MAC]> {
    let key = file_key.expose(|key| hkdf::expand(&hkdf::extract(&[], &[key]), &[b"header"]));
    // HMAC under the derived key is what extraction computes.
    key.expose(|key| hkdf::extract(key, &[covered]))
}

enum Failure {
    Header(HeaderError),
    Io(io::Error),
}

impl From<HeaderError> for Failure {
    fn from(error: HeaderError) -> Self {
        Self::Header(error)
    }
}

fn parse(lines: &mut Lines<'_, impl BufRead>) -> Result<Header, Failure> {
    let first = lines.next()?;
    if lines.get(&first) != VERSION_LINE {
        return Err(HeaderError::Version.into());
    }
    let mut stanzas = Vec::new();
    loop {
        let line = lines.next()?;
        let text = lines.get(&line);
        if let Some(words) = text.strip_prefix(STANZA_PREFIX) {
            let (kind, arguments) = stanza_words(words).ok_or_else(|| lines.wrong("\"->\" and words"))?;
            let body = stanza_body(lines)?;
            stanzas.push(Stanza { kind, arguments, body });
            continue;
        }
        let mac = text.strip_prefix(MAC_PREFIX).and_then(|rest| rest.strip_prefix(b" "));
        let mac = mac.and_then(base64::decode).and_then(|mac| <[u8; MAC]>::try_from(mac).ok());
        let mac = mac.ok_or_else(|| lines.wrong("a stanza, or \"---\" and a MAC of 43 letters"))?;
        if stanzas.is_empty() {
            return Err(lines.wrong("a stanza; there must be one").into());
        }
        let covered = line.start.saturating_add(MAC_PREFIX.len());
        lines.bytes.truncate(covered);
        return Ok(Header { stanzas, covered: std::mem::take(&mut lines.bytes), mac });
    }
}

/// Words of visible ASCII with one space between two.
fn stanza_words(words: &[u8]) -> Option<(String, Vec<String>)> {
    let mut words = words.split(|byte| *byte == b' ').map(|word| {
        let visible = !word.is_empty() && word.iter().all(u8::is_ascii_graphic);
        visible.then(|| word.iter().copied().map(char::from).collect::<String>())
    });
    let kind = words.next()??;
    Some((kind, words.collect::<Option<_>>()?))
}

/// Full lines of 64 letters and one shorter line, which may be empty but is never left out.
fn stanza_body(lines: &mut Lines<'_, impl BufRead>) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        let line = lines.next()?;
        let text = lines.get(&line);
        let bytes = base64::decode(text).filter(|_| text.len() <= COLUMNS);
        let last = text.len() < COLUMNS;
        body.extend(bytes.ok_or_else(|| lines.wrong("canonical base64 of at most 64 letters"))?);
        if last {
            return Ok(body);
        }
    }
}

/// Lines of the header, all of its bytes kept for the MAC.
struct Lines<'a, R> {
    source: &'a mut R,
    bytes: Vec<u8>,
    number: usize,
}

impl<R: BufRead> Lines<'_, R> {
    /// The next line's place in `bytes`, without its end.
    fn next(&mut self) -> Result<Range<usize>, Failure> {
        let start = self.bytes.len();
        self.number = self.number.saturating_add(1);
        loop {
            let available = match self.source.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Io(error)),
            };
            if available.is_empty() {
                return Err(self.end_of_file(start).into());
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(available, |end| available.get(..=end).unwrap_or(available));
            if self.bytes.len().saturating_add(taken.len()) > MAX_HEADER_BYTES {
                return Err(HeaderError::TooLarge { limit: MAX_HEADER_BYTES }.into());
            }
            self.bytes.extend_from_slice(taken);
            let taken = taken.len();
            self.source.consume(taken);
            if end.is_some() {
                return Ok(start..self.bytes.len().saturating_sub(1));
            }
            self.check_version_so_far(start)?;
        }
    }

    /// Says of a file that was never an age file what it is not, instead of looking for the end of its first line.
    fn check_version_so_far(&self, start: usize) -> Result<(), HeaderError> {
        let is_version = start > 0 || VERSION_LINE.starts_with(&self.bytes);
        is_version.then_some(()).ok_or(HeaderError::Version)
    }

    fn end_of_file(&self, start: usize) -> HeaderError {
        match self.check_version_so_far(start) {
            Ok(()) => HeaderError::Truncated { at: self.bytes.len() },
            Err(error) => error,
        }
    }

    fn get(&self, line: &Range<usize>) -> &[u8] {
        self.bytes.get(line.clone()).unwrap_or_default()
    }

    const fn wrong(&self, expected: &'static str) -> HeaderError {
        HeaderError::Line { line: self.number, expected }
    }
}
