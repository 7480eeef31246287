//! Exact decimal numbers, as the platform writes megawatts and prices.

use core::fmt;
use gridproof_primitives::num::decimal::{MAX_EXACT_PLACES, Ratio, SignedRatio};
use serde::{Serialize, Serializer};

/// Digits after the decimal point that [`Decimal`] keeps.
pub(crate) const SCALE: u32 = 12;
/// 10¹², the unit in which [`Decimal`] counts.
pub const UNIT: i128 = 1_000_000_000_000;
/// Digits before the decimal point that a figure may have.
pub(crate) const MAX_INTEGER_DIGITS: usize = 12;
/// Characters that a figure may have, signs and zeros included.
pub(crate) const MAX_TEXT: usize = 64;

/// A decimal number, exact, in steps of 10⁻¹² and below 10¹² in size.
///
/// These bounds hold every figure of the platform with room to spare, and leave the sums of a day
/// (at most 2,880 minutes) far inside an `i128`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i128);

/// Why a text is not a [`Decimal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
	/// Not of the form `[+-]digits[.digits]` (XML Schema's `decimal`; no exponent, no `NaN`).
	#[error("not a decimal number")]
	Malformed,
	/// More than `SCALE` significant digits after the point.
	#[error("more than 12 decimals")]
	TooPrecise,
	/// 10¹² or more in size, or a text of more than `MAX_TEXT` characters.
	#[error("out of range")]
	OutOfRange,
}

impl Decimal {
	/// Zero.
	pub const ZERO: Self = Self(0);

	/// The number that `text` states, exactly. Leading and trailing zeros do not matter.
	pub fn parse(text: &str) -> Result<Self, DecimalError> {
		if text.len() > MAX_TEXT {
			return Err(DecimalError::OutOfRange);
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
			return Err(DecimalError::Malformed);
		}
		let integer = integer.trim_start_matches('0');
		let fraction = fraction.trim_end_matches('0');
		if fraction.len() > SCALE as usize {
			return Err(DecimalError::TooPrecise);
		}
		if integer.len() > MAX_INTEGER_DIGITS {
			return Err(DecimalError::OutOfRange);
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

/// A price in EUR/MWh as it is stated: exact if its decimal expansion ends (within
/// [`MAX_EXACT_PLACES`] digits, which every mean of [`Decimal`]s over a day does or never does),
/// else rounded down, towards minus infinity, at `SCALE` decimals.
#[derive(Clone, PartialEq, Eq)]
pub struct Price {
	stated: SignedRatio,
	text: String,
}

impl Price {
	/// States an exact price.
	pub fn of(exact: &SignedRatio) -> Self {
		let size = exact.magnitude();
		let sign = if exact.is_negative() { "-" } else { "" };
		if let Some(digits) = size.to_decimal_exact(MAX_EXACT_PLACES) {
			return Self { stated: *exact, text: format!("{sign}{digits}") };
		}
		let cut = size.mul_floor(UNIT.unsigned_abs()).unwrap_or(u128::MAX);
		// Down is away from zero for a price below zero: one step more than what is cut off.
		let steps = if exact.is_negative() { cut.saturating_add(1) } else { cut };
		let size = Ratio::new(steps, UNIT.unsigned_abs()).unwrap_or(size);
		let text = format!("{sign}{}", size.to_decimal_floor(SCALE));
		Self { stated: SignedRatio::new(exact.is_negative(), size), text }
	}

	/// Returns the price as stated, to calculate with.
	pub const fn stated(&self) -> SignedRatio {
		self.stated
	}
}

impl fmt::Display for Price {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.text)
	}
}

impl fmt::Debug for Price {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.text)
	}
}

impl Serialize for Price {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&self.text)
	}
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
			assert_eq!(Decimal::parse(text), Err(DecimalError::Malformed), "{text}");
		}
		assert_eq!(Decimal::parse("1000000000000"), Err(DecimalError::OutOfRange));
		assert_eq!(Decimal::parse("0.0000000000001"), Err(DecimalError::TooPrecise));
		assert_eq!(Decimal::parse(&"0".repeat(65)), Err(DecimalError::OutOfRange));
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
			let price = Price::of(&signed_ratio(units, denominator));
			assert_eq!(price.to_string(), text);
			// What is calculated with is what is written, to the last digit.
			assert_eq!(SignedRatio::parse(text), Ok(price.stated()));
		}
	}

	#[test]
	fn a_decimal_prints_what_it_was_read_from() {
		for text in ["0", "12.5", "-12.5", "-0.000000000001", "47333.25"] {
			assert_eq!(Decimal::parse(text).unwrap().to_string(), text);
		}
	}
}
