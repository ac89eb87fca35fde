//! The enclave's own idea of the time.
//!
//! The host's clock cannot be trusted: a host that sets it forward could have every input declared expired and be paid
//! for nothing. What the enclave knows is when a CAS member signed its grant, and how long ago that was.

use sealwork_types::{enclave_wire::GrantFrame, params::GRANT_LIFETIME_S};
use std::time::Instant;

/// A time that is never ahead of the CAS's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrustedClock {
    granted_at: u64,
    since: Instant,
}

impl TrustedClock {
    /// Starts at the moment the grant was signed, or earlier if the member gave it less than a full lifetime.
    pub(crate) fn start(grant: &GrantFrame) -> Self {
        Self { granted_at: grant.grant.expiry.saturating_sub(GRANT_LIFETIME_S), since: Instant::now() }
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.granted_at.saturating_add(self.since.elapsed().as_secs())
    }
}
