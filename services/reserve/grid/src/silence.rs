//! Zones of which a source has had nothing for long.
//!
//! A list of zones ages: a zone gets another code, or is merged with a neighbour, and from then on looks
//! like one that is late, every day again.

use crate::summary::{Summary, ZoneStatus};
use gridproof_primitives::time::day::Day;
use gridproof_support::files;
use std::{iter::successors, path::Path};

/// Number of days without anything of a zone after which it is named.
pub const SILENT_DAYS: usize = 14;
/// Number of days before a day among which the last ones with a summary are looked for.
const MAX_BACK: usize = 60;

/// Returns the names of the zones of which neither `summary` nor any other of the last [`SILENT_DAYS`]
/// summaries in `folder` has anything. None as long as there are fewer summaries of the last 60 days.
/// Days that were not loaded, and files that cannot be read, count neither way; nor does a source that
/// did not answer.
pub fn silent_zones(folder: &Path, summary: &Summary) -> Vec<String> {
	let days = successors(summary.day.previous(), |day: &Day| day.previous()).take(MAX_BACK);
	let before: Vec<Summary> =
		days.filter_map(|day| read(folder, day)).take(SILENT_DAYS - 1).collect();
	if before.len() < SILENT_DAYS - 1 {
		return Vec::new();
	}
	let is_without = |summary: &Summary, eic: &str| {
		summary.zones.iter().any(|zone| zone.eic == eic && zone.status == ZoneStatus::NoData)
	};
	let is_silent = |eic: &str| {
		is_without(summary, eic) && before.iter().all(|summary| is_without(summary, eic))
	};
	let silent = summary.zones.iter().filter(|zone| is_silent(&zone.eic));
	silent.map(|zone| zone.name.clone()).collect()
}

fn read(folder: &Path, day: Day) -> Option<Summary> {
	let bytes = files::read(&folder.join(format!("grid_summary_{day}.json"))).ok()?;
	serde_json::from_slice(&bytes).ok()
}
