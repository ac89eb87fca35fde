//! Token amounts as people write them: whole tokens with up to 18 decimals.

use crate::U256;

/// Decimals of the market's token.
pub const DECIMALS: usize = 18;

/// Text that is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given:?} is not an amount of tokens; write digits with at most {DECIMALS} decimals, such as 12 or 0.5"
)]
pub struct AmountError {
    /// What was given.
    pub given: String,
}

/// Reads `12` or `0.5` as smallest units.
///
/// # Errors
/// [`AmountError`] for anything but digits with an optional fraction.
pub fn parse(text: &str) -> Result<U256, AmountError> {
    let wrong = || AmountError { given: text.chars().take(100).collect() };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > DECIMALS {
        return Err(wrong());
    }
    format!("{whole}{fraction:0<DECIMALS$}").parse().map_err(|_| wrong())
}

/// Prints smallest units as whole tokens, without trailing zeros.
pub fn show(amount: U256) -> String {
    let digits = format!("{amount:0>width$}", width = DECIMALS + 1);
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(DECIMALS));
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_round_trip() {
        for text in ["0", "1", "0.5", "12.000000000000000001", "1000000"] {
            assert_eq!(show(parse(text).unwrap()), text);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", ".5", "-1", "1e3", "1.0000000000000000001", "0x10", "9".repeat(90).as_str()] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
