//! One program at a time for a record, and for a folder of them.

use crate::AnchorError;
use gridproof_support::files;
use std::{
	fs::{File, OpenOptions},
	io::ErrorKind,
	path::{Path, PathBuf},
};

/// Nobody else changes what it is of until it is dropped. The system drops it with the process.
#[derive(Debug)]
pub struct Held {
	_file: File,
}

/// Takes the lock of a record, or of a folder: the file `….lock` beside it, which stays.
///
/// # Errors
/// [`AnchorError::Busy`] when another program has it; [`AnchorError::File`].
pub fn lock(path: &Path) -> Result<Held, AnchorError> {
	let mut name = path.as_os_str().to_owned();
	name.push(".lock");
	let beside = PathBuf::from(name);
	let fault = |error| AnchorError::file(&beside, error);
	let made = OpenOptions::new().create(true).append(true).open(&beside);
	drop(made.map_err(fault)?);
	match files::open_exclusively(&beside) {
		Ok(file) => Ok(Held { _file: file }),
		Err(error) if error.kind() == ErrorKind::WouldBlock => {
			Err(AnchorError::Busy(path.display().to_string()))
		},
		Err(error) => Err(AnchorError::file(&beside, error)),
	}
}
