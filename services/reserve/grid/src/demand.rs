//! The demand of all zones on a day: each zone asked for, and what became of it.

use crate::{
	day::{DataItem, FigureError, day_load},
	entsoe::PlatformError,
	source::{Source, SourceError, file_prefix},
	summary::{ZoneReport, ZoneStatus},
	time::DayWindow,
	zones::Zone,
};
use futures::{StreamExt, stream};
use gridproof_primitives::time::day::Day;
use gridproof_support::files::{self, PUBLIC};
use std::path::Path;

/// Requests under way at a time; the platform's limit is on requests a minute, not on these.
pub const PARALLEL: usize = 4;

/// Why the demand of a day is not known at all.
#[derive(Debug, thiserror::Error)]
pub enum DemandError {
	/// The platform does not accept the token, so that no zone can succeed.
	#[error(transparent)]
	Token(PlatformError),
	/// A document cannot be saved.
	#[error("cannot write {path}: {reason}")]
	Unwritable {
		/// File or folder.
		path: String,
		/// The system's error.
		reason: std::io::Error,
	},
}

/// Asks `source` for every zone's load on `day` and calls `each` after each answer, in the order
/// of `zones`. With `save`, the answers are kept there, in the layout that [`Source::Folder`]
/// reads.
///
/// # Errors
/// [`DemandError`]; a zone without a figure is not an error, but has a report that says why.
pub async fn load_zones(
	source: &Source,
	zones: &[Zone],
	day: Day,
	save: Option<&Path>,
	mut each: impl FnMut(&ZoneReport),
) -> Result<Vec<ZoneReport>, DemandError> {
	let mut answers = stream::iter(zones)
		.map(|zone| async move { (zone, load_zone(source, zone, day, save).await) })
		.buffered(PARALLEL);
	let mut reports = Vec::with_capacity(zones.len());
	while let Some((zone, outcome)) = answers.next().await {
		let report = match outcome {
			Ok(report) => report,
			Err(ZoneError::All(error)) => return Err(error),
			Err(ZoneError::This(status, reason)) => ZoneReport {
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

/// Asks `source` again for the zones of `reports` that have no complete day, and for no other; what
/// is known stays as it is, unless there is more of it now.
///
/// # Errors
/// As [`load_zones`].
pub async fn load_missing(
	source: &Source,
	zones: &[Zone],
	day: Day,
	reports: &mut [ZoneReport],
) -> Result<(), DemandError> {
	let is_missing = |report: &ZoneReport| report.status != ZoneStatus::Ok;
	let missing: Vec<Zone> = zones
		.iter()
		.filter(|zone| reports.iter().any(|r| is_missing(r) && r.eic == zone.eic.as_str()))
		.cloned()
		.collect();
	for news in load_zones(source, &missing, day, None, |_| ()).await? {
		let known = reports.iter_mut().find(|report| report.eic == news.eic);
		if let Some(known) = known.filter(|known| is_missing(known)) {
			*known = news;
		}
	}
	Ok(())
}

/// Why one zone has no figure, or why none can have one.
enum ZoneError {
	This(ZoneStatus, String),
	All(DemandError),
}

async fn load_zone(
	source: &Source,
	zone: &Zone,
	day: Day,
	save: Option<&Path>,
) -> Result<ZoneReport, ZoneError> {
	let this = |status, reason: String| ZoneError::This(status, reason);
	let window = DayWindow::local(day, zone.timezone)
		.map_err(|reason| this(ZoneStatus::Error, reason.to_string()))?;
	let documents = match source.documents(DataItem::Load, &zone.eic, &window).await {
		Ok(documents) => documents,
		Err(SourceError::NoData(reason)) => return Err(this(ZoneStatus::NoData, reason)),
		Err(SourceError::Platform(error @ PlatformError::TokenRefused { .. })) => {
			return Err(ZoneError::All(DemandError::Token(error)));
		},
		Err(error) => return Err(this(ZoneStatus::Error, error.to_string())),
	};
	if let Some(folder) = save {
		save_documents(folder, zone, day, &documents).map_err(ZoneError::All)?;
	}
	let load = match day_load(&documents, Some(&zone.eic), &window) {
		Ok(load) => load,
		Err(FigureError::NoData(reason)) => return Err(this(ZoneStatus::NoData, reason)),
		Err(reason) => return Err(this(ZoneStatus::Error, reason.to_string())),
	};
	let (covered, expected) = (load.minutes_covered, load.minutes_expected);
	let zeros = match load.minutes_of_zero {
		0 => String::new(),
		zeros => format!("; {zeros} are stated as 0 MW, which does not count"),
	};
	Ok(ZoneReport {
		name: zone.name.clone(),
		eic: zone.eic.to_string(),
		status: if load.complete { ZoneStatus::Ok } else { ZoneStatus::Incomplete },
		wh: Some(load.wh),
		completeness_ppm: load.completeness_ppm,
		reason: format!("{covered} of {expected} minutes have a figure{zeros}"),
	})
}

fn save_documents(
	folder: &Path,
	zone: &Zone,
	day: Day,
	documents: &[Vec<u8>],
) -> Result<(), DemandError> {
	let folder = folder.join(day.to_string());
	let stem = format!("{}_{}", file_prefix(DataItem::Load), zone.eic);
	for (document, part) in documents.iter().zip(1..) {
		let name = if part == 1 { format!("{stem}.xml") } else { format!("{stem}.{part}.xml") };
		let path = folder.join(name);
		std::fs::create_dir_all(&folder)
			.and_then(|()| files::replace(&path, document, PUBLIC))
			.map_err(|reason| DemandError::Unwritable {
				path: path.display().to_string(),
				reason,
			})?;
	}
	Ok(())
}
