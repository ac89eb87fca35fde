//! One member of the attestation and key service: appraises enclaves, grants their keys, releases shares of app
//! secrets, and writes every release into an append-only log before it answers.
//!
//! ```text
//! enclave ── TLS 1.3, evidence both ways ──► serve_tls  ──► Session ──► Member ──► ReleaseLog (fsync) ──► answer
//! client  ── HTTP, signed documents ───────► serve_http ──────────────► Member
//! ```
//!
//! [`Member`] holds the rules and knows no socket. The interface is the one of t members out of n: a member gives
//! *shares*, enclaves combine as many as the threshold asks for. This version runs networks of one member, which
//! therefore could compute app secrets itself and is able to publish their recipients.
//!
//! The member's secret lies in a file that only its owner can read. A member inside a hardware TEE seals that file to
//! its measurement; a simulated TEE has nothing to seal with.
//!
//! Invariants
//! 1. A release or grant is on disk, in the log, before its answer leaves.
//! 2. Denials name the first rule that failed, in the order of [`sealwork_types::cas_wire::DenialRule`].
//! 3. Connections, message sizes, times and remembered callers are bounded; over a bound the newcomer waits or is told
//!    to come later.

mod audit;
mod client;
mod config;
mod denial;
mod direct;
mod error;
mod http;
mod log;
mod member;
mod rate_limit;
mod secret_file;
mod session;
mod stream;
mod tls;

pub use audit::{AuditError, LogAuditor, verify_log};
pub use client::HttpKeyService;
pub use config::{MemberConfig, RateLimit, ServeLimits};
pub use direct::DirectKeyService;
pub use error::{CasError, LogError};
pub use http::{ConsistencyProof, ErrorBody, InclusionProof, MAX_LOG_ENTRIES, serve_http, serve_http_with};
pub use member::Member;
pub use tls::{ConnectionError, serve_connection, serve_tls};
