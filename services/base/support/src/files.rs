//! Files that are whole or not there, and files that only their owner may read.

use std::{
	fs::{self, File, Permissions, TryLockError},
	io::{self, Read, Write},
	os::unix::fs::{MetadataExt, PermissionsExt},
	path::{Path, PathBuf},
};
use tempfile::NamedTempFile;
use zeroize::{Zeroize, Zeroizing};

/// Files larger than this are not read: 1 MiB.
pub const MAX_BYTES: u64 = 1 << 20;
/// Permissions of a file that only its owner may read and write.
pub const SECRET: u32 = 0o600;
/// Permissions of a file that everybody may read.
pub const PUBLIC: u32 = 0o644;

/// Why a file was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
	/// The file system refuses.
	#[error("{path}: {reason}")]
	Io {
		/// The file's path.
		path: String,
		/// The system's error.
		reason: io::Error,
	},
	/// A secret that others than its owner may read or write.
	#[error("{path} has mode {mode:03o}: others may read the secret; run: chmod 600 {path}")]
	Loose {
		/// The file's path.
		path: String,
		/// Its permissions.
		mode: u32,
	},
	/// Bytes that are not UTF-8.
	#[error("{0} is not text")]
	NotText(String),
}

impl FileError {
	/// Returns the error of a system call on `path`.
	pub fn io(path: &Path, reason: io::Error) -> Self {
		Self::Io { path: path.display().to_string(), reason }
	}
}

/// Reads a file of at most [`MAX_BYTES`].
///
/// # Errors
/// The file system's; [`io::ErrorKind::FileTooLarge`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
	read_open(&File::open(path)?)
}

/// Reads a file of at most `most` bytes, where it may be larger than [`MAX_BYTES`]: a runtime's code.
///
/// # Errors
/// As [`read`].
pub fn read_up_to(path: &Path, most: u64) -> io::Result<Vec<u8>> {
	let mut bytes = Vec::new();
	File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
	if bytes.len() as u64 > most { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// Reads an open file of at most [`MAX_BYTES`] from its current position.
///
/// # Errors
/// The file system's; [`io::ErrorKind::FileTooLarge`].
pub fn read_open(file: &File) -> io::Result<Vec<u8>> {
	let mut bytes = Vec::new();
	file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
	if bytes.len() as u64 > MAX_BYTES {
		bytes.zeroize();
		return Err(io::ErrorKind::FileTooLarge.into());
	}
	Ok(bytes)
}

/// Opens a file that holds a secret.
///
/// # Errors
/// [`FileError::Loose`] if others than its owner may read or write it; [`FileError::Io`].
pub fn open_private(path: &Path) -> Result<File, FileError> {
	let io = |reason| FileError::io(path, reason);
	let file = File::open(path).map_err(io)?;
	let mode = file.metadata().map_err(io)?.permissions().mode();
	let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
	if mode & forbidden(path, credentials.as_deref()) != 0 {
		return Err(FileError::Loose { path: path.display().to_string(), mode: mode & 0o777 });
	}
	Ok(file)
}

/// Returns the permissions that a secret at `path` must not have: any for others. systemd hands
/// credentials over in a folder that only the service may enter, and shows an access list as
/// permissions of the group.
fn forbidden(path: &Path, credentials: Option<&Path>) -> u32 {
	let is_credential = credentials
		.is_some_and(|folder| !folder.as_os_str().is_empty() && path.parent() == Some(folder));
	if is_credential { 0o037 } else { 0o077 }
}

/// Reads a file of text that holds a secret. A byte order mark, which some editors put at a file's
/// beginning where nobody sees it, does not belong to it.
///
/// # Errors
/// [`FileError`]; [`FileError::Loose`] if others than its owner may read or write it.
pub fn read_private(path: &Path) -> Result<Zeroizing<String>, FileError> {
	let file = open_private(path)?;
	let bytes = read_open(&file).map_err(|reason| FileError::io(path, reason))?;
	match String::from_utf8(bytes) {
		Ok(text) => {
			let text = Zeroizing::new(text);
			Ok(match text.strip_prefix('\u{feff}') {
				Some(rest) => Zeroizing::new(rest.to_string()),
				None => text,
			})
		},
		Err(error) => {
			error.into_bytes().zeroize();
			Err(FileError::NotText(path.display().to_string()))
		},
	}
}

/// Reads the first line of a file that holds a secret, without its line end.
///
/// # Errors
/// As [`read_private`].
pub fn read_private_line(path: &Path) -> Result<Zeroizing<String>, FileError> {
	let text = read_private(path)?;
	// A byte order mark, which some editors put first, is nobody's password.
	let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
	Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_string()))
}

/// Writes a new file with permissions `mode`, on disk before it returns.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if there is something at `path`; the file system's.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
	written(path, bytes, mode)?.persist_noclobber(path).map_err(|error| error.error)?;
	sync_folder(path)
}

/// Writes a file with permissions `mode` in place of the one at `path`, if any, on disk before it
/// returns. Readers see the old file or the new one.
///
/// # Errors
/// The file system's; the old file is then still there.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
	written(path, bytes, mode)?.persist(path).map_err(|error| error.error)?;
	sync_folder(path)
}

/// A file beside `path`, of a name that nobody else uses, on disk; removed unless it is persisted.
fn written(path: &Path, bytes: &[u8], mode: u32) -> io::Result<NamedTempFile> {
	let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
	let mut file = tempfile::Builder::new()
		.prefix(&format!(".{name}."))
		.suffix(".tmp")
		.permissions(Permissions::from_mode(mode))
		.tempfile_in(folder_of(path))?;
	file.write_all(bytes)?;
	file.as_file().sync_all()?;
	Ok(file)
}

/// Makes the names in a file's folder durable.
fn sync_folder(path: &Path) -> io::Result<()> {
	File::open(folder_of(path))?.sync_all()
}

/// Returns the folder that a file lies in: `.` for a bare name.
pub fn folder_of(path: &Path) -> PathBuf {
	match path.parent() {
		Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
		_ => PathBuf::from("."),
	}
}

/// Opens a file for a change that nobody else makes at the same time.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] if another program has it; the file system's.
pub fn open_exclusively(path: &Path) -> io::Result<File> {
	let file = File::open(path)?;
	match file.try_lock() {
		Ok(()) => (),
		Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
		Err(TryLockError::Error(error)) => return Err(error),
	}
	// Replaced between opening and locking: this is then not the file any more.
	let (ours, there) = (file.metadata()?, fs::metadata(path)?);
	if (ours.dev(), ours.ino()) != (there.dev(), there.ino()) {
		return Err(io::ErrorKind::WouldBlock.into());
	}
	Ok(file)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn mode_of(path: &Path) -> u32 {
		fs::metadata(path).unwrap().permissions().mode() & 0o777
	}

	#[test]
	fn a_new_file_has_its_mode_and_replaces_nothing() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("key.json");
		create(&path, b"first", SECRET).unwrap();
		assert_eq!(mode_of(&path), 0o600);
		let again = create(&path, b"second", SECRET).unwrap_err();
		assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
		assert_eq!(read(&path).unwrap(), b"first");
		replace(&path, b"third", PUBLIC).unwrap();
		assert_eq!(read(&path).unwrap(), b"third");
		assert_eq!(mode_of(&path), 0o644);
		assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
	}

	#[test]
	fn a_file_that_cannot_be_replaced_stays_as_it_was() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("folder");
		fs::create_dir(&path).unwrap();
		fs::write(path.join("inside"), b"kept").unwrap();
		assert!(replace(&path, b"text", PUBLIC).is_err());
		assert_eq!(read(&path.join("inside")).unwrap(), b"kept");
		assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
		assert_eq!(
			create(Path::new("/"), b"", SECRET).unwrap_err().kind(),
			io::ErrorKind::InvalidInput
		);
	}

	#[test]
	fn writers_of_one_file_leave_one_whole_file() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("state");
		std::thread::scope(|scope| {
			for byte in 0..4u8 {
				let path = &path;
				scope.spawn(move || {
					(0..20).for_each(|_| replace(path, &[byte; 10_000], PUBLIC).unwrap());
				});
			}
		});
		let bytes = read(&path).unwrap();
		assert!(bytes.len() == 10_000 && bytes.iter().all(|byte| *byte == bytes[0]));
	}

	#[test]
	fn a_file_that_is_being_changed_is_busy() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("attestation.json");
		create(&path, b"{}", PUBLIC).unwrap();
		let held = open_exclusively(&path).unwrap();
		let busy = open_exclusively(&path).unwrap_err();
		assert_eq!(busy.kind(), io::ErrorKind::WouldBlock);
		drop(held);
		assert_eq!(read_open(&open_exclusively(&path).unwrap()).unwrap(), b"{}");
	}

	#[test]
	fn a_large_file_is_refused() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("large");
		fs::write(&path, vec![b' '; MAX_BYTES as usize]).unwrap();
		assert_eq!(read(&path).unwrap().len() as u64, MAX_BYTES);
		fs::write(&path, vec![b' '; MAX_BYTES as usize + 1]).unwrap();
		assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
	}

	#[test]
	fn a_secret_that_others_may_read_is_refused() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("passphrase");
		create(&path, b"secret\r\nmore", SECRET).unwrap();
		assert_eq!(read_private_line(&path).unwrap().as_str(), "secret");
		for mode in [0o640, 0o604, 0o620] {
			fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
			let error = read_private(&path).unwrap_err();
			assert!(matches!(error, FileError::Loose { mode: found, .. } if found == mode));
		}
		fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
		assert_eq!(read_private(&path).unwrap().as_str(), "secret\r\nmore");
		let credentials = Path::new("/run/credentials/x.service");
		assert_eq!(forbidden(&credentials.join("key"), Some(credentials)), 0o037);
		assert_eq!(forbidden(&credentials.join("../key"), Some(credentials)), 0o077);
		assert_eq!(forbidden(Path::new("key"), Some(credentials)), 0o077);
		assert_eq!(forbidden(Path::new("key"), Some(Path::new(""))), 0o077);
		assert_eq!(forbidden(&credentials.join("key"), None), 0o077);
		let other = folder.path().join("bytes");
		create(&other, &[0xff, 0xfe], SECRET).unwrap();
		assert!(matches!(read_private(&other), Err(FileError::NotText(_))));
	}
}
