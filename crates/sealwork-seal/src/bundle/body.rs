//! The frame around both kinds of bundles: binding, body of a stated length, padding, end.

use super::{
    BundleError, MAX_HEAD_BYTES,
    error::{Part, at_most},
    head,
};
use crate::{age::OpenError, padding::padme};
use std::io::{self, Read, Write};

const COPY_BYTES: usize = 64 * 1024;

/// Copies exactly `stated` bytes and checks that the source ends there.
pub(super) fn copy(
    what: Part,
    mut source: impl Read,
    stated: u64,
    out: &mut impl Write,
) -> Result<(), BundleError> {
    let mut buffer = zeroize::Zeroizing::new(vec![0; COPY_BYTES]);
    let mut found = 0_u64;
    loop {
        let taken = match source.read(&mut buffer) {
            Ok(taken) => taken,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(BundleError::Source { what, source }),
        };
        found = found.saturating_add(taken as u64);
        if found > stated || (taken == 0 && found < stated) {
            return Err(BundleError::Length { what, stated, found });
        }
        if taken == 0 {
            return Ok(());
        }
        out.write_all(buffer.get(..taken).unwrap_or_default()).map_err(BundleError::Write)?;
    }
}

/// Writes the zeros behind binding and body.
pub(super) fn write_padding(
    out: &mut impl Write,
    binding_len: usize,
    body_len: u64,
) -> Result<(), BundleError> {
    let mut zeros = io::repeat(0).take(padding_len(binding_len, body_len)?);
    io::copy(&mut zeros, out).map_err(BundleError::Write)?;
    Ok(())
}

fn padding_len(binding_len: usize, body_len: u64) -> Result<u64, BundleError> {
    let total = body_len.saturating_add(binding_len as u64);
    let padding = padme(total).saturating_sub(total);
    at_most("bytes of the bundle", total, u64::MAX.saturating_sub(1))?;
    Ok(padding)
}

/// Checks that a binding states the true length.
pub(super) const fn check_body_len(stated: u64, found: u64) -> Result<(), BundleError> {
    if stated != found {
        return Err(BundleError::Length { what: Part::Body, stated, found });
    }
    Ok(())
}

/// Tells a plaintext that is too short from a sealed file that is not intact.
pub(super) fn read_failed(error: io::Error) -> BundleError {
    let error = OpenError::from(error);
    if matches!(&error, OpenError::Io(io) if io.kind() == io::ErrorKind::UnexpectedEof) {
        return BundleError::Malformed { what: Part::Body, expected: "as long as its binding states" };
    }
    BundleError::Read(error)
}

/// A body that is being read.
pub(super) struct Body<R> {
    inner: R,
    /// Bytes of the body not yet read.
    left: u64,
    padding: u64,
}

impl<R: Read> Body<R> {
    /// Starts behind a binding.
    pub(super) fn new(inner: R, binding_len: usize, body_len: u64) -> Result<Self, BundleError> {
        Ok(Self { inner, left: body_len, padding: padding_len(binding_len, body_len)? })
    }

    /// Reads the head's bytes.
    pub(super) fn read_head(&mut self) -> Result<Vec<u8>, BundleError> {
        let prefix = self.read_part(Part::Head, head::LENGTH)?;
        let length = <[u8; 4]>::try_from(&prefix[..]).map_or(0, u32::from_be_bytes);
        at_most("bytes of the head", length.into(), MAX_HEAD_BYTES)?;
        self.read_part(Part::Head, length.into())
    }

    /// Reads a part whose length was checked against a limit. Memory grows with the bytes that are really there.
    pub(super) fn read_part(&mut self, what: Part, length: u64) -> Result<Vec<u8>, BundleError> {
        if length > self.left {
            return Err(BundleError::Length { what, stated: length, found: self.left });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length.min(1 << 20)).unwrap_or_default());
        self.by_ref().take(length).read_to_end(&mut bytes).map_err(read_failed)?;
        Ok(bytes)
    }

    /// Bytes of the body not yet read.
    pub(super) const fn left(&self) -> u64 {
        self.left
    }

    /// Reads the rest, checks the padding and that the file ends behind it.
    pub(super) fn finish(mut self) -> Result<R, BundleError> {
        io::copy(&mut self, &mut io::sink()).map_err(read_failed)?;
        let mut buffer = vec![0; COPY_BYTES];
        let mut found = 0_u64;
        loop {
            let taken = match self.inner.read(&mut buffer) {
                Ok(taken) => taken,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(read_failed(error)),
            };
            found = found.saturating_add(taken as u64);
            if found > self.padding || (taken == 0 && found < self.padding) {
                return Err(BundleError::Length { what: Part::Padding, stated: self.padding, found });
            }
            if taken == 0 {
                return Ok(self.inner);
            }
            if buffer.iter().take(taken).any(|byte| *byte != 0) {
                return Err(BundleError::Malformed { what: Part::Padding, expected: "all zeros" });
            }
        }
    }
}

impl<R: Read> Read for Body<R> {
    /// Reads the body only. Its end before the stated length is an error, never an end of stream.
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let Some(bytes) = bytes.get_mut(..room).filter(|bytes| !bytes.is_empty()) else { return Ok(0) };
        let taken = self.inner.read(bytes)?;
        if taken == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(taken as u64);
        Ok(taken)
    }
}
