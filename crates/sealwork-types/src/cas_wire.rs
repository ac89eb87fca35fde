//! Messages between an enclave and a CAS member, inside attested TLS 1.3, and the documents of a member's HTTP side.
//!
//! ```text
//! enclave                                           member
//!  Hello{nonce} ────────────────────────────────────►
//!  ◄──────────────────── Challenge{evidence over the enclave's nonce, nonce}
//!  Prove{evidence over the member's nonce, address} ─►
//!  ◄──────────────────────────────── Granted or Denied
//!  Release{app, policy hash, key epoch, policy} ────►   (any number)
//!  ◄─────────────────────────────── Released or Denied
//! ```
//!
//! Frames are those of [`crate::enclave_wire`]: `u32` length, then `postcard`. Report data is
//! [`enclave_report_data`] and [`cas_report_data`]; both include the TLS exporter value, so evidence cannot be carried
//! from one session to another.

use crate::{
    Address, AppId, B256, Bytes, PolicyHash, Sha256Digest,
    abi::{LogHead, RecipientCertificate},
    domains,
    enclave_wire::EvidenceFrame,
    evidence::{Evidence, ReportData},
};
use serde::{Deserialize, Serialize};

/// A number used once, chosen by the verifier.
pub type Nonce = [u8; 32];

/// What the enclave says.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToMember {
    /// First message.
    Hello {
        /// The member's evidence must carry it.
        nonce: Nonce,
    },
    /// Proves what the enclave is.
    Prove {
        /// Evidence over the member's nonce.
        evidence: EvidenceFrame,
        /// Address of the enclave's signing key.
        enclave: Address,
    },
    /// Asks for this member's share of an app secret.
    Release {
        /// App.
        app: [u8; 32],
        /// SHA-256 of `policy`; must be the one registered on chain.
        policy_hash: [u8; 32],
        /// Key epoch; 0 until rotation exists on this network.
        key_epoch: u32,
        /// The policy document's bytes.
        policy: Vec<u8>,
    },
}

/// What the member says.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromMember {
    /// Proves what the member is.
    Challenge {
        /// Evidence over the enclave's nonce.
        evidence: EvidenceFrame,
        /// The enclave's evidence must carry it.
        nonce: Nonce,
    },
    /// The enclave's key is good.
    Granted {
        /// JSON of [`crate::enclave_wire::GrantFrame`] with this member's signature.
        grant: Vec<u8>,
    },
    /// This member's share of the app secret.
    Released {
        /// Share; secret.
        share: [u8; 32],
        /// Size of the release log with this release in it.
        log_size: u64,
    },
    /// Refused.
    Denied {
        /// First rule that failed.
        rule: DenialRule,
        /// What was expected and found.
        detail: String,
    },
}

/// Rules that a member checks, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DenialRule {
    /// Message out of order or malformed.
    Protocol,
    /// Evidence is not valid.
    Evidence,
    /// Evidence is valid but the policy or the network does not accept it.
    Appraisal,
    /// The app is not registered, or with another policy.
    Registration,
    /// The member cannot ask the chain right now.
    ChainUnavailable,
    /// Unknown key epoch.
    KeyEpoch,
    /// Too many requests.
    RateLimit,
}

impl DenialRule {
    /// Whether the same request can succeed later.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::ChainUnavailable | Self::RateLimit)
    }
}

/// Report data of an enclave towards a member: two SHA-256 values.
///
/// First half: label, TLS public key, verifier's nonce, exporter. Second half: enclave address, anchors digest.
pub fn enclave_report_data(
    tls_key: &[u8],
    nonce: &Nonce,
    exporter: &[u8; 32],
    enclave: Address,
    anchors: B256,
) -> ReportData {
    let session = Sha256Digest::labelled(domains::ENCLAVE_REPORT, &[tls_key, nonce, exporter]);
    let identity = Sha256Digest::labelled(domains::ENCLAVE_REPORT, &[enclave.as_slice(), anchors.as_slice()]);
    concat(session, identity)
}

/// Report data of a CAS member towards an enclave or a client (which has no TLS key: empty, exporter zero).
pub fn cas_report_data(
    tls_key: &[u8],
    nonce: &Nonce,
    exporter: &[u8; 32],
    member: Address,
    anchors: B256,
) -> ReportData {
    let session = Sha256Digest::labelled(domains::CAS_REPORT, &[tls_key, nonce, exporter]);
    let identity = Sha256Digest::labelled(domains::CAS_REPORT, &[member.as_slice(), anchors.as_slice()]);
    concat(session, identity)
}

fn concat(first: B256, second: B256) -> ReportData {
    let mut data = [0; 64];
    data[..32].copy_from_slice(first.as_slice());
    data[32..].copy_from_slice(second.as_slice());
    data
}

/// `GET /v1/info`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberInfo {
    /// Key that signs.
    pub address: Address,
    /// Digest of the trust anchors that this member serves.
    pub anchors: B256,
    /// Current key epoch.
    pub key_epoch: u32,
    /// Product version.
    pub software: String,
}

/// `GET /v1/apps/{id}/recipient?policy={hash}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedRecipient {
    /// The statement; `recipient` is the recipient digest of `seal`.
    pub certificate: RecipientCertificate,
    /// 1216-byte public key.
    pub recipient: Bytes,
    /// Signature by one member.
    pub signature: Bytes,
}

impl SignedRecipient {
    /// App.
    pub fn app(&self) -> AppId {
        AppId::new(self.certificate.app)
    }
    /// Policy.
    pub fn policy(&self) -> PolicyHash {
        PolicyHash::new(self.certificate.policyHash)
    }
}

/// `GET /v1/evidence?nonce={64 hex digits}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberEvidence {
    /// Evidence over [`cas_report_data`] with an empty TLS key and a zero exporter.
    pub evidence: Evidence,
}

/// One release, as the log keeps it. Leaf bytes are the JSON of this structure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEntry {
    /// Position, from 0.
    pub index: u64,
    /// Seconds since 1970.
    pub time: u64,
    /// What was released: an app secret, or a grant.
    pub kind: LogKind,
    /// App; zero for grants.
    pub app: B256,
    /// Policy; zero for grants.
    pub policy_hash: B256,
    /// Key epoch.
    pub key_epoch: u32,
    /// Enclave key.
    pub enclave: Address,
    /// What it runs.
    pub measurement: B256,
    /// SHA-256 of the evidence.
    pub evidence: B256,
}

/// What a log entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogKind {
    /// An enclave key was granted.
    Grant,
    /// An app secret's share was released.
    Release,
}

/// `GET /v1/log/head`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedLogHead {
    /// Size, root, time.
    pub head: LogHead,
    /// Signature by the member.
    pub signature: Bytes,
}
