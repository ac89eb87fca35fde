//! What can go wrong between an enclave and a member.

use sealwork_attest::{AppraisalError, EvidenceError};
use sealwork_types::{cas_wire::DenialRule, enclave_wire::FrameError};
use std::io;

/// Any error of a quote provider.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// TLS could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// No key or certificate could be made.
    #[error("cannot make a self-signed certificate")]
    Certificate(#[from] rcgen::Error),
    /// rustls refused a configuration or an operation.
    #[error("cannot {action}")]
    Rustls {
        /// What was tried.
        action: &'static str,
        /// Cause.
        #[source]
        source: rustls::Error,
    },
    /// The peer presented no certificate, or more than one.
    #[error("peer presented {found} certificates, expected exactly one")]
    PeerCertificates {
        /// How many.
        found: usize,
    },
}

/// Why an enclave has no session, grant or share.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// TLS could not be set up.
    #[error("cannot prepare the TLS session")]
    Tls(#[from] TlsError),
    /// The handshake failed: the member is gone, or does not speak this profile.
    #[error("TLS handshake with the CAS member failed")]
    Handshake(#[source] io::Error),
    /// A message could not be sent or read.
    #[error("message exchange with the CAS member failed")]
    Frame(#[from] FrameError),
    /// The member sent something that does not belong here.
    #[error("CAS member answered with {found}, expected {expected}")]
    Unexpected {
        /// Message that belongs here.
        expected: &'static str,
        /// Message or content found.
        found: String,
    },
    /// The member's evidence is not valid.
    #[error("evidence of the CAS member is not valid")]
    MemberEvidence(#[from] EvidenceError),
    /// The member is not one to trust.
    #[error("the CAS member is not acceptable")]
    MemberAppraisal(#[from] AppraisalError),
    /// The platform gave no evidence.
    #[error("no evidence for the CAS member")]
    Quote(#[source] BoxError),
    /// The member refused.
    #[error("CAS member refused ({rule:?}): {detail}")]
    Denied {
        /// First rule that failed.
        rule: DenialRule,
        /// What was expected and found; the member's words.
        detail: String,
    },
}

impl SessionError {
    /// Whether a new session, later or with another member, can succeed.
    pub fn is_retryable(&self) -> bool {
        match self {
            // Only a member that has proven itself can end the matter. Everything before may be the network's doing.
            Self::Denied { rule, .. } => rule.is_retryable(),
            Self::Handshake(_)
            | Self::Frame(_)
            | Self::Quote(_)
            | Self::Tls(_)
            | Self::Unexpected { .. }
            | Self::MemberEvidence(_)
            | Self::MemberAppraisal(_) => true,
        }
    }
}
