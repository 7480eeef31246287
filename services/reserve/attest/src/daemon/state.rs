//! What the daily run has done, on disk.

use super::{DaemonFault, io_fault};
use crate::files;
use gridproof_primitives::day::Day;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io, path::Path};

const FILE: &str = "state.json";
const VERSION: u32 = 1;
/// Given-up days that are remembered; the logs have all of them.
const MAX_GIVEN_UP: usize = 366;

/// What has been done, and what is still to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
	version: u32,
	/// When the very first run began, in UTC milliseconds.
	pub started_at: u64,
	/// Every day up to this one is done, open or given up.
	pub through: Option<Day>,
	/// Days attested.
	pub attested: u64,
	/// Days that are being worked on.
	pub open: BTreeMap<Day, OpenDay>,
	/// Days that will stay without an attestation from here, the latest last.
	pub given_up: Vec<GivenUp>,
}

/// A day that is being worked on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenDay {
	/// Is its data there?
	pub loaded: bool,
	/// How often the present step failed.
	pub attempts: u32,
	/// Not before this time is it tried again, in UTC milliseconds.
	pub not_before: u64,
	/// Why it failed last.
	pub last_failure: Option<String>,
}

/// A day that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenUp {
	/// Which.
	pub day: Day,
	/// Why.
	pub reason: String,
}

impl State {
	/// Reads the state in `folder`; a new one if there is none.
	///
	/// # Errors
	/// [`DaemonFault::Io`], [`DaemonFault::BadState`].
	pub fn load(folder: &Path, now: u64) -> Result<Self, DaemonFault> {
		let path = folder.join(FILE);
		let bytes = match files::read(&path) {
			Ok(bytes) => bytes,
			Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::new(now)),
			Err(error) => return Err(io_fault(&path)(error)),
		};
		serde_json::from_slice(&bytes)
			.ok()
			.filter(|state: &Self| state.version == VERSION)
			.ok_or_else(|| DaemonFault::BadState(path.display().to_string()))
	}

	fn new(now: u64) -> Self {
		Self {
			version: VERSION,
			started_at: now,
			through: None,
			attested: 0,
			open: BTreeMap::new(),
			given_up: Vec::new(),
		}
	}

	/// Writes the state: the old one or the new one is on disk, never something between.
	///
	/// # Errors
	/// [`DaemonFault::Io`].
	pub fn save(&self, folder: &Path) -> Result<(), DaemonFault> {
		let path = folder.join(FILE);
		let bytes = serde_json::to_vec_pretty(self)
			.map_err(|error| io_fault(&path)(io::Error::other(error)))?;
		files::replace(&path, &bytes, 0o644).map_err(io_fault(&path))
	}

	/// Takes a day off the list for good.
	pub(super) fn give_up(&mut self, day: Day, reason: String) {
		self.open.remove(&day);
		self.given_up.push(GivenUp { day, reason });
		let excess = self.given_up.len().saturating_sub(MAX_GIVEN_UP);
		self.given_up.drain(..excess);
	}
}
