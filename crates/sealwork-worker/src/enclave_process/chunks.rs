//! A stream of content, cut into the chunks that an enclave takes.

use futures::StreamExt;
use sealwork_ports::{ByteStream, ErrorKind, PortError};
use sealwork_types::{Bytes, enclave_wire::MAX_CHUNK_BYTES};
use std::time::Duration;
use tokio::time::timeout;

/// Hands out a stream chunk by chunk; holds at most one item of it.
pub(super) struct Chunks {
    stream: Option<ByteStream>,
    rest: bytes::Bytes,
    failure: Option<PortError>,
}

impl Chunks {
    pub(super) const fn new(stream: ByteStream) -> Self {
        Self { stream: Some(stream), rest: bytes::Bytes::new(), failure: None }
    }

    /// At most [`MAX_CHUNK_BYTES`]; empty at the end. A failing stream ends: the enclave will find the digest wrong.
    pub(super) async fn next(&mut self, patience: Duration) -> Bytes {
        while self.rest.is_empty() {
            let Some(stream) = &mut self.stream else { break };
            match timeout(patience, stream.next()).await {
                Ok(Some(Ok(bytes))) => self.rest = bytes,
                Ok(None) => self.stream = None,
                Ok(Some(Err(error))) => self.fail(error),
                Err(_) => self.fail(PortError::new(
                    ErrorKind::Unavailable,
                    format!("read from storage: nothing came within {patience:?}"),
                )),
            }
        }
        let count = self.rest.len().min(MAX_CHUNK_BYTES);
        self.rest.split_to(count).into()
    }

    fn fail(&mut self, error: PortError) {
        self.stream = None;
        self.failure = Some(error);
    }

    /// Why the stream ended early, if it did.
    pub(super) const fn failure(&self) -> Option<&PortError> {
        self.failure.as_ref()
    }
}
