//! Padmé: sizes that tell little and cost little.

/// The Padmé bucket of a length: at least `len`, at most 12 % more.
///
/// Keeps only as many leading bits of a length as its bit count has bits, so a length of `n` bytes leaks
/// O(log log n) bits. Saturates at `u64::MAX`.
pub fn padme(len: u64) -> u64 {
    if len < 2 {
        return len;
    }
    let exponent = len.ilog2();
    let kept = exponent.ilog2().saturating_add(1);
    let mask = (1_u64 << exponent.saturating_sub(kept)).saturating_sub(1);
    len.checked_add(mask).map_or(u64::MAX, |sum| sum & !mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equals_the_paper_for_small_and_round_lengths() {
        let cases = [(0, 0), (1, 1), (2, 2), (8, 8), (9, 10), (17, 18), (100, 104), (1 << 20, 1 << 20)];
        for (len, padded) in cases {
            assert_eq!(padme(len), padded, "{len}");
        }
    }

    proptest! {
        #[test]
        fn is_at_least_the_length_and_at_most_12_percent_more(len in 0_u64..1 << 62) {
            let padded = padme(len);
            prop_assert!(padded >= len);
            prop_assert!(u128::from(padded - len) * 100 <= u128::from(len) * 12);
            prop_assert_eq!(padme(padded), padded);
        }

        #[test]
        fn never_decreases_and_never_overflows(len in any::<u64>()) {
            prop_assert!(padme(len) >= len);
            prop_assert!(padme(len) >= padme(len.saturating_sub(1)));
        }
    }
}
