//! The files of sets and their records.

use crate::{AnchorError, Record, batch_set::set_of_record};
use std::{
	fs,
	path::{Path, PathBuf},
};

/// End of the name of a set's file.
const SET: &str = ".set.json";

/// Where sets and records are.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
	/// The folder, made if it is not there.
	pub(super) fn open(path: &Path) -> Result<Self, AnchorError> {
		fs::create_dir_all(path).map_err(|error| AnchorError::file(path, error))?;
		Ok(Self(path.to_owned()))
	}

	/// Numbers of the sets, in order.
	pub(super) fn numbers(&self) -> Result<Vec<u32>, AnchorError> {
		let fault = |error| AnchorError::file(&self.0, error);
		let mut numbers = Vec::new();
		for entry in fs::read_dir(&self.0).map_err(fault)? {
			let name = entry.map_err(fault)?.file_name();
			let number = name.to_str().and_then(|name| name.strip_suffix(SET)?.parse::<u32>().ok());
			numbers.extend(number);
		}
		numbers.sort_unstable();
		Ok(numbers)
	}

	/// The file of a set's record.
	pub(super) fn record_path(&self, number: u32) -> PathBuf {
		self.0.join(format!("{number:06}.json"))
	}

	/// The file of a set.
	pub(super) fn set_path(&self, number: u32) -> PathBuf {
		set_of_record(&self.record_path(number))
	}

	/// The record of a set, if there is one yet.
	pub(super) fn record(&self, number: u32) -> Result<Option<Record>, AnchorError> {
		let path = self.record_path(number);
		let is_there = path.try_exists().map_err(|error| AnchorError::file(&path, error))?;
		if is_there { Record::load(&path).map(Some) } else { Ok(None) }
	}
}
