//! The host as the enclave sees it: one pipe each way, asked strictly one thing at a time.

use crate::error::EnclaveError;
use sealwork_types::{
    Bytes,
    enclave_wire::{
        CompiledName, FrameError, FromEnclave, MAX_CHUNK_BYTES, ToEnclave, read_message, write_message,
    },
    evidence::{Evidence, MAX_EVIDENCE_BYTES, ReportData},
};
use std::{
    cell::RefCell,
    fmt,
    io::{self, Read, Write},
    rc::Rc,
};

/// A shared end of the pipe. Clones talk through the same pipe; the enclave has one thread, so calls never interleave.
#[derive(Clone)]
pub struct Host(Rc<RefCell<Pipe>>);

struct Pipe {
    reader: Box<dyn Read>,
    writer: Box<dyn Write>,
    deferred: Option<EnclaveError>,
}

/// Which stream the next chunk belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The module.
    Module,
    /// The sealed input.
    SealedInput,
    /// What an earlier enclave let the host keep.
    Compiled(CompiledName),
}

impl Host {
    /// Talks over the given pipe.
    pub fn new(reader: impl Read + 'static, writer: impl Write + 'static) -> Self {
        Self(Rc::new(RefCell::new(Pipe {
            reader: Box::new(reader),
            writer: Box::new(writer),
            deferred: None,
        })))
    }

    /// Keeps a failure that has to pass through a foreign `Read` or `Write`, and gives the error to return there.
    pub(crate) fn defer(&self, error: EnclaveError) -> io::Error {
        let text = error.to_string();
        self.0.borrow_mut().deferred.get_or_insert(error);
        io::Error::other(text)
    }

    /// The failure that was kept, if any. To be called after every use of a stream made of this host.
    pub(crate) fn check(&self) -> Result<(), EnclaveError> {
        self.0.borrow_mut().deferred.take().map_or(Ok(()), Err)
    }

    pub(crate) fn send(&self, message: &FromEnclave) -> Result<(), EnclaveError> {
        Ok(write_message(&mut self.0.borrow_mut().writer, message)?)
    }

    /// The next message.
    pub(crate) fn receive(&self) -> Result<ToEnclave, EnclaveError> {
        Ok(read_message(&mut self.0.borrow_mut().reader)?)
    }

    /// The next request; `None` when the host closed the pipe instead.
    pub(crate) fn next_request(&self) -> Result<Option<ToEnclave>, EnclaveError> {
        match self.receive() {
            Ok(message) => Ok(Some(message)),
            Err(EnclaveError::Pipe(FrameError::Closed)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for the next chunk of a stream; empty at its end.
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other message is out of order")]
    pub(crate) fn chunk(&self, source: Source) -> Result<Bytes, EnclaveError> {
        self.send(&match source {
            Source::Module => FromEnclave::NeedModule,
            Source::SealedInput => FromEnclave::NeedInput,
            Source::Compiled(name) => FromEnclave::NeedCompiled(name),
        })?;
        match self.receive()? {
            ToEnclave::Chunk(bytes) => bounded("a chunk", bytes, MAX_CHUNK_BYTES),
            other => Err(out_of_order("Chunk", &other)),
        }
    }

    /// Asks the platform for evidence. The inner error is the host's own text.
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other message is out of order")]
    pub(crate) fn quote(&self, report_data: &ReportData) -> Result<Result<Evidence, String>, EnclaveError> {
        self.send(&FromEnclave::Quote { report_data: report_data.to_vec() })?;
        match self.receive()? {
            ToEnclave::QuoteReply(Ok(frame)) if frame.bytes.len() > MAX_EVIDENCE_BYTES => {
                let found = frame.bytes.len();
                Err(EnclaveError::Oversized { what: "evidence", found, limit: MAX_EVIDENCE_BYTES })
            }
            ToEnclave::QuoteReply(reply) => Ok(reply.map(Evidence::from)),
            other => Err(out_of_order("QuoteReply", &other)),
        }
    }

    pub(crate) fn tls_open(&self, member: u32) -> Result<(), EnclaveError> {
        self.send(&FromEnclave::TlsOpen { member })
    }

    pub(crate) fn tls_out(&self, member: u32, bytes: Bytes) -> Result<(), EnclaveError> {
        self.send(&FromEnclave::TlsOut { member, bytes })
    }

    /// Waits for TLS bytes of a member; empty when the connection ended.
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other message is out of order")]
    pub(crate) fn tls_in(&self, member: u32) -> Result<Bytes, EnclaveError> {
        self.send(&FromEnclave::TlsNeed { member })?;
        match self.receive()? {
            ToEnclave::TlsIn(bytes) => bounded("TLS records", bytes, MAX_CHUNK_BYTES),
            other => Err(out_of_order("TlsIn", &other)),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Host(..)")
    }
}

fn bounded(what: &'static str, bytes: Bytes, limit: usize) -> Result<Bytes, EnclaveError> {
    if bytes.len() > limit {
        return Err(EnclaveError::Oversized { what, found: bytes.len(), limit });
    }
    Ok(bytes)
}

/// The error for a message that may not come now.
pub(crate) fn out_of_order(expected: &'static str, found: &ToEnclave) -> EnclaveError {
    let found = match found {
        ToEnclave::Init { .. } => "Init",
        ToEnclave::Attest { .. } => "Attest",
        ToEnclave::QuoteReply(_) => "QuoteReply",
        ToEnclave::TlsIn(_) => "TlsIn",
        ToEnclave::Task(_) => "Task",
        ToEnclave::Chunk(_) => "Chunk",
        ToEnclave::Stop => "Stop",
    };
    EnclaveError::OutOfOrder { expected, found }
}
