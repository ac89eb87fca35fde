//! ECDSA over P-256 with SHA-256 where every message has at most one accepted form of each signature.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

/// Bytes of a signature: r, then s, big-endian.
pub const SIGNATURE_BYTES: usize = 64;
/// Bytes of a public key: an uncompressed point.
pub const PUBLIC_KEY_BYTES: usize = 65;

/// Order of the curve.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// Half the order, rounded down: the largest s that is accepted.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xde,
    0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
];

/// Whether `signature` over `message` is by `public_key` and has its s in the lower half.
///
/// Without the last condition, (r, n − s) would be a second signature of the same statement.
pub fn verify(public_key: &[u8], message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
    let (_, s) = signature.split_at(SIGNATURE_BYTES / 2);
    s <= HALF_ORDER.as_slice()
        && public_key.len() == PUBLIC_KEY_BYTES
        && UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public_key).verify(message, signature).is_ok()
}

/// The form of a signature that [`verify`] accepts.
pub fn with_lower_s(mut signature: [u8; SIGNATURE_BYTES]) -> [u8; SIGNATURE_BYTES] {
    let (_, s) = signature.split_at_mut(SIGNATURE_BYTES / 2);
    if *s > *HALF_ORDER.as_slice() {
        negate(s);
    }
    signature
}

/// s := ORDER − s.
fn negate(s: &mut [u8]) {
    let mut borrow = false;
    for (byte, order) in s.iter_mut().zip(ORDER).rev() {
        let (first, underflow) = order.overflowing_sub(*byte);
        let (second, underflow_again) = first.overflowing_sub(u8::from(borrow));
        *byte = second;
        borrow = underflow || underflow_again;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
    };

    #[test]
    fn accepts_the_lower_s_only() {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let public = key.public_key().as_ref();
        for message in 0..16_u8 {
            let raw = key.sign(&SystemRandom::new(), &[message]).unwrap();
            let low = with_lower_s(raw.as_ref().try_into().unwrap());
            let mut high = low;
            negate(&mut high[32..]);
            assert!(verify(public, &[message], &low));
            assert!(!verify(public, &[message], &high));
            assert!(!verify(public, &[message, 0], &low));
            assert_eq!(with_lower_s(high), low);
        }
    }

    #[test]
    fn half_is_half() {
        let mut other_half = HALF_ORDER;
        negate(&mut other_half);
        let mut successor = HALF_ORDER;
        successor[31] += 1;
        assert_eq!(other_half, successor);
    }
}
