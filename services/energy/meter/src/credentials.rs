//! Who may publish where: a CSV file that device programs read and gateways take in.
//!
//! ```text
//! username,password,site,device,meter
//! PLANT-01:gw-1,3b4f…,PLANT-01,gw-1,MTR-1
//! ```
//!
//! One line for each meter; a device with several meters has one name and password in all its
//! lines. The file is private (mode 0600). Values have no comma, quote or line break.

use gridproof_keys::{KeyFault, files, random, read_private};
use gridproof_primitives::meter::MeterName;
use std::{fmt, io, path::Path};
use zeroize::Zeroizing;

/// The first line.
const HEADER: &str = "username,password,site,device,meter";

/// One line of the file.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
	/// To log in with.
	pub username: String,
	/// To log in with.
	pub password: Zeroizing<String>,
	/// Where that allows to publish.
	pub name: MeterName,
}

impl fmt::Debug for Credential {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		write!(f, "Credential({} for {})", self.username, self.name)
	}
}

/// Why credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialFault {
	/// The file is not usable.
	#[error(transparent)]
	File(#[from] KeyFault),
	/// The file cannot be written.
	#[error("{path}: {reason}")]
	Io {
		/// Which file.
		path: String,
		/// Why.
		reason: io::Error,
	},
	/// A line that is none.
	#[error("{path}, line {line}: {reason}")]
	BadLine {
		/// Which file.
		path: String,
		/// Counted from one.
		line: usize,
		/// Why.
		reason: String,
	},
	/// A value that cannot stand in the file.
	#[error("{0} has a comma, a quote or a line break, and cannot stand in a file of credentials")]
	BadValue(String),
}

impl Credential {
	/// A new password for a meter; its device's name is the user name.
	///
	/// # Errors
	/// [`CredentialFault::File`] without random numbers.
	pub fn generate(name: &MeterName) -> Result<Self, CredentialFault> {
		let password = Zeroizing::new(hex::encode(&random()?[..20]));
		Ok(Self { username: username(name), password, name: name.clone() })
	}
}

/// `site:device`: all meters of a device publish with one name.
pub fn username(name: &MeterName) -> String {
	format!("{}:{}", name.site(), name.device())
}

/// Reads a file; none if it is not there.
///
/// # Errors
/// [`CredentialFault`]; a file that others may read is refused.
pub fn load(path: &Path) -> Result<Vec<Credential>, CredentialFault> {
	let text = match read_private(path) {
		Err(KeyFault::Io { reason, .. }) if reason.kind() == io::ErrorKind::NotFound => {
			return Ok(Vec::new());
		},
		text => text?,
	};
	let bad = |line: usize, reason: &str| CredentialFault::BadLine {
		path: path.display().to_string(),
		line,
		reason: reason.to_string(),
	};
	let mut lines = (1..).zip(text.lines());
	if lines.next().is_none_or(|(_, header)| header.trim() != HEADER) {
		return Err(bad(1, &format!("write {HEADER}")));
	}
	let filled = lines.filter(|(_, line)| !line.trim().is_empty());
	let credential = |(number, line): (usize, &str)| {
		let fields: Vec<&str> = line.trim_end().split(',').collect();
		let [username, password, site, device, meter] = fields[..] else {
			return Err(bad(number, "five values are needed"));
		};
		if username.is_empty() || password.is_empty() || line.contains('"') {
			return Err(bad(number, "user name and password are needed, without quotes"));
		}
		let name = MeterName::new(site, device, meter);
		Ok(Credential {
			username: username.to_string(),
			password: Zeroizing::new(password.to_string()),
			name: name.map_err(|fault| bad(number, &fault.to_string()))?,
		})
	};
	filled.map(credential).collect()
}

/// Writes a file, in place of what is there.
///
/// # Errors
/// [`CredentialFault::BadValue`], [`CredentialFault::Io`].
pub fn save(path: &Path, credentials: &[Credential]) -> Result<(), CredentialFault> {
	let mut text = Zeroizing::new(format!("{HEADER}\n"));
	for Credential { username, password, name } in credentials {
		let values = [username, password.as_str(), name.site(), name.device(), name.meter()];
		if values.iter().any(|value| value.contains([',', '"', '\n', '\r'])) {
			return Err(CredentialFault::BadValue(name.to_string()));
		}
		text.push_str(&values.join(","));
		text.push('\n');
	}
	files::replace(path, text.as_bytes(), 0o600)
		.map_err(|reason| CredentialFault::Io { path: path.display().to_string(), reason })
}

/// The credentials of `names`: those that the file has, and new ones for the others, which are
/// added to it. Meters of one device share theirs.
///
/// # Errors
/// [`CredentialFault`].
pub fn ensure(path: &Path, names: &[MeterName]) -> Result<Vec<Credential>, CredentialFault> {
	let mut all = load(path)?;
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
		save(path, &all)?;
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
		let made = ensure(&path, &names).unwrap();
		assert_eq!(made[0].password, made[1].password);
		assert_ne!(made[0].password, made[2].password);
		assert_eq!(made[0].username, "PLANT-01:gw-1");
		assert_eq!(made[0].password.len(), 40);
		assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
		assert_eq!(ensure(&path, &names).unwrap(), made);
		assert_eq!(load(&path).unwrap(), made);
		assert!(!format!("{made:?}").contains(made[0].password.as_str()));
		fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
		assert!(matches!(load(&path), Err(CredentialFault::File(KeyFault::Loose { .. }))));
	}

	#[test]
	fn lines_that_are_none_are_refused_with_their_number() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("mqtt.csv");
		for (text, line) in [
			("user,password\n", 1),
			("username,password,site,device,meter\na,b,c,d\n", 2),
			("username,password,site,device,meter\na,b,c,d,e\n,b,c,d,e\n", 3),
			("username,password,site,device,meter\na,b,c/,d,e\n", 2),
			("username,password,site,device,meter\na,\"b\",c,d,e\n", 2),
		] {
			fs::write(&path, text).unwrap();
			fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
			let fault = load(&path).unwrap_err();
			assert!(matches!(fault, CredentialFault::BadLine { line: at, .. } if at == line));
		}
		let comma = Credential::generate(&name("gw,1", "A")).unwrap();
		assert!(matches!(save(&path, &[comma]), Err(CredentialFault::BadValue(_))));
		assert_eq!(load(&folder.path().join("none.csv")).unwrap(), []);
	}
}
