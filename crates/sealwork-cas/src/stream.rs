//! Bounded byte streams: frames over TLS, and connections that cannot be held open for ever.

use crate::ServeLimits;
use sealwork_ratls::MAX_MESSAGE_BYTES;
use sealwork_types::enclave_wire::{FrameError, decode_body, encode_frame, frame_length};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep, timeout},
};
use zeroize::Zeroizing;

/// Pause after a failed accept (out of file descriptors), so that it does not become a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Reads one message: its first byte within `patience`, the rest within `message`.
pub(crate) async fn read_message<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
    patience: Duration,
    message: Duration,
) -> Result<T, FrameError> {
    let mut header = [0; 4];
    let first = timeout(patience, stream.read(header.split_at_mut(1).0)).await.map_err(timed_out)??;
    if first == 0 {
        return Err(FrameError::Closed);
    }
    timeout(message, async {
        stream.read_exact(header.split_at_mut(1).1).await?;
        let length = frame_length(header)?;
        if length > MAX_MESSAGE_BYTES {
            return Err(FrameError::TooLarge { found: length, limit: MAX_MESSAGE_BYTES });
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        decode_body(&body)
    })
    .await
    .map_err(timed_out)?
}

/// Writes one message within `message`. The copy in this process's memory is wiped: it may carry a share.
pub(crate) async fn write_message<T: Serialize + Sync>(
    stream: &mut (impl AsyncWrite + Unpin),
    body: &T,
    message: Duration,
) -> Result<(), FrameError> {
    let frame = Zeroizing::new(encode_frame(body)?);
    timeout(message, async {
        stream.write_all(&frame).await?;
        stream.flush().await
    })
    .await
    .map_err(timed_out)??;
    Ok(())
}

fn timed_out(_: tokio::time::error::Elapsed) -> io::Error {
    io::ErrorKind::TimedOut.into()
}

/// A listener that accepts only as many connections as may be open at once.
#[derive(Debug)]
pub(crate) struct BoundedListener {
    listener: TcpListener,
    permits: Arc<Semaphore>,
    lifetime: Duration,
}

impl BoundedListener {
    pub(crate) fn new(listener: TcpListener, limits: &ServeLimits, lifetime: Duration) -> Self {
        Self { listener, permits: Arc::new(Semaphore::new(limits.connections)), lifetime }
    }

    /// The next connection. Cancel safe.
    pub(crate) async fn next(&self) -> (MortalStream, SocketAddr) {
        let permits = Arc::clone(&self.permits);
        let permit = permits.acquire_owned().await.expect("the semaphore is never closed");
        loop {
            match self.listener.accept().await {
                Ok((socket, peer)) => {
                    // Frames are small and answered one by one; a failure only costs latency.
                    let _ = socket.set_nodelay(true);
                    let death = Box::pin(sleep(self.lifetime));
                    return (MortalStream { socket, death, _permit: permit }, peer);
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

impl axum::serve::Listener for BoundedListener {
    type Io = MortalStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (MortalStream, SocketAddr) {
        self.next().await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that fails after its lifetime, whatever its peer does, and then makes room for another.
#[derive(Debug)]
pub(crate) struct MortalStream {
    socket: TcpStream,
    death: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl MortalStream {
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.death.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for MortalStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.socket).poll_read(cx, into)
    }
}

impl AsyncWrite for MortalStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
