//! Bundles that come back from the enclave.

use super::{
    BundleError, MAX_STDERR_BYTES,
    body::{self, Body},
    error::{Part, at_most, sum},
    head::{HeadReader, HeadWriter},
};
use crate::binding::OutputBinding;
use std::{
    fmt,
    io::{Read, Write},
};

/// A file of an output.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OutputFile {
    /// Name below `/out`.
    pub name: String,
    /// Contents.
    pub bytes: Vec<u8>,
}

/// All that a program left.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OutputBundle {
    /// The program's exit code.
    pub exit_code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, at most [`MAX_STDERR_BYTES`].
    pub stderr: Vec<u8>,
    /// Files in `/out`.
    pub files: Vec<OutputFile>,
}

impl fmt::Debug for OutputFile {
    /// Sizes only: outputs are as private as inputs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputFile").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for OutputBundle {
    /// Sizes only: outputs are as private as inputs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputBundle")
            .field("exit_code", &self.exit_code)
            .field("stdout", &self.stdout.len())
            .field("stderr", &self.stderr.len())
            .field("files", &self.files.len())
            .finish()
    }
}

impl OutputBundle {
    /// What a binding states as `body_len`: bytes of head, streams and files.
    ///
    /// # Errors
    /// [`BundleError::Limit`] or [`BundleError::Malformed`] for a bundle that cannot be written.
    pub fn body_len(&self) -> Result<u64, BundleError> {
        Ok(self.encode_head()?.1)
    }

    /// The head behind its length, and the length of the whole body.
    fn encode_head(&self) -> Result<(Vec<u8>, u64), BundleError> {
        at_most("bytes of standard error", self.stderr.len() as u64, MAX_STDERR_BYTES)?;
        let mut writer = HeadWriter::new();
        writer.bytes(&self.exit_code.to_be_bytes());
        writer.bytes(&(self.stdout.len() as u64).to_be_bytes());
        writer.bytes(&(self.stderr.len() as u64).to_be_bytes());
        writer.files(self.files.iter().map(|file| (file.name.as_str(), file.bytes.len() as u64)))?;
        let head = writer.finish()?;
        let total = sum(self.parts().chain([&head[..]]).map(|part| part.len() as u64));
        Ok((head, total))
    }

    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let files = self.files.iter().map(|file| file.bytes.as_slice());
        [self.stdout.as_slice(), self.stderr.as_slice()].into_iter().chain(files)
    }
}

/// Sizes of a bundle's parts.
struct OutputHead {
    exit_code: i32,
    stdout: u64,
    stderr: u64,
    files: Vec<(String, u64)>,
}

impl OutputHead {
    fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        let mut reader = HeadReader::new(bytes);
        let exit_code = i32::from_be_bytes(reader.array()?);
        let head = Self { exit_code, stdout: reader.u64()?, stderr: reader.u64()?, files: reader.files()? };
        reader.finish()?;
        at_most("bytes of standard error", head.stderr, MAX_STDERR_BYTES)?;
        Ok(head)
    }

    fn content_bytes(&self) -> u64 {
        sum(self.files.iter().map(|(_, size)| *size).chain([self.stdout, self.stderr]))
    }
}

/// Writes a whole output plaintext: binding, head, streams, files, padding.
///
/// `binding.body_len` must be [`OutputBundle::body_len`]. `out` is usually a `SealWriter`, which the caller finishes.
///
/// # Errors
/// [`BundleError`]; then `out` must not be finished.
pub fn write_output(
    mut out: impl Write,
    binding: &OutputBinding,
    bundle: &OutputBundle,
) -> Result<(), BundleError> {
    let (head, body_len) = bundle.encode_head()?;
    body::check_body_len(binding.body_len, body_len)?;
    let binding = binding.to_bytes();
    for part in [&binding[..], &head[..]].into_iter().chain(bundle.parts()) {
        out.write_all(part).map_err(BundleError::Write)?;
    }
    body::write_padding(&mut out, OutputBinding::LEN, body_len)
}

/// Reads a whole output plaintext into memory. The caller compares the binding with its task.
///
/// `limit` bounds standard output, standard error and files together, bytes.
///
/// # Errors
/// [`BundleError`] for a limit, malformed bytes, or a sealed file that is not intact to its end.
pub fn read_output(mut reader: impl Read, limit: u64) -> Result<(OutputBinding, OutputBundle), BundleError> {
    let mut bytes = Vec::with_capacity(OutputBinding::LEN);
    let source = reader.by_ref().take(OutputBinding::LEN as u64).read_to_end(&mut bytes);
    source.map_err(body::read_failed)?;
    let binding = OutputBinding::from_bytes(&bytes)?;
    let mut body = Body::new(reader, OutputBinding::LEN, binding.body_len)?;
    let head = OutputHead::decode(&body.read_head()?)?;
    at_most("bytes of the output", head.content_bytes(), limit)?;
    body::check_body_len(body.left(), head.content_bytes())?;
    let stdout = body.read_part(Part::Stdout, head.stdout)?;
    let stderr = body.read_part(Part::Stderr, head.stderr)?;
    let mut files = Vec::new();
    for (index, (name, size)) in head.files.into_iter().enumerate() {
        files.push(OutputFile { name, bytes: body.read_part(Part::File(index), size)? });
    }
    body.finish()?;
    Ok((binding, OutputBundle { exit_code: head.exit_code, stdout, stderr, files }))
}
