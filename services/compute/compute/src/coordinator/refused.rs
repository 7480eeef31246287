//! Why a request is not done.

use crate::protocol::FaultCode;
use gridproof_chain::Failure;
use gridproof_store::{StoreFault, rusqlite};
use std::fmt;

/// Why a request is not done: a reason for programs and one for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
	/// For programs.
	pub code: FaultCode,
	/// For people.
	pub message: String,
}

impl Refused {
	/// A refusal.
	pub fn new(code: FaultCode, message: impl Into<String>) -> Self {
		Self { code, message: message.into() }
	}

	/// A refusal in a result.
	///
	/// # Errors
	/// Always.
	pub fn err<T>(code: FaultCode, message: impl Into<String>) -> Result<T, Self> {
		Err(Self::new(code, message))
	}
}

impl fmt::Display for Refused {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.message)
	}
}

impl std::error::Error for Refused {}

impl From<StoreFault> for Refused {
	fn from(fault: StoreFault) -> Self {
		tracing::error!(%fault, "database");
		Self::new(FaultCode::Internal, "the coordinator's database fails; try again")
	}
}

impl From<rusqlite::Error> for Refused {
	fn from(error: rusqlite::Error) -> Self {
		StoreFault::from(error).into()
	}
}

impl From<serde_json::Error> for Refused {
	fn from(error: serde_json::Error) -> Self {
		tracing::error!(%error, "a row of the database is no JSON");
		Self::new(FaultCode::Internal, "the coordinator's database holds something unreadable")
	}
}

impl From<Failure> for Refused {
	fn from(failure: Failure) -> Self {
		tracing::warn!(%failure, "chain");
		Self::new(FaultCode::ChainUnavailable, "the chain cannot be asked now; try again")
	}
}
