//! Encoding of heads.

use super::{
    BundleError, MAX_ARGUMENT_BYTES, MAX_ARGUMENTS, MAX_HEAD_BYTES,
    error::{Part, at_most},
    name,
};
use sealwork_types::params::MAX_INPUT_FILES;

/// Bytes of a head's length.
pub(super) const LENGTH: u64 = 4;

/// Writes a head. The length in front is filled in by [`HeadWriter::finish`].
pub(super) struct HeadWriter(Vec<u8>);

impl HeadWriter {
    pub(super) fn new() -> Self {
        Self(vec![0; 4])
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn arguments(&mut self, arguments: &[String]) -> Result<(), BundleError> {
        check_arguments(arguments)?;
        self.count(arguments.len())?;
        for argument in arguments {
            let length = u32::try_from(argument.len()).map_err(|_| too_long())?;
            self.bytes(&length.to_be_bytes());
            self.bytes(argument.as_bytes());
        }
        Ok(())
    }

    pub(super) fn files<'a>(
        &mut self,
        files: impl ExactSizeIterator<Item = (&'a str, u64)> + Clone,
    ) -> Result<(), BundleError> {
        at_most("files", files.len() as u64, MAX_INPUT_FILES)?;
        name::check(files.clone().map(|(name, _)| name))?;
        self.count(files.len())?;
        for (name, size) in files {
            self.count(name.len())?;
            self.bytes(name.as_bytes());
            self.bytes(&size.to_be_bytes());
        }
        Ok(())
    }

    fn count(&mut self, count: usize) -> Result<(), BundleError> {
        self.bytes(&u16::try_from(count).map_err(|_| too_long())?.to_be_bytes());
        Ok(())
    }

    /// The head behind its length.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, BundleError> {
        let length = (self.0.len() as u64).saturating_sub(LENGTH);
        at_most("bytes of the head", length, MAX_HEAD_BYTES)?;
        let length = u32::try_from(length).map_err(|_| too_long())?;
        if let Some(slot) = self.0.first_chunk_mut() {
            *slot = length.to_be_bytes();
        }
        Ok(self.0)
    }
}

/// Reads a head out of its bytes.
pub(super) struct HeadReader<'a>(&'a [u8]);

impl<'a> HeadReader<'a> {
    pub(super) const fn new(head: &'a [u8]) -> Self {
        Self(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], BundleError> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or_else(too_short)?;
        self.0 = rest;
        Ok(*bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, BundleError> {
        self.array().map(u64::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, BundleError> {
        self.array().map(u16::from_be_bytes)
    }

    fn text(&mut self, length: usize, what: Part) -> Result<String, BundleError> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or_else(too_short)?;
        self.0 = rest;
        let text =
            std::str::from_utf8(bytes).map_err(|_| BundleError::Malformed { what, expected: "UTF-8" })?;
        Ok(text.to_owned())
    }

    pub(super) fn arguments(&mut self) -> Result<Vec<String>, BundleError> {
        let count = self.u16()?;
        at_most("arguments", count.into(), MAX_ARGUMENTS)?;
        let mut arguments = Vec::new();
        for index in 0..count.into() {
            let length = u32::from_be_bytes(self.array()?);
            at_most("bytes of an argument", length.into(), MAX_ARGUMENT_BYTES)?;
            let length = usize::try_from(length).map_err(|_| too_long())?;
            arguments.push(self.text(length, Part::Argument(index))?);
        }
        check_arguments(&arguments)?;
        Ok(arguments)
    }

    pub(super) fn files(&mut self) -> Result<Vec<(String, u64)>, BundleError> {
        let count = self.u16()?;
        at_most("files", count.into(), MAX_INPUT_FILES)?;
        let mut files = Vec::new();
        for index in 0..count.into() {
            let length = self.u16()?;
            let name = self.text(length.into(), Part::File(index))?;
            files.push((name, self.u64()?));
        }
        name::check(files.iter().map(|(name, _)| name.as_str()))?;
        Ok(files)
    }

    /// Refuses anything behind the last field.
    pub(super) const fn finish(self) -> Result<(), BundleError> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(BundleError::Malformed { what: Part::Head, expected: "finished where its last field ends" })
    }
}

/// Limits of arguments; a zero byte would end the argument inside the program.
fn check_arguments(arguments: &[String]) -> Result<(), BundleError> {
    at_most("arguments", arguments.len() as u64, MAX_ARGUMENTS)?;
    for (index, argument) in arguments.iter().enumerate() {
        at_most("bytes of an argument", argument.len() as u64, MAX_ARGUMENT_BYTES)?;
        if argument.contains('\0') {
            return Err(BundleError::Malformed {
                what: Part::Argument(index),
                expected: "free of zero bytes",
            });
        }
    }
    Ok(())
}

const fn too_short() -> BundleError {
    BundleError::Malformed { what: Part::Head, expected: "long enough for its fields" }
}

const fn too_long() -> BundleError {
    BundleError::Malformed { what: Part::Head, expected: "short enough for its length fields" }
}
