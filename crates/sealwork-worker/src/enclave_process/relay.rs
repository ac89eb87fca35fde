//! Carries an enclave's TLS bytes to CAS members. Sees ciphertext only.

use sealwork_types::{Bytes, network::CasMember};
use std::{collections::BTreeMap, io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tracing::warn;

/// Bytes handed to the enclave at once.
const READ_BYTES: usize = 64 << 10;

/// Open connections, by index of the member. A failed one is simply gone: the enclave sees the end of the stream.
#[derive(Debug, Default)]
pub(super) struct MemberRelay {
    open: BTreeMap<u32, TcpStream>,
}

impl MemberRelay {
    /// Connects, replacing an open connection.
    pub(super) async fn open(&mut self, member: u32, members: &[CasMember], patience: Duration) {
        self.open.remove(&member);
        let Some(endpoint) = usize::try_from(member).ok().and_then(|index| members.get(index)) else {
            warn!(member, "the enclave asked for a CAS member that the network does not have");
            return;
        };
        match bounded(patience, TcpStream::connect(&endpoint.tls)).await {
            Ok(stream) => {
                // Handshake messages are small and each waits for the other side.
                if let Err(error) = stream.set_nodelay(true) {
                    warn!(%error, "cannot turn off delays on the connection to the CAS");
                }
                self.open.insert(member, stream);
            }
            Err(error) => warn!(endpoint = %endpoint.tls, %error, "cannot connect to the CAS member"),
        }
    }

    /// Sends what the enclave wrote.
    pub(super) async fn write(&mut self, member: u32, bytes: &[u8], patience: Duration) {
        let Some(stream) = self.open.get_mut(&member) else { return };
        if let Err(error) = bounded(patience, stream.write_all(bytes)).await {
            warn!(member, %error, "lost the connection to the CAS member");
            self.open.remove(&member);
        }
    }

    /// The next bytes of the member; empty when the connection ended or there is none.
    pub(super) async fn read(&mut self, member: u32, patience: Duration) -> Bytes {
        let Some(stream) = self.open.get_mut(&member) else { return Bytes::new() };
        let mut bytes = Vec::with_capacity(READ_BYTES);
        match bounded(patience, stream.read_buf(&mut bytes)).await {
            Ok(count) if count > 0 => return bytes.into(),
            Ok(_) => {}
            Err(error) => warn!(member, %error, "lost the connection to the CAS member"),
        }
        self.open.remove(&member);
        Bytes::new()
    }
}

async fn bounded<T>(patience: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(patience, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
