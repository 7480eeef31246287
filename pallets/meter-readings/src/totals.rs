//! A meter's energy over spans of time: one running sum for each span.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use gridproof_primitives::{
	energy::{Accepted, Registers, Totals},
	num::units::MILLIS_PER_DAY,
	time::day::Day,
};
use scale_info::TypeInfo;

/// Days from a Monday to 1970-01-01, a Thursday.
const FIRST_WEEKDAY: u32 = 3;

/// Returns the number of the week, from Monday, that a day is in.
fn week(day: Day) -> u32 {
	day.days().saturating_add(FIRST_WEEKDAY).checked_div(7).unwrap_or(0)
}

/// Sums over the spans that contain the last batch's day, in Wh. Batches arrive in the order of
/// time, so the sums of earlier spans are never needed again.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RunningTotals {
	/// UTC day of the last batch.
	pub day: Day,
	/// Energy on that day.
	pub today: Registers,
	/// Energy on the day before.
	pub yesterday: Registers,
	/// Energy in the week of that day, from Monday.
	pub week: Registers,
	/// Energy in its month.
	pub month: Registers,
	/// Energy in its year.
	pub year: Registers,
	/// Energy since certification, over all exchanges.
	pub all: Registers,
}

impl RunningTotals {
	/// Adds a batch of the time from `start_ms` to `end_ms`, over which its energy counts evenly: of one
	/// that crosses midnight, each day has its part.
	pub fn add(&mut self, (start_ms, end_ms): (u64, u64), accepted: &Accepted) {
		self.go_on_to(Day::from_unix_millis(end_ms.saturating_sub(1)));
		let all = Registers { import_wh: accepted.imported_wh, export_wh: accepted.exported_wh };
		let from = |begin: Day| from_day(&all, begin, (start_ms, end_ms));
		let (year, month, _) = self.day.date();
		let first = |month| Day::from_date(year, month, 1).unwrap_or(self.day);
		let weekday = self.day.days().saturating_add(FIRST_WEEKDAY).checked_rem(7).unwrap_or(0);
		let monday = Day::from_days(self.day.days().saturating_sub(weekday)).unwrap_or(self.day);
		let (of_month, of_year) = (from(first(month)), from(first(1)));
		let (of_week, today) = (from(monday), from(self.day));
		let since_yesterday = self.day.previous().map_or(today, from);
		let yesterday = since_yesterday.since(&today).unwrap_or_default();
		add(&mut self.today, &today);
		add(&mut self.yesterday, &yesterday);
		add(&mut self.week, &of_week);
		add(&mut self.month, &of_month);
		add(&mut self.year, &of_year);
		add(&mut self.all, &all);
	}

	/// Returns the totals at `now_ms`, without the last hour's.
	pub fn at(mut self, now_ms: u64) -> Totals {
		self.go_on_to(Day::from_unix_millis(now_ms));
		let Self { today, yesterday, week, month, year, all, .. } = self;
		Totals { last_hour: Registers::default(), today, yesterday, week, month, year, all }
	}

	/// Closes the spans that end before `day`.
	fn go_on_to(&mut self, day: Day) {
		if day <= self.day {
			return;
		}
		let nothing = Registers::default();
		let is_next = self.day.next() == Some(day);
		self.yesterday = if is_next { self.today } else { nothing };
		self.today = nothing;
		let ((old_year, old_month, _), (year, month, _)) = (self.day.date(), day.date());
		if week(self.day) != week(day) {
			self.week = nothing;
		}
		if (old_year, old_month) != (year, month) {
			self.month = nothing;
		}
		if old_year != year {
			self.year = nothing;
		}
		self.day = day;
	}
}

/// Returns the part of a batch's energy from the begin of a day on, in Wh: what came before is the floor of
/// its share in time, so that the parts of days add up to all of it.
fn from_day(all: &Registers, begin: Day, (start_ms, end_ms): (u64, u64)) -> Registers {
	let begin_ms = u64::from(begin.days()).saturating_mul(MILLIS_PER_DAY);
	let before_ms = begin_ms.clamp(start_ms, end_ms.max(start_ms)).saturating_sub(start_ms);
	let time_ms = u128::from(end_ms.saturating_sub(start_ms));
	let rest = |wh: u64| {
		// Two factors of 64 bits never saturate.
		let share = u128::from(wh).saturating_mul(before_ms.into());
		let before = share.checked_div(time_ms).unwrap_or(0);
		wh.saturating_sub(u64::try_from(before).unwrap_or(wh))
	};
	Registers { import_wh: rest(all.import_wh), export_wh: rest(all.export_wh) }
}

/// Adds energy to a sum. It saturates, but no meter delivers more than 64 bits of Wh in its life.
pub fn add(sum: &mut Registers, flow: &Registers) {
	sum.import_wh = sum.import_wh.saturating_add(flow.import_wh);
	sum.export_wh = sum.export_wh.saturating_add(flow.export_wh);
}

#[cfg(test)]
mod tests {
	use super::*;

	fn at(date: &str) -> u64 {
		u64::from(Day::parse(date).unwrap().days()) * MILLIS_PER_DAY
	}

	fn wh(export_wh: u64) -> Registers {
		Registers { import_wh: 0, export_wh }
	}

	/// A batch of a millisecond.
	fn add_wh(totals: &mut RunningTotals, end_ms: u64, exported_wh: u64) {
		add_long(totals, end_ms - 1, end_ms, exported_wh);
	}

	fn add_long(totals: &mut RunningTotals, start_ms: u64, end_ms: u64, exported_wh: u64) {
		totals.add((start_ms, end_ms), &Accepted { exported_wh, imported_wh: 0, minted_wh: 0 });
	}

	#[test]
	fn a_batch_that_crosses_midnight_counts_for_each_day_in_proportion() {
		const HOUR: u64 = MILLIS_PER_DAY / 24;
		let (mut totals, midnight) = (RunningTotals::default(), at("2026-01-16"));
		add_long(&mut totals, midnight - HOUR, midnight + 2 * HOUR, 10);
		let now = totals.at(midnight + 2 * HOUR);
		assert_eq!((now.yesterday, now.today, now.all), (wh(3), wh(7), wh(10)));
		// After an outage of ten days, from one month, week and year to the next.
		let mut totals = RunningTotals::default();
		let first = at("2027-01-01");
		add_long(&mut totals, first - 6 * MILLIS_PER_DAY, first + 4 * MILLIS_PER_DAY, 100);
		let now = totals.at(first + 4 * MILLIS_PER_DAY - 1);
		// 2027-01-04 is a Monday.
		assert_eq!((now.today, now.yesterday, now.week), (wh(10), wh(10), wh(10)));
		assert_eq!((now.month, now.year, now.all), (wh(40), wh(40), wh(100)));
	}

	#[test]
	fn a_batch_that_ends_at_midnight_counts_to_the_day_before() {
		let mut totals = RunningTotals::default();
		add_wh(&mut totals, at("2026-01-16"), 5);
		add_wh(&mut totals, at("2026-01-16") + 1, 7);
		let now = totals.at(at("2026-01-16") + 1);
		assert_eq!((now.yesterday, now.today, now.all), (wh(5), wh(7), wh(12)));
	}

	#[test]
	fn spans_end_by_themselves_when_no_batch_comes() {
		let mut totals = RunningTotals::default();
		// A Sunday, and the last day of a month.
		add_wh(&mut totals, at("2026-05-31") + 1, 5);
		let monday = totals.at(at("2026-06-01"));
		assert_eq!((monday.today, monday.yesterday, monday.week), (wh(0), wh(5), wh(0)));
		assert_eq!((monday.month, monday.year, monday.all), (wh(0), wh(5), wh(5)));
		let later = totals.at(at("2026-06-02"));
		assert_eq!((later.today, later.yesterday), (wh(0), wh(0)));
		let next_year = totals.at(at("2027-01-01"));
		assert_eq!((next_year.year, next_year.all), (wh(0), wh(5)));
	}

	#[test]
	fn a_week_goes_from_monday_to_sunday_across_the_turn_of_a_year() {
		let mut totals = RunningTotals::default();
		// 2026-12-28 is a Monday, 2027-01-03 a Sunday.
		add_wh(&mut totals, at("2026-12-28") + 1, 1);
		add_wh(&mut totals, at("2027-01-03") + 1, 2);
		let sunday = totals.at(at("2027-01-03") + 2);
		assert_eq!((sunday.week, sunday.month, sunday.year), (wh(3), wh(2), wh(2)));
		assert_eq!(totals.at(at("2027-01-04")).week, wh(0));
	}

	#[test]
	fn a_clock_behind_the_last_batch_shows_the_batchs_day() {
		let mut totals = RunningTotals::default();
		add_wh(&mut totals, at("2026-01-16") + 30_000, 5);
		assert_eq!(totals.at(at("2026-01-15") + 1).today, wh(5));
	}

	#[test]
	fn sums_stop_at_the_largest_number() {
		let mut totals = RunningTotals::default();
		add_wh(&mut totals, 1, u64::MAX);
		add_wh(&mut totals, 2, 1);
		assert_eq!(totals.at(2).all, wh(u64::MAX));
	}
}
