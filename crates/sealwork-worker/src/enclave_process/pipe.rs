//! Frames over a child's standard input and output.

use sealwork_ports::{ErrorKind, PortError};
use sealwork_types::enclave_wire::{
    FrameError, FromEnclave, ToEnclave, decode_body, encode_frame, frame_length,
};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

/// Both directions of the pipe. Calls are not cancel safe: after a dropped one the process must end.
pub(super) struct Pipe {
    pub(super) to_enclave: Box<dyn AsyncWrite + Send + Unpin>,
    pub(super) from_enclave: Box<dyn AsyncRead + Send + Unpin>,
}

impl Pipe {
    pub(super) async fn send(&mut self, message: &ToEnclave, patience: Duration) -> Result<(), PortError> {
        let frame = encode_frame(message).map_err(|error| gone("write to the enclave", error))?;
        let write = async {
            self.to_enclave.write_all(&frame).await?;
            self.to_enclave.flush().await
        };
        within(patience, "take a message", write)
            .await?
            .map_err(|error| gone("write to the enclave", error.into()))
    }

    pub(super) async fn receive(&mut self, patience: Duration) -> Result<FromEnclave, PortError> {
        let answer = within(patience, "answer", self.read_frame()).await?;
        answer.map_err(|error| gone("read from the enclave", error))
    }

    async fn read_frame(&mut self) -> Result<FromEnclave, FrameError> {
        let mut header = [0; 4];
        match self.from_enclave.read_exact(&mut header).await {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(FrameError::Closed),
            other => other?,
        };
        let mut body = vec![0; frame_length(header)?];
        self.from_enclave.read_exact(&mut body).await?;
        decode_body(&body)
    }
}

async fn within<T>(patience: Duration, what: &str, work: impl Future<Output = T>) -> Result<T, PortError> {
    timeout(patience, work).await.map_err(|_| {
        PortError::new(
            ErrorKind::Local,
            format!("wait for the enclave: it did not {what} within {patience:?}"),
        )
    })
}

fn gone(action: &str, error: FrameError) -> PortError {
    PortError::because(ErrorKind::Local, action, error)
}
