//! Refusals, by whoever refuses.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A miner gives a job back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
	/// The assignment's attempt.
	pub attempt: u32,
	/// Why.
	pub reason: RefusalReason,
	/// In words, for logs.
	#[serde(default)]
	pub detail: String,
}

/// Why a miner gives a job back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
	/// It does not serve the model any more.
	ModelUnavailable,
	/// It has no room.
	Busy,
	/// It is being stopped.
	ShuttingDown,
	/// The quote's signature, hash or amounts are wrong.
	BadQuote,
	/// The specification cannot be run by any miner: the job fails.
	BadSpec,
	/// The engine failed.
	EngineFailed,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
	/// The reason, for programs.
	pub error: FaultCode,
	/// In words.
	pub message: String,
}

/// Reasons, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
	/// The request is not understood.
	BadRequest,
	/// A signature is not the stated key's.
	BadSignature,
	/// The hello's time is too far away.
	ClockSkew,
	/// The chain does not know the key, or not with this class.
	NotRegistered,
	/// The chain has banned the key.
	Banned,
	/// No such session, or it ended: say hello again.
	UnknownSession,
	/// No such job.
	UnknownJob,
	/// The job is not this miner's in this attempt.
	NotAssigned,
	/// The job is done, with another result.
	AlreadyCompleted,
	/// The job's state does not allow it.
	WrongState,
	/// Receipt, output and job do not agree.
	Mismatch,
	/// Counts that cannot be.
	Implausible,
	/// A check by running the job again gave another output.
	NotReproduced,
	/// The deadline has passed.
	Expired,
	/// No miner serves the model.
	UnknownModel,
	/// The quote is not this coordinator's, or too old.
	BadQuote,
	/// The chain holds no escrow for the job.
	NotFunded,
	/// Key missing or wrong.
	Unauthorized,
	/// Too many requests.
	RateLimited,
	/// The chain cannot be asked now: try again.
	ChainUnavailable,
	/// The coordinator failed: try again.
	Internal,
}
