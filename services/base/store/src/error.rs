//! Why something was not read from a database or written to it.

use gridproof_support::{Classified, Failure};
use rusqlite::{ErrorCode, ffi::SQLITE_IOERR_SHMSIZE};

/// Why something was not read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
	/// The file cannot be opened as a database.
	#[error("cannot open the database {path}: {reason}")]
	CannotOpen {
		/// The file's path.
		path: String,
		/// The system's or SQLite's reason.
		reason: String,
	},
	/// Another program has the database open.
	#[error("the database {0} is in use by another program; stop that one first")]
	InUse(String),
	/// A later version of the program has written the database.
	#[error(
		"the database {path} is of version {found}, this program knows {known}; use a newer program"
	)]
	Newer {
		/// The file's path.
		path: String,
		/// The file's version.
		found: u32,
		/// The latest version that this program knows.
		known: u32,
	},
	/// The disk, or the size the database may have, is used up; nothing of the write is kept.
	#[error("no space left for the database; free some, and writing continues automatically")]
	Full,
	/// The file system fails; nothing of the write is kept.
	#[error("the database's disk fails: {0}")]
	Disk(String),
	/// As many writes are waiting as the queue holds; this one was not begun.
	#[error("too many writes are waiting; try again in a moment")]
	Overloaded,
	/// The database has been closed.
	#[error("the database is closed")]
	Closed,
	/// A statement is wrong or breaks a constraint.
	#[error("the database refuses a statement: {0}")]
	Sql(String),
	/// Nobody waited for the answer any more.
	#[error("the question was taken back before it was answered")]
	Interrupted,
	/// The code of a read or write panicked; nothing of it is kept.
	#[error("a read or write of the database broke off; this is a defect of the program")]
	Panicked,
}

impl StoreError {
	/// Returns `true` if the same may succeed later with the program as it is.
	pub const fn is_temporary(&self) -> bool {
		match self {
			Self::Full | Self::Disk(_) | Self::Overloaded | Self::Interrupted => true,
			Self::CannotOpen { .. }
			| Self::InUse(_)
			| Self::Newer { .. }
			| Self::Closed
			| Self::Sql(_)
			| Self::Panicked => false,
		}
	}
}

impl Classified for StoreError {
	fn failure(&self) -> Failure {
		Failure { is_temporary: self.is_temporary(), ..Failure::BROKEN }
	}
}

impl From<rusqlite::Error> for StoreError {
	fn from(error: rusqlite::Error) -> Self {
		// SQLite reports an index of the write-ahead log that finds no room as a failure of the disk.
		let is_log_without_room = error
			.sqlite_error()
			.is_some_and(|failure| failure.extended_code == SQLITE_IOERR_SHMSIZE);
		match error.sqlite_error_code() {
			_ if is_log_without_room => Self::Full,
			Some(ErrorCode::DiskFull) => Self::Full,
			Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly) => {
				Self::Disk(error.to_string())
			},
			Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Overloaded,
			Some(ErrorCode::OperationInterrupted) => Self::Interrupted,
			_ => Self::Sql(error.to_string()),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use rusqlite::ffi::{Error, SQLITE_FULL, SQLITE_IOERR_WRITE};

	fn of(code: i32) -> StoreError {
		rusqlite::Error::SqliteFailure(Error::new(code), None).into()
	}

	#[test]
	fn a_log_that_cannot_grow_is_a_full_disk_and_no_broken_one() {
		assert_eq!(of(SQLITE_FULL), StoreError::Full);
		assert_eq!(of(SQLITE_IOERR_SHMSIZE), StoreError::Full);
		assert!(matches!(of(SQLITE_IOERR_WRITE), StoreError::Disk(_)));
	}
}
