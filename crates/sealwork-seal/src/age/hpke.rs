//! HPKE (RFC 9180) in base mode for one message, with the suite of age's hybrid recipient.
//!
//! KEM 0x647a (MLKEM768-X25519), KDF 0x0001 (HKDF-SHA256), AEAD 0x0003 (ChaCha20-Poly1305). Written out because no
//! crate combines it with a KEM that rejects low-order shares; a test compares it with the `hpke` crate.

use crate::{Secret, hkdf};
use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

/// Bytes that AEAD adds.
pub(super) const TAG: usize = 16;

const VERSION: &[u8] = b"HPKE-v1";
const SUITE: &[u8] = b"HPKE\x64\x7a\x00\x01\x00\x03";

/// Key and nonce of the only message.
pub(super) struct Context {
    key: LessSafeKey,
    nonce: [u8; 12],
}

impl Context {
    /// Runs the key schedule over the KEM's shared secret.
    pub(super) fn new(shared_secret: &Secret<[u8; 32]>, info: &[u8]) -> Self {
        let psk_id_hash = labelled_extract(&[], b"psk_id_hash", &[]);
        let info_hash = labelled_extract(&[], b"info_hash", info);
        let schedule = psk_id_hash.expose(|id| info_hash.expose(|info| [&[0], &id[..], &info[..]].concat()));
        let secret = shared_secret.expose(|shared| labelled_extract(shared, b"secret", &[]));
        let key = labelled_expand(&secret, b"key", &schedule, [0, 32]);
        let nonce = labelled_expand(&secret, b"base_nonce", &schedule, [0, 12]);
        Self {
            key: key.expose(chacha),
            nonce: nonce.expose(|bytes| *bytes.first_chunk().expect("a block is longer than a nonce")),
        }
    }

    /// Seals the message.
    pub(super) fn seal<const N: usize>(self, message: &Secret<[u8; N]>) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(N.saturating_add(TAG));
        message.expose(|message| sealed.extend_from_slice(message));
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(self.nonce), Aad::empty(), &mut sealed)
            .expect("a short message can be sealed");
        sealed
    }

    /// Opens the message; `None` when it was sealed under another key.
    pub(super) fn open<const N: usize>(self, sealed: &[u8]) -> Option<Secret<[u8; N]>> {
        let (body, tag) = sealed.split_at_checked(N)?;
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        Secret::try_fill(|out| self.key.open_separate_gather(nonce, Aad::empty(), body, tag, out)).ok()
    }
}

/// A ChaCha20-Poly1305 key.
pub(super) fn chacha(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("ChaCha20-Poly1305 takes 32 bytes"))
}

fn labelled_extract(salt: &[u8], label: &[u8], secret: &[u8]) -> Secret<[u8; 32]> {
    hkdf::extract(salt, &[VERSION, SUITE, label, secret])
}

fn labelled_expand(key: &Secret<[u8; 32]>, label: &[u8], info: &[u8], length: [u8; 2]) -> Secret<[u8; 32]> {
    hkdf::expand(key, &[&length, VERSION, SUITE, label, info])
}
