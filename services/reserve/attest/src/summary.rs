//! The grid summary of a day, `grid_summary_D.json`, as far as a statement needs it.
//!
//! It is read from its file even where the program that wrote it is at hand: the file is the audit
//! record of what a statement rests on, so nothing may reach a statement past it.

use gridproof_primitives::{
	codec::json::{self, JsonError, Limits, Value},
	num::decimal::{Ratio, SignedRatio},
	time::day::Day,
};
use gridproof_support::files;
use std::{io, path::Path};

/// The figures of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
	/// The day.
	pub day: Day,
	/// Energy of the complete zones, in Wh.
	pub wh_raw: u128,
	/// Energy committed, in Wh: taken as it stands.
	pub wh_committed: u128,
	/// α_effective.
	pub alpha: Ratio,
	/// Number of zones whose day is complete.
	pub zones_ok: u16,
	/// Number of zones asked for: `zones_total`, else the length of `zones`, else `zones_ok`.
	pub zones_total: u16,
}

/// Why a summary file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SummaryFileError {
	/// The file system refuses to read it.
	#[error("cannot read {path}: {reason}")]
	Unreadable {
		/// The file.
		path: String,
		/// The system's error.
		reason: io::Error,
	},
	/// It is not a summary.
	#[error("{path}: {reason}")]
	Bad {
		/// The file.
		path: String,
		/// What is wrong with it.
		reason: SummaryError,
	},
}

/// Reads the summary in a file.
///
/// # Errors
/// [`SummaryFileError`].
pub fn read_summary(path: &Path) -> Result<Summary, SummaryFileError> {
	let path_text = || path.display().to_string();
	let bytes = files::read(path)
		.map_err(|reason| SummaryFileError::Unreadable { path: path_text(), reason })?;
	Summary::parse(&bytes).map_err(|reason| SummaryFileError::Bad { path: path_text(), reason })
}

/// Why bytes are not a summary.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
	/// The bytes are not JSON.
	#[error("the summary is not JSON: {0}")]
	Json(#[from] JsonError),
	/// A member is missing or is not what it should be.
	#[error("the summary's {member:?} is missing or is not {wanted}")]
	Member {
		/// Name of the member.
		member: &'static str,
		/// Form it should have.
		wanted: &'static str,
	},
	/// It counts more complete zones than zones.
	#[error("the summary counts {ok} complete zones of {total}")]
	Zones {
		/// Number of complete zones.
		ok: u16,
		/// Number of all zones.
		total: usize,
	},
	/// It commits more than was measured.
	#[error("the summary commits {committed} Wh of {raw} Wh: more than was measured")]
	Commitment {
		/// Energy committed, in Wh.
		committed: u128,
		/// Energy measured, in Wh.
		raw: u128,
	},
}

const WH: &str = "a whole number of Wh";
const COUNT: &str = "a number of zones";

impl Summary {
	/// Returns what a statement takes from it, in one line.
	pub fn figures(&self) -> String {
		let Self { day, wh_raw, wh_committed, alpha, zones_ok, zones_total } = self;
		format!(
			"{day}: {wh_raw} Wh, {wh_committed} Wh committed, alpha {alpha}, zones {zones_ok}/{zones_total}"
		)
	}

	/// Reads a summary. Energy and counts are whole numbers; α may be a number, a decimal string
	/// or `"n/d"`, and is exact in each form.
	///
	/// # Errors
	/// [`SummaryError`].
	pub fn parse(bytes: &[u8]) -> Result<Self, SummaryError> {
		let json = json::parse(bytes, Limits::DEFAULT)?;
		let fault = |member, wanted| SummaryError::Member { member, wanted };
		let day = json.get("day").and_then(Value::as_str).and_then(|text| Day::parse(text).ok());
		let wh = |member| json.get(member).and_then(whole).ok_or(fault(member, WH));
		let count = |value: &Value| whole(value).and_then(|count| u16::try_from(count).ok());
		let alpha = json.get("alpha_effective").or_else(|| json.get("alpha"));
		let zones_ok = json.get("zones_ok").and_then(count).ok_or(fault("zones_ok", COUNT))?;
		let listed = json.get("zones").and_then(Value::as_array).map_or(0, <[Value]>::len);
		let total = match json.get("zones_total") {
			Some(value) => count(value).map(usize::from).ok_or(fault("zones_total", COUNT))?,
			None if listed == 0 => usize::from(zones_ok),
			None => listed,
		};
		let zones_total = u16::try_from(total)
			.ok()
			.filter(|total| zones_ok <= *total)
			.ok_or(SummaryError::Zones { ok: zones_ok, total })?;
		let summary = Self {
			day: day.ok_or(fault("day", "a day, YYYY-MM-DD"))?,
			wh_raw: wh("wh_dc_raw")?,
			wh_committed: wh("wh_dc_commit")?,
			alpha: alpha
				.and_then(exact)
				.filter(|alpha| *alpha <= Ratio::ONE)
				.ok_or(fault("alpha_effective", "a decimal or n/d from 0 to 1"))?,
			zones_ok,
			zones_total,
		};
		if summary.wh_committed > summary.wh_raw {
			let (committed, raw) = (summary.wh_committed, summary.wh_raw);
			return Err(SummaryError::Commitment { committed, raw });
		}
		Ok(summary)
	}
}

/// A number literal that is not negative, or its text, as an exact fraction.
pub(crate) fn exact(value: &Value) -> Option<Ratio> {
	match value {
		Value::Number(literal) => SignedRatio::parse_json_number(literal).ok()?.not_negative(),
		Value::String(text) => Ratio::parse(text).ok(),
		_ => None,
	}
}

fn whole(value: &Value) -> Option<u128> {
	let ratio = exact(value)?;
	(ratio.denominator() == 1).then_some(ratio.numerator())
}

#[cfg(test)]
mod tests {
	use super::*;

	fn parse(replaced: &str, by: &str) -> Result<Summary, SummaryError> {
		let text = r#"{"day":"2026-01-15","zones_ok":2,"wh_dc_raw":1000,"wh_dc_commit":180,
			"alpha_base":"0.18","alpha_effective":"9/50","zones":[{},{},{}]}"#;
		assert!(text.contains(replaced));
		Summary::parse(text.replace(replaced, by).as_bytes())
	}

	#[test]
	fn a_summary_is_read_exactly() {
		let summary = parse("2026-01-15", "2026-01-15").unwrap();
		let wanted = Summary {
			day: Day::parse("2026-01-15").unwrap(),
			wh_raw: 1000,
			wh_committed: 180,
			alpha: Ratio::percent(18),
			zones_ok: 2,
			zones_total: 3,
		};
		assert_eq!(summary, wanted);
		for alpha in ["0.18", "\"0.180\"", "\"18/100\"", "1.8e-1"] {
			assert_eq!(parse("\"9/50\"", alpha).unwrap(), wanted, "{alpha}");
		}
		assert_eq!(parse("1000", "1000.0").unwrap(), wanted);
		assert_eq!(parse("[{},{},{}]", "[]").unwrap().zones_total, 2);
		assert_eq!(parse("[{},{},{}]", "[],\"zones_total\":30").unwrap().zones_total, 30);
	}

	#[test]
	fn the_commitment_is_taken_as_it_stands() {
		assert_eq!(parse("180", "181").unwrap().wh_committed, 181);
	}

	#[test]
	fn what_contradicts_itself_is_refused() {
		let member = |outcome: Result<Summary, SummaryError>| match outcome {
			Err(SummaryError::Member { member, .. }) => member,
			other => panic!("{other:?}"),
		};
		assert_eq!(member(parse("2026-01-15", "15.01.2026")), "day");
		assert_eq!(member(parse("1000", "1000.5")), "wh_dc_raw");
		assert_eq!(member(parse("1000", "-1000")), "wh_dc_raw");
		assert_eq!(member(parse("180", "null")), "wh_dc_commit");
		assert_eq!(member(parse("9/50", "51/50")), "alpha_effective");
		assert_eq!(member(parse("9/50", "0,18")), "alpha_effective");
		assert_eq!(member(parse("\"zones_ok\":2", "\"zones_ok\":65536")), "zones_ok");
		assert!(matches!(
			parse("\"zones_ok\":2", "\"zones_ok\":4"),
			Err(SummaryError::Zones { ok: 4, total: 3 })
		));
		assert!(matches!(parse("180", "1001"), Err(SummaryError::Commitment { .. })));
		assert!(matches!(parse("2026-01-15", "\""), Err(SummaryError::Json(_))));
	}
}
