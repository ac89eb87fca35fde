//! What a member is started with.

use sealwork_ports::{Chain, Clock, QuoteProvider};
use sealwork_seal::sign::SigningKey;
use sealwork_types::{network::TrustAnchors, policy::AcceptedEnclave};
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// What a member is started with.
pub struct MemberConfig {
    /// Folder for the member's secret and its log; made if absent.
    pub state_dir: PathBuf,
    /// The network that it serves. Must name the signing key's address as its only member.
    pub anchors: TrustAnchors,
    /// Signs grants, recipients and log heads.
    pub signing_key: SigningKey,
    /// Evidence about the member itself.
    pub quote: Arc<dyn QuoteProvider>,
    /// Where apps are registered.
    pub chain: Arc<dyn Chain>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Enclaves whose keys may be granted at all. Apps choose among them in their policies.
    pub grantable: Vec<AcceptedEnclave>,
    /// Whether debuggable enclaves may be granted; honored on development chains only.
    pub grant_debuggable: bool,
    /// Requests of one enclave.
    pub rate_limit: RateLimit,
    /// Bounds of both servers.
    pub serve: ServeLimits,
}

impl fmt::Debug for MemberConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberConfig")
            .field("state_dir", &self.state_dir)
            .field("member", &self.signing_key.address())
            .finish_non_exhaustive()
    }
}

/// How many requests one enclave may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests at once after a pause.
    pub burst: u64,
    /// Requests a second in the long run.
    pub per_second: u64,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { burst: 120, per_second: 4 }
    }
}

/// Bounds of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeLimits {
    /// Connections at once, for each of the two servers; more wait unaccepted.
    pub connections: usize,
    /// Time for the TLS handshake and for any single message once its first byte can be expected.
    pub message: Duration,
    /// Time that a proven enclave may stay silent.
    pub idle: Duration,
    /// Lifetime of an enclave's connection, however busy.
    pub lifetime: Duration,
    /// Lifetime of a client's connection, however busy.
    pub http_lifetime: Duration,
    /// Time that running requests get at shutdown.
    pub grace: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections: 256,
            message: Duration::from_secs(10),
            idle: Duration::from_secs(120),
            lifetime: Duration::from_secs(sealwork_types::params::EVIDENCE_MAX_AGE_S),
            http_lifetime: Duration::from_secs(30),
            grace: Duration::from_secs(5),
        }
    }
}
