//! Derived keys: HKDF-SHA256 with a registered label.

use crate::{Secret, hkdf};
use sealwork_types::domains;

/// Derives 32 bytes from `secret` for the purpose `label` and the given context.
///
/// HKDF-SHA256 with an empty salt; info is the label, one zero byte, and each context part behind its length as eight
/// big-endian bytes, so no two (label, context) pairs share an info. `label` must stand in [`domains`].
pub fn derive(label: &'static str, secret: &[u8], context: &[&[u8]]) -> Secret<[u8; 32]> {
    debug_assert!(domains::ALL.contains(&label), "{label} is not a registered label");
    let lengths: Vec<[u8; 8]> = context.iter().map(|part| (part.len() as u64).to_be_bytes()).collect();
    let mut info: Vec<&[u8]> = vec![label.as_bytes(), &[0]];
    for (length, part) in lengths.iter().zip(context) {
        info.push(length);
        info.push(part);
    }
    hkdf::expand(&hkdf::extract(&[], &[secret]), &info)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domains::{APP_INPUT_IDENTITY, APP_SECRET};

    fn bytes(label: &'static str, secret: &[u8], context: &[&[u8]]) -> [u8; 32] {
        derive(label, secret, context).expose(|bytes| *bytes)
    }

    #[test]
    fn label_secret_and_context_each_change_the_key() {
        let base = bytes(APP_SECRET, b"secret", &[b"a"]);
        assert_ne!(base, bytes(APP_INPUT_IDENTITY, b"secret", &[b"a"]));
        assert_ne!(base, bytes(APP_SECRET, b"secreu", &[b"a"]));
        assert_ne!(base, bytes(APP_SECRET, b"secret", &[b"b"]));
    }

    #[test]
    fn moving_bytes_between_context_parts_changes_the_key() {
        let keys = [
            bytes(APP_SECRET, b"s", &[]),
            bytes(APP_SECRET, b"s", &[b""]),
            bytes(APP_SECRET, b"s", &[b"ab", b"c"]),
            bytes(APP_SECRET, b"s", &[b"a", b"bc"]),
            bytes(APP_SECRET, b"s", &[b"abc"]),
        ];
        for (i, left) in keys.iter().enumerate() {
            assert!(keys.iter().skip(i + 1).all(|right| left != right), "key {i} stands twice");
        }
    }
}
