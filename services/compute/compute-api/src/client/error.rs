//! What can go wrong between a program and a coordinator.

use crate::protocol::{CoordinatorError, ErrorCode};
use gridproof_support::{Classified, Failure};

/// Why a coordinator did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
	/// The address is not one of an HTTP server.
	#[error("{0:?} is not a coordinator's address; it looks like http://127.0.0.1:8090")]
	BadUrl(String),
	/// The coordinator does not answer, or fails.
	#[error("the coordinator at {url} does not answer: {reason}; is it running there?")]
	Unreachable {
		/// The coordinator's address.
		url: String,
		/// What happened.
		reason: String,
	},
	/// What answers there is not a coordinator, or one of another version.
	#[error("{url} does not answer as a coordinator: {reason}")]
	NotUnderstood {
		/// The address that was asked.
		url: String,
		/// What is wrong with the answer.
		reason: String,
	},
	/// The coordinator's rules say no, or it cannot do it now.
	#[error("the coordinator refuses: {}", .0.message)]
	Refused(CoordinatorError),
	/// The coordinator's quote is not what was asked for.
	#[error("the coordinator's quote is not what was asked for: {0}")]
	Dishonest(&'static str),
	/// The job costs more than the client wants to pay.
	#[error("the job costs up to {price}, and the most to be paid is {most}")]
	TooExpensive {
		/// What it costs, in the asset's smallest unit.
		price: u128,
		/// The most to be paid, in the asset's smallest unit.
		most: u128,
	},
}

impl ClientError {
	/// Returns the coordinator's code, if it answered with one.
	pub const fn code(&self) -> Option<ErrorCode> {
		match self {
			Self::Refused(body) => Some(body.error),
			_ => None,
		}
	}

	/// Returns `true` if the same request may succeed later although nothing is changed.
	pub const fn is_temporary(&self) -> bool {
		match self {
			Self::Unreachable { .. } => true,
			Self::Refused(body) => body.error.is_temporary(),
			Self::BadUrl(_)
			| Self::NotUnderstood { .. }
			| Self::Dishonest(_)
			| Self::TooExpensive { .. } => false,
		}
	}
}

impl Classified for ClientError {
	fn failure(&self) -> Failure {
		match self {
			Self::BadUrl(_) => Failure::USAGE,
			Self::Unreachable { .. } => Failure::UNREACHABLE,
			Self::Refused(body) if body.error.is_temporary() => Failure::UNREACHABLE,
			Self::Refused(_) | Self::Dishonest(_) | Self::TooExpensive { .. } => {
				Failure::refused(false)
			},
			Self::NotUnderstood { .. } => Failure::BROKEN,
		}
	}
}
