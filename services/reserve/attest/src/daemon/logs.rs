//! The two logs of the daily run: `load.log` and `attest.log`, one line a step.

use chrono::{SecondsFormat, Utc};
use gridproof_primitives::day::Day;
use std::{
	fs::OpenOptions,
	io::Write,
	path::{Path, PathBuf},
};

/// Where the lines go. A log that cannot be written does not stop the run: the line then stands
/// on standard error only.
#[derive(Clone, Debug)]
pub struct Logs {
	folder: PathBuf,
}

impl Logs {
	/// Logs in `folder`.
	pub fn new(folder: &Path) -> Self {
		Self { folder: folder.to_path_buf() }
	}

	/// A line about getting data.
	pub fn load(&self, day: Day, text: &str) {
		self.write("load.log", day, text);
	}

	/// A line about attesting.
	pub fn attest(&self, day: Day, text: &str) {
		self.write("attest.log", day, text);
	}

	fn write(&self, name: &str, day: Day, text: &str) {
		tracing::info!(%day, "{text}");
		let path = self.folder.join(name);
		let time = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
		// One write call a line, so that lines of two programs do not mix.
		let line = format!("{time} {day} {}\n", text.replace(['\n', '\r'], " "));
		let written = OpenOptions::new()
			.create(true)
			.append(true)
			.open(&path)
			.and_then(|mut file| file.write_all(line.as_bytes()));
		if let Err(error) = written {
			tracing::error!(%error, "cannot write {}; the line was: {line}", path.display());
		}
	}
}
