//! What can go wrong with a model.

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineFault {
	/// The engine does not serve the model.
	#[error("no model {wanted:?} here; there is {}", .served.join(", "))]
	UnknownModel {
		/// The name asked for.
		wanted: String,
		/// The names there are.
		served: Vec<String>,
	},
	/// The prompt leaves no room for an answer. It is never cut short in silence.
	#[error("the prompt has {tokens} tokens, the model reads {most} at most; shorten it")]
	PromptTooLong {
		/// Tokens of the prompt.
		tokens: u64,
		/// The most that leave room for an answer.
		most: u64,
	},
	/// The request cannot be carried out by any engine.
	#[error("not a usable request: {0}")]
	BadRequest(String),
	/// The receiver of the text wants no more of it.
	#[error("given up, since nobody wants the answer any more")]
	Cancelled,
	/// The model's files are not usable.
	#[error("the model {path} cannot be used: {reason}")]
	BadModel {
		/// Which files.
		path: String,
		/// Why.
		reason: String,
	},
	/// The engine cannot be reached, or is overloaded.
	#[error("the engine is not available: {0}")]
	Unavailable(String),
	/// The engine failed.
	#[error("the engine failed: {0}")]
	Failed(String),
}

impl EngineFault {
	/// May the same succeed later without anything being changed?
	pub const fn is_temporary(&self) -> bool {
		matches!(self, Self::Unavailable(_))
	}

	/// Is it the request that cannot be carried out, whoever tries?
	pub const fn is_requests_own(&self) -> bool {
		matches!(self, Self::BadRequest(_) | Self::PromptTooLong { .. })
	}
}

impl From<candle_core::Error> for EngineFault {
	fn from(error: candle_core::Error) -> Self {
		// Its longer form carries a backtrace.
		Self::Failed(error.to_string().lines().next().unwrap_or_default().to_string())
	}
}
