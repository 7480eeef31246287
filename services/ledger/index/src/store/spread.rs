//! Energy of a batch that lies in several hours or days, and spans of time.

use gridproof_primitives::time::day::Day;

/// Milliseconds of an hour.
pub(crate) const HOUR: u64 = 3_600_000;
/// Milliseconds of a day.
pub(crate) const DAY: u64 = 24 * HOUR;
/// Parts into which a batch is divided at most; what is longer counts at its end.
const MAX_PARTS: u64 = 24 * 400;

/// The parts of three energies that fall into each step of time, by time: what came before a moment is the
/// floor of its share, so that the parts add up to all of it.
pub(crate) fn parts((start, end): (u64, u64), step: u64, energy: [u64; 3]) -> Vec<(u64, [u64; 3])> {
	let floor = |time: u64| time.saturating_sub(time.checked_rem(step).unwrap_or(0));
	let length = end.saturating_sub(start);
	let last = floor(end.saturating_sub(1));
	if length == 0 || length.checked_div(step).is_none_or(|parts| parts > MAX_PARTS) {
		return vec![(last, energy)];
	}
	let mut found = Vec::new();
	let (mut begin, mut before) = (floor(start), [0; 3]);
	while begin <= last {
		let until = begin.saturating_add(step).min(end).saturating_sub(start);
		let so_far = energy.map(|whole| share(whole, until, length));
		let part = [0, 1, 2].map(|of: usize| {
			let now = so_far.get(of).copied().unwrap_or_default();
			now.saturating_sub(before.get(of).copied().unwrap_or_default())
		});
		found.push((begin, part));
		before = so_far;
		begin = begin.saturating_add(step);
	}
	found
}

fn share(whole: u64, part: u64, length: u64) -> u64 {
	// Two factors of 64 bits never overflow 128.
	let product = u128::from(whole).saturating_mul(u128::from(part));
	let share = product.checked_div(u128::from(length)).unwrap_or_default();
	u64::try_from(share).unwrap_or(whole)
}

/// A length of time by which figures are added up, in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum By {
	/// Hours.
	Hour,
	/// Days.
	#[default]
	Day,
	/// Weeks, from Monday.
	Week,
	/// Months.
	Month,
}

impl By {
	/// Reads `hour`, `day`, `week` or `month`.
	pub(crate) fn parse(text: &str) -> Option<Self> {
		Some(match text {
			"hour" => Self::Hour,
			"day" => Self::Day,
			"week" => Self::Week,
			"month" => Self::Month,
			_ => return None,
		})
	}

	/// Begin of the one in which a moment lies, both in UTC milliseconds.
	pub(crate) fn begin(self, time_ms: u64) -> u64 {
		let day = Day::from_unix_millis(time_ms);
		let of_day = |days: u32| u64::from(days).saturating_mul(DAY);
		match self {
			Self::Hour => time_ms.saturating_sub(time_ms.checked_rem(HOUR).unwrap_or(0)),
			Self::Day => of_day(day.days()),
			Self::Week => {
				// The first day of 1970 was a Thursday.
				let weekday = day.days().saturating_add(3).checked_rem(7).unwrap_or(0);
				of_day(day.days().saturating_sub(weekday))
			},
			Self::Month => {
				let (year, month, _) = day.date();
				of_day(Day::from_date(year, month, 1).unwrap_or(day).days())
			},
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::energy::emlog::{format_utc, parse_utc};

	#[test]
	fn the_parts_of_a_batch_add_up_to_all_of_it() {
		let start = parse_utc("2026-01-31T22:20:00Z").unwrap();
		let end = parse_utc("2026-02-01T01:05:00Z").unwrap();
		let energy = [1_001, 7, u64::MAX];
		for (step, count) in [(HOUR, 4), (DAY, 2)] {
			let parts = parts((start, end), step, energy);
			assert_eq!(parts.len(), count);
			for (of, whole) in energy.iter().enumerate() {
				let sum: u64 = parts.iter().map(|(_, part)| part[of]).sum();
				assert_eq!(sum, *whole);
			}
		}
		// 40 of 165 minutes lie in the first hour.
		assert_eq!(parts((start, end), HOUR, energy)[0].1[0], 1_001 * 40 / 165);
	}

	#[test]
	fn a_batch_that_ends_with_an_hour_has_nothing_in_the_next() {
		assert_eq!(parts((0, HOUR), HOUR, [5, 6, 7]), [(0, [5, 6, 7])]);
		assert_eq!(parts((HOUR, HOUR), HOUR, [5, 6, 7]), [(0, [5, 6, 7])]);
		let long = HOUR * (MAX_PARTS + 2);
		assert_eq!(parts((0, long), HOUR, [5, 6, 7]), [(long - HOUR, [5, 6, 7])]);
	}

	#[test]
	fn spans_begin_as_people_count_them() {
		let at = parse_utc("2026-03-01T10:20:30Z").unwrap();
		let begin = |by: By| format_utc(by.begin(at));
		assert_eq!(begin(By::Hour), "2026-03-01T10:00:00Z");
		assert_eq!(begin(By::Day), "2026-03-01T00:00:00Z");
		assert_eq!(begin(By::Week), "2026-02-23T00:00:00Z");
		assert_eq!(begin(By::Month), "2026-03-01T00:00:00Z");
		assert_eq!(By::parse("year"), None);
	}
}
