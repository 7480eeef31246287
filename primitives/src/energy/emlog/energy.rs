//! Exact energy: what a reading states in kWh, and the running sum that a register shows.

use super::Direction;
use crate::energy::Registers;
use alloc::{format, string::String};
use codec::{Decode, DecodeWithMemTracking, Encode, Error as CodecError, Input, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Decimals of a Wh that are kept. `energy_kwh` can have three more.
///
/// A binary float prints at most 17 digits, so everything that a device can compute in floats down
/// to 10⁻²² kWh is exact; and two fractions and their sum fit in a `u128`.
pub const DECIMALS: usize = 36;
/// Smallest units in one Wh.
const UNITS_PER_WH: u128 = 1_000_000_000_000_000_000_000_000_000_000_000_000;
/// Power of ten between kWh and Wh.
const KILO: i64 = 3;
/// Largest absolute value of an exponent; beyond it the number is out of range anyway.
const MAX_EXPONENT: i64 = 1_000_000_000;

/// Error of a number that cannot be an energy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EnergyError {
	/// The text is not a decimal number as JSON writes it.
	Malformed,
	/// The number is below zero.
	Negative,
	/// The number is finer than 10⁻³⁹ kWh.
	TooFine,
	/// The number is above `u64::MAX` Wh.
	TooLarge,
}

impl fmt::Display for EnergyError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Malformed => "not a decimal number",
			Self::Negative => "energy is never negative: give its direction with a tag",
			Self::TooFine => "more than 39 decimals of a kWh",
			Self::TooLarge => "more than a register can hold",
		})
	}
}

impl core::error::Error for EnergyError {}

/// An exact amount of energy of at most `u64::MAX` Wh, a multiple of 10⁻³⁶ Wh.
///
/// As text it is a plain decimal of Wh without superfluous zeros, such as `300.00000000000004`.
#[derive(Encode, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Energy {
	wh: u64,
	/// Fraction of a Wh in units of 10⁻³⁶ Wh, below `UNITS_PER_WH`.
	fraction: u128,
}

impl Energy {
	/// 0 Wh.
	pub const ZERO: Self = Self { wh: 0, fraction: 0 };

	/// Returns an energy of whole Wh.
	pub const fn from_wh(wh: u64) -> Self {
		Self { wh, fraction: 0 }
	}

	/// Returns the floor, in Wh.
	pub const fn floor_wh(&self) -> u64 {
		self.wh
	}

	/// Returns `true` if it is 0.
	pub const fn is_zero(&self) -> bool {
		self.wh == 0 && self.fraction == 0
	}

	/// Returns the exact sum; `None` above `u64::MAX` Wh.
	pub fn checked_add(&self, other: &Self) -> Option<Self> {
		let fraction = self.fraction.checked_add(other.fraction)?;
		let wh = self.wh.checked_add(other.wh)?;
		match fraction.checked_sub(UNITS_PER_WH) {
			Some(fraction) => Some(Self { wh: wh.checked_add(1)?, fraction }),
			None => Some(Self { wh, fraction }),
		}
	}

	/// Reads a JSON number of kWh exactly, in any form: `12.34`, `5`, `1e-7`, `1.2E+3`.
	///
	/// # Errors
	/// The first reason of [`EnergyError`] that applies.
	pub fn parse_kwh(literal: &str) -> Result<Self, EnergyError> {
		Self::parse(literal, KILO)
	}

	/// Reads a decimal number of Wh, as [`fmt::Display`] writes it.
	///
	/// # Errors
	/// The first reason of [`EnergyError`] that applies.
	pub fn parse_wh(literal: &str) -> Result<Self, EnergyError> {
		Self::parse(literal, 0)
	}

	/// Reads `literal · 10^shift` Wh.
	fn parse(literal: &str, shift: i64) -> Result<Self, EnergyError> {
		let (negative, rest) = match literal.strip_prefix('-') {
			Some(rest) => (true, rest),
			None => (false, literal),
		};
		let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
			Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
			None => (rest, 0),
		};
		let (whole, decimals) = match mantissa.split_once('.') {
			Some((_, "")) => return Err(EnergyError::Malformed),
			Some(parts) => parts,
			None => (mantissa, ""),
		};
		let digits = [whole, decimals].concat();
		if whole.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
			return Err(EnergyError::Malformed);
		}
		let significant = digits.trim_end_matches('0');
		let dropped = length(&digits).saturating_sub(length(significant));
		// The value is `significant · 10^scale` Wh.
		let scale =
			exponent.saturating_add(shift).saturating_sub(length(decimals)).saturating_add(dropped);
		match significant.trim_start_matches('0') {
			"" => Ok(Self::ZERO),
			_ if negative => Err(EnergyError::Negative),
			significant => Self::scaled(significant, scale),
		}
	}

	/// Returns `significant · 10^scale`, where `significant` is digits that neither begin nor end
	/// with 0.
	fn scaled(significant: &str, scale: i64) -> Result<Self, EnergyError> {
		// Position of the decimal point, counted from the first digit.
		let point = length(significant).saturating_add(scale);
		if point > 20 {
			return Err(EnergyError::TooLarge);
		}
		let places = usize::try_from(scale.saturating_neg().max(0));
		if !places.is_ok_and(|places| places <= DECIMALS) {
			return Err(EnergyError::TooFine);
		}
		let (mut wh, mut fraction) = (0u128, 0u128);
		let end = i64::try_from(DECIMALS).map_err(|_| EnergyError::TooFine)?;
		let mut digits = significant.bytes().map(|digit| u128::from(digit.saturating_sub(b'0')));
		// From the first digit, or the first decimal if that comes before, to the last decimal.
		for place in point.saturating_neg()..end {
			let is_before_first = place < point.saturating_neg();
			let digit = if is_before_first { 0 } else { digits.next().unwrap_or(0) };
			let sum = if place < 0 { &mut wh } else { &mut fraction };
			*sum = sum
				.checked_mul(10)
				.and_then(|sum| sum.checked_add(digit))
				.ok_or(EnergyError::TooLarge)?;
		}
		let wh = u64::try_from(wh).map_err(|_| EnergyError::TooLarge)?;
		Ok(Self { wh, fraction })
	}

	/// Returns an exact decimal of kWh without superfluous zeros, such as `0.30000000000000004`.
	pub fn to_kwh(&self) -> String {
		let wh = format!("{:04}{:036}", self.wh, self.fraction);
		let split = wh.len().saturating_sub(DECIMALS).saturating_sub(3);
		let (whole, decimals) = wh.split_at_checked(split).unwrap_or((&wh, ""));
		join(whole, decimals)
	}
}

/// Returns `whole.decimals` without superfluous zeros at the end.
fn join(whole: &str, decimals: &str) -> String {
	match decimals.trim_end_matches('0') {
		"" => whole.into(),
		decimals => format!("{whole}.{decimals}"),
	}
}

fn length(text: &str) -> i64 {
	i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// Reads an exponent; returns ±[`MAX_EXPONENT`] if it is beyond that.
fn parse_exponent(text: &str) -> Result<i64, EnergyError> {
	let (negative, digits) = match text.strip_prefix('-') {
		Some(digits) => (true, digits),
		None => (false, text.strip_prefix('+').unwrap_or(text)),
	};
	if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
		return Err(EnergyError::Malformed);
	}
	// An exponent with too many digits for an i64 is out of range, too.
	let value = digits.parse::<i64>().unwrap_or(MAX_EXPONENT).min(MAX_EXPONENT);
	Ok(if negative { value.saturating_neg() } else { value })
}

impl fmt::Display for Energy {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&join(&format!("{}", self.wh), &format!("{:036}", self.fraction)))
	}
}

impl fmt::Debug for Energy {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{self} Wh")
	}
}

impl FromStr for Energy {
	type Err = EnergyError;

	fn from_str(text: &str) -> Result<Self, EnergyError> {
		Self::parse_wh(text)
	}
}

impl Decode for Energy {
	fn decode<I: Input>(input: &mut I) -> Result<Self, CodecError> {
		let (wh, fraction) = Decode::decode(input)?;
		if fraction < UNITS_PER_WH {
			Ok(Self { wh, fraction })
		} else {
			Err("Energy: fraction of one Wh or more".into())
		}
	}
}

impl DecodeWithMemTracking for Energy {}

impl Serialize for Energy {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(self)
	}
}

impl<'de> Deserialize<'de> for Energy {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		Self::parse_wh(&String::deserialize(deserializer)?).map_err(D::Error::custom)
	}
}

/// Register that loses nothing: the exact running sum. What it shows is the floor, in Wh.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunningRegister(pub Energy);

impl RunningRegister {
	/// Returns a register that shows `wh` and has no fraction.
	pub const fn starting_at(wh: u64) -> Self {
		Self(Energy::from_wh(wh))
	}

	/// Adds exactly. Returns `None`, and changes nothing, if the sum would exceed `u64::MAX` Wh.
	#[must_use]
	pub fn add(&mut self, energy: &Energy) -> Option<()> {
		self.0 = self.0.checked_add(energy)?;
		Some(())
	}

	/// Returns what it shows: the floor, in Wh.
	pub const fn shown_wh(&self) -> u64 {
		self.0.floor_wh()
	}
}

/// Registers of a meter as gateway and device keep them, with their fractions.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct RunningRegisters {
	/// Energy taken from the grid.
	pub import: RunningRegister,
	/// Energy delivered to the grid.
	pub export: RunningRegister,
}

impl RunningRegisters {
	/// Returns registers that show these values and have no fraction: of a new meter, or after an
	/// exchange.
	pub const fn starting_at(registers: Registers) -> Self {
		Self {
			import: RunningRegister::starting_at(registers.import_wh),
			export: RunningRegister::starting_at(registers.export_wh),
		}
	}

	/// Adds energy to one of them. Returns `None`, and changes nothing, if it would exceed what a
	/// register can hold, or if `flow` is both directions.
	#[must_use]
	pub fn add(&mut self, flow: Direction, energy: &Energy) -> Option<()> {
		match flow {
			Direction::Import => self.import.add(energy),
			Direction::Export | Direction::Generation => self.export.add(energy),
			Direction::Both => None,
		}
	}

	/// Returns what they show: the floors, in Wh.
	pub const fn shown(&self) -> Registers {
		Registers { import_wh: self.import.shown_wh(), export_wh: self.export.shown_wh() }
	}
}
