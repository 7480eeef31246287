//! Users: a file that the operator's command edits and the running gateway rereads.
//!
//! A password is a random 160-bit token made by us, or at least [`MIN_PASSWORD`] characters of the
//! operator's. Only its salted hash is kept; a token of that strength needs no slow hash, and ten
//! thousand devices that reconnect at once can be let in within a second.

use gridproof_support::{Lock, files};
use rand::{RngCore, rngs::OsRng};
use serde::{Deserialize, Serialize};
use sp_core::{Blake2Hasher, Hasher};
use std::{
	collections::BTreeMap,
	fs, io,
	path::{Path, PathBuf},
	sync::Mutex,
	time::SystemTime,
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The file's name in the data folder.
pub const CREDENTIALS_FILE: &str = "credentials.json";
/// Characters of a password that is not made here.
pub const MIN_PASSWORD: usize = 20;
const VERSION: u32 = 1;

/// Why credentials cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
	/// The file system refuses.
	#[error("{path}: {reason}")]
	Io {
		/// The file.
		path: String,
		/// What the file system says.
		reason: io::Error,
	},
	/// The file is not one that this program has written.
	#[error(
		"{path} is not a file of credentials: {reason}; move it away to begin with an empty one"
	)]
	BadFile {
		/// The file.
		path: String,
		/// What is wrong with it.
		reason: String,
	},
	/// The name is taken.
	#[error("there is a user {0} already; remove it first, or choose another name")]
	Exists(String),
	/// There is no user of this name.
	#[error("there is no user {0}")]
	NotFound(String),
	/// The name or a part of it cannot be used.
	#[error(
		"{0:?} cannot be used: 1 to 64 bytes (a user name 160) without / + # and control characters"
	)]
	BadName(String),
	/// There is no such folder, so that no gateway would read what is written into it.
	#[error(
		"there is no folder {0}, so no gateway reads it: name the one of gateway run --data, or make a \
		 new one for a gateway that has not run yet with --new"
	)]
	NoFolder(String),
	/// The password is too short to withstand guessing.
	#[error("a password has at least {MIN_PASSWORD} characters; leave it out to have one made")]
	WeakPassword,
}

/// What a user may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Role {
	/// Publishes readings of the meters of one device, and signs for them.
	Device {
		/// Id of its site.
		site: String,
		/// Its own id.
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
	/// The name to log in with: 1 to 160 bytes.
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
	/// [`CredentialError`].
	pub fn open(folder: &Path) -> Result<Self, CredentialError> {
		let path = folder.join(CREDENTIALS_FILE);
		let credentials = Self { path, known: Mutex::new(Known::default()) };
		credentials.refresh()?;
		Ok(credentials)
	}

	/// As [`Credentials::open`], of a folder that is there. `is_new`: it is made if it is not, for a
	/// gateway that has not run yet.
	///
	/// # Errors
	/// [`CredentialError::NoFolder`], so that nobody gets a password that no gateway knows.
	pub fn of_gateway(folder: &Path, is_new: bool) -> Result<Self, CredentialError> {
		if is_new || folder.is_dir() {
			return Self::open(folder);
		}
		Err(CredentialError::NoFolder(folder.display().to_string()))
	}

	/// Reads the file again if it has changed.
	fn refresh(&self) -> Result<(), CredentialError> {
		let mut known = self.known.locked();
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

	/// The role of the user with this name and password; `None` if there is no such user or the
	/// password is another.
	pub fn check(&self, username: &str, password: &[u8]) -> Option<Role> {
		if let Err(error) = self.refresh() {
			// All users stay as they were: a file half written must not lock devices out.
			tracing::error!(%error, "credentials stay as they were");
		}
		let known = self.known.locked();
		let entry = known.users.get(username)?;
		let wanted = hex::decode(&entry.hash).ok()?;
		let is_equal = hash(&entry.salt, password).ct_eq(wanted.as_slice());
		bool::from(is_equal).then(|| entry.role.clone())
	}

	/// Returns `true` if there is a user of that name.
	pub fn knows(&self, username: &str) -> bool {
		let known = self.known.locked();
		known.users.contains_key(username)
	}

	/// All users, by name.
	///
	/// # Errors
	/// [`CredentialError`].
	pub fn list(&self) -> Result<Vec<User>, CredentialError> {
		self.refresh()?;
		let known = self.known.locked();
		let user = |(username, entry): (&String, &Entry)| User {
			username: username.clone(),
			role: entry.role.clone(),
		};
		Ok(known.users.iter().map(user).collect())
	}

	/// Adds a user. Returns its password: the given one, or a new random token.
	///
	/// # Errors
	/// [`CredentialError`].
	pub fn add(
		&self,
		username: &str,
		role: Role,
		password: Option<Zeroizing<String>>,
	) -> Result<Zeroizing<String>, CredentialError> {
		check_names(username, &role)?;
		let password = match password {
			Some(password) if password.chars().count() < MIN_PASSWORD => {
				return Err(CredentialError::WeakPassword);
			},
			Some(password) => password,
			None => Zeroizing::new(hex::encode(random::<20>())),
		};
		let mut file = self.read()?;
		if file.users.contains_key(username) {
			return Err(CredentialError::Exists(username.to_string()));
		}
		file.users.insert(username.to_string(), entry(role, &password));
		self.write(&file)?;
		Ok(password)
	}

	/// Adds users with their passwords, in one go; one that is there already is replaced. Returns
	/// the number of users.
	///
	/// # Errors
	/// [`CredentialError`]; then nothing has changed.
	pub fn import(
		&self,
		users: impl IntoIterator<Item = (String, Role, Zeroizing<String>)>,
	) -> Result<usize, CredentialError> {
		let mut file = self.read()?;
		let mut names = std::collections::BTreeSet::new();
		for (username, role, password) in users {
			check_names(&username, &role)?;
			if password.chars().count() < MIN_PASSWORD {
				return Err(CredentialError::WeakPassword);
			}
			file.users.insert(username.clone(), entry(role, &password));
			names.insert(username);
		}
		self.write(&file)?;
		Ok(names.len())
	}

	/// Removes a user. A connection that it has stays open.
	///
	/// # Errors
	/// [`CredentialError`].
	pub fn remove(&self, username: &str) -> Result<(), CredentialError> {
		let mut file = self.read()?;
		if file.users.remove(username).is_none() {
			return Err(CredentialError::NotFound(username.to_string()));
		}
		self.write(&file)
	}

	fn read(&self) -> Result<CredentialFile, CredentialError> {
		let text = match fs::read(&self.path) {
			Ok(text) => text,
			Err(error) if error.kind() == io::ErrorKind::NotFound => {
				return Ok(CredentialFile { version: VERSION, users: BTreeMap::new() });
			},
			Err(reason) => return Err(self.io(reason)),
		};
		let bad = |reason: String| CredentialError::BadFile {
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
	fn write(&self, file: &CredentialFile) -> Result<(), CredentialError> {
		let text = serde_json::to_vec_pretty(file).map_err(|error| CredentialError::BadFile {
			path: self.path.display().to_string(),
			reason: error.to_string(),
		})?;
		if let Some(folder) = self.path.parent() {
			fs::create_dir_all(folder).map_err(|reason| self.io(reason))?;
		}
		files::replace(&self.path, &text, files::SECRET).map_err(|reason| self.io(reason))
	}

	fn io(&self, reason: io::Error) -> CredentialError {
		CredentialError::Io { path: self.path.display().to_string(), reason }
	}
}

fn check_names(username: &str, role: &Role) -> Result<(), CredentialError> {
	let parts = match role {
		Role::Device { site, device } => vec![site.as_str(), device.as_str()],
		Role::Reader => vec![],
	};
	let bad = parts.into_iter().find(|part| !is_name(part, 64));
	match bad.or_else(|| (!is_name(username, 160)).then_some(username)) {
		Some(bad) => Err(CredentialError::BadName(bad.to_string())),
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
	fn nobody_gets_a_password_in_a_folder_that_no_gateway_reads() {
		let folder = tempfile::tempdir().unwrap();
		let typo = folder.path().join("gatway");
		let error = Credentials::of_gateway(&typo, false).err().unwrap();
		assert!(matches!(&error, CredentialError::NoFolder(path) if path.ends_with("gatway")));
		assert!(!typo.exists(), "nothing is made");
		let new = Credentials::of_gateway(&typo, true).unwrap();
		new.add("gw-1", device("A"), None).unwrap();
		let there = Credentials::of_gateway(&typo, false).unwrap();
		assert_eq!(there.list().unwrap().len(), 1);
	}

	#[test]
	fn the_file_is_private_and_holds_no_password() {
		use std::os::unix::fs::PermissionsExt;
		let folder = tempfile::tempdir().unwrap();
		let editor = Credentials::open(folder.path()).unwrap();
		let secret = Zeroizing::new("correct horse battery staple".to_string());
		editor.add("gw-1", device("A"), Some(secret.clone())).unwrap();
		let path = folder.path().join(CREDENTIALS_FILE);
		assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
		assert!(!fs::read_to_string(&path).unwrap().contains(secret.as_str()));
	}

	#[test]
	fn what_cannot_be_used_is_refused() {
		let folder = tempfile::tempdir().unwrap();
		let editor = Credentials::open(folder.path()).unwrap();
		let weak = Some(Zeroizing::new("hunter2".to_string()));
		let error = editor.add("gw-1", Role::Reader, weak).unwrap_err();
		assert!(matches!(error, CredentialError::WeakPassword));
		for name in ["", "a/b", "a+", "#", "a\0b", &"x".repeat(161)] {
			let error = editor.add(name, Role::Reader, None).unwrap_err();
			assert!(matches!(error, CredentialError::BadName(_)), "{name}");
		}
		editor.add("gw-1", Role::Reader, None).unwrap();
		let error = editor.add("gw-1", Role::Reader, None).unwrap_err();
		assert!(matches!(error, CredentialError::Exists(_)));
		assert!(matches!(editor.remove("gw-2"), Err(CredentialError::NotFound(_))));
		fs::write(folder.path().join(CREDENTIALS_FILE), "half a fi").unwrap();
		assert!(matches!(Credentials::open(folder.path()), Err(CredentialError::BadFile { .. })));
	}
}
