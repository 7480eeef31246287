//! What is asked of an engine, and what it answers.

use crate::{
	error::EngineError,
	forced::{Claim, Forced},
	logprob::TokenLogprob,
};
use gridproof_compute_api::protocol::{Finish, Message, Sampling};
use gridproof_primitives::{
	H256,
	compute::{Class, channels::Sampler, model_factor},
};
use serde_json::Value;
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

	/// Returns what it offers beyond texts and conversations: nothing, unless an engine says more.
	///
	/// # Errors
	/// [`EngineError::UnknownModel`], or [`EngineError::Unavailable`] if that cannot be found out now.
	fn offers(&self, model: &str) -> Result<Offers, EngineError> {
		let _ = model;
		Ok(Offers::default())
	}

	/// Returns the token ids that the model reads an input as, with all that begins or frames it.
	///
	/// # Errors
	/// [`EngineError::NotOffered`], unless an engine has it; else as [`Engine::complete`].
	fn tokenize(&self, model: &str, input: &Input) -> Result<Vec<u32>, EngineError> {
		let _ = input;
		Err(EngineError::NotOffered { what: "tokenize", engine: model.to_string() })
	}

	/// Returns a vector for each text that is given as the model's own token ids.
	///
	/// # Errors
	/// [`EngineError::NotOffered`], unless an engine has it; else as [`Engine::embed`].
	fn embed_tokens(&self, model: &str, input: &[Vec<u32>]) -> Result<Embeddings, EngineError> {
		let _ = input;
		Err(EngineError::NotOffered { what: "token ids as input", engine: model.to_string() })
	}

	/// Judges a claimed answer in one pass: what is drawn at each of its places. Only of engines that
	/// give the same bits everywhere does that prove anything.
	///
	/// # Errors
	/// [`EngineError::NotOffered`], unless an engine has it. [`EngineError::BadRequest`] if the claim
	/// has tokens that the model does not have, or more than it reads: no engine has made it.
	fn force(&self, claim: &Claim) -> Result<Forced, EngineError> {
		Err(EngineError::NotOffered { what: "a forced pass", engine: claim.model.clone() })
	}
}

/// What an engine offers for a model beyond texts and conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offers {
	/// Gumbel noise from the seed of a receipt, as `docs/protocols/sampling.md` has it.
	pub seeded: bool,
	/// Token ids of prompt and output.
	pub ids: bool,
	/// Logarithms of the tokens' probabilities.
	pub logprobs: bool,
	/// Prompts and texts given as token ids.
	pub token_input: bool,
	/// A forced pass over a claimed answer.
	pub forced: bool,
	/// Tools, and messages that hold more than a text.
	pub tools: bool,
	/// A `response_format` other than text.
	pub response_format: bool,
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
	/// Seed of the receipt: that of its voucher or job. Without one, that of `sampling` counts.
	pub seed: Option<H256>,
	/// What else is asked for.
	pub extras: Extras,
}

impl Request {
	/// Returns a request for one answer, with the seed of `sampling` and nothing else.
	pub fn new(model: &str, input: Input, max_tokens: u32, sampling: Sampling) -> Self {
		let (model, extras) = (model.to_string(), Extras::default());
		Self { model, input, max_tokens, sampling, seed: None, extras }
	}
}

/// What is asked for beyond a text. By default nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
	/// Number of the answer, from 0, where a client asks for several (`n`): each is a request of its
	/// own, and gets other noise from the same seed.
	pub choice: u32,
	/// `true` if the token ids of prompt and output are needed, as for a receipt of a channel. An
	/// engine that cannot give them answers without.
	pub ids: bool,
	/// Logarithms of the probabilities of the answer's tokens, and of so many likeliest ones at each
	/// place (OpenAI's `logprobs` and `top_logprobs`).
	pub logprobs: Option<u8>,
	/// OpenAI's `tools`, as the client sent them; for conversations.
	pub tools: Option<Value>,
	/// OpenAI's `tool_choice`, as the client sent it.
	pub tool_choice: Option<Value>,
	/// OpenAI's `response_format`, as the client sent it; `{"type":"text"}` asks for nothing.
	pub response_format: Option<Value>,
}

impl Extras {
	/// Returns the name of the first thing asked for that is not offered.
	pub fn beyond(&self, offers: &Offers) -> Option<&'static str> {
		let is_format = |format: &Value| format.get("type").is_some_and(|kind| kind != "text");
		let wanted = [
			("logprobs", self.logprobs.is_some() && !offers.logprobs),
			("tools", self.tools.is_some() && !offers.tools),
			("tool_choice", self.tool_choice.is_some() && !offers.tools),
			(
				"response_format",
				self.response_format.as_ref().is_some_and(is_format) && !offers.response_format,
			),
		];
		wanted.into_iter().find(|(_, is_beyond)| *is_beyond).map(|(name, _)| name)
	}
}

/// What a model is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
	/// A text to continue.
	Text(String),
	/// A conversation to answer.
	Chat(Vec<Message>),
	/// A text to continue, as the model's own token ids, without what begins a text.
	Tokens(Vec<u32>),
	/// A conversation with more in it than texts (calls of tools, what they answered), each message
	/// as OpenAI's clients send it.
	Messages(Vec<Value>),
}

/// An answer to a [`Request`].
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
	/// The text, without the stop text that ended it.
	pub text: String,
	/// Token ids of the output, where the engine reports them; those of a stop text and of the end
	/// included. Either none, or as many as `completion_tokens`.
	pub tokens: Vec<u32>,
	/// Token ids of the prompt, where the engine reports them, with all that begins or frames it.
	/// Either none, or as many as `prompt_tokens`.
	pub prompt_ids: Vec<u32>,
	/// Tokens read.
	pub prompt_tokens: u64,
	/// Tokens made.
	pub completion_tokens: u64,
	/// Whether the model was done, or ran into a limit. An answer that calls tools is done.
	pub finish: Finish,
	/// How the tokens were chosen, as a receipt states it.
	pub sampler: Sampler,
	/// If they were asked for, one for each token of the output, the end included where the engine
	/// states it.
	pub logprobs: Vec<TokenLogprob>,
	/// Calls of tools, in OpenAI's form; then OpenAI's finish reason is `tool_calls`.
	pub tool_calls: Vec<Value>,
	/// Time and memory that it took.
	pub measured: Measured,
}

impl Completion {
	/// Returns `true` if the token ids of prompt and output are known, as a receipt's output root
	/// needs them.
	pub fn has_ids(&self) -> bool {
		let is = |ids: &[u32], count: u64| u64::try_from(ids.len()) == Ok(count);
		is(&self.prompt_ids, self.prompt_tokens) && is(&self.tokens, self.completion_tokens)
	}
}

/// Vectors of texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings {
	/// One for each text, in their order.
	pub vectors: Vec<Vec<f32>>,
	/// Token ids of each text, where the engine reports them; else none.
	pub ids: Vec<Vec<u32>>,
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
	/// Memory in use at its highest, in bytes: of the processes that run the model, where they can be
	/// seen, else what a server or its operator states.
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
