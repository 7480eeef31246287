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
	/// The engine failed.
	EngineFailed,
}
