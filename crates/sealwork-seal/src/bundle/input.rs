//! Bundles that go to the enclave.

use super::{
    BundleError,
    body::{self, Body},
    error::{Part, at_most, sum},
    head::{HeadReader, HeadWriter},
};
use crate::binding::InputBinding;
use std::{
    fmt,
    io::{self, Read, Write},
};

/// What an input holds.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct InputHead {
    /// Arguments behind the program's name.
    pub args: Vec<String>,
    /// Names and sizes in bytes of the files in `/in`.
    pub files: Vec<(String, u64)>,
    /// Bytes of standard input.
    pub stdin_len: u64,
}

impl fmt::Debug for InputHead {
    /// Counts only: arguments and names can be as private as contents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputHead")
            .field("args", &self.args.len())
            .field("files", &self.files.len())
            .field("stdin_len", &self.stdin_len)
            .finish()
    }
}

impl InputHead {
    /// What a binding states as `body_len`: bytes of head, files and standard input.
    ///
    /// # Errors
    /// [`BundleError::Limit`] or [`BundleError::Malformed`] for a head that cannot be written.
    pub fn body_len(&self) -> Result<u64, BundleError> {
        Ok(self.encode()?.1)
    }

    /// Bytes of all files. A sum without room in 64 bits counts as `u64::MAX`.
    pub fn files_bytes(&self) -> u64 {
        sum(self.files.iter().map(|(_, size)| *size))
    }

    /// The head behind its length, and the length of the whole body.
    fn encode(&self) -> Result<(Vec<u8>, u64), BundleError> {
        let mut writer = HeadWriter::new();
        writer.arguments(&self.args)?;
        writer.files(self.files.iter().map(|(name, size)| (name.as_str(), *size)))?;
        writer.bytes(&self.stdin_len.to_be_bytes());
        let bytes = writer.finish()?;
        let total = sum([bytes.len() as u64, self.files_bytes(), self.stdin_len]);
        at_most("bytes of the bundle", total, u64::MAX.saturating_sub(1))?;
        Ok((bytes, total))
    }

    fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        let mut reader = HeadReader::new(bytes);
        let head = Self { args: reader.arguments()?, files: reader.files()?, stdin_len: reader.u64()? };
        reader.finish()?;
        Ok(head)
    }
}

/// Writes a whole input plaintext: binding, head, files, standard input, padding.
///
/// `binding.body_len` must be [`InputHead::body_len`]. There must be one reader for each file of the head, and every
/// reader must give exactly the stated bytes. `out` is usually a `SealWriter`, which the caller finishes.
///
/// # Errors
/// [`BundleError`]; then `out` must not be finished, so that no valid file exists.
pub fn write_input<F: Read>(
    mut out: impl Write,
    binding: &InputBinding,
    head: &InputHead,
    files: impl IntoIterator<Item = F>,
    stdin: impl Read,
) -> Result<(), BundleError> {
    let (encoded, body_len) = head.encode()?;
    body::check_body_len(binding.body_len, body_len)?;
    out.write_all(&binding.to_bytes()).map_err(BundleError::Write)?;
    out.write_all(&encoded).map_err(BundleError::Write)?;
    let mut readers = files.into_iter();
    let count = |found: usize| BundleError::Length {
        what: Part::Files,
        stated: head.files.len() as u64,
        found: found as u64,
    };
    for (index, (_, size)) in head.files.iter().enumerate() {
        let reader = readers.next().ok_or_else(|| count(index))?;
        body::copy(Part::File(index), reader, *size, &mut out)?;
    }
    if readers.next().is_some() {
        return Err(count(head.files.len().saturating_add(1)));
    }
    body::copy(Part::Stdin, stdin, head.stdin_len, &mut out)?;
    body::write_padding(&mut out, InputBinding::LEN, body_len)
}

/// Reads an input plaintext in its order: each step gives the reader of the next.
///
/// [`InputReader::read_binding`], [`BoundReader::read_head`], [`FilesReader::read_files`], then [`StdinReader`] as a
/// stream, and [`StdinReader::finish`].
#[derive(Debug)]
pub struct InputReader<R>(R);

impl<R: Read> InputReader<R> {
    /// Starts at the first byte of a plaintext, usually an `OpenReader`.
    pub const fn new(inner: R) -> Self {
        Self(inner)
    }

    /// Reads the binding. The caller compares it with the order before it goes on.
    ///
    /// # Errors
    /// [`BundleError::Read`] or [`BundleError::Binding`].
    pub fn read_binding(mut self) -> Result<(InputBinding, BoundReader<R>), BundleError> {
        let mut bytes = Vec::with_capacity(InputBinding::LEN);
        let source = self.0.by_ref().take(InputBinding::LEN as u64).read_to_end(&mut bytes);
        source.map_err(body::read_failed)?;
        let binding = InputBinding::from_bytes(&bytes)?;
        Ok((binding, BoundReader(Body::new(self.0, InputBinding::LEN, binding.body_len)?)))
    }
}

/// Stands behind the binding.
pub struct BoundReader<R>(Body<R>);

impl<R: Read> BoundReader<R> {
    /// Reads the head and checks that its sizes make up the body and that all files together stay in `max_files_bytes`.
    ///
    /// # Errors
    /// [`BundleError`] for a malformed head, a limit, or sizes that do not add up.
    pub fn read_head(mut self, max_files_bytes: u64) -> Result<(InputHead, FilesReader<R>), BundleError> {
        let head = InputHead::decode(&self.0.read_head()?)?;
        at_most("bytes of all files", head.files_bytes(), max_files_bytes)?;
        body::check_body_len(self.0.left(), sum([head.files_bytes(), head.stdin_len]))?;
        let sizes = head.files.iter().map(|(_, size)| *size).collect();
        Ok((head, FilesReader { body: self.0, sizes }))
    }
}

/// Stands behind the head.
pub struct FilesReader<R> {
    body: Body<R>,
    sizes: Vec<u64>,
}

impl<R: Read> FilesReader<R> {
    /// Reads all files into memory, in the order of the head. Their sizes were checked by [`BoundReader::read_head`].
    ///
    /// # Errors
    /// [`BundleError::Read`] when the sealed file is not intact or ends early.
    pub fn read_files(mut self) -> Result<(Vec<Vec<u8>>, StdinReader<R>), BundleError> {
        let files =
            self.sizes.iter().enumerate().map(|(index, size)| self.body.read_part(Part::File(index), *size));
        let files = files.collect::<Result<_, _>>()?;
        Ok((files, StdinReader(self.body)))
    }
}

/// Gives standard input as a stream.
///
/// Its end of stream means only that all stated bytes came; whether the sealed file ends as it must is known after
/// [`StdinReader::finish`], and no result may be signed as a success before. After a failed read, `finish` says why.
pub struct StdinReader<R>(Body<R>);

impl<R: Read> StdinReader<R> {
    /// Reads what is left, checks the padding and that the sealed file is intact to its end; gives the reader back.
    ///
    /// # Errors
    /// [`BundleError::Read`] when the sealed file is not intact, otherwise what is wrong with the padding.
    pub fn finish(self) -> Result<R, BundleError> {
        self.0.finish()
    }
}

impl<R: Read> Read for StdinReader<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

macro_rules! opaque_debug {
    ($($name:ident),*) => {$(
        impl<R> fmt::Debug for $name<R> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
opaque_debug!(BoundReader, FilesReader, StdinReader);
