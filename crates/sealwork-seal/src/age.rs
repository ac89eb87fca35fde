//! age v1 files for the hybrid post-quantum recipient `mlkem768x25519`.
//!
//! The format is C2SP's `age.md`; any age implementation that knows the hybrid recipient opens what [`SealWriter`]
//! writes and writes what [`OpenReader`] opens. A file is a text header (one stanza for each recipient, and a MAC over
//! all of it), a 16-byte nonce, and the payload in chunks of 64 KiB, each behind its own tag. Both directions stream in
//! constant memory.
//!
//! Sizes: with one recipient and `n` plaintext bytes a file has [`sealed_len`]`(1, n)` bytes; nothing in it is random in
//! length. Headers are read up to [`MAX_HEADER_BYTES`] and written for up to [`MAX_RECIPIENTS`].

mod armor;
mod base64;
#[cfg(test)]
mod cctv_tests;
#[cfg(test)]
mod differential_tests;
mod error;
mod header;
mod hpke;
mod hybrid;
mod identity;
mod open;
mod recipient;
mod seal;
mod stream;
#[cfg(test)]
mod tests;
mod text;

pub use armor::{ArmorError, dearmor};
pub use error::{HeaderError, OpenError, PayloadError, SealError};
pub use header::MAX_HEADER_BYTES;
pub use identity::{Identity, IdentityError};
pub use open::OpenReader;
pub use recipient::{RECIPIENT_BYTES, Recipient, RecipientError};
pub use seal::{MAX_RECIPIENTS, SealWriter, sealed_len};
