//! Carries an enclave's TLS bytes to CAS members. Sees ciphertext only.

use super::dialer::{Dialer, MemberStream};
use sealwork_types::{Bytes, network::CasMember};
use std::{collections::BTreeMap, fmt, io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tracing::warn;

/// Bytes handed to the enclave at once.
const READ_BYTES: usize = 64 << 10;

/// Open connections, by index of the member. A failed one is simply gone: the enclave sees the end of the stream.
pub(super) struct MemberRelay {
    dialer: Arc<dyn Dialer>,
    open: BTreeMap<u32, Box<dyn MemberStream>>,
}

impl fmt::Debug for MemberRelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberRelay").field("open", &self.open.len()).finish_non_exhaustive()
    }
}

impl MemberRelay {
    pub(super) const fn new(dialer: Arc<dyn Dialer>) -> Self {
        Self { dialer, open: BTreeMap::new() }
    }

    /// Connects, replacing an open connection.
    pub(super) async fn open(&mut self, member: u32, members: &[CasMember], patience: Duration) {
        self.open.remove(&member);
        let Some(endpoint) = usize::try_from(member).ok().and_then(|index| members.get(index)) else {
            warn!(member, "the enclave asked for a CAS member that the network does not have");
            return;
        };
        match bounded(patience, self.dialer.dial(&endpoint.tls)).await {
            Ok(stream) => {
                self.open.insert(member, stream);
            }
            Err(error) => warn!(endpoint = %endpoint.tls, %error, "cannot connect to the CAS member"),
        }
    }

    /// Sends what the enclave wrote.
    pub(super) async fn write(&mut self, member: u32, bytes: &[u8], patience: Duration) {
        let Some(stream) = self.open.get_mut(&member) else { return };
        let write = async {
            stream.write_all(bytes).await?;
            stream.flush().await
        };
        if let Err(error) = bounded(patience, write).await {
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
