//! HKDF-SHA256 (RFC 5869) for outputs of at most one block, which is all that age, HPKE and our own keys need.

use crate::{Secret, stack::wiped};
use aws_lc_rs::hmac::{self, HMAC_SHA256};

/// Bytes in one output block.
pub(crate) const BLOCK: usize = 32;

/// HKDF-Extract over the concatenated parts.
pub(crate) fn extract(salt: &[u8], secret: &[&[u8]]) -> Secret<[u8; BLOCK]> {
    mac(salt, secret)
}

/// First block of HKDF-Expand over the concatenated parts of `info`.
pub(crate) fn expand(key: &Secret<[u8; BLOCK]>, info: &[&[u8]]) -> Secret<[u8; BLOCK]> {
    key.expose(|key| {
        let mut parts = Vec::with_capacity(info.len().saturating_add(1));
        parts.extend_from_slice(info);
        parts.push(&[1]);
        mac(key, &parts)
    })
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Secret<[u8; BLOCK]> {
    wiped(|| {
        let mut context = hmac::Context::with_key(&hmac::Key::new(HMAC_SHA256, key));
        parts.iter().for_each(|part| context.update(part));
        Secret::from_slice(context.sign().as_ref()).expect("HMAC-SHA256 gives 32 bytes")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_rfc_5869_test_cases_1_and_3() {
        let cases = [
            (
                "000102030405060708090a0b0c",
                "f0f1f2f3f4f5f6f7f8f9",
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
            ),
            ("", "", "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"),
        ];
        for (salt, info, expected) in cases {
            let key = extract(&hex::decode(salt).unwrap(), &[&[0x0b; 20], &[0x0b; 2]]);
            let output = expand(&key, &[&hex::decode(info).unwrap()]);
            output.expose(|bytes| assert_eq!(hex::encode(bytes), expected));
        }
    }
}
