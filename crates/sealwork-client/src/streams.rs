//! Bridges between blocking readers and writers (sealing) and byte streams (storage).

use bytes::Bytes;
use futures::{StreamExt, stream};
use sealwork_ports::{ByteStream, PortError};
use std::io::{self, Read, Write};
use tokio::{runtime::Handle, sync::mpsc};

/// Bytes collected before they are handed over.
const CHUNK_BYTES: usize = 256 * 1024;
/// Chunks that may wait.
const QUEUE: usize = 8;

/// Writes into a byte stream from a blocking thread.
#[derive(Debug)]
pub(crate) struct StreamWriter {
    buffer: Vec<u8>,
    chunks: mpsc::Sender<Result<Bytes, PortError>>,
}

/// A writer and the stream that yields what is written. The stream ends when the writer is finished; when it is dropped
/// without [`StreamWriter::finish`] the stream ends with an error, so that half an upload never looks whole.
pub(crate) fn pipe() -> (StreamWriter, ByteStream) {
    let (chunks, queue) = mpsc::channel::<Result<Bytes, PortError>>(QUEUE);
    let stream = stream::unfold((queue, false), |(mut queue, mut whole)| async move {
        match queue.recv().await {
            Some(Ok(bytes)) if bytes.is_empty() => {
                whole = true;
                queue.recv().await.map(|item| (item, (queue, whole)))
            }
            Some(item) => Some((item, (queue, whole))),
            None if whole => None,
            None => {
                let cut = PortError::new(sealwork_ports::ErrorKind::Local, "sealing stopped before its end");
                Some((Err(cut), (queue, true)))
            }
        }
    });
    (StreamWriter { buffer: Vec::with_capacity(CHUNK_BYTES), chunks }, stream.boxed())
}

impl StreamWriter {
    /// Hands over the rest and ends the stream.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        self.hand_over(Bytes::new())
    }

    fn hand_over(&self, bytes: Bytes) -> io::Result<()> {
        self.chunks
            .blocking_send(Ok(bytes))
            .map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "storage stopped taking the sealed input"))
    }
}

impl Write for StreamWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = CHUNK_BYTES.saturating_sub(self.buffer.len());
        let (taken, _) = bytes.split_at(bytes.len().min(room));
        self.buffer.extend_from_slice(taken);
        if self.buffer.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK_BYTES));
        self.hand_over(full.into())
    }
}

/// Reads a byte stream from a blocking thread of the runtime.
pub(crate) struct StreamReader {
    runtime: Handle,
    stream: ByteStream,
    current: Bytes,
}

impl StreamReader {
    /// Must be called inside a runtime; reading must happen on a blocking thread.
    pub(crate) fn new(stream: ByteStream) -> Self {
        Self { runtime: Handle::current(), stream, current: Bytes::new() }
    }
}

impl Read for StreamReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.runtime.block_on(self.stream.next()) {
                None => return Ok(0),
                Some(Ok(bytes)) => self.current = bytes,
                Some(Err(error)) => return Err(io::Error::other(error)),
            }
        }
        let taken = self.current.split_to(self.current.len().min(into.len()));
        let (target, _) = into.split_at_mut(taken.len());
        target.copy_from_slice(&taken);
        Ok(taken.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_comes_out_and_ends() {
        let (mut writer, stream) = pipe();
        let content = vec![7u8; 3 * CHUNK_BYTES + 5];
        let copy = content.clone();
        let writing = tokio::task::spawn_blocking(move || {
            writer.write_all(&copy)?;
            writer.finish()
        });
        let mut reader = StreamReader::new(stream);
        let reading = tokio::task::spawn_blocking(move || {
            let mut out = Vec::new();
            reader.read_to_end(&mut out).map(|_| out)
        });
        writing.await.unwrap().unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), content);
    }

    #[tokio::test]
    async fn a_dropped_writer_is_an_error_not_an_end() {
        let (writer, mut stream) = pipe();
        drop(writer);
        assert!(stream.next().await.unwrap().is_err());
    }
}
