//! What a client remembers of its jobs: a file for each, with the access key, written before the
//! job is opened on chain. With the file one can read the output and take the job back.

use gridproof_support::{
	files,
	text::{Amount, Hex32},
};
use serde::{Deserialize, Serialize};
use std::{
	fs, io,
	path::{Path, PathBuf},
};

/// A job that was, or was about to be, opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEntry {
	/// The job's id.
	pub job: Hex32,
	/// Address of the coordinator, `http://…`.
	pub coordinator: String,
	/// The account that pays.
	pub client: Hex32,
	/// The most that it costs, in the asset's smallest unit.
	pub price: Amount,
	/// The job's access key, a secret.
	pub access: String,
	/// When it was remembered, UTC milliseconds.
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

	/// Remembers a job; it is on disk when this returns.
	///
	/// # Errors
	/// The file system's; if the job is remembered already.
	pub fn add(&self, entry: &JobEntry) -> io::Result<()> {
		fs::create_dir_all(&self.0)?;
		let text = serde_json::to_vec_pretty(entry)?;
		files::create(&self.path(entry.job), &text, files::SECRET)
	}

	/// Returns what is remembered of a job.
	///
	/// # Errors
	/// The file system's; if the file is not one of these.
	pub fn get(&self, job: Hex32) -> io::Result<Option<JobEntry>> {
		match files::read(&self.path(job)) {
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
		let entry = JobEntry { job, coordinator, client, price, access, created_ms: 4 };
		assert_eq!(book.get(job).unwrap(), None);
		book.add(&entry).unwrap();
		assert_eq!(book.get(job).unwrap(), Some(entry.clone()));
		assert!(book.add(&entry).is_err(), "nothing is overwritten");
		let mode = fs::metadata(book.path(job)).unwrap().permissions().mode();
		assert_eq!(mode & 0o777, 0o600);
	}
}
