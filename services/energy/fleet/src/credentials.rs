//! MQTT credentials: a CSV file that device programs read and gateways take in.
//!
//! ```text
//! username,password,site,device,meter
//! PLANT-01:gw-1,3b4f…,PLANT-01,gw-1,MTR-1
//! ```
//!
//! One line for each meter; a device with several meters has one name and password in all its
//! lines. The file is private (mode 0600). Spaces around a value do not count.

use gridproof_keys::{KeyError, random};
use gridproof_primitives::energy::MeterName;
use gridproof_support::{
	csv::{self, CsvError, Row},
	files::{self, FileError, SECRET, read_private},
};
use std::{fmt, io, path::Path};
use zeroize::Zeroizing;

/// The first line.
const HEADER: &str = "username,password,site,device,meter";

/// One line of the file.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
	/// User name.
	pub username: String,
	/// Password.
	pub password: Zeroizing<String>,
	/// Meter whose readings it may publish.
	pub name: MeterName,
}

impl fmt::Debug for Credential {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		write!(f, "Credential({} for {})", self.username, self.name)
	}
}

/// Why credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
	/// The file is not usable, or others than its owner may read it.
	#[error(transparent)]
	File(#[from] FileError),
	/// A line is wrong.
	#[error("{path}, line {line}: {reason}")]
	BadLine {
		/// The file.
		path: String,
		/// Number of the line, from 1.
		line: usize,
		/// What is wrong with it.
		reason: String,
	},
	/// A value would not be read back as it is.
	#[error(
		"a value of {0} begins or ends with a space, or has a line break, and cannot stand in a file of \
		 credentials"
	)]
	BadValue(String),
	/// The operating system gives no random numbers for a password.
	#[error(transparent)]
	Random(KeyError),
}

impl Credential {
	/// Makes a new password for a meter; its device's name is the user name.
	///
	/// # Errors
	/// [`CredentialError::Random`].
	pub fn generate(name: &MeterName) -> Result<Self, CredentialError> {
		let password =
			Zeroizing::new(hex::encode(&random().map_err(CredentialError::Random)?[..20]));
		Ok(Self { username: username(name), password, name: name.clone() })
	}
}

/// Returns `site:device`: all meters of a device publish with one user name.
pub fn username(name: &MeterName) -> String {
	format!("{}:{}", name.site(), name.device())
}

/// Reads a file; returns no credentials if it is not there.
///
/// # Errors
/// [`CredentialError`]; a file that others may read is refused.
pub fn load_credentials(path: &Path) -> Result<Vec<Credential>, CredentialError> {
	let text = match read_private(path) {
		Err(FileError::Io { reason, .. }) if reason.kind() == io::ErrorKind::NotFound => {
			return Ok(Vec::new());
		},
		text => text?,
	};
	let bad = |line: usize, reason: String| CredentialError::BadLine {
		path: path.display().to_string(),
		line,
		reason,
	};
	let rows = csv::read(&text, HEADER).map_err(|error| match error {
		CsvError::Header(_) => bad(1, format!("write {HEADER}")),
		CsvError::Fields { line, .. } => bad(line, "five values are needed".to_string()),
		CsvError::Unreadable { line, reason } => bad(line, reason),
	})?;
	let credential = |Row { line, fields }: Row| {
		let fields = <[String; 5]>::try_from(fields);
		let [username, password, site, device, meter] =
			fields.map_err(|_| bad(line, "five values are needed".to_string()))?;
		let password = Zeroizing::new(password);
		if username.is_empty() || password.is_empty() {
			return Err(bad(line, "user name and password are needed".to_string()));
		}
		let name = MeterName::new(&site, &device, &meter);
		let name = name.map_err(|error| bad(line, error.to_string()))?;
		Ok(Credential { username, password, name })
	};
	rows.into_iter().map(credential).collect()
}

/// Writes a file, in place of what is there.
///
/// # Errors
/// [`CredentialError::BadValue`], [`CredentialError::File`].
pub fn save_credentials(path: &Path, credentials: &[Credential]) -> Result<(), CredentialError> {
	let mut rows = Vec::with_capacity(credentials.len());
	for Credential { username, password, name } in credentials {
		let values = [username, password.as_str(), name.site(), name.device(), name.meter()];
		let is_kept = |value: &&str| value.trim() == *value && !value.contains(['\n', '\r']);
		if !values.iter().all(is_kept) {
			return Err(CredentialError::BadValue(name.to_string()));
		}
		rows.push(values);
	}
	let text = Zeroizing::new(csv::write(HEADER, rows));
	files::replace(path, text.as_bytes(), SECRET)
		.map_err(|reason| FileError::io(path, reason).into())
}

/// Returns the credentials of `names`: those that the file has, and new ones for the others, which
/// are added to it. Meters of one device share theirs.
///
/// # Errors
/// [`CredentialError`].
pub fn ensure_credentials(
	path: &Path,
	names: &[MeterName],
) -> Result<Vec<Credential>, CredentialError> {
	let mut all = load_credentials(path)?;
	let mut wanted = Vec::with_capacity(names.len());
	let before = all.len();
	for name in names {
		let known = all.iter().find(|credential| credential.name == *name);
		let known = known.cloned().map(Ok).unwrap_or_else(|| {
			let user = username(name);
			match all.iter().find(|credential| credential.username == user) {
				Some(device) => Ok(Credential { name: name.clone(), ..device.clone() }),
				None => Credential::generate(name),
			}
		})?;
		if all.iter().all(|credential| credential.name != *name) {
			all.push(known.clone());
		}
		wanted.push(known);
	}
	if all.len() > before {
		save_credentials(path, &all)?;
	}
	Ok(wanted)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{fs, os::unix::fs::PermissionsExt};

	fn name(device: &str, meter: &str) -> MeterName {
		MeterName::new("PLANT-01", device, meter).unwrap()
	}

	#[test]
	fn credentials_are_made_once_kept_private_and_shared_by_a_device() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("mqtt.csv");
		let names = [name("gw-1", "A"), name("gw-1", "B"), name("gw-2", "A")];
		let made = ensure_credentials(&path, &names).unwrap();
		assert_eq!(made[0].password, made[1].password);
		assert_ne!(made[0].password, made[2].password);
		assert_eq!(made[0].username, "PLANT-01:gw-1");
		assert_eq!(made[0].password.len(), 40);
		assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
		assert_eq!(ensure_credentials(&path, &names).unwrap(), made);
		assert_eq!(load_credentials(&path).unwrap(), made);
		assert!(!format!("{made:?}").contains(made[0].password.as_str()));
		fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
		assert!(matches!(
			load_credentials(&path),
			Err(CredentialError::File(FileError::Loose { .. }))
		));
	}

	#[test]
	fn a_line_that_is_wrong_is_refused_with_its_number() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("mqtt.csv");
		for (text, line) in [
			("user,password\n", 1),
			("username,password,site,device,meter\na,b,c,d\n", 2),
			("username,password,site,device,meter\na,b,c,d,e\n,b,c,d,e\n", 3),
			("username,password,site,device,meter\na,b,c/,d,e\n", 2),
			("username,password,site,device,meter\na,\"\",c,d,e\n", 2),
		] {
			fs::write(&path, text).unwrap();
			fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
			let error = load_credentials(&path).unwrap_err();
			assert!(matches!(error, CredentialError::BadLine { line: at, .. } if at == line));
		}
		assert_eq!(load_credentials(&folder.path().join("none.csv")).unwrap(), []);
	}

	#[test]
	fn a_file_with_a_byte_order_mark_is_the_file_without_it() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("mqtt.csv");
		let read = |text: &str| {
			fs::write(&path, text).unwrap();
			fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
			load_credentials(&path).unwrap()
		};
		let field = concat!(
			env!("CARGO_MANIFEST_DIR"),
			"/../../../vectors/field/files/credentials-bom.csv"
		);
		let with = fs::read_to_string(field).unwrap();
		let without = with.strip_prefix('\u{feff}').unwrap();
		let read_all = [read(&with), read(without), read(&without.replace("\r\n", "\n"))];
		for credentials in &read_all {
			assert_eq!(credentials, &read_all[0]);
			assert_eq!(credentials[0].username, "PLANT-01:gw-1");
			assert_eq!(credentials[0].password.as_str(), "kQ7v2mT9xW4sB8nD1zRf");
			assert_eq!(credentials[0].name, name("gw-1", "MTR-001"));
		}
	}

	#[test]
	fn every_name_and_password_is_read_back_as_it_was_written() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("mqtt.csv");
		let odd = Credential::generate(&name("gw,1 \"north\"", "A")).unwrap();
		let odd = Credential { password: Zeroizing::new("a,\"b\";c".to_string()), ..odd };
		let plain = Credential::generate(&name("gw-2", "A")).unwrap();
		save_credentials(&path, &[odd.clone(), plain.clone()]).unwrap();
		assert_eq!(load_credentials(&path).unwrap(), [odd, plain.clone()]);
		let text = fs::read_to_string(&path).unwrap();
		assert!(text.ends_with(&format!(
			"\n{},{},PLANT-01,gw-2,A\n",
			plain.username,
			plain.password.as_str()
		)));
		for password in [" a", "a ", "a\nb"] {
			let password = Zeroizing::new(password.to_string());
			let spaced = Credential { password, ..plain.clone() };
			let refused = save_credentials(&path, &[spaced]).unwrap_err();
			assert!(matches!(refused, CredentialError::BadValue(_)), "{refused}");
		}
		assert_eq!(fs::read_to_string(&path).unwrap(), text);
	}
}
