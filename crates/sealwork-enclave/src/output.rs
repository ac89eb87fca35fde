//! The sealed output on its way to the host.

use crate::{EnclaveError, host::Host};
use sealwork_types::{
    B256, Bytes, Sha256Digest,
    enclave_wire::{FromEnclave, MAX_CHUNK_BYTES},
};
use std::io::{self, Write};

/// Sends what is written as `Output` messages of at most [`MAX_CHUNK_BYTES`], and digests it.
#[derive(Debug)]
pub(crate) struct OutputFrames {
    host: Host,
    chunk: Vec<u8>,
    digest: Sha256Digest,
}

impl OutputFrames {
    pub(crate) fn new(host: Host) -> Self {
        Self { host, chunk: Vec::with_capacity(MAX_CHUNK_BYTES), digest: Sha256Digest::new() }
    }

    /// Sends the rest and names what was written since the last cut.
    pub(crate) fn finish(mut self) -> Result<B256, EnclaveError> {
        self.send()?;
        Ok(self.digest.finish())
    }

    /// Names what was written since the last cut. What follows shares messages with it, but no digest.
    pub(crate) fn cut(&mut self) -> B256 {
        std::mem::replace(&mut self.digest, Sha256Digest::new()).finish()
    }

    fn send(&mut self) -> Result<(), EnclaveError> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.chunk, Vec::with_capacity(MAX_CHUNK_BYTES));
        self.host.send(&FromEnclave::Output(Bytes::from(full)))
    }
}

impl Write for OutputFrames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.chunk.len() >= MAX_CHUNK_BYTES {
            self.send().map_err(|error| self.host.defer(error))?;
        }
        let free = MAX_CHUNK_BYTES.saturating_sub(self.chunk.len());
        let taken = bytes.get(..free).unwrap_or(bytes);
        self.chunk.extend_from_slice(taken);
        self.digest.update(taken);
        Ok(taken.len())
    }

    /// Does nothing: a message is sent when it is full, and the last one by `finish`.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
