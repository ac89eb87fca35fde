//! The sealed input as it comes from the host: digested on the way, drained to its end whatever happens.

use crate::{
    error::{EnclaveError, Refusal, Stop},
    host::{Host, Source},
};
use sealwork_types::{B256, Bytes, Sha256Digest};
use std::io::{self, Read};

/// A sealed input longer than this is refused: no stream from the host is without bound.
const MAX_SEALED_BYTES: u64 = 1 << 40;

/// Reads the sealed input chunk by chunk.
#[derive(Debug)]
pub(crate) struct SealedInput {
    host: Host,
    chunk: Bytes,
    taken: usize,
    digest: Sha256Digest,
    total: u64,
    ended: bool,
}

impl SealedInput {
    pub(crate) fn new(host: Host) -> Self {
        let digest = Sha256Digest::new();
        Self { host, chunk: Bytes::new(), taken: 0, digest, total: 0, ended: false }
    }

    /// Reads what is left and compares the digest of everything with the one that the order names.
    ///
    /// Only after this may anything be said about the input: other bytes are the storage's or the worker's doing.
    pub(crate) fn settle(mut self, expected: B256) -> Result<(), Stop> {
        while !self.ended {
            self.fill()?;
            if self.total > MAX_SEALED_BYTES {
                return Err(Refusal::permanent(format!(
                    "the sealed input has more than {MAX_SEALED_BYTES} bytes"
                ))
                .into());
            }
        }
        let found = self.digest.finish();
        if found != expected {
            return Err(Refusal::transient(format!(
                "storage returned other bytes: the order names a sealed input with SHA-256 {expected}, the {} bytes \
                 given have {found}",
                self.total
            ))
            .into());
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<(), EnclaveError> {
        self.chunk = self.host.chunk(Source::SealedInput)?;
        self.taken = 0;
        self.ended = self.chunk.is_empty();
        self.digest.update(&self.chunk);
        self.total = self.total.saturating_add(self.chunk.len() as u64);
        Ok(())
    }
}

impl Read for SealedInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.chunk.len() && !self.ended {
            if self.total > MAX_SEALED_BYTES {
                return Err(io::Error::other("sealed input is too long"));
            }
            self.fill().map_err(|error| self.host.defer(error))?;
        }
        let mut rest = self.chunk.get(self.taken..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}
