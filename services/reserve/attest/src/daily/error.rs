//! Why a step of a day failed, and why there is no daily run at all.

use gridproof_primitives::time::day::Day;
use std::{io, path::Path};

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct StepError {
	/// What it means for the day.
	pub kind: StepFault,
	/// What happened, in words.
	pub reason: String,
}

/// What a failed step means for its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepFault {
	/// Another attempt may not meet it.
	Temporary,
	/// The day's data has to be loaded once more first.
	Reload,
	/// Every further attempt fails too, whatever time passes.
	Permanent,
	/// The chain holds a statement of this day that did not come from here.
	Rival,
}

impl StepFault {
	/// Returns `true` if the day is given up.
	pub const fn is_final(self) -> bool {
		matches!(self, Self::Permanent | Self::Rival)
	}
}

impl StepError {
	/// Returns an error that another attempt may not meet.
	pub fn temporary(reason: impl ToString) -> Self {
		Self { kind: StepFault::Temporary, reason: reason.to_string() }
	}

	/// Returns an error after which the day's data is loaded once more.
	pub fn reload(reason: impl ToString) -> Self {
		Self { kind: StepFault::Reload, reason: reason.to_string() }
	}

	/// Returns an error that every attempt will meet.
	pub fn permanent(reason: impl ToString) -> Self {
		Self { kind: StepFault::Permanent, reason: reason.to_string() }
	}

	/// Returns the error that the chain holds somebody else's statement.
	pub fn rival(reason: impl ToString) -> Self {
		Self { kind: StepFault::Rival, reason: reason.to_string() }
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
	/// Nobody but the machine says what time it is.
	#[error("the node did not say what time it is, so no day came due: is it running?")]
	NoTime,
	/// More days have come due at once than are caught up.
	#[error(
		"the last day that was due was {through}, and now it is {due}: if the machine was off for so \
		 long, start once with --accept-clock; else set its clock, or look at the node"
	)]
	Jump {
		/// The last day that was due before.
		through: Day,
		/// The last day that is due now.
		due: Day,
	},
	/// The state has days that have not come yet.
	#[error(
		"the state has {through} as the last day that was due, but it is {due}: a clock was wrong; \
		 start once with --accept-clock to go back"
	)]
	Ahead {
		/// The last day that was due, by the state.
		through: Day,
		/// The last day that is due now.
		due: Day,
	},
}

impl DaemonError {
	pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
		|reason| Self::Io { path: path.display().to_string(), reason }
	}
}
