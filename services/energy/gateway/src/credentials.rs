//! Who may speak MQTT: a file that the operator's command edits and the running gateway rereads.
//!
//! A password is a random 160-bit token made by us, or at least [`MIN_PASSWORD`] characters of the
//! operator's. Only its salted hash is kept; a token of that strength needs no slow hash, and ten
//! thousand devices that reconnect at once can be let in within a second.

use rand::{RngCore, rngs::OsRng};
use serde::{Deserialize, Serialize};
use sp_core::{Blake2Hasher, Hasher};
use std::{
	collections::BTreeMap,
	fs, io,
	path::{Path, PathBuf},
	sync::{Mutex, PoisonError},
	time::SystemTime,
};
use zeroize::Zeroizing;

/// The file's name in the data folder.
pub const FILE: &str = "credentials.json";
/// Characters of a password that is not made here.
pub const MIN_PASSWORD: usize = 20;
const VERSION: u32 = 1;

/// Why credentials cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum CredentialFault {
	/// The file system refuses.
	#[error("{path}: {reason}")]
	Io {
		/// Which file.
		path: String,
		/// Why.
		reason: io::Error,
	},
	/// Not a file of ours.
	#[error("{path} is no file of credentials: {reason}; move it away to start anew")]
	BadFile {
		/// Which file.
		path: String,
		/// Why.
		reason: String,
	},
	/// The name is taken.
	#[error("there is a user {0} already; remove it first, or choose another name")]
	Exists(String),
	/// Nobody has this name.
	#[error("there is no user {0}")]
	NotFound(String),
	/// The name or a part of it cannot be used.
	#[error(
		"{0:?} cannot be used: 1 to 64 bytes (a user name 160) without / + # and control characters"
	)]
	BadName(String),
	/// The password is too short to withstand guessing.
	#[error("a password has at least {MIN_PASSWORD} characters; leave it out to have one made")]
	WeakPassword,
}

/// What a user may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Role {
	/// Publishes logs of the meters of one device, and signs for them.
	Device {
		/// Its site.
		site: String,
		/// Its id.
		device: String,
	},
	/// Subscribes to `energy/#`, publishes nothing.
	Reader,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
	#[serde(flatten)]
	role: Role,
	salt: String,
	hash: String,
}

#[derive(Serialize, Deserialize)]
struct CredentialFile {
	version: u32,
	users: BTreeMap<String, Entry>,
}

/// A user as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
	/// The name to log in with.
	pub username: String,
	/// What it may do.
	#[serde(flatten)]
	pub role: Role,
}

/// The credentials of a data folder.
pub struct Credentials {
	path: PathBuf,
	known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
	modified: Option<(SystemTime, u64)>,
	users: BTreeMap<String, Entry>,
}

impl Credentials {
	/// Reads the file in `folder`; nobody is known if there is none.
	///
	/// # Errors
	/// [`CredentialFault`].
	pub fn open(folder: &Path) -> Result<Self, CredentialFault> {
		let path = folder.join(FILE);
		let credentials = Self { path, known: Mutex::new(Known::default()) };
		credentials.refresh()?;
		Ok(credentials)
	}

	/// Reads the file again if it has changed.
	fn refresh(&self) -> Result<(), CredentialFault> {
		let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
		let modified = match fs::metadata(&self.path) {
			Ok(data) => data.modified().ok().map(|time| (time, data.len())),
			Err(error) if error.kind() == io::ErrorKind::NotFound => None,
			Err(reason) => return Err(self.io(reason)),
		};
		if modified.is_some() && modified != known.modified {
			known.users = self.read()?.users;
		} else if modified.is_none() {
			known.users.clear();
		}
		known.modified = modified;
		Ok(())
	}

	/// What the user with this name and password may do; `None` if there is no such user or the
	/// password is another.
	pub fn check(&self, username: &str, password: &[u8]) -> Option<Role> {
		if let Err(fault) = self.refresh() {
			// Whoever was known stays known: a file half written must not lock devices out.
			tracing::error!(%fault, "credentials stay as they were");
		}
		let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
		let entry = known.users.get(username)?;
		let wanted = hex::decode(&entry.hash).ok()?;
		let found = hash(&entry.salt, password);
		// Compares in the same time wherever the first difference is.
		let differing = found.iter().zip(&wanted).fold(0, |sum, (one, other)| sum | (one ^ other));
		(wanted.len() == found.len() && differing == 0).then(|| entry.role.clone())
	}

	/// Is there a user of that name?
	pub fn knows(&self, username: &str) -> bool {
		let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
		known.users.contains_key(username)
	}

	/// Everybody, by name.
	///
	/// # Errors
	/// [`CredentialFault`].
	pub fn list(&self) -> Result<Vec<User>, CredentialFault> {
		self.refresh()?;
		let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
		let user = |(username, entry): (&String, &Entry)| User {
			username: username.clone(),
			role: entry.role.clone(),
		};
		Ok(known.users.iter().map(user).collect())
	}

	/// Adds a user and answers its password: the given one, or a new random token.
	///
	/// # Errors
	/// [`CredentialFault`].
	pub fn add(
		&self,
		username: &str,
		role: Role,
		password: Option<Zeroizing<String>>,
	) -> Result<Zeroizing<String>, CredentialFault> {
		check_names(username, &role)?;
		let password = match password {
			Some(password) if password.chars().count() < MIN_PASSWORD => {
				return Err(CredentialFault::WeakPassword);
			},
			Some(password) => password,
			None => Zeroizing::new(hex::encode(random::<20>())),
		};
		let mut file = self.read()?;
		if file.users.contains_key(username) {
			return Err(CredentialFault::Exists(username.to_string()));
		}
		file.users.insert(username.to_string(), entry(role, &password));
		self.write(&file)?;
		Ok(password)
	}

	/// Adds users with their passwords, in one go; one that is there already is replaced. Answers
	/// how many there are.
	///
	/// # Errors
	/// [`CredentialFault`]; then nothing has changed.
	pub fn import(
		&self,
		users: impl IntoIterator<Item = (String, Role, Zeroizing<String>)>,
	) -> Result<usize, CredentialFault> {
		let mut file = self.read()?;
		let mut names = std::collections::BTreeSet::new();
		for (username, role, password) in users {
			check_names(&username, &role)?;
			if password.chars().count() < MIN_PASSWORD {
				return Err(CredentialFault::WeakPassword);
			}
			file.users.insert(username.clone(), entry(role, &password));
			names.insert(username);
		}
		self.write(&file)?;
		Ok(names.len())
	}

	/// Removes a user. Its connection lives on until it ends by itself.
	///
	/// # Errors
	/// [`CredentialFault`].
	pub fn remove(&self, username: &str) -> Result<(), CredentialFault> {
		let mut file = self.read()?;
		if file.users.remove(username).is_none() {
			return Err(CredentialFault::NotFound(username.to_string()));
		}
		self.write(&file)
	}

	fn read(&self) -> Result<CredentialFile, CredentialFault> {
		let text = match fs::read(&self.path) {
			Ok(text) => text,
			Err(error) if error.kind() == io::ErrorKind::NotFound => {
				return Ok(CredentialFile { version: VERSION, users: BTreeMap::new() });
			},
			Err(reason) => return Err(self.io(reason)),
		};
		let bad = |reason: String| CredentialFault::BadFile {
			path: self.path.display().to_string(),
			reason,
		};
		let file: CredentialFile =
			serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
		if file.version != VERSION {
			return Err(bad(format!("its version is {}", file.version)));
		}
		Ok(file)
	}

	/// Replaces the file, so that no reader ever sees half of one.
	fn write(&self, file: &CredentialFile) -> Result<(), CredentialFault> {
		let text = serde_json::to_vec_pretty(file).map_err(|error| CredentialFault::BadFile {
			path: self.path.display().to_string(),
			reason: error.to_string(),
		})?;
		if let Some(folder) = self.path.parent() {
			fs::create_dir_all(folder).map_err(|reason| self.io(reason))?;
		}
		let written = gridproof_keys::files::replace(&self.path, &text, 0o600);
		written.map_err(|reason| self.io(reason))
	}

	fn io(&self, reason: io::Error) -> CredentialFault {
		CredentialFault::Io { path: self.path.display().to_string(), reason }
	}
}

fn check_names(username: &str, role: &Role) -> Result<(), CredentialFault> {
	let parts = match role {
		Role::Device { site, device } => vec![site.as_str(), device.as_str()],
		Role::Reader => vec![],
	};
	let bad = parts.into_iter().find(|part| !is_name(part, 64));
	match bad.or_else(|| (!is_name(username, 160)).then_some(username)) {
		Some(bad) => Err(CredentialFault::BadName(bad.to_string())),
		None => Ok(()),
	}
}

fn entry(role: Role, password: &str) -> Entry {
	let salt = hex::encode(random::<16>());
	let hash = hex::encode(hash(&salt, password.as_bytes()));
	Entry { role, salt, hash }
}

fn is_name(text: &str, most: usize) -> bool {
	(1..=most).contains(&text.len())
		&& !text.chars().any(|letter| letter.is_control() || "/+#".contains(letter))
}

fn hash(salt: &str, password: &[u8]) -> [u8; 32] {
	Blake2Hasher::hash(&[salt.as_bytes(), b":", password].concat()).0
}

fn random<const N: usize>() -> [u8; N] {
	let mut bytes = [0; N];
	OsRng.fill_bytes(&mut bytes);
	bytes
}

#[cfg(test)]
mod tests {
	use super::*;

	fn device(site: &str) -> Role {
		Role::Device { site: site.to_string(), device: "gw-1".to_string() }
	}

	#[test]
	fn who_is_added_is_let_in_and_who_is_removed_is_not() {
		let folder = tempfile::tempdir().unwrap();
		let editor = Credentials::open(folder.path()).unwrap();
		let gateway = Credentials::open(folder.path()).unwrap();
		assert_eq!(gateway.check("gw-1", b"anything"), None);
		let password = editor.add("gw-1", device("PLANT-01"), None).unwrap();
		assert_eq!(gateway.check("gw-1", password.as_bytes()), Some(device("PLANT-01")));
		assert_eq!(gateway.check("gw-1", b""), None);
		assert_eq!(gateway.check("gw-2", password.as_bytes()), None);
		let other = editor.add("eyes", Role::Reader, None).unwrap();
		assert_ne!(password, other);
		assert_eq!(gateway.check("eyes", other.as_bytes()), Some(Role::Reader));
		assert_eq!(gateway.list().unwrap().len(), 2);
		editor.remove("gw-1").unwrap();
		assert_eq!(gateway.check("gw-1", password.as_bytes()), None);
	}

	#[test]
	fn the_file_is_private_and_holds_no_password() {
		use std::os::unix::fs::PermissionsExt;
		let folder = tempfile::tempdir().unwrap();
		let editor = Credentials::open(folder.path()).unwrap();
		let secret = Zeroizing::new("correct horse battery staple".to_string());
		editor.add("gw-1", device("A"), Some(secret.clone())).unwrap();
		let path = folder.path().join(FILE);
		assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
		assert!(!fs::read_to_string(&path).unwrap().contains(secret.as_str()));
	}

	#[test]
	fn what_cannot_be_used_is_refused() {
		let folder = tempfile::tempdir().unwrap();
		let editor = Credentials::open(folder.path()).unwrap();
		let weak = Some(Zeroizing::new("hunter2".to_string()));
		let fault = editor.add("gw-1", Role::Reader, weak).unwrap_err();
		assert!(matches!(fault, CredentialFault::WeakPassword));
		for name in ["", "a/b", "a+", "#", "a\0b", &"x".repeat(161)] {
			let fault = editor.add(name, Role::Reader, None).unwrap_err();
			assert!(matches!(fault, CredentialFault::BadName(_)), "{name}");
		}
		editor.add("gw-1", Role::Reader, None).unwrap();
		let fault = editor.add("gw-1", Role::Reader, None).unwrap_err();
		assert!(matches!(fault, CredentialFault::Exists(_)));
		assert!(matches!(editor.remove("gw-2"), Err(CredentialFault::NotFound(_))));
		fs::write(folder.path().join(FILE), "half a fi").unwrap();
		assert!(matches!(Credentials::open(folder.path()), Err(CredentialFault::BadFile { .. })));
	}
}
