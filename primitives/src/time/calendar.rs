//! The calendar that pallets share, and the clock that says which day it is.

use crate::{num::units::MILLIS_PER_DAY, time::day::Day};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Part of a day by which clocks may differ: a ninety-sixth, 15 minutes of a UTC day.
pub const SKEW_PER_DAY: u64 = 96;

/// Rule that turns a time into a day.
///
/// A production network uses [`Calendar::UTC`]. A network for demonstrations can run through days
/// of the past, faster: its `first_day` begins at `starts_at` and each day takes `day_length`.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Calendar {
	/// Day that begins at `starts_at`.
	pub first_day: Day,
	/// Begin of `first_day`, in UTC milliseconds; 0 in [`Calendar::UTC`], or until it is known.
	pub starts_at: u64,
	/// Length of a day, in milliseconds; at least 1,000 in a calendar that [`Calendar::is_valid`].
	pub day_length: u64,
}

impl Calendar {
	/// UTC days, from 1970-01-01.
	pub const UTC: Self = Self { first_day: Day::FIRST, starts_at: 0, day_length: MILLIS_PER_DAY };

	/// Returns `true` if a day lasts at least a second.
	pub const fn is_valid(&self) -> bool {
		self.day_length >= 1_000
	}

	/// Returns `true` if the begin of its first day is known. If the chain's first block begins it,
	/// that is the case from the second block on.
	pub fn has_begun(&self) -> bool {
		self.starts_at != 0 || *self == Self::UTC
	}

	/// Returns the day at a time in UTC milliseconds: the first day if it is earlier, 9999-12-31 if
	/// it is later.
	pub fn day_at(&self, millis: u64) -> Day {
		let elapsed = millis.saturating_sub(self.starts_at);
		let days = elapsed.checked_div(self.day_length).unwrap_or(0);
		let days = u32::try_from(days).unwrap_or(u32::MAX);
		Day::from_days(self.first_day.days().saturating_add(days)).unwrap_or(Day::LAST)
	}

	/// Returns by how many milliseconds clocks may differ.
	pub fn skew(&self) -> u64 {
		self.day_length.checked_div(SKEW_PER_DAY).unwrap_or(0)
	}
}

impl Default for Calendar {
	fn default() -> Self {
		Self::UTC
	}
}

/// Source of the present day. All pallets of a runtime use the same one.
pub trait DayClock {
	/// Returns the present time in UTC milliseconds, as the block's author stated it.
	fn now() -> u64;

	/// Returns today, by the calendar.
	fn today() -> Day;

	/// Returns the latest day that an honest clock can show now; see [`SKEW_PER_DAY`].
	fn latest_today() -> Day;
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn utc_days_begin_at_midnight() {
		let day = Day::parse("2026-01-15").unwrap();
		let midnight = u64::from(day.days()) * MILLIS_PER_DAY;
		assert_eq!(Calendar::UTC.day_at(midnight), day);
		assert_eq!(Calendar::UTC.day_at(midnight - 1), day.previous().unwrap());
		assert_eq!(Calendar::UTC.skew(), 15 * 60 * 1_000);
		assert_eq!(Calendar::UTC.day_at(u64::MAX), Day::LAST);
	}

	#[test]
	fn a_day_can_last_a_minute() {
		let first_day = Day::parse("2026-01-15").unwrap();
		let calendar = Calendar { first_day, starts_at: 1_000_000, day_length: 60_000 };
		assert_eq!(calendar.day_at(0), first_day);
		assert_eq!(calendar.day_at(1_059_999), first_day);
		assert_eq!(calendar.day_at(1_060_000), first_day.next().unwrap());
		assert_eq!(calendar.skew(), 625);
	}

	#[test]
	fn a_day_without_length_is_no_day() {
		let calendar = Calendar { day_length: 0, ..Calendar::UTC };
		assert!(!calendar.is_valid());
		assert_eq!(calendar.day_at(u64::MAX), Day::FIRST);
	}
}
