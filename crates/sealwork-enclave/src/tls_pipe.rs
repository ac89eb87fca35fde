//! A byte stream to one CAS member, carried in messages to the host. The host sees TLS records only.

use crate::host::Host;
use sealwork_types::{Bytes, enclave_wire::MAX_CHUNK_BYTES};
use std::io::{self, Read, Write};

/// One connection. Writes are collected until a flush or a read.
#[derive(Debug)]
pub(crate) struct TlsPipe {
    host: Host,
    member: u32,
    outgoing: Vec<u8>,
    incoming: Bytes,
    taken: usize,
}

impl TlsPipe {
    /// Asks the host to connect. Whether it could shows at the first read.
    pub(crate) fn open(host: Host, member: u32) -> Result<Self, crate::EnclaveError> {
        host.tls_open(member)?;
        Ok(Self { host, member, outgoing: Vec::new(), incoming: Bytes::new(), taken: 0 })
    }
}

impl Write for TlsPipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.outgoing.len() >= MAX_CHUNK_BYTES {
            self.flush()?;
        }
        let free = MAX_CHUNK_BYTES.saturating_sub(self.outgoing.len());
        let taken = bytes.get(..free).unwrap_or(bytes);
        self.outgoing.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        let bytes = Bytes::from(std::mem::take(&mut self.outgoing));
        self.host.tls_out(self.member, bytes).map_err(|error| self.host.defer(error))
    }
}

impl Read for TlsPipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.incoming.len() {
            self.flush()?;
            self.incoming = self.host.tls_in(self.member).map_err(|error| self.host.defer(error))?;
            self.taken = 0;
        }
        let mut rest = self.incoming.get(self.taken..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}
