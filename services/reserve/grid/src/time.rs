//! Local days as windows of UTC, and the platform's timestamps.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use core::fmt;
use gridproof_primitives::time::day::Day;

/// Minutes since 1970-01-01T00:00Z: the platform's finest unit of time.
pub type Minute = i64;

/// A day longer than this is refused; the longest day of any zone in use has 25 hours.
pub(crate) const MAX_DAY_MINUTES: Minute = 2_880;

/// The stretch of UTC that one local day covers: 23, 24 or 25 hours in Europe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayWindow {
	day: Day,
	start: Minute,
	end: Minute,
}

/// Why a local day has no usable window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DayError {
	/// The zone left this date out (Samoa, 30 December 2011).
	#[error("{0} did not take place in {1}")]
	Skipped(Day, Tz),
	/// The day starts or ends within a minute (offsets before standard time).
	#[error("{0} in {1} does not start or end on a full minute")]
	NotOnMinute(Day, Tz),
	/// The date is too far from today for the calendar, or its day is longer than 48 hours.
	#[error("{0} is out of range")]
	OutOfRange(Day),
}

impl DayWindow {
	/// The window of `day` as clocks in `zone` show it.
	///
	/// A day starts at the first instant that clocks show 00:00, or, where 00:00 is skipped by a
	/// change of clocks, at the change; it ends where the next day starts.
	pub fn local(day: Day, zone: Tz) -> Result<Self, DayError> {
		let next = day.next().ok_or(DayError::OutOfRange(day))?;
		let (start, end) = (day_start(day, zone)?, day_start(next, zone)?);
		if end <= start {
			return Err(DayError::Skipped(day, zone));
		}
		if end - start > MAX_DAY_MINUTES {
			return Err(DayError::OutOfRange(day));
		}
		Ok(Self { day, start, end })
	}

	/// The local day.
	pub const fn day(&self) -> Day {
		self.day
	}

	/// First minute of the day.
	pub const fn start(&self) -> Minute {
		self.start
	}

	/// First minute after the day.
	pub const fn end(&self) -> Minute {
		self.end
	}

	/// Length of the day in minutes.
	pub const fn minutes(&self) -> u32 {
		// `local` has bounded it.
		(self.end - self.start) as u32
	}
}

impl fmt::Display for DayWindow {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{} … {}", format_minute(self.start), format_minute(self.end))
	}
}

/// The day as the calendar of the time zones knows it.
fn date(day: Day) -> Option<NaiveDate> {
	let (year, month, day) = day.date();
	NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// First instant of `day` in `zone`.
fn day_start(day: Day, zone: Tz) -> Result<Minute, DayError> {
	let midnight = date(day).ok_or(DayError::OutOfRange(day))?.and_time(NaiveTime::MIN);
	// A gap is at most a day long (Samoa and Kwajalein skipped one).
	for step in 0..=1_440i64 {
		let local = midnight
			.checked_add_signed(TimeDelta::minutes(step))
			.ok_or(DayError::OutOfRange(day))?;
		if let Some(instant) = zone.from_local_datetime(&local).earliest() {
			let seconds = instant.timestamp();
			return if seconds.rem_euclid(60) == 0 {
				Ok(seconds.div_euclid(60))
			} else {
				Err(DayError::NotOnMinute(day, zone))
			};
		}
	}
	Err(DayError::Skipped(day, zone))
}

/// `2025-03-29T23:00Z`, or an empty text outside the calendar.
pub fn format_minute(minute: Minute) -> String {
	format_as(minute, "%Y-%m-%dT%H:%MZ")
}

/// `202503292300`, as the platform's `periodStart` and `periodEnd` want it.
pub(crate) fn format_query(minute: Minute) -> String {
	format_as(minute, "%Y%m%d%H%M")
}

fn format_as(minute: Minute, pattern: &str) -> String {
	minute
		.checked_mul(60)
		.and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0))
		.map(|instant| instant.format(pattern).to_string())
		.unwrap_or_default()
}

/// Reads `2025-03-29T23:00Z`, or the same with seconds `:00`; only UTC, only full minutes,
/// years 1900 to 2999.
pub fn parse_minute(text: &str) -> Option<Minute> {
	let body = text.strip_suffix('Z')?;
	let body = match body.len() {
		16 => body,
		19 => body.strip_suffix(":00")?,
		_ => return None,
	};
	let shape = b"dddd-dd-ddTdd:dd";
	let fits = body.bytes().zip(shape).all(|(byte, form)| match form {
		b'd' => byte.is_ascii_digit(),
		other => byte == *other,
	});
	if !fits || !("1900".."3000").contains(&body.get(..4)?) {
		return None;
	}
	let instant = NaiveDateTime::parse_from_str(body, "%Y-%m-%dT%H:%M").ok()?;
	Some(instant.and_utc().timestamp().div_euclid(60))
}

#[cfg(test)]
mod tests {
	use super::*;

	fn window(day: &str, zone: &str) -> Result<String, DayError> {
		DayWindow::local(day.parse().unwrap(), zone.parse().unwrap()).map(|w| w.to_string())
	}

	fn hours(day: &str, zone: &str) -> u32 {
		DayWindow::local(day.parse().unwrap(), zone.parse().unwrap()).unwrap().minutes() / 60
	}

	#[test]
	fn a_day_of_23_24_and_25_hours_is_cut_where_local_midnight_falls() {
		assert_eq!(
			window("2025-03-30", "Europe/Berlin").unwrap(),
			"2025-03-29T23:00Z … 2025-03-30T22:00Z"
		);
		assert_eq!(hours("2025-03-30", "Europe/Berlin"), 23);
		assert_eq!(hours("2025-03-31", "Europe/Berlin"), 24);
		assert_eq!(hours("2025-10-26", "Europe/Berlin"), 25);
		assert_eq!(
			window("2025-10-26", "Europe/Lisbon").unwrap(),
			"2025-10-25T23:00Z … 2025-10-27T00:00Z"
		);
		assert_eq!(hours("2025-03-30", "Europe/Dublin"), 23);
		assert_eq!(hours("2025-10-26", "Europe/Dublin"), 25);
	}

	#[test]
	fn offsets_that_are_no_full_hours_are_kept() {
		assert_eq!(
			window("2025-03-30", "Asia/Kathmandu").unwrap(),
			"2025-03-29T18:15Z … 2025-03-30T18:15Z"
		);
		let lord_howe =
			DayWindow::local("2025-04-06".parse().unwrap(), "Australia/Lord_Howe".parse().unwrap());
		assert_eq!(lord_howe.unwrap().minutes(), 24 * 60 + 30);
	}

	#[test]
	fn a_midnight_that_is_skipped_or_comes_twice_still_starts_its_day_once() {
		// Clocks in Cairo go from 24:00 to 01:00 on the last Friday of April.
		assert_eq!(
			window("2025-04-25", "Africa/Cairo").unwrap(),
			"2025-04-24T22:00Z … 2025-04-25T21:00Z"
		);
		// In the Azores 00:00 comes twice when summer time ends.
		assert_eq!(
			window("2025-10-26", "Atlantic/Azores").unwrap(),
			"2025-10-26T00:00Z … 2025-10-27T01:00Z"
		);
	}

	#[test]
	fn a_date_that_never_took_place_is_refused() {
		let apia: Tz = "Pacific/Apia".parse().unwrap();
		let day = "2011-12-30".parse().unwrap();
		assert_eq!(DayWindow::local(day, apia), Err(DayError::Skipped(day, apia)));
	}

	#[test]
	fn consecutive_days_join_without_gap_or_overlap() {
		for zone in ["Europe/Berlin", "Africa/Cairo", "Atlantic/Azores", "Asia/Kathmandu"] {
			let zone: Tz = zone.parse().unwrap();
			let mut day: Day = "2024-12-30".parse().unwrap();
			let mut end = DayWindow::local(day, zone).unwrap().end();
			for _ in 0..400 {
				day = day.next().unwrap();
				let window = DayWindow::local(day, zone).unwrap();
				assert_eq!(window.start(), end, "{day} {zone}");
				end = window.end();
			}
		}
	}

	#[test]
	fn timestamps_are_read_in_utc_and_full_minutes_only() {
		assert_eq!(parse_minute("1970-01-01T00:00Z"), Some(0));
		assert_eq!(parse_minute("1970-01-02T00:01:00Z"), Some(1_441));
		for text in [
			"",
			"Z",
			"2025-03-29T23:00",
			"2025-03-29T23:00+01:00",
			"2025-03-29T23:00:01Z",
			"2025-02-29T23:00Z",
			"2025-03-29T24:00Z",
			"2025-03-29 23:00Z",
			"+025-03-29T23:00Z",
			"9025-03-29T23:00Z",
			"2025-03-29T2é:0Z",
		] {
			assert_eq!(parse_minute(text), None, "{text}");
		}
	}
}
