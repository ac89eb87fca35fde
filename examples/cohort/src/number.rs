//! Numbers with six significant digits, as C's `%#.6g` writes them but without a point at the end.

/// Significant digits of every printed number. Double precision leaves nine more, so that another correct
/// implementation prints the same text.
const DIGITS: i32 = 6;

/// The text of a finite number.
pub(crate) fn text(value: f64) -> String {
    let scientific = format!("{value:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..DIGITS).contains(&exponent) {
        // The power of ten is that of the rounded number, so the decimals below give six digits.
        let decimals = usize::try_from(DIGITS - 1 - exponent).unwrap_or(0);
        return format!("{value:.decimals$}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn writes_six_significant_digits() {
        for (value, expected) in [
            (0.0, "0.00000"),
            (1.0, "1.00000"),
            (-12.345678, "-12.3457"),
            (999_999.4, "999999"),
            (999_999.6, "1.00000e+06"),
            (9.999_996, "10.0000"),
            (0.000_123_456_78, "0.000123457"),
            (0.000_012_345_678, "1.23457e-05"),
            (-1.5e100, "-1.50000e+100"),
        ] {
            assert_eq!(text(value), expected);
        }
    }
}
