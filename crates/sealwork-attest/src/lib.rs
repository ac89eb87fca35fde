//! Turns raw evidence into checked facts, and judges those facts.
//!
//! ```text
//! Evidence ──verify(roots, now)──► Claims ──appraise(requirements, now)──► Appraisal
//! ```
//!
//! [`verify()`] checks what the vendor signed: format, certificate chain, signatures. [`appraise`] checks whether somebody
//! wants it: measurement, platform version, debug, age, freshness. The two never mix: valid evidence of an unwanted
//! enclave is an [`AppraisalError`], not an [`EvidenceError`].
//!
//! Pure: time comes in as an argument; nothing here can make evidence. The simulated vendor lives in its own crate.
//!
//! Invariants
//! 1. One evidence has one encoding: exact lengths, no unknown bits, signatures with the lower s only.
//! 2. Simulated evidence is refused outside development chains, whatever a policy says.

mod appraisal;
pub mod p256;
pub mod sim;
mod verify;

pub use appraisal::{Appraisal, AppraisalError, Requirements, Rule, appraise};
pub use verify::{EvidenceError, MAX_CLOCK_SKEW_S, Roots, verify};
