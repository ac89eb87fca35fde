//! The measured program: opens sealed inputs, runs programs on them, seals outputs, signs receipts.
//!
//! It talks to its host over one pipe and to the CAS through attested TLS inside that pipe; it has no other way in or out.
//! [`serve`] is the message loop ([`sealwork_types::enclave_wire`]), [`drop_privileges`] confines the process before the
//! first byte of the host is read.
//!
//! Invariants
//! 1. The host is never believed: ids, hashes, signatures and bindings are checked here, and time is only used against
//!    the one who asks.
//! 2. No byte of output leaves before the sealed input was authenticated to its end and its digest is the order's.
//! 3. A receipt blames requester or developer only when the bytes at hand are those that they signed for; other bytes end
//!    in a refusal, which nobody can settle.
//! 4. Machine code that the host kept is run only under a tag that only enclaves like this one can make (`shelf`).
//! 5. Keys never leave the process, and programs run in a sandbox without a way to them.

mod batch;
mod clock;
mod enclave;
mod error;
mod execute;
mod host;
mod input;
mod job;
mod keys;
mod members;
mod output;
mod program;
mod sandbox;
mod shelf;
mod task;
mod tls_pipe;
mod warm_up;

pub use enclave::serve;
pub use error::{EnclaveError, Refusal, Stop};
pub use host::Host;
pub use keys::{KeyName, KeyRequest, KeySource, KeySourceSetup, MakeKeySource};
pub use members::member_sessions;
pub use sandbox::{Privileges, SandboxError, drop_privileges};
pub use warm_up::warm_up;
