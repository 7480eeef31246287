//! What the daily run has done, on disk.

use super::error::DaemonError;
use gridproof_primitives::time::day::Day;
use gridproof_support::files::{self, PUBLIC};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io, path::Path};

const FILE: &str = "state.json";
const VERSION: u32 = 1;
/// Given-up days that are remembered; the logs have all of them.
const MAX_GIVEN_UP: usize = 366;

/// The days that are done, and those that are still to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DaemonState {
	version: u32,
	/// When the very first run began, in UTC milliseconds.
	pub started_at: u64,
	/// Every day up to this one is done, open or given up.
	pub through: Option<Day>,
	/// Number of days attested.
	pub attested: u64,
	/// Days that are being worked on.
	pub open: BTreeMap<Day, OpenDay>,
	/// Days that will stay without an attestation from here, the latest last.
	pub given_up: Vec<GivenUp>,
	/// Days that were attested without some of their zones.
	#[serde(default)]
	pub partial: BTreeMap<Day, PartialDay>,
}

/// A day that is being worked on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenDay {
	/// Whether its data is there.
	pub loaded: bool,
	/// Number of failures of the present step.
	pub attempts: u32,
	/// Earliest time of the next attempt, UTC milliseconds; 0 if at once.
	pub not_before: u64,
	/// Reason of the last failure.
	pub last_failure: Option<String>,
	/// When it came due, UTC milliseconds; 0 if an older program opened it.
	#[serde(default)]
	pub opened_at: u64,
	/// The figures that were loaded; `None` if an older program loaded them.
	#[serde(default)]
	pub figures: Option<String>,
	/// Whether zones are missing in them.
	#[serde(default)]
	pub is_partial: bool,
}

/// A day that is revised when more of its data comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartialDay {
	/// Earliest time of the next look, UTC milliseconds.
	pub not_before: u64,
	/// End of the looking, UTC milliseconds.
	pub until: u64,
}

/// A day that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenUp {
	/// The day.
	pub day: Day,
	/// Reason, in words.
	pub reason: String,
}

impl DaemonState {
	/// Reads the state in `folder`; a new one if there is none.
	///
	/// # Errors
	/// [`DaemonError::Io`], [`DaemonError::BadState`].
	pub fn load(folder: &Path, now: u64) -> Result<Self, DaemonError> {
		let path = folder.join(FILE);
		let bytes = match files::read(&path) {
			Ok(bytes) => bytes,
			Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::new(now)),
			Err(error) => return Err(DaemonError::io(&path)(error)),
		};
		serde_json::from_slice(&bytes)
			.ok()
			.filter(|state: &Self| state.version == VERSION)
			.ok_or_else(|| DaemonError::BadState(path.display().to_string()))
	}

	fn new(now: u64) -> Self {
		Self {
			version: VERSION,
			started_at: now,
			through: None,
			attested: 0,
			open: BTreeMap::new(),
			given_up: Vec::new(),
			partial: BTreeMap::new(),
		}
	}

	/// Writes the state: the old one or the new one is on disk, never something between.
	///
	/// # Errors
	/// [`DaemonError::Io`].
	pub fn save(&self, folder: &Path) -> Result<(), DaemonError> {
		let path = folder.join(FILE);
		let bytes = serde_json::to_vec_pretty(self)
			.map_err(|error| DaemonError::io(&path)(io::Error::other(error)))?;
		files::replace(&path, &bytes, PUBLIC).map_err(DaemonError::io(&path))
	}

	/// Puts a day that was given up on the list again.
	pub(super) fn take_up(&mut self, day: Day) {
		self.given_up.retain(|given| given.day != day);
		self.open.entry(day).or_default();
	}

	/// Takes a day off the list for good.
	pub(super) fn give_up(&mut self, day: Day, reason: String) {
		self.open.remove(&day);
		self.given_up.retain(|given| given.day != day);
		self.given_up.push(GivenUp { day, reason });
		let excess = self.given_up.len().saturating_sub(MAX_GIVEN_UP);
		self.given_up.drain(..excess);
	}
}
