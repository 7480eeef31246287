//! The four files of a day, written so that a reader never sees half of one.
//!
//! The summary is written last: where it is, the other three are there as well. The same input
//! gives the same bytes.

use crate::summary::{Summary, ZoneReport, ZoneStatus};
use gridproof_primitives::time::day::Day;
use gridproof_support::{
	csv,
	files::{self, PUBLIC},
};
use std::{
	collections::BTreeMap,
	fs::{self, File},
	io,
	path::{Path, PathBuf},
};

/// First line of `grid_load.csv`.
pub const LOAD_HEADER: &str = "date,grid_wh_dc,grid_wh_dc_commit";
/// First line of `grid_by_zone_D.csv`.
pub const BY_ZONE_HEADER: &str = "name,eic,wh";

/// Paths of a day's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
	/// `grid_load.csv`: one row a day.
	pub load: PathBuf,
	/// `grid_by_zone_D.csv`: one row a zone that counts.
	pub by_zone: PathBuf,
	/// `grid_summary_D.json`.
	pub summary: PathBuf,
	/// `zones.csv`: the zones file, byte for byte.
	pub zones: PathBuf,
}

/// Why a day's files are not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
	/// Another run is writing to the folder.
	#[error("another run is writing to {0}; wait for it to end")]
	Busy(String),
	/// The file system refuses an operation.
	#[error("cannot write {path}: {reason}")]
	Io {
		/// File or folder.
		path: String,
		/// The system's error.
		reason: io::Error,
	},
	/// `grid_load.csv` is not what this program writes; it is left alone.
	#[error("{path}, line {line}: not a row of {LOAD_HEADER:?}; repair or move the file")]
	Foreign {
		/// Path of `grid_load.csv`.
		path: String,
		/// Number of the line, from 1.
		line: usize,
	},
	/// The summary cannot be put into JSON.
	#[error("cannot put the summary into JSON: {0}")]
	Json(#[from] serde_json::Error),
}

/// Writes the files of `summary` to `folder`, which is created if there is none. `zones` are the
/// bytes of the zones file. A row of the same day is replaced.
///
/// # Errors
/// [`WriteError`]; a reader never sees half a file, but some of the four may be new then.
pub fn write_day(folder: &Path, summary: &Summary, zones: &[u8]) -> Result<Written, WriteError> {
	let at = |path: &Path| {
		let path = path.display().to_string();
		move |reason| WriteError::Io { path, reason }
	};
	fs::create_dir_all(folder).map_err(at(folder))?;
	// The folder itself is the lock, so that nothing but the four files is left in it.
	let lock = File::open(folder).map_err(at(folder))?;
	match lock.try_lock() {
		Ok(()) => {},
		Err(fs::TryLockError::WouldBlock) => {
			return Err(WriteError::Busy(folder.display().to_string()));
		},
		Err(fs::TryLockError::Error(reason)) => return Err(at(folder)(reason)),
	}
	let day = &summary.day;
	let written = Written {
		load: folder.join("grid_load.csv"),
		by_zone: folder.join(format!("grid_by_zone_{day}.csv")),
		summary: folder.join(format!("grid_summary_{day}.json")),
		zones: folder.join("zones.csv"),
	};
	let load = with_row(&written.load, summary)?;
	let by_zone = by_zone(summary);
	let json = format!("{}\n", serde_json::to_string_pretty(summary)?);
	let contents: [(&Path, &[u8]); 4] = [
		(&written.by_zone, by_zone.as_bytes()),
		(&written.zones, zones),
		(&written.load, load.as_bytes()),
		(&written.summary, json.as_bytes()),
	];
	for (path, bytes) in contents {
		files::replace(path, bytes, PUBLIC).map_err(at(path))?;
	}
	Ok(written)
}

fn by_zone(summary: &Summary) -> String {
	let counted = summary.zones.iter().filter(|zone| zone.status == ZoneStatus::Ok);
	let row = |zone: &ZoneReport| {
		[zone.name.clone(), zone.eic.clone(), zone.wh.unwrap_or_default().to_string()]
	};
	csv::write(BY_ZONE_HEADER, counted.map(row))
}

/// `grid_load.csv` with the day's row put in or replaced, sorted by date.
fn with_row(path: &Path, summary: &Summary) -> Result<String, WriteError> {
	let existing = match fs::read_to_string(path) {
		Ok(text) => text,
		Err(reason) if reason.kind() == io::ErrorKind::NotFound => format!("{LOAD_HEADER}\n"),
		Err(reason) => {
			return Err(WriteError::Io { path: path.display().to_string(), reason });
		},
	};
	let foreign = |line| WriteError::Foreign { path: path.display().to_string(), line };
	let mut rows = BTreeMap::new();
	for row in csv::read(&existing, LOAD_HEADER).map_err(|error| foreign(error.line()))? {
		let (date, figures) = parse_row(&row.fields).ok_or_else(|| foreign(row.line))?;
		if rows.insert(date, figures).is_some() {
			return Err(foreign(row.line));
		}
	}
	rows.insert(summary.day, [summary.wh_dc_raw, summary.wh_dc_commit]);
	let rows = rows
		.into_iter()
		.map(|(date, [raw, commit])| [date.to_string(), raw.to_string(), commit.to_string()]);
	Ok(csv::write(LOAD_HEADER, rows))
}

fn parse_row(fields: &[String]) -> Option<(Day, [u128; 2])> {
	let [date, raw, commit] = fields else { return None };
	Some((Day::parse(date).ok()?, [raw.parse().ok()?, commit.parse().ok()?]))
}
