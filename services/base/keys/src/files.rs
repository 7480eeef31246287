//! Files that are whole or not there, whatever happens meanwhile.

use crate::KeyFault;
use std::{
	fs::{self, File, OpenOptions, TryLockError},
	io::{self, Read, Write},
	os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
	path::{Path, PathBuf},
};
use zeroize::{Zeroize, Zeroizing};

/// Files larger than this are not read.
pub const MAX_BYTES: u64 = 1 << 20;

/// Reads a file of at most [`MAX_BYTES`].
///
/// # Errors
/// What the file system says; [`io::ErrorKind::FileTooLarge`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
	read_open(&File::open(path)?)
}

/// Reads an open file of at most [`MAX_BYTES`] from where it stands.
///
/// # Errors
/// What the file system says; [`io::ErrorKind::FileTooLarge`].
pub fn read_open(file: &File) -> io::Result<Vec<u8>> {
	let mut bytes = Vec::new();
	file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
	if bytes.len() as u64 > MAX_BYTES {
		return Err(io::ErrorKind::FileTooLarge.into());
	}
	Ok(bytes)
}

/// Reads a file of text that nobody but its owner may read or write.
///
/// # Errors
/// [`KeyFault::Loose`] if others may, [`KeyFault::BadFile`], [`KeyFault::Io`].
pub fn read_private(path: &Path) -> Result<Zeroizing<String>, KeyFault> {
	let file = File::open(path).map_err(|reason| KeyFault::io(path, reason))?;
	let metadata = file.metadata().map_err(|reason| KeyFault::io(path, reason))?;
	let mode = metadata.permissions().mode();
	if mode & 0o077 != 0 {
		return Err(KeyFault::Loose { path: path.display().to_string(), mode: mode & 0o777 });
	}
	let bytes = read_open(&file).map_err(|reason| KeyFault::io(path, reason))?;
	match String::from_utf8(bytes) {
		Ok(text) => Ok(Zeroizing::new(text)),
		Err(error) => {
			error.into_bytes().zeroize();
			Err(KeyFault::bad_file(path, "not text"))
		},
	}
}

/// Writes a new file with permissions `mode`; fails if there is something at `path` already.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] and what else the file system says.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
	with_temporary(path, bytes, mode, |temporary| {
		// A link, unlike a rename, does not replace what is there.
		fs::hard_link(temporary, path)?;
		fs::remove_file(temporary)
	})
}

/// Writes a file with permissions `mode` in place of what is at `path`, if anything.
///
/// # Errors
/// What the file system says; what was at `path` is then still there.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
	with_temporary(path, bytes, mode, |temporary| fs::rename(temporary, path))
}

fn with_temporary(
	path: &Path,
	bytes: &[u8],
	mode: u32,
	put: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
	let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
	let folder = folder_of(path);
	let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
	let write = || {
		// What a run that was killed left behind.
		match fs::remove_file(&temporary) {
			Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
			_ => (),
		}
		let mut file =
			OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
		file.write_all(bytes)?;
		file.sync_all()?;
		put(&temporary)
	};
	if let Err(error) = write() {
		let _ = fs::remove_file(&temporary);
		return Err(error);
	}
	File::open(folder)?.sync_all()
}

fn folder_of(path: &Path) -> PathBuf {
	match path.parent() {
		Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
		_ => PathBuf::from("."),
	}
}

/// Opens a file for a change that nobody else makes at the same time.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] if somebody does; what the file system says.
pub fn open_exclusively(path: &Path) -> io::Result<File> {
	let file = File::open(path)?;
	match file.try_lock() {
		Ok(()) => (),
		Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
		Err(TryLockError::Error(error)) => return Err(error),
	}
	// Replaced between opening and locking: then this is not the file any more.
	let (ours, there) = (file.metadata()?, fs::metadata(path)?);
	if (ours.dev(), ours.ino()) != (there.dev(), there.ino()) {
		return Err(io::ErrorKind::WouldBlock.into());
	}
	Ok(file)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_new_file_has_its_mode_and_replaces_nothing() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("key.json");
		create(&path, b"first", 0o600).unwrap();
		assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
		let again = create(&path, b"second", 0o600).unwrap_err();
		assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
		assert_eq!(read(&path).unwrap(), b"first");
		replace(&path, b"third", 0o644).unwrap();
		assert_eq!(read(&path).unwrap(), b"third");
		assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
	}

	#[test]
	fn a_file_that_is_being_changed_is_busy() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("attestation.json");
		create(&path, b"{}", 0o644).unwrap();
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
}
