//! An expansion written a second time, from the rules and not from the code: for every minute it
//! looks through all points for those that say something about it.

#![allow(dead_code)]

use std::collections::BTreeSet;

/// A period as generated: start and end in minutes since 1970, slot length, points (position,
/// thousandths).
#[derive(Clone, Debug)]
pub(crate) struct PlainPeriod {
	pub start: i64,
	pub end: i64,
	pub resolution: i64,
	pub points: Vec<(i64, i64)>,
}

/// A series as generated.
#[derive(Clone, Debug)]
pub(crate) struct PlainSeries {
	pub holds: bool,
	pub periods: Vec<PlainPeriod>,
}

/// What the rules say about a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
	/// A point outside its period, a negative load, or two figures for one thing.
	Refused,
	/// No minute has a figure.
	Nothing,
	/// Sum of thousandths over minutes, the minutes covered, and those of them that are zero.
	Figures { sum: i128, covered: u32, zeros: u32 },
}

/// The figures that `period` states for `minute`.
fn stated(period: &PlainPeriod, holds: bool, minute: i64) -> BTreeSet<i64> {
	if minute < period.start || minute >= period.end {
		return BTreeSet::new();
	}
	let begins = |position: i64| period.start + (position - 1) * period.resolution;
	if !holds {
		let covers = |position| (begins(position)..begins(position + 1)).contains(&minute);
		return period.points.iter().filter(|(p, _)| covers(*p)).map(|(_, value)| *value).collect();
	}
	let latest = period.points.iter().map(|(p, _)| *p).filter(|p| begins(*p) <= minute).max();
	let is_latest = |position: i64| Some(position) == latest;
	period.points.iter().filter(|(p, _)| is_latest(*p)).map(|(_, value)| *value).collect()
}

/// What the rules say about the minutes `from .. to`.
pub(crate) fn verdict(
	series: &[PlainSeries],
	from: i64,
	to: i64,
	negative_allowed: bool,
) -> Verdict {
	for period in series.iter().flat_map(|series| &series.periods) {
		let slots = (period.end - period.start) / period.resolution;
		for (index, (position, value)) in period.points.iter().enumerate() {
			let repeated = period.points[..index].iter().any(|(p, v)| p == position && v != value);
			let outside = *position < 1 || *position > slots;
			if repeated || outside || (*value < 0 && !negative_allowed) {
				return Verdict::Refused;
			}
		}
	}
	let (mut sum, mut covered, mut zeros) = (0i128, 0u32, 0u32);
	for minute in from..to {
		let figures: BTreeSet<i64> = series
			.iter()
			.flat_map(|series| series.periods.iter().map(|period| (period, series.holds)))
			.flat_map(|(period, holds)| stated(period, holds, minute))
			// A load of zero does not count as a figure.
			.filter(|value| negative_allowed || *value != 0)
			.collect();
		match figures.len() {
			0 => {},
			1 => {
				sum += i128::from(*figures.first().unwrap());
				covered += 1;
				zeros += u32::from(figures.contains(&0));
			},
			_ => return Verdict::Refused,
		}
	}
	if covered == 0 { Verdict::Nothing } else { Verdict::Figures { sum, covered, zeros } }
}
