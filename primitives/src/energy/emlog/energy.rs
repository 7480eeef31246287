//! Exact energy: what a log states in kWh, and the running sum that a register shows.

use super::Direction;
use crate::energy::Registers;
use alloc::{format, string::String};
use codec::{Decode, DecodeWithMemTracking, Encode, Error as CodecError, Input, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Decimals of a Wh that are kept. `energy_kwh` can have three more.
///
/// A binary float prints at most 17 digits, so everything a device can compute in floats down to
/// 10⁻²² kWh is exact; and two fractions and their sum fit in a `u128`.
pub const DECIMALS: usize = 36;
/// Smallest units in one Wh.
const UNITS_PER_WH: u128 = 1_000_000_000_000_000_000_000_000_000_000_000_000;
/// A kWh is 10³ Wh.
const KILO: i64 = 3;
/// Exponents beyond this one change nothing: they are out of range either way.
const MAX_EXPONENT: i64 = 1_000_000_000;

/// Why a number is no energy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EnergyFault {
	/// Not a decimal number as JSON writes it.
	Malformed,
	/// Below zero.
	Negative,
	/// Finer than 10⁻³⁹ kWh.
	TooFine,
	/// More than `u64::MAX` Wh.
	TooLarge,
}

impl fmt::Display for EnergyFault {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Malformed => "not a decimal number",
			Self::Negative => "energy is never negative: state its direction with a tag",
			Self::TooFine => "has more than 39 decimals of a kWh",
			Self::TooLarge => "is more than a register can hold",
		})
	}
}

impl core::error::Error for EnergyFault {}

/// An exact amount of energy of at most `u64::MAX` Wh, a multiple of 10⁻³⁶ Wh.
///
/// As text it is a plain decimal of Wh without needless zeros, such as `300.00000000000004`.
#[derive(Encode, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Energy {
	wh: u64,
	/// Below `UNITS_PER_WH`.
	fraction: u128,
}

impl Energy {
	/// Nothing.
	pub const ZERO: Self = Self { wh: 0, fraction: 0 };

	/// Whole Wh.
	pub const fn from_wh(wh: u64) -> Self {
		Self { wh, fraction: 0 }
	}

	/// The floor, in Wh.
	pub const fn floor_wh(&self) -> u64 {
		self.wh
	}

	/// Is it nothing?
	pub const fn is_zero(&self) -> bool {
		self.wh == 0 && self.fraction == 0
	}

	/// The exact sum; `None` above `u64::MAX` Wh.
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
	/// All of [`EnergyFault`].
	pub fn parse_kwh(literal: &str) -> Result<Self, EnergyFault> {
		Self::parse(literal, KILO)
	}

	/// Reads a decimal number of Wh, as [`fmt::Display`] writes it.
	///
	/// # Errors
	/// All of [`EnergyFault`].
	pub fn parse_wh(literal: &str) -> Result<Self, EnergyFault> {
		Self::parse(literal, 0)
	}

	/// Reads `literal · 10^shift` Wh.
	fn parse(literal: &str, shift: i64) -> Result<Self, EnergyFault> {
		let (negative, rest) = match literal.strip_prefix('-') {
			Some(rest) => (true, rest),
			None => (false, literal),
		};
		let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
			Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
			None => (rest, 0),
		};
		let (whole, decimals) = match mantissa.split_once('.') {
			Some((_, "")) => return Err(EnergyFault::Malformed),
			Some(parts) => parts,
			None => (mantissa, ""),
		};
		let digits = [whole, decimals].concat();
		if whole.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
			return Err(EnergyFault::Malformed);
		}
		let significant = digits.trim_end_matches('0');
		let dropped = length(&digits).saturating_sub(length(significant));
		// The value is `significant · 10^scale` Wh.
		let scale =
			exponent.saturating_add(shift).saturating_sub(length(decimals)).saturating_add(dropped);
		match significant.trim_start_matches('0') {
			"" => Ok(Self::ZERO),
			_ if negative => Err(EnergyFault::Negative),
			significant => Self::scaled(significant, scale),
		}
	}

	/// `significant · 10^scale`, where `significant` is digits that neither begin nor end with 0.
	fn scaled(significant: &str, scale: i64) -> Result<Self, EnergyFault> {
		// The place of the decimal point, counted from the first digit.
		let point = length(significant).saturating_add(scale);
		if point > 20 {
			return Err(EnergyFault::TooLarge);
		}
		let places = usize::try_from(scale.saturating_neg().max(0));
		if !places.is_ok_and(|places| places <= DECIMALS) {
			return Err(EnergyFault::TooFine);
		}
		let (mut wh, mut fraction) = (0u128, 0u128);
		let end = i64::try_from(DECIMALS).map_err(|_| EnergyFault::TooFine)?;
		let mut digits = significant.bytes().map(|digit| u128::from(digit.saturating_sub(b'0')));
		// From the first digit, or the first decimal if that comes before, to the last decimal.
		for place in point.saturating_neg()..end {
			let is_before_first = place < point.saturating_neg();
			let digit = if is_before_first { 0 } else { digits.next().unwrap_or(0) };
			let sum = if place < 0 { &mut wh } else { &mut fraction };
			*sum = sum
				.checked_mul(10)
				.and_then(|sum| sum.checked_add(digit))
				.ok_or(EnergyFault::TooLarge)?;
		}
		let wh = u64::try_from(wh).map_err(|_| EnergyFault::TooLarge)?;
		Ok(Self { wh, fraction })
	}

	/// An exact decimal of kWh without needless zeros, such as `0.30000000000000004`.
	pub fn to_kwh(&self) -> String {
		let wh = format!("{:04}{:036}", self.wh, self.fraction);
		let split = wh.len().saturating_sub(DECIMALS).saturating_sub(3);
		let (whole, decimals) = wh.split_at_checked(split).unwrap_or((&wh, ""));
		join(whole, decimals)
	}
}

/// `whole.decimals` without needless zeros at the end.
fn join(whole: &str, decimals: &str) -> String {
	match decimals.trim_end_matches('0') {
		"" => whole.into(),
		decimals => format!("{whole}.{decimals}"),
	}
}

fn length(text: &str) -> i64 {
	i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// The exponent, or one as much out of range.
fn parse_exponent(text: &str) -> Result<i64, EnergyFault> {
	let (negative, digits) = match text.strip_prefix('-') {
		Some(digits) => (true, digits),
		None => (false, text.strip_prefix('+').unwrap_or(text)),
	};
	if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
		return Err(EnergyFault::Malformed);
	}
	// Too many digits for an i64 are out of range, too.
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
	type Err = EnergyFault;

	fn from_str(text: &str) -> Result<Self, EnergyFault> {
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

/// A register that loses nothing: the exact running sum. What it shows is the floor, in Wh.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunningRegister(pub Energy);

impl RunningRegister {
	/// One that shows `wh` and holds no fraction.
	pub const fn starting_at(wh: u64) -> Self {
		Self(Energy::from_wh(wh))
	}

	/// Adds exactly; `None`, and nothing is changed, if the sum would exceed `u64::MAX` Wh.
	#[must_use]
	pub fn add(&mut self, energy: &Energy) -> Option<()> {
		self.0 = self.0.checked_add(energy)?;
		Some(())
	}

	/// What it shows: the floor, in Wh.
	pub const fn shown_wh(&self) -> u64 {
		self.0.floor_wh()
	}
}

/// The two registers of a meter as gateway and device keep them, with their fractions.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct RunningRegisters {
	/// From the grid.
	pub import: RunningRegister,
	/// To the grid.
	pub export: RunningRegister,
}

impl RunningRegisters {
	/// Registers that show these values and hold no fraction: of a new meter, or after an exchange.
	pub const fn starting_at(registers: Registers) -> Self {
		Self {
			import: RunningRegister::starting_at(registers.import_wh),
			export: RunningRegister::starting_at(registers.export_wh),
		}
	}

	/// Adds energy to one of them; `None`, and nothing is changed, if it would exceed what a
	/// register holds.
	#[must_use]
	pub fn add(&mut self, flow: Direction, energy: &Energy) -> Option<()> {
		match flow {
			Direction::Import => self.import.add(energy),
			Direction::Export => self.export.add(energy),
			Direction::Both => None,
		}
	}

	/// What they show: the floors, in Wh.
	pub const fn shown(&self) -> Registers {
		Registers { import_wh: self.import.shown_wh(), export_wh: self.export.shown_wh() }
	}
}
