//! The four files of a day, written so that a reader never sees half of one.
//!
//! The summary is written last: where it is, the other three are there as well. The same input
//! gives the same bytes.

use crate::load::{Summary, ZoneStatus};
use chrono::NaiveDate;
use std::{
	collections::BTreeMap,
	fs::{self, File},
	io::{self, Write},
	path::{Path, PathBuf},
};

/// First line of `grid_load.csv`.
pub const LOAD_HEADER: &str = "date,grid_wh_dc,grid_wh_dc_commit";
/// First line of `grid_by_zone_D.csv`.
pub const BY_ZONE_HEADER: &str = "name,eic,wh";

/// Where a day's files went.
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

/// Why files cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteFailure {
	/// Another run holds the folder.
	#[error("another run is writing to {0}; wait for it to end")]
	Busy(String),
	/// The file system refuses.
	#[error("cannot write {path}: {reason}")]
	Io {
		/// Which file or folder.
		path: String,
		/// Why.
		reason: io::Error,
	},
	/// `grid_load.csv` is not what this program writes; it is left alone.
	#[error("{path}, line {line}: not a row of {LOAD_HEADER:?}; repair or move the file")]
	Foreign {
		/// The file.
		path: String,
		/// The line, from 1.
		line: usize,
	},
	/// The summary cannot be put into JSON.
	#[error("cannot put the summary into JSON: {0}")]
	Json(#[from] serde_json::Error),
}

/// Writes the files of `summary` to `folder`, which is made if need be. `zones` are the bytes of
/// the zones file. A row of the same day is replaced.
pub fn write_day(folder: &Path, summary: &Summary, zones: &[u8]) -> Result<Written, WriteFailure> {
	let at = |path: &Path| {
		let path = path.display().to_string();
		move |reason| WriteFailure::Io { path, reason }
	};
	fs::create_dir_all(folder).map_err(at(folder))?;
	// The folder itself is the lock, so that nothing but the four files is left in it.
	let lock = File::open(folder).map_err(at(folder))?;
	match lock.try_lock() {
		Ok(()) => {},
		Err(fs::TryLockError::WouldBlock) => {
			return Err(WriteFailure::Busy(folder.display().to_string()));
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
	let files: [(&Path, &[u8]); 4] = [
		(&written.by_zone, by_zone.as_bytes()),
		(&written.zones, zones),
		(&written.load, load.as_bytes()),
		(&written.summary, json.as_bytes()),
	];
	for (path, bytes) in files {
		write_atomically(path, bytes).map_err(at(path))?;
	}
	Ok(written)
}

fn by_zone(summary: &Summary) -> String {
	let mut text = format!("{BY_ZONE_HEADER}\n");
	for zone in summary.zones.iter().filter(|zone| zone.status == ZoneStatus::Ok) {
		// Names and codes have no comma: the zones file was checked.
		text.push_str(&format!("{},{},{}\n", zone.name, zone.eic, zone.wh.unwrap_or_default()));
	}
	text
}

/// `grid_load.csv` with the day's row put in or replaced, sorted by date.
fn with_row(path: &Path, summary: &Summary) -> Result<String, WriteFailure> {
	let existing = match fs::read_to_string(path) {
		Ok(text) => text,
		Err(reason) if reason.kind() == io::ErrorKind::NotFound => format!("{LOAD_HEADER}\n"),
		Err(reason) => {
			return Err(WriteFailure::Io { path: path.display().to_string(), reason });
		},
	};
	let mut rows = BTreeMap::new();
	for (line, number) in existing.lines().zip(1..) {
		let foreign = || WriteFailure::Foreign { path: path.display().to_string(), line: number };
		if number == 1 {
			if line != LOAD_HEADER {
				return Err(foreign());
			}
		} else {
			let (date, figures) = parse_row(line).ok_or_else(foreign)?;
			if rows.insert(date, figures).is_some() {
				return Err(foreign());
			}
		}
	}
	rows.insert(summary.day.clone(), (summary.wh_dc_raw, summary.wh_dc_commit));
	let mut text = format!("{LOAD_HEADER}\n");
	for (date, (raw, commit)) in rows {
		text.push_str(&format!("{date},{raw},{commit}\n"));
	}
	Ok(text)
}

fn parse_row(line: &str) -> Option<(String, (u128, u128))> {
	let fields: Vec<&str> = line.split(',').collect();
	let [date, raw, commit] = fields[..] else { return None };
	// Dates sort as text only in their canonical form.
	let is_canonical = date.parse::<NaiveDate>().is_ok_and(|day| day.to_string() == date);
	is_canonical.then_some(())?;
	Some((date.to_string(), (raw.parse().ok()?, commit.parse().ok()?)))
}

/// Writes `bytes` to `path` in one step: to a file beside it, to disk, then renamed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
	let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
	let folder = match path.parent() {
		Some(parent) if !parent.as_os_str().is_empty() => parent,
		_ => Path::new("."),
	};
	let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
	let outcome = File::create(&temporary)
		.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
		.and_then(|()| fs::rename(&temporary, path));
	if outcome.is_err() {
		// Nothing more can be done if this fails too; the first error is the one to report.
		let _ = fs::remove_file(&temporary);
		return outcome;
	}
	File::open(folder)?.sync_all()
}
