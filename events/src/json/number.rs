//! Whether a number is kept: whether the text that RFC 8785 writes for it says the same number.

/// A number literal as digits and a power of ten, so that two spellings of one number are equal.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: Vec<u8>,
    /// Of the last digit.
    power: i64,
}

impl Decimal {
    /// Of a literal of the JSON grammar; `None` when its exponent is beyond any number that is kept.
    fn of(literal: &str) -> Option<Decimal> {
        let (negative, rest) = literal.strip_prefix('-').map_or((false, literal), |rest| (true, rest));
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut power: i64 = exponent.parse().ok()?;
        power = power.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).skip_while(|digit| *digit == b'0').collect();
        while digits.last() == Some(&b'0') {
            digits.pop();
            power = power.checked_add(1)?;
        }
        // RFC 8785 writes -0 as 0, which is the same number.
        Some(if digits.is_empty() { Decimal { negative: false, digits, power: 0 } } else { Decimal { negative, digits, power } })
    }
}

/// Whether this literal of the JSON grammar is kept.
pub(super) fn is_kept(literal: &str) -> bool {
    // Any decimal of at most 15 digits comes back from a double (DBL_DIG of IEEE 754 binary64).
    if literal.len() <= 15 && !literal.contains(['e', 'E']) {
        return true;
    }
    let Ok(number) = literal.parse::<f64>() else { return false };
    let Ok(written) = crate::digest::canonical(&number) else { return false };
    let written = String::from_utf8(written).unwrap_or_default();
    matches!((Decimal::of(literal), Decimal::of(&written)), (Some(typed), Some(kept)) if typed == kept)
}
