//! When a day is due.

use chrono::{DateTime, Datelike, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use gridproof_primitives::{time::calendar::Calendar, time::day::Day};
use std::time::Duration;

/// When the data and the attestation of a day are due. All times are UTC milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timetable {
	/// On the day after, at two times of the local clock.
	Daily {
		/// Time zone of that clock.
		zone: Tz,
		/// Time at which data is loaded.
		load_at: NaiveTime,
		/// Time at which the attestation is made.
		attest_at: NaiveTime,
	},
	/// One day after another in a steady beat, from `first_day`, which is due at `starts_at` plus
	/// one beat.
	Every(Calendar),
	/// As soon as the chain's own calendar has a later day.
	Chain(Calendar),
}

impl Timetable {
	/// Returns the last day whose data is due.
	pub fn load_through(&self, now: u64) -> Option<Day> {
		match self {
			Self::Daily { zone, load_at, .. } => day_before(*zone, *load_at, now),
			Self::Every(calendar) | Self::Chain(calendar) => ended(calendar, now),
		}
	}

	/// Returns the last day whose attestation is due.
	pub fn attest_through(&self, now: u64) -> Option<Day> {
		match self {
			Self::Daily { zone, attest_at, .. } => day_before(*zone, *attest_at, now),
			Self::Every(calendar) | Self::Chain(calendar) => ended(calendar, now),
		}
	}

	/// Returns `true` if days come due by the time of the world, where a jump is a mistake or a long
	/// absence.
	pub const fn is_of_the_world(&self) -> bool {
		matches!(self, Self::Daily { .. })
	}

	/// Returns how long to wait before looking again. Short enough that a clock that is set, or a machine
	/// that wakes up, does not delay a day.
	pub fn beat(&self) -> Duration {
		match self {
			Self::Daily { .. } => Duration::from_secs(15),
			Self::Every(calendar) | Self::Chain(calendar) => {
				Duration::from_millis((calendar.day_length / 20).clamp(200, 15_000))
			},
		}
	}
}

/// The day before the local one, or the one before that if it is not yet `at` o'clock.
fn day_before(zone: Tz, at: NaiveTime, now: u64) -> Option<Day> {
	let now = DateTime::<Utc>::from_timestamp_millis(i64::try_from(now).ok()?)?;
	let local: NaiveDateTime = now.with_timezone(&zone).naive_local();
	let date = local.date();
	let year = u32::try_from(date.year()).ok()?;
	let yesterday = Day::from_date(year, date.month(), date.day())?.previous()?;
	if local.time() >= at { Some(yesterday) } else { yesterday.previous() }
}

/// The last day of a calendar that is over.
fn ended(calendar: &Calendar, now: u64) -> Option<Day> {
	let today = calendar.day_at(now);
	if today <= calendar.first_day { None } else { today.previous() }
}

#[cfg(test)]
mod tests {
	use super::*;

	fn millis(text: &str) -> u64 {
		DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis().try_into().unwrap()
	}

	fn day(text: &str) -> Option<Day> {
		Some(Day::parse(text).unwrap())
	}

	#[test]
	fn a_day_is_loaded_at_twenty_past_and_attested_at_twenty_five_past_midnight() {
		let table = Timetable::Daily {
			zone: Tz::Europe__Berlin,
			load_at: NaiveTime::from_hms_opt(0, 20, 0).unwrap(),
			attest_at: NaiveTime::from_hms_opt(0, 25, 0).unwrap(),
		};
		let at = |text: &str| {
			let now = millis(text);
			(table.load_through(now), table.attest_through(now))
		};
		let (before, after) = (day("2026-01-14"), day("2026-01-15"));
		assert_eq!(at("2026-01-16T00:19:59+01:00"), (before, before));
		assert_eq!(at("2026-01-16T00:20:00+01:00"), (after, before));
		assert_eq!(at("2026-01-16T00:25:00+01:00"), (after, after));
		assert_eq!(at("2026-01-16T23:59:59+01:00"), (after, after));
		// The days around a change of clocks begin and end by the wall as well.
		assert_eq!(at("2026-03-30T00:20:00+02:00").0, day("2026-03-29"));
		assert_eq!(at("2026-10-25T23:59:59+01:00").0, day("2026-10-24"));
		assert_eq!(at("1970-01-01T00:30:00Z").0, None);
	}

	#[test]
	fn a_beat_makes_a_day_due_when_it_is_over() {
		let first_day = Day::parse("2026-01-01").unwrap();
		let calendar = Calendar { first_day, starts_at: 1_000_000, day_length: 60_000 };
		let table = Timetable::Every(calendar);
		assert_eq!(table.load_through(0), None);
		assert_eq!(table.load_through(1_059_999), None);
		assert_eq!(table.load_through(1_060_000), day("2026-01-01"));
		assert_eq!(table.attest_through(1_180_000), day("2026-01-03"));
		assert_eq!(table.beat(), Duration::from_secs(3));
	}
}
