//! A miner gives a job back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A miner gives a job back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
	/// The assignment's attempt.
	pub attempt: u32,
	/// The reason, for programs.
	pub reason: RefusalReason,
	/// The reason in words, for logs; the coordinator keeps the first 200 characters.
	#[serde(default)]
	pub detail: String,
}

/// Why a miner gives a job back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
	/// The miner no longer serves the model.
	ModelUnavailable,
	/// The miner has no room.
	Busy,
	/// The miner is being stopped.
	ShuttingDown,
	/// The quote's signature, hash or amounts are wrong.
	BadQuote,
	/// No miner can run the specification: the job fails.
	BadSpec,
	/// The prompt is longer than the model's context: the job fails.
	ContextExceeded,
	/// The engine has not what is asked for, such as tools; another miner's may.
	NotOffered,
	/// The engine failed.
	EngineFailed,
}

impl RefusalReason {
	/// Returns `true` if the fault is in the job: it ends, and no miner is to blame. Of
	/// [`Self::NotOffered`] that holds once no other miner is left.
	pub const fn is_requests_own(self) -> bool {
		match self {
			Self::BadSpec | Self::ContextExceeded => true,
			Self::ModelUnavailable
			| Self::Busy
			| Self::ShuttingDown
			| Self::BadQuote
			| Self::NotOffered
			| Self::EngineFailed => false,
		}
	}

	/// Returns the reason that a job's stored reason begins with, if it begins with one.
	pub fn of_job(reason: &str) -> Option<Self> {
		let word = reason.split_once(':').map_or(reason, |(word, _)| word);
		serde_json::from_value(serde_json::Value::from(word)).ok()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_jobs_reason_is_known_by_its_first_word() {
		let of = RefusalReason::of_job;
		let exceeded = "context_exceeded: the prompt has 12003 tokens";
		assert_eq!(of(exceeded), Some(RefusalReason::ContextExceeded));
		assert_eq!(of("bad_spec"), Some(RefusalReason::BadSpec));
		assert_eq!(of("its escrow: context_exceeded"), None);
		assert_eq!(of(""), None);
	}
}
