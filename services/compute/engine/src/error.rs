//! What can go wrong between a request and its answer.

use gridproof_support::{Classified, Failure};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
	/// The engine does not serve the model.
	#[error("no model {wanted:?} here; there is {}", .served.join(", "))]
	UnknownModel {
		/// The name asked for.
		wanted: String,
		/// The names there are.
		served: Vec<String>,
	},
	/// The prompt leaves no room for an answer: it is never cut without saying so.
	#[error("the prompt has {tokens} tokens, the model reads {most} at most; shorten it")]
	PromptTooLong {
		/// Tokens of the prompt.
		tokens: u64,
		/// The most that leave room for an answer.
		most: u64,
	},
	/// The same, in the words of a server that counts the prompt itself.
	#[error("the prompt is too long for the model: {0}")]
	ContextExceeded(String),
	/// The request cannot be carried out by any engine.
	#[error("not a usable request: {0}")]
	BadRequest(String),
	/// This engine does not have what is asked for; another may.
	#[error("{what} is not offered by {engine}: leave it out, or choose another model")]
	NotOffered {
		/// Name of what is asked for, as in the request.
		what: &'static str,
		/// The model, or the server's address.
		engine: String,
	},
	/// The receiver of the text does not want more of it.
	#[error("given up: nobody wants the answer any more")]
	Cancelled,
	/// The model's files are not usable.
	#[error("the model {path} cannot be used: {reason}")]
	BadModel {
		/// The model's name or folder.
		path: String,
		/// What is wrong with it.
		reason: String,
	},
	/// The engine cannot be reached, or is overloaded.
	#[error("the engine is not available: {0}")]
	Unavailable(String),
	/// The engine failed.
	#[error("the engine failed: {0}")]
	Failed(String),
}

impl EngineError {
	/// Returns `true` if the same may succeed later although nothing is changed.
	pub const fn is_temporary(&self) -> bool {
		matches!(self, Self::Unavailable(_))
	}

	/// Returns `true` if it is the request that cannot be carried out, by any engine.
	pub const fn is_requests_own(&self) -> bool {
		matches!(self, Self::BadRequest(_) | Self::PromptTooLong { .. } | Self::ContextExceeded(_))
	}
}

impl Classified for EngineError {
	fn failure(&self) -> Failure {
		match self {
			Self::UnknownModel { .. }
			| Self::PromptTooLong { .. }
			| Self::ContextExceeded(_)
			| Self::NotOffered { .. }
			| Self::BadRequest(_) => Failure::USAGE,
			Self::Unavailable(_) => Failure::UNREACHABLE,
			Self::Cancelled | Self::BadModel { .. } | Self::Failed(_) => Failure::BROKEN,
		}
	}
}
