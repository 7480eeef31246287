//! What can go wrong between a program and its database.

use rusqlite::ErrorCode;

/// Why something was not read or not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
	/// The file cannot be opened as a database.
	#[error("cannot open the database {path}: {reason}")]
	CannotOpen {
		/// Which file.
		path: String,
		/// Why.
		reason: String,
	},
	/// Another program works with it.
	#[error("the database {0} is in use by another program; stop that one first")]
	InUse(String),
	/// A later version of the program has written it.
	#[error(
		"the database {path} is of version {found}, this program knows {known}; use a newer program"
	)]
	Newer {
		/// Which file.
		path: String,
		/// Its version.
		found: u32,
		/// The last version known here.
		known: u32,
	},
	/// There is no room left; nothing of the write is kept.
	#[error("no space left for the database; make room, writing goes on by itself")]
	Full,
	/// The file system fails; nothing of the write is kept.
	#[error("the database's disk fails: {0}")]
	Disk(String),
	/// More writes wait than may; nothing was begun.
	#[error("more is waiting to be written than may wait; try again in a moment")]
	Overloaded,
	/// The database has been closed.
	#[error("the database is closed")]
	Closed,
	/// A statement is wrong, or breaks a constraint.
	#[error("the database refuses: {0}")]
	Sql(String),
	/// The code of a read or write panicked; nothing of it is kept.
	#[error("a read or write of the database broke off; this is a defect of the program")]
	Panicked,
}

impl StoreFault {
	/// May the same succeed later without the program being changed?
	pub const fn is_temporary(&self) -> bool {
		matches!(self, Self::Full | Self::Disk(_) | Self::Overloaded)
	}
}

impl From<rusqlite::Error> for StoreFault {
	fn from(error: rusqlite::Error) -> Self {
		match error.sqlite_error_code() {
			Some(ErrorCode::DiskFull) => Self::Full,
			Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly) => {
				Self::Disk(error.to_string())
			},
			Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Overloaded,
			_ => Self::Sql(error.to_string()),
		}
	}
}
