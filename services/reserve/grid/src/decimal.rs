//! Exact decimal numbers, as the platform writes megawatts and prices.

use core::fmt;
use gridproof_primitives::decimal::{MAX_EXACT_PLACES, Ratio, SignedRatio};

/// Digits after the decimal point that [`Decimal`] keeps.
pub const SCALE: u32 = 12;
/// 10¹², the unit in which [`Decimal`] counts.
pub const UNIT: i128 = 1_000_000_000_000;
/// Digits before the decimal point that a figure may have.
pub const MAX_INTEGER_DIGITS: usize = 12;
/// Characters that a figure may have, signs and zeros included.
pub const MAX_TEXT: usize = 64;

/// A decimal number, exact, in steps of 10⁻¹² and below 10¹² in size.
///
/// These bounds hold every figure of the platform with room to spare, and leave the sums of a day
/// (at most 2,880 minutes) far inside an `i128`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i128);

/// Why a text is not a [`Decimal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDecimal {
	/// Not of the form `[+-]digits[.digits]` (XML Schema's `decimal`; no exponent, no `NaN`).
	#[error("not a decimal number")]
	Malformed,
	/// More than [`SCALE`] significant digits after the point.
	#[error("more than 12 decimals")]
	TooPrecise,
	/// 10¹² or more in size, or a text of more than [`MAX_TEXT`] characters.
	#[error("out of range")]
	OutOfRange,
}

impl Decimal {
	/// Zero.
	pub const ZERO: Self = Self(0);

	/// The number that `text` states, exactly. Leading and trailing zeros do not matter.
	pub fn parse(text: &str) -> Result<Self, InvalidDecimal> {
		if text.len() > MAX_TEXT {
			return Err(InvalidDecimal::OutOfRange);
		}
		let (negative, digits) = match text.as_bytes().first() {
			Some(b'-') => (true, &text[1..]),
			Some(b'+') => (false, &text[1..]),
			_ => (false, text),
		};
		let (integer, fraction) = digits.split_once('.').unwrap_or((digits, ""));
		let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
		if (integer.is_empty() && fraction.is_empty())
			|| !all_digits(integer)
			|| !all_digits(fraction)
		{
			return Err(InvalidDecimal::Malformed);
		}
		let integer = integer.trim_start_matches('0');
		let fraction = fraction.trim_end_matches('0');
		if fraction.len() > SCALE as usize {
			return Err(InvalidDecimal::TooPrecise);
		}
		if integer.len() > MAX_INTEGER_DIGITS {
			return Err(InvalidDecimal::OutOfRange);
		}
		let padding = SCALE as usize - fraction.len();
		let units = integer
			.bytes()
			.chain(fraction.bytes())
			.chain(core::iter::repeat_n(b'0', padding))
			.fold(0i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
		Ok(Self(if negative { -units } else { units }))
	}

	/// The number in units of 10⁻¹².
	pub const fn units(self) -> i128 {
		self.0
	}

	/// Whether the number is below zero.
	pub const fn is_negative(self) -> bool {
		self.0 < 0
	}
}

impl fmt::Display for Decimal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let size = self.0.unsigned_abs();
		let (whole, rest) = (size / UNIT.unsigned_abs(), size % UNIT.unsigned_abs());
		let sign = if self.is_negative() { "-" } else { "" };
		let text = format!("{sign}{whole}.{rest:012}");
		f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
	}
}

/// `price` with a decimal point: exact if its expansion ends (within
/// [`MAX_EXACT_PLACES`] digits, which every mean of [`Decimal`]s over a day does or never does),
/// else rounded down, towards minus infinity, at [`SCALE`] decimals.
pub fn written(price: &SignedRatio) -> String {
	let size = price.magnitude();
	let sign = if price.is_negative() { "-" } else { "" };
	let digits = size.to_decimal_exact(MAX_EXACT_PLACES).unwrap_or_else(|| {
		if price.is_negative() {
			// Down is away from zero: one step more than what is cut off.
			let steps = size.mul_floor(UNIT.unsigned_abs()).unwrap_or(u128::MAX);
			Ratio::new(steps.saturating_add(1), UNIT.unsigned_abs())
				.unwrap_or(size)
				.to_decimal_floor(SCALE)
		} else {
			size.to_decimal_floor(SCALE)
		}
	});
	format!("{sign}{digits}")
}

/// `units / denominator` with its sign. A denominator of zero is read as one; callers never pass
/// one.
pub fn signed_ratio(units: i128, denominator: u128) -> SignedRatio {
	let size = Ratio::new(units.unsigned_abs(), denominator.max(1)).unwrap_or_default();
	SignedRatio::new(units < 0, size)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_spelling_of_a_decimal_is_read_exactly() {
		for (text, units) in [
			("0", 0),
			("41180.5", 41_180_500_000_000_000),
			("-0.01", -10_000_000_000),
			("+7", 7_000_000_000_000),
			(".5", 500_000_000_000),
			("5.", 5_000_000_000_000),
			("000123.4500000000000000000", 123_450_000_000_000),
			("999999999999.999999999999", 999_999_999_999_999_999_999_999),
			("0.000000000001", 1),
		] {
			assert_eq!(Decimal::parse(text).map(Decimal::units), Ok(units), "{text}");
		}
	}

	#[test]
	fn what_is_not_a_decimal_is_refused_with_the_reason() {
		for text in ["", "-", "+", ".", "1e3", "NaN", "INF", "1,5", "1.2.3", " 1", "--1", "٣"] {
			assert_eq!(Decimal::parse(text), Err(InvalidDecimal::Malformed), "{text}");
		}
		assert_eq!(Decimal::parse("1000000000000"), Err(InvalidDecimal::OutOfRange));
		assert_eq!(Decimal::parse("0.0000000000001"), Err(InvalidDecimal::TooPrecise));
		assert_eq!(Decimal::parse(&"0".repeat(65)), Err(InvalidDecimal::OutOfRange));
	}

	#[test]
	fn a_mean_is_written_exactly_or_rounded_down() {
		for (units, denominator, text) in [
			(1, 3, "0.333333333333"),
			(-1, 3, "-0.333333333334"),
			(-2, 3, "-0.666666666667"),
			(-11, 4, "-2.75"),
			(-3, 1, "-3.0"),
			(9001, 96, "93.760416666666"),
			(0, 5, "0.0"),
			(-1, 1_000_000_000_000, "-0.000000000001"),
		] {
			assert_eq!(written(&signed_ratio(units, denominator)), text);
		}
	}

	#[test]
	fn a_decimal_prints_what_it_was_read_from() {
		for text in ["0", "12.5", "-12.5", "-0.000000000001", "47333.25"] {
			assert_eq!(Decimal::parse(text).unwrap().to_string(), text);
		}
	}
}
