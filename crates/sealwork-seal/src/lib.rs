//! Sealed files, key derivation, signatures and the bundles that travel inside sealed files.
//!
//! A sealed object is a standard age v1 file for the hybrid post-quantum recipient `mlkem768x25519` ([`mod@age`]). Its
//! plaintext starts with a binding ([`binding`]) that ties it to one requester, app and output recipient, goes on with
//! a bundle ([`bundle`]) and ends with zeros up to a Padmé bucket ([`padding`]).
//!
//! Pure: bytes come in through `Read`, go out through `Write`; the operating system's random generator is the only
//! ambient effect and is used only where keys and nonces are made.
//!
//! Invariants
//! 1. Secrets live in [`Secret`]: wiped on drop, never printed, copied or compared; what handling them left on the
//!    stack is overwritten.
//! 2. Every length is checked against its limit before memory is taken; sums are checked.
//! 3. Bytes are released only after they were authenticated, and an end of stream is reported only after it was.

pub mod age;
pub mod binding;
pub mod bundle;
mod hashing;
mod hkdf;
pub mod kdf;
pub mod padding;
mod random;
mod secret;
pub mod sign;
mod stack;

pub use hashing::{HashingReader, HashingWriter};
pub use random::RandomError;
pub use secret::Secret;
