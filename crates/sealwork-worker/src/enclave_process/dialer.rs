//! How CAS members are reached: the seam between the relay and the network.

use async_trait::async_trait;
use std::io;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tracing::warn;

/// Connects to CAS members. Sees ciphertext only.
#[async_trait]
pub trait Dialer: Send + Sync + 'static {
    /// Connects to a member's attested TLS endpoint, named as in the network document (`host:port`).
    ///
    /// # Errors
    /// When it cannot be reached.
    async fn dial(&self, endpoint: &str) -> io::Result<Box<dyn MemberStream>>;
}

/// A connection to a member; dropping it closes it.
pub trait MemberStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> MemberStream for T {}

/// The dialer of the product: TCP.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpDialer;

#[async_trait]
impl Dialer for TcpDialer {
    async fn dial(&self, endpoint: &str) -> io::Result<Box<dyn MemberStream>> {
        let stream = TcpStream::connect(endpoint).await?;
        // Handshake messages are small and each waits for the other side.
        if let Err(error) = stream.set_nodelay(true) {
            warn!(%error, "cannot turn off delays on the connection to the CAS");
        }
        Ok(Box::new(stream))
    }
}
