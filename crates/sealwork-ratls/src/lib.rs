//! Mutually attested TLS between enclaves and CAS members, and the keys that come out of it.
//!
//! Both sides use fresh self-signed certificates over TLS 1.3 with the hybrid key exchange X25519MLKEM768. The
//! certificates say nothing; the handshake proves possession of their keys, and trust comes from evidence that is
//! exchanged inside and names the TLS key, the verifier's nonce and the session's exporter value
//! (`sealwork_types::cas_wire`). Evidence can therefore be carried neither from one session to another nor to another
//! key.
//!
//! [`MemberSession`] is the enclave's side of that exchange over any pipe: no sockets, no threads, no runtime. The
//! member's side lives in `sealwork-cas` and uses the same [`TlsIdentity`], [`server_config`], [`peer_spki`] and
//! [`exporter`].
//!
//! Invariants
//! 1. TLS 1.3 and X25519MLKEM768 only; no resumption, no early data, so every session has its own evidence.
//! 2. Both sides present exactly one certificate, and its key signs the handshake.
//! 3. Share combination and the app's identity are defined here once ([`keys`]), for enclave and CAS alike.

mod config;
mod error;
mod identity;
pub mod keys;
mod session;
mod verifier;

pub use config::{client_config, exporter, peer_spki, server_config};
pub use error::{BoxError, SessionError, TlsError};
pub use identity::TlsIdentity;
pub use session::{Introduction, MAX_MESSAGE_BYTES, MemberSession, Share};
