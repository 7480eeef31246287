//! The body of every refused request, and its codes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a coordinator did not do a request: the body of every answer of 4xx and 5xx.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CoordinatorError {
	/// The reason, for programs.
	pub error: ErrorCode,
	/// The reason, in words.
	pub message: String,
}

/// Why a request was not done, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
	/// The request cannot be read (400), or asks for something that is not offered (422; under `/v1`, where
	/// OpenAI's clients ask, 400).
	BadRequest,
	/// A signature is not the stated key's.
	BadSignature,
	/// The hello's time is more than a minute from the coordinator's.
	ClockSkew,
	/// The chain does not know the key, or knows it with another class.
	NotRegistered,
	/// The chain has banned the key, or its bond is too small.
	Banned,
	/// The session does not exist or has ended: say hello again.
	UnknownSession,
	/// There is no job, or no receipt, of that id.
	UnknownJob,
	/// The job is not this miner's in this attempt.
	NotAssigned,
	/// The job is done, with another result.
	AlreadyCompleted,
	/// The job's state does not allow it.
	WrongState,
	/// Receipt, output and job do not agree.
	Mismatch,
	/// The counts or times in a result are impossible.
	Implausible,
	/// Doing the job again gave another output.
	NotReproduced,
	/// The deadline has passed.
	Expired,
	/// No miner serves the model.
	UnknownModel,
	/// The chain's registry does not count the model: its work is private, and takes a private channel.
	PrivateModel,
	/// The prompt cannot fit into the model's context.
	ContextExceeded,
	/// The quote is not this coordinator's, or too old.
	BadQuote,
	/// The chain holds no escrow for the job yet.
	NotFunded,
	/// The job's access key is missing or wrong.
	Unauthorized,
	/// There is no such channel of this coordinator.
	UnknownChannel,
	/// The voucher cannot pay for the request; the message says why.
	BadVoucher,
	/// The channel cannot pay now: its deposit, or the day's limit, is used up.
	ChannelDry,
	/// There is no such batch.
	UnknownBatch,
	/// The chain does not let the asking one see what a receipt was made of.
	NotShown,
	/// Too many requests: wait as long as `Retry-After` says.
	RateLimited,
	/// The chain cannot be asked now: try again.
	ChainUnavailable,
	/// The coordinator answers as many requests as it can: try again.
	Overloaded,
	/// The request's body is too long.
	PayloadTooLarge,
	/// There is no such path.
	NotFound,
	/// The coordinator failed: try again.
	Internal,
	/// A reason that this program does not know; the message has it in words.
	#[serde(other)]
	Other,
}

impl ErrorCode {
	/// All codes.
	pub const ALL: [Self; 32] = [
		Self::BadRequest,
		Self::BadSignature,
		Self::ClockSkew,
		Self::NotRegistered,
		Self::Banned,
		Self::UnknownSession,
		Self::UnknownJob,
		Self::NotAssigned,
		Self::AlreadyCompleted,
		Self::WrongState,
		Self::Mismatch,
		Self::Implausible,
		Self::NotReproduced,
		Self::Expired,
		Self::UnknownModel,
		Self::PrivateModel,
		Self::ContextExceeded,
		Self::BadQuote,
		Self::NotFunded,
		Self::Unauthorized,
		Self::UnknownChannel,
		Self::BadVoucher,
		Self::ChannelDry,
		Self::UnknownBatch,
		Self::NotShown,
		Self::RateLimited,
		Self::ChainUnavailable,
		Self::Overloaded,
		Self::PayloadTooLarge,
		Self::NotFound,
		Self::Internal,
		Self::Other,
	];

	/// Its name in JSON.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::BadRequest => "bad_request",
			Self::BadSignature => "bad_signature",
			Self::ClockSkew => "clock_skew",
			Self::NotRegistered => "not_registered",
			Self::Banned => "banned",
			Self::UnknownSession => "unknown_session",
			Self::UnknownJob => "unknown_job",
			Self::NotAssigned => "not_assigned",
			Self::AlreadyCompleted => "already_completed",
			Self::WrongState => "wrong_state",
			Self::Mismatch => "mismatch",
			Self::Implausible => "implausible",
			Self::NotReproduced => "not_reproduced",
			Self::Expired => "expired",
			Self::UnknownModel => "unknown_model",
			Self::PrivateModel => "private_model",
			Self::ContextExceeded => "context_exceeded",
			Self::BadQuote => "bad_quote",
			Self::NotFunded => "not_funded",
			Self::Unauthorized => "unauthorized",
			Self::UnknownChannel => "unknown_channel",
			Self::BadVoucher => "bad_voucher",
			Self::ChannelDry => "channel_dry",
			Self::UnknownBatch => "unknown_batch",
			Self::NotShown => "not_shown",
			Self::RateLimited => "rate_limited",
			Self::ChainUnavailable => "chain_unavailable",
			Self::Overloaded => "overloaded",
			Self::PayloadTooLarge => "payload_too_large",
			Self::NotFound => "not_found",
			Self::Internal => "internal",
			Self::Other => "other",
		}
	}

	/// The HTTP status that goes with it; of [`ErrorCode::BadRequest`] that of a request that cannot be
	/// read.
	pub const fn status(self) -> u16 {
		match self {
			Self::BadRequest | Self::ContextExceeded => 400,
			Self::Mismatch | Self::Implausible | Self::BadQuote => 422,
			Self::BadSignature | Self::UnknownSession | Self::Unauthorized | Self::ClockSkew => 401,
			Self::NotFunded | Self::BadVoucher | Self::ChannelDry => 402,
			Self::NotRegistered | Self::Banned | Self::PrivateModel | Self::NotShown => 403,
			Self::UnknownJob
			| Self::UnknownModel
			| Self::UnknownChannel
			| Self::UnknownBatch
			| Self::NotFound => 404,
			Self::NotAssigned
			| Self::AlreadyCompleted
			| Self::WrongState
			| Self::NotReproduced
			| Self::Expired => 409,
			Self::PayloadTooLarge => 413,
			Self::RateLimited => 429,
			Self::Internal | Self::Other => 500,
			Self::ChainUnavailable | Self::Overloaded => 503,
		}
	}

	/// Returns `true` if the same request may succeed later although nothing is changed.
	pub const fn is_temporary(self) -> bool {
		match self {
			Self::RateLimited | Self::ChainUnavailable | Self::Overloaded | Self::Internal => true,
			Self::BadRequest
			| Self::BadSignature
			| Self::ClockSkew
			| Self::NotRegistered
			| Self::Banned
			| Self::UnknownSession
			| Self::UnknownJob
			| Self::NotAssigned
			| Self::AlreadyCompleted
			| Self::WrongState
			| Self::Mismatch
			| Self::Implausible
			| Self::NotReproduced
			| Self::Expired
			| Self::UnknownModel
			| Self::PrivateModel
			| Self::ContextExceeded
			| Self::BadQuote
			| Self::NotFunded
			| Self::Unauthorized
			| Self::UnknownChannel
			| Self::BadVoucher
			| Self::ChannelDry
			| Self::UnknownBatch
			| Self::NotShown
			| Self::PayloadTooLarge
			| Self::NotFound
			| Self::Other => false,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_code_is_written_by_its_name_and_read_back() {
		for code in ErrorCode::ALL {
			let text = format!("\"{}\"", code.as_str());
			assert_eq!(serde_json::to_string(&code).unwrap(), text);
			assert_eq!(serde_json::from_str::<ErrorCode>(&text).unwrap(), code);
			assert!((400..600).contains(&code.status()), "{text}");
		}
	}

	#[test]
	fn an_error_of_a_later_version_is_understood_as_far_as_possible() {
		let text = r#"{"error":"out_of_tune","detail":"x","message":"tune it"}"#;
		let error: CoordinatorError = serde_json::from_str(text).unwrap();
		assert_eq!((error.error, error.message.as_str()), (ErrorCode::Other, "tune it"));
	}
}
