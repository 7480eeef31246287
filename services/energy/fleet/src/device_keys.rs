//! Keys of devices, in files.

use gridproof_device::file_name;
use gridproof_keys::{KeyError, Kind, SealedKey};
use gridproof_primitives::energy::MeterName;
use std::{
	fs,
	os::unix::fs::DirBuilderExt,
	path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Asks the user for the passphrase of a key file.
pub type Ask<'a> = &'a dyn Fn(&Path) -> Result<Zeroizing<Vec<u8>>, KeyError>;

/// Reads the device key of a meter in `folder`; makes it if there is none, encrypted with
/// `passphrase` if there is one.
///
/// # Errors
/// [`KeyError`].
pub fn device_key(
	folder: &Path,
	name: &MeterName,
	passphrase: Option<&[u8]>,
	ask: Ask,
) -> Result<(SealedKey, PathBuf), KeyError> {
	let path = folder.join(format!("{}.json", file_name(name)));
	if !path.exists() {
		let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
		made.map_err(|reason| KeyError::Io { path: folder.display().to_string(), reason })?;
		SealedKey::generate(Kind::Device, Some(&name.to_string()))?.save(&path, passphrase)?;
	}
	let key = SealedKey::load_as(&path, Kind::Device, || match passphrase {
		Some(passphrase) => Ok(Zeroizing::new(passphrase.to_vec())),
		None => ask(&path),
	})?;
	match key.label() {
		Some(label) if label != name.to_string() => Err(KeyError::Other {
			path: path.display().to_string(),
			is: label.to_string(),
			wanted: name.to_string(),
		}),
		_ => Ok((key, path)),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_device_key_is_made_once_and_belongs_to_its_meter() {
		let folder = tempfile::tempdir().unwrap();
		let keys = folder.path().join("keys");
		let name = MeterName::new("A", "gw", "1").unwrap();
		let never = |path: &Path| Err(KeyError::PassphraseNeeded(path.display().to_string()));
		let (first, path) = device_key(&keys, &name, None, &never).unwrap();
		let (again, _) = device_key(&keys, &name, None, &never).unwrap();
		assert_eq!(first.public(), again.public());
		let other = MeterName::new("A", "gw", "2").unwrap();
		fs::copy(&path, keys.join(format!("{}.json", file_name(&other)))).unwrap();
		let fault = device_key(&keys, &other, None, &never).err().unwrap();
		assert!(fault.to_string().ends_with("is the key of A/gw/1, not of A/gw/2"), "{fault}");
	}
}
