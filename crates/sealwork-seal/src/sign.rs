//! secp256k1 signatures over EIP-712 hashes, in the form that `ecrecover` takes.

use crate::{RandomError, Secret, stack::wiped};
use alloy_primitives::keccak256;
use alloy_sol_types::SolStruct;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use sealwork_types::{Address, B256, Bytes, order::SigningDomain};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of a signature: r, s, v.
pub const SIGNATURE_BYTES: usize = 65;

/// v of a signature whose point has an even y.
const V_EVEN: u8 = 27;
/// v of a signature whose point has an odd y.
const V_ODD: u8 = 28;

/// A signing key. Wiped when dropped.
pub struct SigningKey {
    /// On the heap, so that moving the key leaves nothing behind.
    key: Box<k256::ecdsa::SigningKey>,
    address: Address,
}

/// The bytes are not a signing key: zero, or not below the order of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a secp256k1 key: expected 32 bytes between 1 and the order of the curve")]
pub struct SigningKeyError;

/// Why a signature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Wrong length; short forms are not accepted.
    #[error("signature has {found} bytes, expected {SIGNATURE_BYTES}")]
    Length {
        /// Bytes given.
        found: usize,
    },
    /// v is neither 27 nor 28.
    #[error("signature ends with v = {found}, expected 27 or 28")]
    RecoveryByte {
        /// v given.
        found: u8,
    },
    /// s is in the upper half: the same statement would have two signatures.
    #[error("signature has an s in the upper half of the curve order, expected the lower half")]
    HighS,
    /// r or s is out of range, or no key gives this signature.
    #[error("signature belongs to no key")]
    NoKey,
}

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`RandomError`] when the operating system has no random bytes.
    pub fn generate() -> Result<Self, RandomError> {
        loop {
            // One in 2^128 draws is not a key.
            if let Ok(key) = Self::from_bytes(Secret::random()?) {
                return Ok(key);
            }
        }
    }

    /// Reads a key.
    ///
    /// # Errors
    /// [`SigningKeyError`] when the bytes are zero or not below the order of the curve.
    pub fn from_bytes(bytes: Secret<[u8; 32]>) -> Result<Self, SigningKeyError> {
        let made = || bytes.expose(|bytes| k256::ecdsa::SigningKey::from_slice(bytes).map(Box::new));
        let key = wiped(made).map_err(|_| SigningKeyError)?;
        drop(bytes);
        let address = address_of(key.verifying_key());
        Ok(Self { key, address })
    }

    /// The key's 32 bytes, for a keystore.
    pub fn secret_bytes(&self) -> Secret<[u8; 32]> {
        wiped(|| {
            let bytes = Zeroizing::new(<[u8; 32]>::from(self.key.to_bytes()));
            Secret::filled(|secret| *secret = *bytes)
        })
    }

    /// The address that `ecrecover` gives for this key's signatures.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Signs 32 bytes: r, s (lower half), v (27 or 28). Deterministic (RFC 6979).
    #[expect(clippy::missing_panics_doc, reason = "every key can sign every 32 bytes")]
    pub fn sign_hash(&self, hash: B256) -> [u8; SIGNATURE_BYTES] {
        let (signature, recovery) = wiped(|| self.key.sign_prehash_recoverable(hash.as_slice()))
            .expect("every key can sign every 32 bytes");
        let mut bytes = [0; SIGNATURE_BYTES];
        let (scalars, v) = bytes.split_at_mut(64);
        scalars.copy_from_slice(&signature.to_bytes());
        v.fill(if recovery.is_y_odd() { V_ODD } else { V_EVEN });
        bytes
    }

    /// Signs a message of a deployment.
    pub fn sign<T: SolStruct>(&self, domain: &SigningDomain, message: &T) -> Bytes {
        self.sign_hash(domain.signing_hash(message)).into()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The address whose key signed `hash`.
///
/// # Errors
/// [`SignatureError`] unless the signature has 65 bytes, a lower-half s, v 27 or 28, and belongs to a key.
pub fn recover_hash(hash: B256, signature: &[u8]) -> Result<Address, SignatureError> {
    let length = SignatureError::Length { found: signature.len() };
    let (v, scalars) = signature.split_last().ok_or(length)?;
    let scalars = <&[u8; 64]>::try_from(scalars).map_err(|_| length)?;
    let odd = match *v {
        V_EVEN => false,
        V_ODD => true,
        found => return Err(SignatureError::RecoveryByte { found }),
    };
    let signature = Signature::from_slice(scalars).map_err(|_| SignatureError::NoKey)?;
    if signature.normalize_s().is_some() {
        return Err(SignatureError::HighS);
    }
    let key = VerifyingKey::recover_from_prehash(hash.as_slice(), &signature, RecoveryId::new(odd, false))
        .map_err(|_| SignatureError::NoKey)?;
    Ok(address_of(&key))
}

/// The address whose key signed a message of a deployment.
///
/// # Errors
/// As [`recover_hash`].
pub fn recover<T: SolStruct>(
    domain: &SigningDomain,
    message: &T,
    signature: &[u8],
) -> Result<Address, SignatureError> {
    recover_hash(domain.signing_hash(message), signature)
}

fn address_of(key: &VerifyingKey) -> Address {
    let point = key.to_encoded_point(false);
    let coordinates = point.as_bytes().split_first().map_or(&[][..], |(_, rest)| rest);
    Address::from_word(keccak256(coordinates))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwork_types::abi::LogHead;

    /// First account of every development chain.
    fn well_known() -> SigningKey {
        let bytes = hex::decode("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80").unwrap();
        SigningKey::from_bytes(Secret::from_slice(&bytes).unwrap()).unwrap()
    }

    #[test]
    fn derives_the_address_that_every_wallet_derives() {
        assert_eq!(well_known().address().to_string(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    }

    #[test]
    fn signs_deterministically_and_recovers() {
        for _ in 0..20 {
            let key = SigningKey::generate().unwrap();
            let hash = B256::from(key.secret_bytes().expose(|bytes| *bytes));
            let signature = key.sign_hash(hash);
            assert_eq!(signature, key.sign_hash(hash));
            assert_eq!(recover_hash(hash, &signature), Ok(key.address()));
        }
    }

    #[test]
    fn signatures_hold_for_one_message_of_one_deployment() {
        let key = well_known();
        let domain = SigningDomain { chain_id: 31_337, market: Address::repeat_byte(1) };
        let elsewhere = SigningDomain { chain_id: 1, ..domain };
        let head = LogHead { size: 1, root: B256::repeat_byte(2), timestamp: 3 };
        let signature = key.sign(&domain, &head);
        assert_eq!(recover(&domain, &head, &signature), Ok(key.address()));
        assert_ne!(recover(&elsewhere, &head, &signature), Ok(key.address()));
        assert_ne!(recover(&domain, &LogHead { size: 2, ..head }, &signature), Ok(key.address()));
    }

    #[test]
    fn rejects_other_lengths_recovery_bytes_and_the_mirrored_signature() {
        let hash = B256::repeat_byte(9);
        let signature = well_known().sign_hash(hash);
        assert_eq!(recover_hash(hash, &signature[..64]), Err(SignatureError::Length { found: 64 }));
        assert_eq!(recover_hash(hash, &[]), Err(SignatureError::Length { found: 0 }));
        let longer = [&signature[..], &[27]].concat();
        assert_eq!(recover_hash(hash, &longer), Err(SignatureError::Length { found: 66 }));
        for v in (0..=u8::MAX).filter(|v| ![V_EVEN, V_ODD].contains(v)) {
            let mut bad = signature;
            bad[64] = v;
            assert_eq!(recover_hash(hash, &bad), Err(SignatureError::RecoveryByte { found: v }));
        }
        let (r, s) = Signature::from_slice(&signature[..64]).unwrap().split_scalars();
        let mut mirrored = signature;
        mirrored[..64].copy_from_slice(&Signature::from_scalars(r, -s).unwrap().to_bytes());
        mirrored[64] ^= 7; // 27 <-> 28
        assert_eq!(recover_hash(hash, &mirrored), Err(SignatureError::HighS));
        assert_eq!(recover_hash(hash, &[&[0; 64][..], &[27]].concat()), Err(SignatureError::NoKey));
    }

    #[test]
    fn rejects_bytes_that_are_no_key() {
        for bytes in [[0; 32], [0xff; 32]] {
            assert_eq!(SigningKey::from_bytes(Secret::new(bytes)).err(), Some(SigningKeyError));
        }
    }

    #[test]
    fn never_prints_the_key() {
        let printed = format!("{:?}", well_known());
        assert!(printed.contains("f39f") || printed.contains("f39F"), "{printed}");
        assert!(!printed.contains("ac0974"));
    }
}
