//! The two logs of the daily run: `load.log` and `attest.log`, one line a step.

use chrono::{SecondsFormat, Utc};
use gridproof_primitives::time::day::Day;
use std::{
	fs::OpenOptions,
	io::Write,
	path::{Path, PathBuf},
};

/// Where the lines go. A log that cannot be written does not stop the run: the line then stands
/// on standard error only.
#[derive(Clone, Debug)]
pub(crate) struct Logs {
	folder: PathBuf,
}

impl Logs {
	/// Returns logs in `folder`.
	pub(crate) fn new(folder: &Path) -> Self {
		Self { folder: folder.to_path_buf() }
	}

	/// Writes a line about getting data.
	pub(crate) fn load(&self, day: Day, text: &str) {
		self.write("load.log", day, text);
	}

	/// Writes a line about attesting.
	pub(crate) fn attest(&self, day: Day, text: &str) {
		self.write("attest.log", day, text);
	}

	fn write(&self, name: &str, day: Day, text: &str) {
		tracing::info!(event = "day_step", %day, "{text}");
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
