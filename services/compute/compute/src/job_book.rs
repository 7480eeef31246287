//! What a client remembers of its jobs: one file each, with the access key, written before the
//! job is opened on chain. Whoever has the file can read the output and take the job back.

use crate::protocol::{Amount, Hex32};
use serde::{Deserialize, Serialize};
use std::{
	fs::{self, OpenOptions},
	io::{self, Write},
	os::unix::fs::OpenOptionsExt,
	path::{Path, PathBuf},
};

/// A job that was, or was about to be, opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
	/// Its id.
	pub job: Hex32,
	/// The coordinator.
	pub coordinator: String,
	/// The account that pays.
	pub client: Hex32,
	/// The most that it costs.
	pub price: Amount,
	/// Its access key.
	pub access: String,
	/// UTC milliseconds.
	pub created_ms: u64,
}

/// A folder of such files.
pub struct JobBook(PathBuf);

impl JobBook {
	/// The jobs in a folder.
	pub fn new(folder: &Path) -> Self {
		Self(folder.to_path_buf())
	}

	fn path(&self, job: Hex32) -> PathBuf {
		self.0.join(format!("{job}.json"))
	}

	/// Remembers a job, on disk before it returns.
	///
	/// # Errors
	/// The file system's.
	pub fn add(&self, entry: &Entry) -> io::Result<()> {
		fs::create_dir_all(&self.0)?;
		let path = self.path(entry.job);
		let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
		file.write_all(&serde_json::to_vec_pretty(entry)?)?;
		file.sync_all()
	}

	/// What is remembered of a job.
	///
	/// # Errors
	/// The file system's; a file that is none of these.
	pub fn get(&self, job: Hex32) -> io::Result<Option<Entry>> {
		match fs::read(self.path(job)) {
			Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
			Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
			Err(error) => Err(error),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::os::unix::fs::PermissionsExt;

	#[test]
	fn a_job_is_found_again_and_its_file_is_private() {
		let folder = tempfile::tempdir().unwrap();
		let book = JobBook::new(&folder.path().join("jobs"));
		let (job, coordinator) = (Hex32([1; 32]), "http://127.0.0.1:8090".to_string());
		let (client, price, access) = (Hex32([2; 32]), Amount(3), "secret".to_string());
		let entry = Entry { job, coordinator, client, price, access, created_ms: 4 };
		assert_eq!(book.get(job).unwrap(), None);
		book.add(&entry).unwrap();
		assert_eq!(book.get(job).unwrap(), Some(entry.clone()));
		assert!(book.add(&entry).is_err(), "nothing is overwritten");
		let mode = fs::metadata(book.path(job)).unwrap().permissions().mode();
		assert_eq!(mode & 0o777, 0o600);
	}
}
