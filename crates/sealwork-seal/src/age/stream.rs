//! The payload: chunks of 64 KiB under ChaCha20-Poly1305, numbered, the last one marked.

use super::{
    header::FileKey,
    hpke::{TAG, chacha},
};
use crate::{hkdf, stack::wiped};
use aws_lc_rs::{
    aead::{Aad, LessSafeKey, Nonce},
    error::Unspecified,
};

/// Plaintext bytes of every chunk but the last.
pub(super) const CHUNK: usize = 64 * 1024;
/// Sealed bytes of every chunk but the last.
pub(super) const SEALED_CHUNK: usize = CHUNK + TAG;
/// Random bytes between header and chunks.
pub(super) const PAYLOAD_NONCE: usize = 16;

/// Whether a chunk is the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// Others follow.
    Inner,
    /// Nothing follows.
    Last,
}

/// The key of one payload, and the number of the chunk that is next.
pub(super) struct ChunkCipher {
    key: LessSafeKey,
    next: u64,
}

impl ChunkCipher {
    /// Derives the payload key.
    pub(super) fn new(file_key: &FileKey, nonce: &[u8; PAYLOAD_NONCE]) -> Self {
        let key = file_key.expose(|key| hkdf::expand(&hkdf::extract(nonce, &[key]), &[b"payload"]));
        Self { key: wiped(|| key.expose(chacha)), next: 0 }
    }

    /// Number of the chunk that is next, from 0.
    pub(super) const fn number(&self) -> u64 {
        self.next
    }

    /// Seals the next chunk in place.
    pub(super) fn seal(&mut self, chunk: &mut [u8], position: Position) -> Result<[u8; TAG], Unspecified> {
        let tag = self.key.seal_in_place_separate_tag(self.nonce(position), Aad::empty(), chunk)?;
        self.advance()?;
        tag.as_ref().try_into().map_err(|_| Unspecified)
    }

    /// Opens the next chunk into `plaintext`, which is `TAG` bytes shorter. Stays at the same chunk on failure.
    pub(super) fn open(
        &mut self,
        sealed: &[u8],
        plaintext: &mut [u8],
        position: Position,
    ) -> Result<(), Unspecified> {
        let (body, tag) = sealed.split_at_checked(plaintext.len()).ok_or(Unspecified)?;
        self.key.open_separate_gather(self.nonce(position), Aad::empty(), body, tag, plaintext)?;
        self.advance()
    }

    fn advance(&mut self) -> Result<(), Unspecified> {
        self.next = self.next.checked_add(1).ok_or(Unspecified)?;
        Ok(())
    }

    /// Eleven bytes of chunk number, one byte that marks the last chunk.
    fn nonce(&self, position: Position) -> Nonce {
        let [a, b, c, d, e, f, g, h] = self.next.to_be_bytes();
        let mark = match position {
            Position::Inner => 0,
            Position::Last => 1,
        };
        Nonce::assume_unique_for_key([0, 0, 0, a, b, c, d, e, f, g, h, mark])
    }
}

#[cfg(test)]
#[path = "../../tests/zeroize/memory.rs"]
#[expect(dead_code, reason = "tests of other secrets need all of it")]
mod memory;

#[cfg(test)]
mod tests {
    use super::{memory::Hidden, *};
    use crate::Secret;

    #[test]
    fn payload_keys_are_gone() {
        let file_key = Secret::random().unwrap();
        let nonce = [3; PAYLOAD_NONCE];
        let hidden = file_key.expose(|key| {
            let derived = hkdf::expand(&hkdf::extract(&nonce, &[key]), &[b"payload"]);
            derived.expose(|bytes| Hidden::new(bytes))
        });
        let mut cipher = Box::new(ChunkCipher::new(&file_key, &nonce));
        let mut chunk = [7; 100];
        cipher.seal(&mut chunk, Position::Last).unwrap();
        drop((cipher, file_key));
        hidden.assert_gone("a payload key");
    }
}
