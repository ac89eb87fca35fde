//! Token amounts as people write them: whole tokens with up to 18 decimals.

use crate::failure::{self, Failure};
use alloy_primitives::aliases::U96;
use anyhow::Result;
use sealwork_types::U256;

/// Decimals of the market's token.
const DECIMALS: usize = 18;

/// Reads `12` or `0.5` as smallest units.
pub(crate) fn parse(text: &str) -> Result<U256> {
    let wrong = || {
        Failure::new(failure::FAILED, format!("{text:?} is not an amount of tokens"))
            .hint("write digits with at most 18 decimals, such as 12 or 0.5")
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > DECIMALS {
        return Err(wrong().into());
    }
    format!("{whole}{fraction:0<DECIMALS$}").parse().map_err(|_| wrong().into())
}

/// Reads a price: an amount that fits an order.
pub(crate) fn parse_price(text: &str) -> Result<U96> {
    let amount = parse(text)?;
    let too_large =
        || Failure::new(failure::FAILED, format!("a price of {text} tokens does not fit an order"));
    Ok(u128::try_from(amount).ok().and_then(|amount| U96::try_from(amount).ok()).ok_or_else(too_large)?)
}

/// Prints smallest units as whole tokens, without trailing zeros.
pub(crate) fn show(amount: U256) -> String {
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
