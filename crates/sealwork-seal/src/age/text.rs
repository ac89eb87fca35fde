//! Bech32 (BIP 173) without its length limit, as age writes keys.

use bech32::{Checksum, Fe32, Fe1024, Hrp, primitives::decode::CheckedHrpstring};

/// The Bech32 code for strings of any length; age gives up error correction for one format.
enum LongBech32 {}

impl Checksum for LongBech32 {
    type MidstateRepr = u32;
    type CorrectionField = Fe1024;
    const ROOT_GENERATOR: Fe1024 = Fe1024::new([Fe32::P, Fe32::X]);
    const ROOT_EXPONENTS: core::ops::RangeInclusive<usize> = 24..=26;
    const CODE_LENGTH: usize = usize::MAX;
    const CHECKSUM_LENGTH: usize = 6;
    const GENERATOR_SH: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    const TARGET_RESIDUE: u32 = 1;
}

/// Letters of a key text: prefix, separator, five bits each, checksum.
const fn text_len(hrp: &str, bytes: usize) -> usize {
    hrp.len().saturating_add(7).saturating_add(bytes.saturating_mul(8).div_ceil(5))
}

/// Writes a key in lower case. The text's memory never moves while it grows.
pub(super) fn encode(hrp: &'static str, bytes: &[u8]) -> String {
    let mut text = String::with_capacity(text_len(hrp, bytes.len()));
    bech32::encode_lower_to_fmt::<LongBech32, _>(&mut text, prefix(hrp), bytes)
        .expect("a string takes everything and the code has no length limit");
    text
}

/// Reads the bytes of a lower-case key into `bytes`; false unless the text is the one encoding of exactly that many.
pub(super) fn decode(hrp: &'static str, text: &str, bytes: &mut [u8]) -> bool {
    if text.len() != text_len(hrp, bytes.len()) {
        return false;
    }
    let Ok(checked) = CheckedHrpstring::new::<LongBech32>(text) else { return false };
    if checked.hrp() != prefix(hrp) {
        return false;
    }
    let mut found = checked.byte_iter();
    for slot in bytes.iter_mut() {
        let Some(byte) = found.next() else { return false };
        *slot = byte;
    }
    // The checksum does not cover case or the bits behind the last whole byte.
    found.next().is_none() && zeroize::Zeroizing::new(encode(hrp, bytes)).as_str() == text
}

fn prefix(hrp: &'static str) -> Hrp {
    Hrp::parse(hrp).expect("age's prefixes are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_consistent() {
        LongBech32::sanity_check();
    }

    #[test]
    fn round_trips_and_keeps_its_capacity() {
        let bytes = [0xa5; 1216];
        let text = encode("age1pq", &bytes);
        assert_eq!((text.len(), text.capacity()), (1959, 1959));
        let mut back = [0; 1216];
        assert!(decode("age1pq", &text, &mut back) && back == bytes);
    }

    #[test]
    fn rejects_other_prefixes_lengths_cases_and_checksums() {
        let text = encode("age1pq", &[1; 32]);
        let mut out = [0; 32];
        assert!(decode("age1pq", &text, &mut out));
        assert!(!decode("age", &text, &mut out));
        assert!(!decode("age1pq", &text.to_uppercase(), &mut out));
        assert!(!decode("age1pq", &text, &mut [0; 31]) && !decode("age1pq", &text, &mut [0; 33]));
        for index in 0..text.len() {
            let mut bad = text.clone().into_bytes();
            bad[index] ^= 1;
            assert!(!String::from_utf8(bad).is_ok_and(|bad| decode("age1pq", &bad, &mut out)), "{index}");
        }
    }
}
