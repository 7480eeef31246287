//! API keys: a file with their hashes. A key is 256 random bits, so a plain SHA-256 hides it.

use crate::protocol::{Amount, Hex32};
use rand::{RngCore, rngs::OsRng};
use serde::{Deserialize, Serialize};
use sp_crypto_hashing::sha2_256;
use std::{
	fs,
	io::{self, Write},
	os::unix::fs::OpenOptionsExt,
	path::{Path, PathBuf},
	sync::{Mutex, PoisonError},
	time::SystemTime,
};

/// What keys begin with, so that people and scanners know one when they see it.
const PREFIX: &str = "gpk_";

/// A customer of the front.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
	/// Its name, on bills.
	pub name: String,
	/// SHA-256 of its key.
	pub sha256: Hex32,
	/// Requests a minute; else what holds for everybody.
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
pub enum KeyFileFault {
	/// The file system refuses.
	#[error("{path}: {reason}")]
	Io {
		/// Which file.
		path: String,
		/// Why.
		reason: io::Error,
	},
	/// Not a file of this kind.
	#[error("{path} is no file of API keys: {reason}")]
	BadFile {
		/// Which file.
		path: String,
		/// Why.
		reason: String,
	},
	/// The name is taken.
	#[error("there is a key of {0} already; choose another name, or remove it first")]
	Exists(String),
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
	/// [`KeyFileFault`].
	pub fn open(path: &Path) -> Result<Self, KeyFileFault> {
		let customers = read(path)?;
		let read = Mutex::new((changed(path), customers));
		Ok(Self { path: Some(path.to_path_buf()), read })
	}

	/// Fixed keys.
	pub fn of(customers: Vec<Customer>) -> Self {
		Self { path: None, read: Mutex::new((None, customers)) }
	}

	/// Whose key this is.
	pub fn find(&self, key: &str) -> Option<Customer> {
		let hash = Hex32(sha2_256(key.as_bytes()));
		let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
		if let Some(path) = &self.path {
			let now = changed(path);
			if now.is_some() && now != read.0 {
				match self::read(path) {
					Ok(customers) => *read = (now, customers),
					Err(fault) => tracing::error!(%fault, "the old API keys stay in force"),
				}
			}
		}
		// Hashes are compared: how long that takes tells nothing of the key.
		read.1.iter().find(|customer| customer.sha256 == hash).cloned()
	}
}

fn changed(path: &Path) -> Option<SystemTime> {
	fs::metadata(path).and_then(|data| data.modified()).ok()
}

fn read(path: &Path) -> Result<Vec<Customer>, KeyFileFault> {
	let shown = || path.display().to_string();
	let bytes = fs::read(path).map_err(|reason| KeyFileFault::Io { path: shown(), reason })?;
	let file: KeyFile = serde_json::from_slice(&bytes)
		.map_err(|error| KeyFileFault::BadFile { path: shown(), reason: error.to_string() })?;
	Ok(file.keys)
}

/// Makes a key for a customer and puts its hash into the file, which is made if there is none.
/// The key itself is nowhere but in the answer.
///
/// # Errors
/// [`KeyFileFault`].
pub fn new_key(
	path: &Path,
	name: &str,
	requests_per_minute: Option<u32>,
	limit: Option<u128>,
) -> Result<String, KeyFileFault> {
	let mut keys = match read(path) {
		Err(KeyFileFault::Io { reason, .. }) if reason.kind() == io::ErrorKind::NotFound => {
			Vec::new()
		},
		other => other?,
	};
	if keys.iter().any(|customer| customer.name == name) {
		return Err(KeyFileFault::Exists(name.to_string()));
	}
	let mut secret = [0; 32];
	OsRng.fill_bytes(&mut secret);
	let key = format!("{PREFIX}{}", hex::encode(secret));
	keys.push(Customer {
		name: name.to_string(),
		sha256: Hex32(sha2_256(key.as_bytes())),
		requests_per_minute,
		limit: limit.map(Amount),
	});
	let fault = |reason: io::Error| KeyFileFault::Io { path: path.display().to_string(), reason };
	let text = serde_json::to_vec_pretty(&KeyFile { keys }).map_err(|e| fault(e.into()))?;
	replace(path, &text).map_err(fault)?;
	Ok(key)
}

/// Writes a file beside and moves it over: readers see the old one or the new one.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
	let beside = path.with_extension("new");
	let mut file =
		fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
	file.write_all(text)?;
	file.sync_all()?;
	fs::rename(&beside, path)
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
		assert!(matches!(new_key(&path, "acme", None, None), Err(KeyFileFault::Exists(_))));
	}

	#[test]
	fn a_broken_file_is_told() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("keys.json");
		assert!(matches!(ApiKeys::open(&path), Err(KeyFileFault::Io { .. })));
		fs::write(&path, "{\"keys\":[{}]}").unwrap();
		assert!(matches!(ApiKeys::open(&path), Err(KeyFileFault::BadFile { .. })));
	}
}
