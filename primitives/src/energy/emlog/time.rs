//! Times of readings: RFC 3339, exactly, in UTC milliseconds.

use crate::{num::units::MILLIS_PER_DAY, time::day::Day};
use alloc::{format, string::String};
use core::fmt;

/// Error of a text that is not an accepted time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeError {
	/// The text is not `YYYY-MM-DDThh:mm:ss`, with or without a fraction, and a zone.
	Malformed,
	/// The text has neither `Z` nor an offset: it could be local time anywhere.
	NoZone,
	/// There is no such day, hour, minute, second or offset, or it is a leap second.
	OutOfRange,
	/// The time is finer than a millisecond.
	TooFine,
}

impl fmt::Display for TimeError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Malformed => "not a time of RFC 3339: write 2025-12-01T10:10:00Z",
			Self::NoZone => "time without a zone: write it in UTC, with Z at the end",
			Self::OutOfRange => "no such time: write one from 1970 to 9999, without leap seconds",
			Self::TooFine => "finer than a millisecond: write at most three decimals",
		})
	}
}

impl core::error::Error for TimeError {}

/// Returns the number that `text` writes with exactly `length` ASCII digits.
fn digits(text: &str, length: usize) -> Result<u64, TimeError> {
	if text.len() != length || !text.bytes().all(|digit| digit.is_ascii_digit()) {
		return Err(TimeError::Malformed);
	}
	text.parse().map_err(|_| TimeError::Malformed)
}

/// Reads two digits, a colon, two digits.
fn pair(text: &str) -> Result<(u64, u64), TimeError> {
	let (left, right) = text.split_once(':').ok_or(TimeError::Malformed)?;
	Ok((digits(left, 2)?, digits(right, 2)?))
}

/// Reads a time of RFC 3339 in UTC milliseconds.
///
/// `T` and `Z` are capital letters. A fraction of a second may have up to nine digits if those
/// after the third are zeros. An offset such as `+01:00` is subtracted exactly.
///
/// # Errors
/// The first reason of [`TimeError`] that applies.
pub fn parse_utc(text: &str) -> Result<u64, TimeError> {
	let (date, rest) = text.split_once('T').ok_or(TimeError::Malformed)?;
	let (clock, offset) = if let Some(clock) = rest.strip_suffix('Z') {
		(clock, 0)
	} else {
		let at = rest.rfind(['+', '-']).ok_or(TimeError::NoZone)?;
		let (clock, offset) = rest.split_at_checked(at).ok_or(TimeError::Malformed)?;
		(clock, parse_offset(offset)?)
	};
	let (clock, fraction) = match clock.split_once('.') {
		Some((clock, fraction)) => (clock, parse_fraction(fraction)?),
		None => (clock, 0),
	};
	let (hours_minutes, seconds) = clock.rsplit_once(':').ok_or(TimeError::Malformed)?;
	let ((hour, minute), second) = (pair(hours_minutes)?, digits(seconds, 2)?);
	let day = parse_day(date)?;
	if hour > 23 || minute > 59 || second > 59 {
		return Err(TimeError::OutOfRange);
	}
	let local = u64::from(day.days())
		.saturating_mul(24)
		.saturating_add(hour)
		.saturating_mul(60)
		.saturating_add(minute)
		.saturating_mul(60)
		.saturating_add(second)
		.saturating_mul(1_000)
		.saturating_add(fraction);
	let millis = local.checked_add_signed(offset).ok_or(TimeError::OutOfRange)?;
	let is_known =
		millis.checked_div(MILLIS_PER_DAY).is_some_and(|days| days <= u64::from(Day::LAST.days()));
	if is_known { Ok(millis) } else { Err(TimeError::OutOfRange) }
}

fn parse_day(text: &str) -> Result<Day, TimeError> {
	let has_form = text.len() == 10
		&& text.bytes().enumerate().all(|(at, byte)| match at {
			4 | 7 => byte == b'-',
			_ => byte.is_ascii_digit(),
		});
	if !has_form {
		return Err(TimeError::Malformed);
	}
	Day::parse(text).map_err(|_| TimeError::OutOfRange)
}

/// Returns the milliseconds of `.fraction`.
fn parse_fraction(text: &str) -> Result<u64, TimeError> {
	if text.is_empty() || text.len() > 9 || !text.bytes().all(|digit| digit.is_ascii_digit()) {
		return Err(TimeError::Malformed);
	}
	let significant = text.trim_end_matches('0');
	if significant.len() > 3 {
		return Err(TimeError::TooFine);
	}
	digits(&format!("{significant:0<3}"), 3)
}

/// Returns what must be added to a local time to get UTC, in milliseconds.
fn parse_offset(text: &str) -> Result<i64, TimeError> {
	let (is_east, rest) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
		(Some(rest), _) => (true, rest),
		(_, Some(rest)) => (false, rest),
		_ => return Err(TimeError::Malformed),
	};
	let (hours, minutes) = pair(rest)?;
	if hours > 23 || minutes > 59 {
		return Err(TimeError::OutOfRange);
	}
	let millis = hours.saturating_mul(60).saturating_add(minutes).saturating_mul(60_000);
	let millis = i64::try_from(millis).map_err(|_| TimeError::OutOfRange)?;
	Ok(if is_east { millis.saturating_neg() } else { millis })
}

/// Writes UTC milliseconds as `2025-12-01T10:10:00Z`, with three decimals if needed. Times after
/// the year 9999 are written on its last day.
pub fn format_utc(millis: u64) -> String {
	let day = Day::from_unix_millis(millis);
	let of_day = millis.checked_rem(MILLIS_PER_DAY).unwrap_or(0);
	let (seconds, rest) = (of_day / 1_000, of_day % 1_000);
	let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
	let fraction = if rest == 0 { String::new() } else { format!(".{rest:03}") };
	format!("{day}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}
