//! A civil day, as in `2026-01-15`.

use alloc::{format, string::String};
use codec::{Decode, DecodeWithMemTracking, Encode, Error as CodecError, Input, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::num::units::MILLIS_PER_DAY;

/// Days from 0001-01-01 to 1970-01-01 in the Gregorian calendar.
const UNIX_EPOCH: u32 = 719_162;
/// Days in 400 Gregorian years.
const DAYS_PER_400_YEARS: u32 = 146_097;
/// Last year that four digits can print.
const LAST_YEAR: u32 = 9_999;

/// Error of a text that is not a day of the years 1970 to 9999, written `YYYY-MM-DD`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotADay;

impl fmt::Display for NotADay {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("not a day: write YYYY-MM-DD, from 1970-01-01 to 9999-12-31")
	}
}

impl core::error::Error for NotADay {}

/// A civil day from 1970-01-01 to 9999-12-31, encoded as days since 1970-01-01 (`u32`).
///
/// A day has no time zone: the context says which one it is in. Printed and read as `YYYY-MM-DD`.
#[derive(Encode, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Day(u32);

impl Day {
	/// 1970-01-01.
	pub const FIRST: Self = Self(0);
	/// 9999-12-31.
	pub const LAST: Self = Self(2_932_896);

	/// Returns the day that is `days` days after 1970-01-01; `None` after 9999-12-31.
	pub const fn from_days(days: u32) -> Option<Self> {
		if days <= Self::LAST.0 { Some(Self(days)) } else { None }
	}

	/// Returns the UTC day of a time in milliseconds since 1970-01-01T00:00Z; the last day if it is
	/// later.
	pub fn from_unix_millis(millis: u64) -> Self {
		let days = u32::try_from(millis / MILLIS_PER_DAY).unwrap_or(u32::MAX);
		Self(days.min(Self::LAST.0))
	}

	/// Returns the days since 1970-01-01.
	pub const fn days(self) -> u32 {
		self.0
	}

	/// Returns the day of that date; `None` if there is no such date.
	pub fn from_date(year: u32, month: u32, day: u32) -> Option<Self> {
		if !(1970..=LAST_YEAR).contains(&year) || day == 0 || day > month_length(year, month)? {
			return None;
		}
		let months: u32 = (1..month).filter_map(|month| month_length(year, month)).sum();
		let days = days_before_year(year).checked_add(months)?.checked_add(day)?;
		Self::from_days(days.checked_sub(1)?.checked_sub(UNIX_EPOCH)?)
	}

	/// Returns year, month (1…12) and day of the month (1…31).
	pub fn date(self) -> (u32, u32, u32) {
		let days = self.0.saturating_add(UNIX_EPOCH);
		let mut year = days.saturating_mul(400) / DAYS_PER_400_YEARS;
		while days_before_year(year.saturating_add(1)) <= days {
			year = year.saturating_add(1);
		}
		let mut rest = days.saturating_sub(days_before_year(year));
		for month in 1..=12 {
			let length = month_length(year, month).unwrap_or(u32::MAX);
			match rest.checked_sub(length) {
				Some(later) => rest = later,
				None => return (year, month, rest.saturating_add(1)),
			}
		}
		(year, 12, 31)
	}

	/// Returns the next day, `None` after 9999-12-31.
	pub fn next(self) -> Option<Self> {
		Self::from_days(self.0.checked_add(1)?)
	}

	/// Returns the previous day, `None` before 1970-01-01.
	pub fn previous(self) -> Option<Self> {
		Self::from_days(self.0.checked_sub(1)?)
	}

	/// Returns by how many days it is later than `earlier`; 0 if it is not later.
	pub const fn days_since(self, earlier: Self) -> u32 {
		self.0.saturating_sub(earlier.0)
	}

	/// Reads `YYYY-MM-DD`, exactly ten characters.
	pub fn parse(text: &str) -> Result<Self, NotADay> {
		let mut parts = text.split('-');
		let (year, month, day) = (parts.next(), parts.next(), parts.next());
		if parts.next().is_some() {
			return Err(NotADay);
		}
		let number = |text: Option<&str>, length: usize| {
			text.filter(|text| text.len() == length)
				.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
				.and_then(|text| text.parse().ok())
				.ok_or(NotADay)
		};
		Self::from_date(number(year, 4)?, number(month, 2)?, number(day, 2)?).ok_or(NotADay)
	}

	/// Returns the day as `YYYY-MM-DD`.
	pub fn to_iso(self) -> String {
		let (year, month, day) = self.date();
		format!("{year:04}-{month:02}-{day:02}")
	}
}

const fn is_leap(year: u32) -> bool {
	year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Returns the days in a month; `None` if there is no such month.
const fn month_length(year: u32, month: u32) -> Option<u32> {
	match month {
		1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
		4 | 6 | 9 | 11 => Some(30),
		2 if is_leap(year) => Some(29),
		2 => Some(28),
		_ => None,
	}
}

/// Returns the days from 0001-01-01 to the first day of `year`, for years of at most four digits.
const fn days_before_year(year: u32) -> u32 {
	let years = year.saturating_sub(1);
	let leap_days = (years / 4).saturating_sub(years / 100).saturating_add(years / 400);
	years.saturating_mul(365).saturating_add(leap_days)
}

impl fmt::Display for Day {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.to_iso())
	}
}

impl fmt::Debug for Day {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.to_iso())
	}
}

impl FromStr for Day {
	type Err = NotADay;

	fn from_str(text: &str) -> Result<Self, NotADay> {
		Self::parse(text)
	}
}

impl Decode for Day {
	fn decode<I: Input>(input: &mut I) -> Result<Self, CodecError> {
		Self::from_days(u32::decode(input)?).ok_or_else(|| "Day: after 9999-12-31".into())
	}
}

impl DecodeWithMemTracking for Day {}

impl Serialize for Day {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(self)
	}
}

impl<'de> Deserialize<'de> for Day {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
	}
}
