//! The file of a planned statement, before anybody has signed it.

use crate::{
	statement::Statement,
	verify::{FileRefusal, Version, open},
};
use gridproof_primitives::codec::json::Value;
use gridproof_support::files::{self, PUBLIC};
use std::{io, path::Path};

/// Why a planned file is not written, or a file that is to be corrected not read.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
	/// A role has signed the file that is there.
	#[error("{0} is signed already; choose another --out")]
	Signed(String),
	/// The file that is there is something else.
	#[error("{0} exists and is not a planned file; choose another --out")]
	OtherFile(String),
	/// The file system refuses to read the file.
	#[error("cannot read {path}: {reason}")]
	Unreadable {
		/// The file.
		path: String,
		/// The system's error.
		reason: io::Error,
	},
	/// The file system refuses to write the file.
	#[error("cannot write {path}: {reason}")]
	Unwritable {
		/// The file.
		path: String,
		/// The system's error.
		reason: io::Error,
	},
	/// The file to be corrected is not in order.
	#[error("{path}: {reason}")]
	Refused {
		/// The file.
		path: String,
		/// What is wrong with it.
		reason: FileRefusal,
	},
	/// The file to be corrected is of version 1.
	#[error("{0} is of version 1, which no chain holds")]
	OldVersion(String),
}

/// Writes a planned file. It replaces a plan that nobody has signed, and nothing else.
///
/// # Errors
/// [`PlanFileError`]; the file that is there is then as it was.
pub fn write_plan(path: &Path, plan: &Value) -> Result<(), PlanFileError> {
	let shown = || path.display().to_string();
	match files::read(path) {
		Err(error) if error.kind() == io::ErrorKind::NotFound => (),
		Err(reason) => return Err(PlanFileError::Unreadable { path: shown(), reason }),
		Ok(bytes) if bytes.is_empty() => (),
		Ok(bytes) => match open(&bytes, None) {
			Ok(opened) if opened.named_signers().is_empty() => (),
			Ok(_) => return Err(PlanFileError::Signed(shown())),
			Err(_) => return Err(PlanFileError::OtherFile(shown())),
		},
	}
	files::replace(path, plan.to_pretty().as_bytes(), PUBLIC)
		.map_err(|reason| PlanFileError::Unwritable { path: shown(), reason })
}

/// Reads the statement of a file of version 2, such as one that is to be corrected.
///
/// # Errors
/// [`PlanFileError::Unreadable`], [`PlanFileError::Refused`], [`PlanFileError::OldVersion`].
pub fn read_statement(path: &Path) -> Result<Statement, PlanFileError> {
	let shown = || path.display().to_string();
	let bytes =
		files::read(path).map_err(|reason| PlanFileError::Unreadable { path: shown(), reason })?;
	let opened =
		open(&bytes, None).map_err(|reason| PlanFileError::Refused { path: shown(), reason })?;
	match opened.version {
		Version::Two(statement) => Ok(*statement),
		Version::One { .. } => Err(PlanFileError::OldVersion(shown())),
	}
}
