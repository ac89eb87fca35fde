//! The one entry for evidence of every format.

use crate::sim;
use sealwork_types::{
    Bytes,
    evidence::{Claims, Evidence, MAX_EVIDENCE_BYTES, TeeKind},
    network::TrustAnchors,
};

/// How far in the future evidence may have been made, seconds: clocks of two machines differ.
pub const MAX_CLOCK_SKEW_S: u64 = 60;

/// Vendor keys that evidence must lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roots {
    /// Simulated vendors: uncompressed P-256 points.
    pub sim: Vec<Bytes>,
}

impl From<&TrustAnchors> for Roots {
    fn from(anchors: &TrustAnchors) -> Self {
        Self { sim: anchors.sim_roots.clone() }
    }
}

/// Why evidence proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// This version cannot check the format.
    #[error("evidence of kind {tee} cannot be checked by this version, supported: sim")]
    UnsupportedFormat {
        /// Format named.
        tee: TeeKind,
    },
    /// Not as long as the format says.
    #[error("evidence has {found} bytes, expected {expected}")]
    Length {
        /// Bytes given.
        found: usize,
        /// Bytes expected, or the limit.
        expected: usize,
    },
    /// A field holds something that the format does not know.
    #[error("evidence field {field} is {found}, expected {expected}")]
    Field {
        /// Field.
        field: &'static str,
        /// What stands there.
        found: String,
        /// What would be right.
        expected: String,
    },
    /// No trusted vendor signed the platform's certificate.
    #[error("platform certificate is signed by none of the {roots} trusted {tee} roots")]
    Untrusted {
        /// Format.
        tee: TeeKind,
        /// Roots tried.
        roots: usize,
    },
    /// The platform did not sign this report.
    #[error("report is not signed by the certified platform key")]
    Signature,
    /// Made later than now.
    #[error("evidence was made at {issued_at}, but now is {now}; check both clocks")]
    FromTheFuture {
        /// Seconds since 1970.
        issued_at: u64,
        /// Seconds since 1970.
        now: u64,
    },
}

/// Checks format, certificates and signatures of evidence. `now` in seconds since 1970.
///
/// # Errors
/// [`EvidenceError`]: the first thing that is wrong.
pub fn verify(evidence: &Evidence, roots: &Roots, now: u64) -> Result<Claims, EvidenceError> {
    if evidence.bytes.len() > MAX_EVIDENCE_BYTES {
        return Err(EvidenceError::Length { found: evidence.bytes.len(), expected: MAX_EVIDENCE_BYTES });
    }
    let claims = match evidence.tee {
        TeeKind::Sim => sim::verify(&evidence.bytes, &roots.sim)?,
        tee @ (TeeKind::Sgx | TeeKind::Tdx | TeeKind::Snp | TeeKind::Nitro) => {
            return Err(EvidenceError::UnsupportedFormat { tee });
        }
    };
    match claims.issued_at {
        Some(issued_at) if issued_at > now.saturating_add(MAX_CLOCK_SKEW_S) => {
            Err(EvidenceError::FromTheFuture { issued_at, now })
        }
        _ => Ok(claims),
    }
}
