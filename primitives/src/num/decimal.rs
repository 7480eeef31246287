//! Exact fractions: parsing, arithmetic, comparison and printing without floating point.

use crate::num::wide::Wide;
use alloc::{format, string::String};
use codec::{Decode, DecodeWithMemTracking, Encode, Error as CodecError, Input, MaxEncodedLen};
use core::{cmp::Ordering, fmt, str::FromStr};
use primitive_types::U256;
use scale_info::TypeInfo;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Longest text that is read as a number, in bytes.
pub const MAX_LITERAL_LEN: usize = 96;
/// Largest absolute value of a decimal exponent, as in `1e38`.
const MAX_EXPONENT: u32 = 38;
/// Places up to which a decimal expansion counts as exact when figures are printed.
pub const MAX_EXACT_PLACES: u32 = 18;

/// Error of a text that is not an exact number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecimalError {
	/// The text is longer than [`MAX_LITERAL_LEN`].
	TooLong,
	/// The text is neither `12`, `12.5` nor, where fractions are allowed, `9/50`.
	Malformed,
	/// The exact value needs a numerator or denominator above `u128::MAX`.
	TooManyDigits,
	/// The denominator of `n/d` is zero.
	ZeroDenominator,
	/// The value is below zero where none may be.
	Negative,
}

impl fmt::Display for DecimalError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::TooLong => "number too long",
			Self::Malformed => "not a number: write 12, 12.5 or 9/50",
			Self::TooManyDigits => "number with too many digits",
			Self::ZeroDenominator => "fraction with denominator zero",
			Self::Negative => "number below zero",
		})
	}
}

impl core::error::Error for DecimalError {}

/// Greatest common divisor; `gcd(0, x) = x`.
const fn gcd(mut a: u128, mut b: u128) -> u128 {
	while let Some(rest) = a.checked_rem(b) {
		a = b;
		b = rest;
	}
	a
}

/// An exact fraction, never negative, always in lowest terms, denominator never zero.
///
/// Two ratios are equal exactly if their encodings are. Decoding accepts any non-zero denominator
/// and reduces; serde reads and writes text such as `"9/50"`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, MaxEncodedLen, TypeInfo)]
pub struct Ratio {
	numerator: u128,
	denominator: u128,
}

impl Ratio {
	/// 0.
	pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
	/// 1.
	pub const ONE: Self = Self { numerator: 1, denominator: 1 };

	/// Returns `numerator / denominator` in lowest terms; `None` if the denominator is zero.
	pub const fn new(numerator: u128, denominator: u128) -> Option<Self> {
		let divisor = gcd(numerator, denominator);
		match (numerator.checked_div(divisor), denominator.checked_div(divisor)) {
			(Some(numerator), Some(denominator)) if denominator != 0 => {
				Some(Self { numerator, denominator })
			},
			_ => None,
		}
	}

	/// Returns the fraction in lowest terms; `None` if it does not fit or the denominator is zero.
	pub(crate) fn from_wide(numerator: Wide, denominator: Wide) -> Option<Self> {
		let (numerator, denominator) = Wide::lowest_terms(numerator, denominator);
		Self::new(numerator.try_into().ok()?, denominator.try_into().ok()?)
	}

	/// Returns a whole number.
	pub const fn from_integer(value: u128) -> Self {
		Self { numerator: value, denominator: 1 }
	}

	/// Returns `value / 100`.
	pub const fn percent(value: u128) -> Self {
		Self::scaled(value, 100)
	}

	/// Returns `value / 1,000,000`: micro-EUR in EUR, micro-tokens in tokens, parts per million.
	pub const fn millionths(value: u128) -> Self {
		Self::scaled(value, 1_000_000)
	}

	const fn scaled(value: u128, denominator: u128) -> Self {
		match Self::new(value, denominator) {
			Some(ratio) => ratio,
			None => Self::ZERO,
		}
	}

	/// Returns the numerator in lowest terms.
	pub const fn numerator(&self) -> u128 {
		self.numerator
	}

	/// Returns the denominator in lowest terms; never zero.
	pub const fn denominator(&self) -> u128 {
		self.denominator
	}

	/// Returns `true` if it is 0.
	pub const fn is_zero(&self) -> bool {
		self.numerator == 0
	}

	/// Returns the exact product, `None` if it does not fit in lowest terms.
	pub fn checked_mul(&self, other: &Self) -> Option<Self> {
		// Reducing crosswise first yields lowest terms, so nothing that fits is refused.
		let left = Self::new(self.numerator, other.denominator)?;
		let right = Self::new(other.numerator, self.denominator)?;
		Some(Self {
			numerator: left.numerator.checked_mul(right.numerator)?,
			denominator: left.denominator.checked_mul(right.denominator)?,
		})
	}

	/// Returns the exact quotient, `None` if `other` is zero or the quotient does not fit.
	pub fn checked_div(&self, other: &Self) -> Option<Self> {
		self.checked_mul(&Self::new(other.denominator, other.numerator)?)
	}

	/// Returns the floor of `value · self`, `None` if it is above `u128::MAX`.
	pub fn mul_floor(&self, value: u128) -> Option<u128> {
		let product = U256::from(value).checked_mul(self.numerator.into())?;
		u128::try_from(product.checked_div(self.denominator.into())?).ok()
	}

	/// Returns the floor of the ratio.
	pub fn floor(&self) -> u128 {
		self.numerator.checked_div(self.denominator).unwrap_or(0)
	}

	/// Reads `12`, `12.5` or `9/50`: ASCII digits, no sign, no exponent, no blanks.
	pub fn parse(text: &str) -> Result<Self, DecimalError> {
		let signed = SignedRatio::parse(text)?;
		signed.not_negative().ok_or(DecimalError::Negative)
	}

	/// Returns the decimal expansion cut after `places` digits (at most 38), such as `1.080000`.
	pub fn to_decimal_floor(&self, places: u32) -> String {
		decimal_floor(self.numerator.into(), self.denominator.into(), places)
	}

	/// Returns the whole decimal expansion with at least one digit after the point, such as `90.0`;
	/// `None` if it has more than `max_places` digits after the point or never ends.
	pub fn to_decimal_exact(&self, max_places: u32) -> Option<String> {
		let mut digits = String::new();
		let mut rest = U256::from(self.numerator.checked_rem(self.denominator)?);
		for _ in 0..max_places.clamp(1, 64) {
			let scaled = rest.checked_mul(10u8.into())?;
			digits.push(digit(scaled.checked_div(self.denominator.into())?.low_u32())?);
			rest = scaled.checked_rem(self.denominator.into())?;
			if rest.is_zero() {
				return Some(format!("{}.{digits}", self.floor()));
			}
		}
		None
	}

	/// Returns the figure as it is printed in a file: exactly if its expansion ends within
	/// [`MAX_EXACT_PLACES`] digits, otherwise cut after six.
	pub fn to_figure(&self) -> String {
		self.to_decimal_exact(MAX_EXACT_PLACES).unwrap_or_else(|| self.to_decimal_floor(6))
	}
}

fn digit(value: u32) -> Option<char> {
	char::from_digit(value, 10)
}

/// Returns `numerator / denominator` cut after `places` digits; empty if the denominator is zero.
pub(crate) fn decimal_floor(numerator: Wide, denominator: Wide, places: u32) -> String {
	let Some(whole) = numerator.over(denominator) else { return String::new() };
	let mut text = format!("{whole}");
	if places > 0 {
		text.push('.');
	}
	let mut rest = numerator.checked_rem(denominator).unwrap_or_default();
	for _ in 0..places.min(38) {
		let scaled = rest.times(10u8).unwrap_or_default();
		text.extend(scaled.over(denominator).and_then(|d| digit(d.low_u32())));
		rest = scaled.checked_rem(denominator).unwrap_or_default();
	}
	text
}

impl Default for Ratio {
	fn default() -> Self {
		Self::ZERO
	}
}

impl fmt::Display for Ratio {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{}/{}", self.numerator, self.denominator)
	}
}

impl fmt::Debug for Ratio {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Display::fmt(self, f)
	}
}

impl Ord for Ratio {
	fn cmp(&self, other: &Self) -> Ordering {
		// The 256-bit product of two 128-bit factors cannot overflow.
		let left = U256::from(self.numerator).saturating_mul(other.denominator.into());
		let right = U256::from(other.numerator).saturating_mul(self.denominator.into());
		left.cmp(&right)
	}
}

impl PartialOrd for Ratio {
	fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
		Some(self.cmp(other))
	}
}

impl From<u128> for Ratio {
	fn from(value: u128) -> Self {
		Self::from_integer(value)
	}
}

impl FromStr for Ratio {
	type Err = DecimalError;

	fn from_str(text: &str) -> Result<Self, DecimalError> {
		Self::parse(text)
	}
}

impl Decode for Ratio {
	fn decode<I: Input>(input: &mut I) -> Result<Self, CodecError> {
		let (numerator, denominator) = <(u128, u128)>::decode(input)?;
		Self::new(numerator, denominator).ok_or_else(|| "Ratio: zero denominator".into())
	}
}

impl DecodeWithMemTracking for Ratio {}

impl Serialize for Ratio {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(self)
	}
}

impl<'de> Deserialize<'de> for Ratio {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
	}
}

/// An exact fraction with a sign, such as a price, which can fall below zero.
///
/// Zero has no sign, so equal values have equal encodings.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Encode, MaxEncodedLen, TypeInfo)]
pub struct SignedRatio {
	negative: bool,
	magnitude: Ratio,
}

impl SignedRatio {
	/// Returns `magnitude`, or `-magnitude` if `negative`.
	pub const fn new(negative: bool, magnitude: Ratio) -> Self {
		Self { negative: negative && !magnitude.is_zero(), magnitude }
	}

	/// Returns `true` if it is below zero.
	pub const fn is_negative(&self) -> bool {
		self.negative
	}

	/// Returns the absolute value.
	pub const fn magnitude(&self) -> Ratio {
		self.magnitude
	}

	/// Returns the value, `None` if it is below zero.
	pub const fn not_negative(&self) -> Option<Ratio> {
		if self.negative { None } else { Some(self.magnitude) }
	}

	/// Reads what [`Ratio::parse`] reads, with an optional `-` in front.
	pub fn parse(text: &str) -> Result<Self, DecimalError> {
		if text.len() > MAX_LITERAL_LEN {
			return Err(DecimalError::TooLong);
		}
		let (negative, text) = strip_minus(text);
		let magnitude = match text.split_once('/') {
			Some((numerator, denominator)) => {
				let (numerator, denominator) =
					(parse_digits(numerator)?, parse_digits(denominator)?);
				Ratio::new(numerator, denominator).ok_or(DecimalError::ZeroDenominator)?
			},
			None => parse_decimal(text, 0)?,
		};
		Ok(Self::new(negative, magnitude))
	}

	/// Reads a JSON number literal, which may carry an exponent from -38 to 38: `1.5e3`.
	pub fn parse_json_number(text: &str) -> Result<Self, DecimalError> {
		if text.len() > MAX_LITERAL_LEN {
			return Err(DecimalError::TooLong);
		}
		let (negative, text) = strip_minus(text);
		let (mantissa, exponent) = match text.split_once(['e', 'E']) {
			Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
			None => (text, 0),
		};
		Ok(Self::new(negative, parse_decimal(mantissa, exponent)?))
	}

	/// Same as [`Ratio::to_figure`], with the sign.
	pub fn to_figure(&self) -> String {
		format!("{}{}", self.sign(), self.magnitude.to_figure())
	}

	const fn sign(&self) -> &'static str {
		if self.negative { "-" } else { "" }
	}
}

impl From<Ratio> for SignedRatio {
	fn from(magnitude: Ratio) -> Self {
		Self::new(false, magnitude)
	}
}

impl fmt::Display for SignedRatio {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{}{}", self.sign(), self.magnitude)
	}
}

impl fmt::Debug for SignedRatio {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Display::fmt(self, f)
	}
}

impl FromStr for SignedRatio {
	type Err = DecimalError;

	fn from_str(text: &str) -> Result<Self, DecimalError> {
		Self::parse(text)
	}
}

impl Decode for SignedRatio {
	fn decode<I: Input>(input: &mut I) -> Result<Self, CodecError> {
		let (negative, magnitude) = <(bool, Ratio)>::decode(input)?;
		Ok(Self::new(negative, magnitude))
	}
}

impl DecodeWithMemTracking for SignedRatio {}

impl Serialize for SignedRatio {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(self)
	}
}

impl<'de> Deserialize<'de> for SignedRatio {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
	}
}

fn strip_minus(text: &str) -> (bool, &str) {
	match text.strip_prefix('-') {
		Some(rest) => (true, rest),
		None => (false, text),
	}
}

/// Reads one or more ASCII digits.
fn parse_digits(text: &str) -> Result<u128, DecimalError> {
	if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
		return Err(DecimalError::Malformed);
	}
	text.parse().map_err(|_| DecimalError::TooManyDigits)
}

fn parse_exponent(text: &str) -> Result<i32, DecimalError> {
	let (negative, digits) = match text.strip_prefix('+') {
		Some(rest) => (false, rest),
		None => strip_minus(text),
	};
	let value = parse_digits(digits)?;
	if value > u128::from(MAX_EXPONENT) {
		return Err(DecimalError::TooManyDigits);
	}
	let value = i32::try_from(value).map_err(|_| DecimalError::TooManyDigits)?;
	Ok(if negative { value.saturating_neg() } else { value })
}

/// Reads `12` or `12.5`, times ten to the `exponent`.
fn parse_decimal(text: &str, exponent: i32) -> Result<Ratio, DecimalError> {
	let (whole, fraction) = match text.split_once('.') {
		Some((_, "")) => return Err(DecimalError::Malformed),
		Some((whole, fraction)) => (whole, fraction),
		None => (text, ""),
	};
	if whole.is_empty() {
		return Err(DecimalError::Malformed);
	}
	let digits = [whole, fraction].concat();
	if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
		return Err(DecimalError::Malformed);
	}
	let places = i32::try_from(fraction.len()).map_err(|_| DecimalError::TooLong)?;
	let shift = exponent.saturating_sub(places);
	let value = || {
		let value = Wide::from_dec_str(&digits).ok()?;
		let power = Wide::power_of_ten(shift.unsigned_abs())?;
		if shift < 0 {
			Ratio::from_wide(value, power)
		} else {
			Ratio::from_wide(value.times(power)?, 1u8.into())
		}
	};
	value().ok_or(DecimalError::TooManyDigits)
}
