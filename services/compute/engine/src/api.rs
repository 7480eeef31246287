//! What is asked of an engine, and what it answers.

use crate::error::EngineError;
use gridproof_compute_api::protocol::{Finish, Message, Sampling};
use gridproof_primitives::compute::{Class, model_factor};
use std::{ops::ControlFlow, time::Duration};

/// A language model, or several, wherever it runs.
///
/// Calls block until the work is done; an engine may be used by several threads at a time.
pub trait Engine: Send + Sync {
	/// Returns the models it serves.
	///
	/// # Errors
	/// [`EngineError::Unavailable`] if that cannot be found out now.
	fn models(&self) -> Result<Vec<ModelInfo>, EngineError>;

	/// Answers a request. `on_text` gets the text piece by piece as it is made; together the
	/// pieces are the completion's text. When it breaks, the work is given up.
	///
	/// # Errors
	/// [`EngineError`]; [`EngineError::Cancelled`] if `on_text` broke.
	fn complete(
		&self,
		request: &Request,
		on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
	) -> Result<Completion, EngineError>;

	/// Returns a vector for each text, of length one.
	///
	/// # Errors
	/// [`EngineError`].
	fn embed(&self, model: &str, input: &[String]) -> Result<Embeddings, EngineError>;
}

/// A model that an engine serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
	/// Name of the model, as jobs ask for it.
	pub name: String,
	/// Its factor, in thousandths.
	pub factor: u32,
	/// The class of hardware it runs on.
	pub class: Class,
	/// Most tokens of prompt and answer together, where that is known.
	pub context: Option<u32>,
}

impl ModelInfo {
	/// Returns a model by its name, with the factor that the name has on chain.
	pub fn new(name: &str, class: Class, context: Option<u32>) -> Self {
		Self { name: name.to_string(), factor: model_factor(name), class, context }
	}
}

/// What is to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
	/// Name of the model.
	pub model: String,
	/// The text or conversation that it is given.
	pub input: Input,
	/// Most tokens of the answer.
	pub max_tokens: u32,
	/// How tokens are chosen.
	pub sampling: Sampling,
}

/// What a model is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
	/// A text to continue.
	Text(String),
	/// A conversation to answer.
	Chat(Vec<Message>),
}

/// An answer to a [`Request`].
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
	/// The text, without the stop text that ended it.
	pub text: String,
	/// Its tokens, where the engine reports them; those of a stop text included.
	pub tokens: Vec<u32>,
	/// Tokens read.
	pub prompt_tokens: u64,
	/// Tokens made.
	pub completion_tokens: u64,
	/// Whether the model was done, or ran into a limit.
	pub finish: Finish,
	/// Time and memory that it took.
	pub measured: Measured,
}

/// Vectors of texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings {
	/// One for each text, in their order.
	pub vectors: Vec<Vec<f32>>,
	/// Tokens read.
	pub prompt_tokens: u64,
	/// Time and memory that it took.
	pub measured: Measured,
}

/// What work took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
	/// Time by a clock that never goes back.
	pub wall: Duration,
	/// Memory in use at its highest, in bytes: of the process that runs the model, or what the
	/// operator stated for a server elsewhere.
	pub memory_bytes: u64,
	/// Tokens read and made.
	pub tokens: u64,
}

impl Measured {
	/// Returns tokens a second, in thousandths; a time below a microsecond counts as one.
	pub fn tokens_per_second_milli(&self) -> u64 {
		let micros = self.wall.as_micros().max(1);
		let rate = u128::from(self.tokens).saturating_mul(1_000_000_000) / micros;
		u64::try_from(rate).unwrap_or(u64::MAX)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_rate_is_tokens_over_time() {
		let measured = |tokens, wall| Measured { wall, memory_bytes: 0, tokens };
		assert_eq!(measured(300, Duration::from_secs(2)).tokens_per_second_milli(), 150_000);
		assert_eq!(measured(1, Duration::from_secs(3)).tokens_per_second_milli(), 333);
		assert_eq!(measured(1, Duration::ZERO).tokens_per_second_milli(), 1_000_000_000);
		assert_eq!(measured(u64::MAX, Duration::ZERO).tokens_per_second_milli(), u64::MAX);
	}
}
