//! All zones of a day: who has a figure, who has not, and why.

use crate::{
	day::{DataItem, NoFigure, day_load},
	entsoe,
	source::{Source, SourceFailure, file_prefix},
	time::DayWindow,
	zones::Zone,
};
use chrono::NaiveDate;
use futures::{StreamExt, stream};
use gridproof_primitives::{
	coverage::{committed_energy, effective_alpha},
	decimal::Ratio,
};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Requests under way at a time; the platform's limit is on requests a minute, not on these.
pub const PARALLEL: usize = 4;

/// What became of one zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZoneStatus {
	/// The day is complete; the zone counts.
	Ok,
	/// A part of the day has no figure; the zone does not count.
	Incomplete,
	/// There is nothing for this day.
	NoData,
	/// There is something, but it cannot be read or trusted; or nobody answered.
	Error,
}

impl ZoneStatus {
	/// As people read it.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Ok => "ok",
			Self::Incomplete => "incomplete",
			Self::NoData => "no data",
			Self::Error => "error",
		}
	}
}

/// One zone's outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneReport {
	/// Name in the zones file.
	pub name: String,
	/// Code in the zones file.
	pub eic: String,
	/// What became of it.
	pub status: ZoneStatus,
	/// Wh over the covered part of the day; counted only if the status is `ok`.
	pub wh: Option<u128>,
	/// Share of the day covered, in millionths, rounded down.
	pub completeness_ppm: u32,
	/// Why the status is what it is.
	pub reason: String,
}

/// How much of the measured energy is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment {
	/// α_base.
	pub alpha: Ratio,
	/// Haircut, a factor of at most one.
	pub haircut: Ratio,
}

/// The day's statement, as `grid_summary_D.json` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
	/// The local day.
	pub day: String,
	/// Zones whose day is complete.
	pub zones_ok: u32,
	/// Zones in the zones file.
	pub zones_total: u32,
	/// Energy of the zones that count, Wh.
	pub wh_dc_raw: u128,
	/// Energy committed: ⌊raw · α_effective⌋, Wh.
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

/// Why there is no statement.
#[derive(Debug, thiserror::Error)]
pub enum LoadFailure {
	/// No zone can succeed with this token.
	#[error(transparent)]
	Token(entsoe::Failure),
	/// Too few zones have a complete day.
	#[error(
		"only {ok} of {total} zones have a complete day, {wanted} are needed; nothing was written"
	)]
	TooFewZones {
		/// Zones that count.
		ok: u32,
		/// Zones in the file.
		total: u32,
		/// What `--min-zones` asks for.
		wanted: u32,
	},
	/// α or haircut above one: more than what was measured would be committed.
	#[error("{0} must be between 0 and 1")]
	Share(&'static str),
	/// Figures beyond what the formulas take.
	#[error("the figures of the day are out of range")]
	OutOfRange,
	/// A file cannot be saved.
	#[error("cannot write {path}: {reason}")]
	Unwritable {
		/// Which.
		path: String,
		/// Why.
		reason: std::io::Error,
	},
}

/// Asks `source` for every zone's load of `day` and calls `each` after each answer, in the order
/// of `zones`. With `save`, what the source says is kept there, in the layout that
/// [`Source::Folder`] reads.
pub async fn load_zones(
	source: &Source,
	zones: &[Zone],
	day: NaiveDate,
	save: Option<&Path>,
	mut each: impl FnMut(&ZoneReport),
) -> Result<Vec<ZoneReport>, LoadFailure> {
	let mut answers = stream::iter(zones)
		.map(|zone| async move { (zone, load_zone(source, zone, day, save).await) })
		.buffered(PARALLEL);
	let mut reports = Vec::with_capacity(zones.len());
	while let Some((zone, outcome)) = answers.next().await {
		let report = match outcome {
			Ok(report) => report,
			Err(ZoneFailure::Fatal(failure)) => return Err(failure),
			Err(ZoneFailure::This(status, reason)) => ZoneReport {
				name: zone.name.clone(),
				eic: zone.eic.to_string(),
				status,
				wh: None,
				completeness_ppm: 0,
				reason,
			},
		};
		each(&report);
		reports.push(report);
	}
	Ok(reports)
}

/// Why one zone has no figure, or why none can have one.
enum ZoneFailure {
	This(ZoneStatus, String),
	Fatal(LoadFailure),
}

async fn load_zone(
	source: &Source,
	zone: &Zone,
	day: NaiveDate,
	save: Option<&Path>,
) -> Result<ZoneReport, ZoneFailure> {
	let this = |status, reason: String| ZoneFailure::This(status, reason);
	let window = DayWindow::local(day, zone.timezone)
		.map_err(|reason| this(ZoneStatus::Error, reason.to_string()))?;
	let documents = match source.documents(DataItem::Load, &zone.eic, &window).await {
		Ok(documents) => documents,
		Err(SourceFailure::NoData(reason)) => return Err(this(ZoneStatus::NoData, reason)),
		Err(SourceFailure::Entsoe(failure @ entsoe::Failure::TokenRefused { .. })) => {
			return Err(ZoneFailure::Fatal(LoadFailure::Token(failure)));
		},
		Err(failure) => return Err(this(ZoneStatus::Error, failure.to_string())),
	};
	if let Some(folder) = save {
		save_documents(folder, zone, day, &documents).map_err(ZoneFailure::Fatal)?;
	}
	let load = match day_load(&documents, Some(&zone.eic), &window) {
		Ok(load) => load,
		Err(NoFigure::NoData(reason)) => return Err(this(ZoneStatus::NoData, reason)),
		Err(reason) => return Err(this(ZoneStatus::Error, reason.to_string())),
	};
	let (covered, expected) = (load.minutes_covered, load.minutes_expected);
	Ok(ZoneReport {
		name: zone.name.clone(),
		eic: zone.eic.to_string(),
		status: if load.complete { ZoneStatus::Ok } else { ZoneStatus::Incomplete },
		wh: Some(load.wh),
		completeness_ppm: load.completeness_ppm,
		reason: format!("{covered} of {expected} minutes have a figure"),
	})
}

fn save_documents(
	folder: &Path,
	zone: &Zone,
	day: NaiveDate,
	documents: &[Vec<u8>],
) -> Result<(), LoadFailure> {
	let folder = folder.join(day.to_string());
	let stem = format!("{}_{}", file_prefix(DataItem::Load), zone.eic);
	for (document, part) in documents.iter().zip(1..) {
		let name = if part == 1 { format!("{stem}.xml") } else { format!("{stem}.{part}.xml") };
		let path = folder.join(name);
		std::fs::create_dir_all(&folder)
			.and_then(|()| crate::files::write_atomically(&path, document))
			.map_err(|reason| LoadFailure::Unwritable {
				path: path.display().to_string(),
				reason,
			})?;
	}
	Ok(())
}

/// The day's statement out of the zones' outcomes.
///
/// Fails if fewer than `min_zones` zones (and always if none) have a complete day.
pub fn summarise(
	day: NaiveDate,
	zones: Vec<ZoneReport>,
	commitment: &Commitment,
	min_zones: u32,
) -> Result<Summary, LoadFailure> {
	if commitment.alpha > Ratio::ONE {
		return Err(LoadFailure::Share("alpha"));
	}
	if commitment.haircut > Ratio::ONE {
		return Err(LoadFailure::Share("haircut"));
	}
	let total = u32::try_from(zones.len()).map_err(|_| LoadFailure::OutOfRange)?;
	let counted = || zones.iter().filter(|zone| zone.status == ZoneStatus::Ok);
	let ok = u32::try_from(counted().count()).map_err(|_| LoadFailure::OutOfRange)?;
	let wanted = min_zones.max(1);
	if ok < wanted {
		return Err(LoadFailure::TooFewZones { ok, total, wanted });
	}
	let raw = counted()
		.try_fold(0u128, |sum, zone| sum.checked_add(zone.wh?))
		.ok_or(LoadFailure::OutOfRange)?;
	let alpha = effective_alpha(&commitment.alpha, ok, total, &commitment.haircut)
		.map_err(|_| LoadFailure::OutOfRange)?;
	let commit = committed_energy(raw, &alpha).map_err(|_| LoadFailure::OutOfRange)?;
	Ok(Summary {
		day: day.to_string(),
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
