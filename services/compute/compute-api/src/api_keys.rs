//! API keys: a file with their hashes. A key is 256 random bits, so a plain SHA-256 hides it.

use gridproof_support::{
	Classified, Failure, Lock,
	files::{self, FileError},
	text::{Amount, Hex32},
};
use rand::{RngCore, rngs::OsRng};
use serde::{Deserialize, Serialize};
use sp_crypto_hashing::sha2_256;
use std::{
	fs, io,
	path::{Path, PathBuf},
	sync::Mutex,
	time::SystemTime,
};
use subtle::ConstantTimeEq;

/// What keys begin with, so that people and scanners know one when they see it.
const PREFIX: &str = "gpk_";

/// A customer of the front.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
	/// Its name, as bills show it.
	pub name: String,
	/// SHA-256 of its key.
	pub sha256: Hex32,
	/// Requests a minute; if left out, the number that holds for everybody.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub requests_per_minute: Option<u32>,
	/// The most that it may owe altogether, in the front's asset, smallest unit.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub limit: Option<Amount>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct KeyFile {
	keys: Vec<Customer>,
}

/// Why a file of API keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
	/// The file cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// The file is not one of API keys.
	#[error("{path} is not a file of API keys: {reason}")]
	BadFile {
		/// The file's path.
		path: String,
		/// What is wrong with it.
		reason: String,
	},
	/// The name is taken.
	#[error("there is a key of {0} already; choose another name, or remove it first")]
	Exists(String),
}

impl Classified for KeyFileError {
	fn failure(&self) -> Failure {
		match self {
			Self::File(_) | Self::BadFile { .. } | Self::Exists(_) => Failure::USAGE,
		}
	}
}

/// The keys in a file, read again when the file changes.
pub struct ApiKeys {
	path: Option<PathBuf>,
	read: Mutex<(Option<SystemTime>, Vec<Customer>)>,
}

impl ApiKeys {
	/// Reads a file of keys.
	///
	/// # Errors
	/// [`KeyFileError`].
	pub fn open(path: &Path) -> Result<Self, KeyFileError> {
		let customers = read(path)?;
		let read = Mutex::new((changed(path), customers));
		Ok(Self { path: Some(path.to_path_buf()), read })
	}

	/// Returns keys that never change.
	pub fn of(customers: Vec<Customer>) -> Self {
		Self { path: None, read: Mutex::new((None, customers)) }
	}

	/// Returns the customer whose key this is.
	pub fn find(&self, key: &str) -> Option<Customer> {
		let hash = sha2_256(key.as_bytes());
		let mut read = self.read.locked();
		if let Some(path) = &self.path {
			let now = changed(path);
			if now.is_some() && now != read.0 {
				match self::read(path) {
					Ok(customers) => *read = (now, customers),
					Err(error) => tracing::error!(%error, "the old API keys stay in force"),
				}
			}
		}
		let is_it = |customer: &&Customer| customer.sha256.0.ct_eq(&hash).into();
		read.1.iter().find(is_it).cloned()
	}
}

fn changed(path: &Path) -> Option<SystemTime> {
	fs::metadata(path).and_then(|data| data.modified()).ok()
}

fn read(path: &Path) -> Result<Vec<Customer>, KeyFileError> {
	let bytes = fs::read(path).map_err(|reason| FileError::io(path, reason))?;
	let file: KeyFile = serde_json::from_slice(&bytes).map_err(|error| KeyFileError::BadFile {
		path: path.display().to_string(),
		reason: error.to_string(),
	})?;
	Ok(file.keys)
}

/// Makes a key of random bits; returns it with its SHA-256, which is all that is kept of it.
pub fn random_key() -> (String, [u8; 32]) {
	let mut secret = [0; 32];
	OsRng.fill_bytes(&mut secret);
	let key = format!("{PREFIX}{}", hex::encode(secret));
	let sha256 = sha2_256(key.as_bytes());
	(key, sha256)
}

/// Makes a key for a customer and puts its hash into the file, which is made if there is none.
/// The key itself is nowhere but in the answer.
///
/// # Errors
/// [`KeyFileError`].
pub fn new_key(
	path: &Path,
	name: &str,
	requests_per_minute: Option<u32>,
	limit: Option<u128>,
) -> Result<String, KeyFileError> {
	let mut keys = match read(path) {
		Err(KeyFileError::File(FileError::Io { reason, .. }))
			if reason.kind() == io::ErrorKind::NotFound =>
		{
			Vec::new()
		},
		other => other?,
	};
	if keys.iter().any(|customer| customer.name == name) {
		return Err(KeyFileError::Exists(name.to_string()));
	}
	let (key, sha256) = random_key();
	keys.push(Customer {
		name: name.to_string(),
		sha256: Hex32(sha256),
		requests_per_minute,
		limit: limit.map(Amount),
	});
	let failed = |reason: io::Error| FileError::io(path, reason);
	let text = serde_json::to_vec_pretty(&KeyFile { keys }).map_err(|e| failed(e.into()))?;
	files::replace(path, &text, files::SECRET).map_err(failed)?;
	Ok(key)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_new_key_is_known_at_once_and_only_its_hash_is_kept() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("keys.json");
		let first = new_key(&path, "acme", Some(10), Some(7)).unwrap();
		let keys = ApiKeys::open(&path).unwrap();
		let customer = keys.find(&first).unwrap();
		assert_eq!((customer.name.as_str(), customer.requests_per_minute), ("acme", Some(10)));
		assert_eq!(customer.limit, Some(Amount(7)));
		assert!(!fs::read_to_string(&path).unwrap().contains(&first[4..]));
		assert_eq!(keys.find("gpk_other"), None);
		assert_eq!(keys.find(""), None);
		std::thread::sleep(std::time::Duration::from_millis(20));
		let second = new_key(&path, "other", None, None).unwrap();
		assert_eq!(keys.find(&second).unwrap().name, "other");
		assert!(matches!(new_key(&path, "acme", None, None), Err(KeyFileError::Exists(_))));
	}

	#[test]
	fn a_broken_file_is_named() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("keys.json");
		assert!(matches!(ApiKeys::open(&path), Err(KeyFileError::File(FileError::Io { .. }))));
		fs::write(&path, "{\"keys\":[{}]}").unwrap();
		assert!(matches!(ApiKeys::open(&path), Err(KeyFileError::BadFile { .. })));
	}
}
