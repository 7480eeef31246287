//! Load and generation profiles in quarter hours.
//!
//! A load profile says what an average customer of 1,000 kWh a year draws, by season and kind of
//! day, in local time of Germany; a generation profile what a plant of 1 kWp feeds in, by month, in
//! UTC. `data/profiles/README.md` says where the built-in ones come from.

use chrono::{DateTime, Datelike, Timelike, Utc, Weekday};
use chrono_tz::{Europe::Berlin, Tz};
use gridproof_support::csv::{self, CsvError, Row};
use std::path::Path;

/// Quarter hours in a day.
const QUARTERS: usize = 96;
/// Columns of a load profile.
const LOAD: &str = "time,winter_workday,winter_saturday,winter_sunday,summer_workday,\
                    summer_saturday,summer_sunday,transition_workday,transition_saturday,\
                    transition_sunday";
/// Columns of a generation profile.
const SUN: &str = "time,jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec";

/// Why a file is not a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}, line {line}: {reason}")]
pub struct ProfileError {
	/// Name of the profile or file.
	pub name: String,
	/// Number of the line, from 1; 0 if there is no file.
	pub line: usize,
	/// What is wrong.
	pub reason: String,
}

/// The quantity that a profile is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileKind {
	/// Consumption, per 1,000 kWh a year.
	Load,
	/// The same, to be multiplied with the household's factor of the day: [`household_factor`].
	DynamicLoad,
	/// Generation, per kWp.
	Generation,
}

/// A profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
	name: String,
	kind: ProfileKind,
	/// Hundredths of W, by column and quarter hour.
	columns: Vec<[u32; QUARTERS]>,
}

impl Profile {
	/// Returns `h0` household, `g0` commerce, `l0` farm, `pv` photovoltaics; `None` for other names.
	pub fn built_in(name: &str) -> Option<Self> {
		let text = match name {
			"h0" => include_str!("../../../../data/profiles/h0.csv"),
			"g0" => include_str!("../../../../data/profiles/g0.csv"),
			"l0" => include_str!("../../../../data/profiles/l0.csv"),
			"pv" => include_str!("../../../../data/profiles/pv.csv"),
			_ => return None,
		};
		Self::parse(name, text).ok()
	}

	/// Returns a built-in profile by its name, or the one in a file.
	///
	/// # Errors
	/// [`ProfileError`].
	pub fn load(name: &str) -> Result<Self, ProfileError> {
		if let Some(profile) = Self::built_in(name) {
			return Ok(profile);
		}
		let bad = |reason: String| ProfileError { name: name.to_string(), line: 0, reason };
		let text = std::fs::read_to_string(name)
			.map_err(|error| bad(format!("{error}; name a file, or one of h0, g0, l0 and pv")))?;
		let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().to_string());
		Self::parse(&stem.unwrap_or_default(), &text)
	}

	/// Reads a profile. A load profile named `h0` is a household's.
	///
	/// # Errors
	/// [`ProfileError`].
	pub fn parse(name: &str, text: &str) -> Result<Self, ProfileError> {
		let bad =
			|line: usize, reason: String| ProfileError { name: name.to_string(), line, reason };
		let (header, lines) = csv::read_any(text, &[LOAD, SUN]).map_err(|error| match error {
			CsvError::Header(_) => bad(1, format!("the first line is {LOAD} or {SUN}")),
			CsvError::Fields { line, wanted, found } => {
				bad(line, format!("{wanted} values are needed, there are {found}"))
			},
			CsvError::Unreadable { line, reason } => bad(line, reason),
		})?;
		let kind = match (header, name) {
			(0, name) if name.eq_ignore_ascii_case("h0") => ProfileKind::DynamicLoad,
			(0, _) => ProfileKind::Load,
			_ => ProfileKind::Generation,
		};
		let width = if header == 0 { LOAD } else { SUN }.split(',').count() - 1;
		let mut columns = vec![[0; QUARTERS]; width];
		let mut rows = 0;
		for Row { line, fields } in lines {
			let time = format!("{:02}:{:02}", rows / 4, rows % 4 * 15);
			let mut values = fields.iter();
			if rows == QUARTERS || values.next() != Some(&time) {
				return Err(bad(line, "one line for each quarter hour from 00:00 on".to_string()));
			}
			for column in &mut columns {
				let value = values.next().and_then(|value| hundredths(value));
				column[rows] =
					value.ok_or_else(|| bad(line, format!("{width} values in W are needed")))?;
			}
			rows += 1;
		}
		if rows != QUARTERS {
			return Err(bad(rows + 1, "the day ends too early".to_string()));
		}
		Ok(Self { name: name.to_string(), kind, columns })
	}

	/// Returns its name.
	pub fn name(&self) -> &str {
		&self.name
	}

	/// Returns the quantity it is of.
	pub const fn kind(&self) -> ProfileKind {
		self.kind
	}

	/// Returns the mean power in the quarter hour that holds `time_ms`, in milliwatts: of a customer of
	/// 1,000 kWh a year, or of a plant of 1 kWp.
	pub fn milliwatts(&self, time_ms: u64) -> u64 {
		let utc = utc(time_ms);
		let (column, quarter, factor) = match self.kind {
			ProfileKind::Generation => (utc.month0() as usize, quarter_of(&utc), MILLION),
			kind => {
				let local = utc.with_timezone(&Berlin);
				let factor = match kind {
					ProfileKind::DynamicLoad => household_factor(local.ordinal()),
					_ => MILLION,
				};
				(season(&local) * 3 + kind_of_day(&local), quarter_of(&local), factor)
			},
		};
		u64::from(self.columns[column][quarter]) * 10 * factor / MILLION
	}
}

/// A factor of one, in millionths.
const MILLION: u64 = 1_000_000;

/// Returns how much more or less than on average a household draws on the `t`-th day of a year, in
/// millionths: −3.92·10⁻¹⁰·t⁴ + 3.2·10⁻⁷·t³ − 7.02·10⁻⁵·t² + 2.1·10⁻³·t + 1.24, as published for
/// the profile H0.
pub fn household_factor(t: u32) -> u64 {
	let t = i128::from(t.min(366));
	let trillionths = -392 * t.pow(4) + 320_000 * t.pow(3) - 70_200_000 * t.pow(2)
		+ 2_100_000_000 * t
		+ 1_240_000_000_000;
	u64::try_from(trillionths / 1_000_000).unwrap_or(0)
}

fn utc(time_ms: u64) -> DateTime<Utc> {
	let millis = i64::try_from(time_ms).unwrap_or(i64::MAX);
	DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn quarter_of(time: &impl Timelike) -> usize {
	(time.hour() * 4 + time.minute() / 15) as usize
}

/// 0 winter (1 November to 20 March), 1 summer (15 May to 14 September), 2 between them.
fn season(local: &DateTime<Tz>) -> usize {
	match (local.month(), local.day()) {
		(11 | 12 | 1 | 2, _) | (3, ..=20) => 0,
		(6..=8, _) | (5, 15..) | (9, ..=14) => 1,
		_ => 2,
	}
}

/// 0 workday, 1 Saturday, 2 Sunday. Holidays are not known.
fn kind_of_day(local: &DateTime<Tz>) -> usize {
	match local.weekday() {
		Weekday::Sat => 1,
		Weekday::Sun => 2,
		_ => 0,
	}
}

/// Hundredths of a number with at most two decimals.
fn hundredths(text: &str) -> Option<u32> {
	let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
	let digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
	if whole.is_empty() || decimals.len() > 2 || !digits(whole) || !digits(decimals) {
		return None;
	}
	format!("{whole}{decimals:0<2}").parse().ok()
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::energy::emlog::parse_utc;

	fn at(time: &str) -> u64 {
		parse_utc(time).unwrap()
	}

	/// Wh in a year of quarter hours.
	fn yearly_wh(profile: &Profile) -> u64 {
		let start = at("2023-01-01T00:00:00Z");
		(0..365 * 96).map(|quarter| profile.milliwatts(start + quarter * 900_000)).sum::<u64>()
			/ 4_000
	}

	#[test]
	fn the_built_in_profiles_give_the_year_that_they_are_made_for() {
		for (name, range) in [
			("h0", 990_000..1_005_000),
			("g0", 1_010_000..1_025_000),
			("l0", 995_000..1_005_000),
			("pv", 999_000..1_001_000),
		] {
			let wh = yearly_wh(&Profile::built_in(name).unwrap());
			assert!(range.contains(&wh), "{name}: {wh} Wh");
		}
		assert_eq!(Profile::built_in("h1"), None);
	}

	#[test]
	fn seasons_days_and_local_time_choose_the_value() {
		let g0 = Profile::built_in("g0").unwrap();
		// A workday, a Saturday and a Sunday in winter; 00:00 in Berlin is 23:00 UTC.
		assert_eq!(g0.milliwatts(at("2026-01-13T23:00:00Z")), 65_520);
		assert_eq!(g0.milliwatts(at("2026-01-16T23:00:00Z")), 70_000);
		assert_eq!(g0.milliwatts(at("2026-01-17T23:14:59Z")), 63_200);
		// Summer, 22:00 UTC.
		assert_eq!(g0.milliwatts(at("2026-07-13T22:00:00Z")), 71_560);
		// The last quarter hour of a transition day.
		assert_eq!(
			g0.milliwatts(at("2026-04-14T21:45:00Z")),
			g0.milliwatts(at("2026-10-13T21:45:00Z"))
		);
		for (day, wanted) in [
			("03-20", 0),
			("03-21", 2),
			("05-14", 2),
			("05-15", 1),
			("09-14", 1),
			("09-15", 2),
			("10-31", 2),
			("11-01", 0),
		] {
			let local = utc(at(&format!("2026-{day}T12:00:00Z"))).with_timezone(&Berlin);
			assert_eq!(season(&local), wanted, "{day}");
		}
	}

	#[test]
	fn the_households_factor_is_the_published_polynomial() {
		let exact = |t: f64| {
			-3.92e-10 * t.powi(4) + 3.2e-7 * t.powi(3) - 7.02e-5 * t.powi(2) + 2.1e-3 * t + 1.24
		};
		for t in 1..=366 {
			let difference = household_factor(t) as f64 / 1e6 - exact(f64::from(t));
			assert!(difference.abs() < 2e-6, "{t}: {difference}");
		}
	}

	#[test]
	fn the_sun_does_not_shine_at_night() {
		let pv = Profile::built_in("pv").unwrap();
		assert_eq!(pv.milliwatts(at("2026-06-21T00:00:00Z")), 0);
		assert!(pv.milliwatts(at("2026-06-21T11:30:00Z")) > 400_000);
		assert_eq!(pv.milliwatts(at("2026-12-21T17:00:00Z")), 0);
	}

	#[test]
	fn a_file_that_is_not_a_profile_is_refused_with_its_line() {
		let good = include_str!("../../../../data/profiles/l0.csv");
		let line = |text: &str| Profile::parse("x", text).unwrap_err().line;
		assert_eq!(line(""), 1);
		assert_eq!(line("time,jan"), 1);
		assert_eq!(line(&good.replace("\n00:15,", "\n00:20,")), 3);
		assert_eq!(line(&good.replace("\n00:30,66.88,", "\n00:30,-66.88,")), 4);
		assert_eq!(line(&good.replace("\n00:30,66.88,", "\n00:30,66.888,")), 4);
		assert_eq!(line(&good.replace("\n00:30,66.88,", "\n00:30,1,66.88,")), 4);
		assert_eq!(line(good.rsplit_once("\n23:45").unwrap().0), 96);
		assert_eq!(line(&format!("{good}24:00,1\n")), 98);
	}
}
