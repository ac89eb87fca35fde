//! A stream of content, cut into the chunks that an enclave takes, and read ahead while the enclave works.

use futures::StreamExt;
use sealwork_ports::{ByteStream, ErrorKind, PortError};
use sealwork_types::{Bytes, enclave_wire::MAX_CHUNK_BYTES};
use std::{mem, time::Duration};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::JoinHandle,
    time::timeout,
};

/// Chunks that wait for the enclave. One more may be on its way from storage.
const AHEAD: usize = 2;

/// Hands out a stream chunk by chunk. Dropping it drops the stream.
pub(super) struct Chunks {
    source: Source,
    patience: Duration,
    failure: Option<PortError>,
}

enum Source {
    /// Nothing was read yet.
    Unread(ByteStream),
    /// A task of its own reads.
    Reading {
        chunks: Receiver<Result<bytes::Bytes, PortError>>,
        reader: JoinHandle<()>,
    },
    Ended,
}

impl Chunks {
    /// Reads nothing before the first [`Chunks::next`] or [`Chunks::read_ahead`]. Storage may be silent for `patience`.
    pub(super) const fn new(stream: ByteStream, patience: Duration) -> Self {
        Self { source: Source::Unread(stream), patience, failure: None }
    }

    /// Begins to read.
    pub(super) fn read_ahead(&mut self) {
        self.source = match mem::replace(&mut self.source, Source::Ended) {
            Source::Unread(stream) => {
                let (sender, chunks) = mpsc::channel(AHEAD);
                Source::Reading { chunks, reader: tokio::spawn(read(stream, self.patience, sender)) }
            }
            begun @ (Source::Reading { .. } | Source::Ended) => begun,
        };
    }

    /// At most [`MAX_CHUNK_BYTES`]; empty at the end. A failing stream ends: the enclave will find the digest wrong.
    pub(super) async fn next(&mut self) -> Bytes {
        self.read_ahead();
        let Source::Reading { chunks, .. } = &mut self.source else { return Bytes::new() };
        match chunks.recv().await {
            Some(Ok(chunk)) => return chunk.into(),
            Some(Err(error)) => self.failure = Some(error),
            None => {}
        }
        self.source = Source::Ended;
        Bytes::new()
    }

    /// Why the stream ended early, if it did.
    pub(super) const fn failure(&self) -> Option<&PortError> {
        self.failure.as_ref()
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        if let Source::Reading { reader, .. } = &self.source {
            reader.abort();
        }
    }
}

/// Cuts a stream until it ends or nobody waits for it.
async fn read(mut stream: ByteStream, patience: Duration, chunks: Sender<Result<bytes::Bytes, PortError>>) {
    loop {
        let mut rest = match timeout(patience, stream.next()).await {
            Ok(Some(Ok(bytes))) => bytes,
            Ok(None) => return,
            Ok(Some(Err(error))) => return drop(chunks.send(Err(error)).await),
            Err(_) => {
                let problem = format!("read from storage: nothing came within {patience:?}");
                return drop(chunks.send(Err(PortError::new(ErrorKind::Unavailable, problem))).await);
            }
        };
        while !rest.is_empty() {
            let chunk = rest.split_to(rest.len().min(MAX_CHUNK_BYTES));
            if chunks.send(Ok(chunk)).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    const PATIENCE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn cuts_skips_empty_items_and_ends() {
        let items = [vec![1; MAX_CHUNK_BYTES + 5], Vec::new(), vec![2; 3]];
        let stream = stream::iter(items.map(|item| Ok(bytes::Bytes::from(item))));
        let mut chunks = Chunks::new(Box::pin(stream), PATIENCE);
        let mut lengths = Vec::new();
        for _ in 0..5 {
            lengths.push(chunks.next().await.len());
        }
        assert_eq!(lengths, [MAX_CHUNK_BYTES, 5, 3, 0, 0]);
        assert!(chunks.failure().is_none());
    }

    #[tokio::test]
    async fn reads_ahead_but_not_everything() {
        let read = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&read);
        let stream = stream::repeat_with(move || {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(bytes::Bytes::from_static(b"block"))
        });
        let mut chunks = Chunks::new(Box::pin(stream), PATIENCE);
        assert_eq!(read.load(Ordering::SeqCst), 0, "nothing before it is needed");
        chunks.read_ahead();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(read.load(Ordering::SeqCst), AHEAD + 1);
        chunks.next().await;
    }

    #[tokio::test]
    async fn failures_and_silence_end_the_stream() {
        let failing = stream::iter([Err(PortError::new(ErrorKind::NotFound, "read block 7"))]);
        let mut chunks = Chunks::new(Box::pin(failing), PATIENCE);
        assert!(chunks.next().await.is_empty());
        assert_eq!(chunks.failure().unwrap().kind, ErrorKind::NotFound);
        let mut silent = Chunks::new(Box::pin(stream::pending()), Duration::from_millis(20));
        assert!(silent.next().await.is_empty());
        assert!(silent.failure().unwrap().to_string().contains("nothing came within 20ms"));
    }
}
