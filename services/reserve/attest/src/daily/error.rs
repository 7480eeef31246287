//! Why a step of a day failed, and why there is no daily run at all.

use std::{io, path::Path};

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct StepError {
	/// Whether every further attempt fails too, whatever time passes.
	pub permanent: bool,
	/// What happened, in words.
	pub reason: String,
}

impl StepError {
	/// Returns an error that another attempt may not meet.
	pub fn temporary(reason: impl ToString) -> Self {
		Self { permanent: false, reason: reason.to_string() }
	}

	/// Returns an error that every attempt will meet.
	pub fn permanent(reason: impl ToString) -> Self {
		Self { permanent: true, reason: reason.to_string() }
	}
}

/// Why there is no daily run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
	/// Another run is active in the folder.
	#[error("another run is active in {0}; stop it first, or choose another --state folder")]
	Busy(String),
	/// The file system refuses an operation.
	#[error("{path}: {reason}")]
	Io {
		/// File or folder.
		path: String,
		/// The system's error.
		reason: io::Error,
	},
	/// The state file is not one of this program.
	#[error("{0} is not a state of this program; move it away to begin without one")]
	BadState(String),
}

impl DaemonError {
	pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
		|reason| Self::Io { path: path.display().to_string(), reason }
	}
}
