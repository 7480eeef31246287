//! A day's summary: what the zones came to, and how much of it is committed.

use gridproof_primitives::{
	num::decimal::Ratio,
	reserve::formula::{committed_energy, effective_alpha},
	time::day::Day,
};
use serde::{Deserialize, Serialize};

/// The outcome of one zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZoneStatus {
	/// The day is complete; the zone counts.
	Ok,
	/// A part of the day has no figure; the zone does not count.
	Incomplete,
	/// The source has nothing for this day.
	NoData,
	/// The source has something that cannot be read or trusted, or did not answer.
	Error,
}

impl ZoneStatus {
	/// Returns the status in words.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Ok => "ok",
			Self::Incomplete => "incomplete",
			Self::NoData => "no data",
			Self::Error => "error",
		}
	}
}

/// One zone's outcome and its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneReport {
	/// Name in the zones file.
	pub name: String,
	/// Code in the zones file.
	pub eic: String,
	/// Outcome.
	pub status: ZoneStatus,
	/// Energy over the covered part of the day, in Wh; it counts only if the status is `ok`.
	pub wh: Option<u128>,
	/// Share of the day covered, in millionths, rounded down.
	pub completeness_ppm: u32,
	/// Reason of the status, in words.
	pub reason: String,
}

/// How much of the measured energy is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment {
	/// α_base, from 0 to 1.
	pub alpha: Ratio,
	/// Haircut, from 0 to 1.
	pub haircut: Ratio,
}

/// The summary of a day, as `grid_summary_D.json` has it. Nothing in it is signed: it is where the
/// statement that is signed starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
	/// The local day.
	pub day: Day,
	/// Number of zones whose day is complete.
	pub zones_ok: u32,
	/// Number of zones in the zones file.
	pub zones_total: u32,
	/// Energy of the zones that count, in Wh.
	pub wh_dc_raw: u128,
	/// Energy committed: ⌊raw · α_effective⌋, in Wh.
	pub wh_dc_commit: u128,
	/// α_base, exact: a decimal, or `n/d` where no decimal is.
	pub alpha_base: String,
	/// α_base · zones_ok / zones_total · haircut, exact.
	pub alpha_effective: String,
	/// The haircut, exact.
	pub haircut: String,
	/// Every zone of the zones file, in its order.
	pub zones: Vec<ZoneReport>,
}

/// Why a day has no summary.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SummaryRefusal {
	/// Fewer zones have a complete day than are needed.
	#[error(
		"only {ok} of {total} zones have a complete day, {wanted} are needed; nothing was written"
	)]
	TooFewZones {
		/// Number of zones that count.
		ok: u32,
		/// Number of zones in the file.
		total: u32,
		/// Number of zones needed.
		wanted: u32,
	},
	/// α or the haircut is above one, so that more than was measured would be committed.
	#[error("{0} must be between 0 and 1")]
	Share(&'static str),
	/// The day's figures are beyond what the formulas take.
	#[error("the figures of the day are out of range")]
	OutOfRange,
}

/// Returns the day's summary of the zones' outcomes.
///
/// # Errors
/// [`SummaryRefusal`]: also if no zone at all has a complete day, whatever `min_zones` is.
pub fn summarise(
	day: Day,
	zones: Vec<ZoneReport>,
	commitment: &Commitment,
	min_zones: u32,
) -> Result<Summary, SummaryRefusal> {
	if commitment.alpha > Ratio::ONE {
		return Err(SummaryRefusal::Share("alpha"));
	}
	if commitment.haircut > Ratio::ONE {
		return Err(SummaryRefusal::Share("haircut"));
	}
	let total = u32::try_from(zones.len()).map_err(|_| SummaryRefusal::OutOfRange)?;
	let counted = || zones.iter().filter(|zone| zone.status == ZoneStatus::Ok);
	let ok = u32::try_from(counted().count()).map_err(|_| SummaryRefusal::OutOfRange)?;
	let wanted = min_zones.max(1);
	if ok < wanted {
		return Err(SummaryRefusal::TooFewZones { ok, total, wanted });
	}
	let raw = counted()
		.try_fold(0u128, |sum, zone| sum.checked_add(zone.wh?))
		.ok_or(SummaryRefusal::OutOfRange)?;
	let alpha = effective_alpha(&commitment.alpha, ok, total, &commitment.haircut)
		.map_err(|_| SummaryRefusal::OutOfRange)?;
	let commit = committed_energy(raw, &alpha).map_err(|_| SummaryRefusal::OutOfRange)?;
	Ok(Summary {
		day,
		zones_ok: ok,
		zones_total: total,
		wh_dc_raw: raw,
		wh_dc_commit: commit,
		alpha_base: exact(&commitment.alpha),
		alpha_effective: exact(&alpha),
		haircut: exact(&commitment.haircut),
		zones,
	})
}

/// A ratio without loss: a decimal of at most 18 places where there is one, else `n/d`.
fn exact(ratio: &Ratio) -> String {
	ratio.to_decimal_exact(18).unwrap_or_else(|| ratio.to_string())
}
