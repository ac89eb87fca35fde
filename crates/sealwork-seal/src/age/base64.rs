//! Canonical base64 without padding, as headers use it, and with padding, as armor uses it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Encodes without padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for group in bytes.chunks(3) {
        let word =
            group.iter().chain([0, 0].iter()).take(3).fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let letters = [18, 12, 6, 0].map(|shift| letter(word >> shift));
        text.extend(letters.iter().take(group.len().saturating_add(1)));
    }
    text
}

fn letter(bits: u32) -> char {
    let index = usize::try_from(bits & 63).unwrap_or_default();
    ALPHABET.get(index).map_or('A', |byte| char::from(*byte))
}

/// Decodes text without padding; `None` unless it is the one encoding of its bytes.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len().div_ceil(4).saturating_mul(3));
    for group in text.chunks(4) {
        let mut word = 0_u32;
        for letter in group {
            word = word << 6 | u32::from(value(*letter)?);
        }
        match group.len() {
            4 => bytes.extend(word.to_be_bytes().iter().skip(1)),
            3 if word & 0b11 == 0 => bytes.extend((word >> 2).to_be_bytes().iter().skip(2)),
            2 if word & 0b1111 == 0 => bytes.extend((word >> 4).to_be_bytes().iter().skip(3)),
            _ => return None,
        }
    }
    Some(bytes)
}

/// Decodes text with padding to a multiple of four letters.
pub(super) fn decode_padded(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let bare = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    decode(bare)
}

fn value(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter.wrapping_sub(b'A')),
        b'a'..=b'z' => Some(letter.wrapping_sub(b'a').wrapping_add(26)),
        b'0'..=b'9' => Some(letter.wrapping_sub(b'0').wrapping_add(52)),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equals_rfc_4648() {
        for (bytes, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(decode_padded(b"Zg==").as_deref(), Some(&b"f"[..]));
    }

    #[test]
    fn rejects_other_alphabets_padding_and_loose_bits() {
        for text in ["Zh", "Zm9", "Zg==", "A", "AAAAA", "-_", "Zm9v\n", " Zm9v"] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
        for text in ["Zg", "Zg=", "Zg===", "=", "====", "Zm9v===="] {
            assert_eq!(decode_padded(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn round_trips(bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(decode(encode(&bytes).as_bytes()), Some(bytes));
        }

        #[test]
        fn accepts_only_what_it_would_write(text in "[A-Za-z0-9+/=]{0,12}") {
            if let Some(bytes) = decode(text.as_bytes()) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
