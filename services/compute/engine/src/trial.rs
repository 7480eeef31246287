//! Engines that differ from the built-in one on purpose, **for trials only**: what honest noise and what
//! cheating look like to a verifier. No program uses them unless it is asked to by a name that says so.

use crate::{
	altered::TrialModel,
	api::{Completion, Embeddings, Engine, Input, Measured, ModelInfo, Offers, Request},
	error::EngineError,
	local::LocalEngine,
	sampler::Chooser,
};
use gridproof_compute_api::protocol::{Finish, Sampling};
use gridproof_primitives::compute::channels::Sampler;
use gridproof_support::Lock;
use std::{ops::ControlFlow, str::FromStr, sync::Mutex, time::Duration};

/// What a miner of a trial does instead of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrialCheat {
	/// Answers with half of the model.
	SmallerModel,
	/// Answers with weights of 4 bits.
	Quantised,
	/// Stops in the middle of the answer, and says that it was done.
	CutTokens,
	/// Draws with another seed than the receipt's.
	IgnoredSeed,
	/// Draws with half of the temperature; where the likeliest token is asked for, with some.
	OtherSampling,
	/// Answers with tokens that no model has made.
	Invented,
	/// Answers what it has answered before, whatever is asked.
	OldOutput,
}

impl TrialCheat {
	/// All cheats.
	pub const ALL: [Self; 7] = [
		Self::SmallerModel,
		Self::Quantised,
		Self::CutTokens,
		Self::IgnoredSeed,
		Self::OtherSampling,
		Self::Invented,
		Self::OldOutput,
	];

	/// Returns its name.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::SmallerModel => "smaller-model",
			Self::Quantised => "quantised",
			Self::CutTokens => "cut-tokens",
			Self::IgnoredSeed => "ignored-seed",
			Self::OtherSampling => "other-sampling",
			Self::Invented => "invented",
			Self::OldOutput => "old-output",
		}
	}
}

impl FromStr for TrialCheat {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		Self::ALL.into_iter().find(|cheat| cheat.as_str() == text).ok_or_else(|| {
			let names: Vec<_> = Self::ALL.iter().map(|cheat| cheat.as_str()).collect();
			format!("{text:?} is not a cheat for trials; there is {}", names.join(", "))
		})
	}
}

/// A miner's engine that cheats, **for trials only**: it claims what an honest one would have made.
pub struct TrialMiner {
	engine: LocalEngine,
	cheat: TrialCheat,
	/// The first answer.
	old: Mutex<Option<Completion>>,
}

impl TrialMiner {
	/// Returns an engine that cheats so.
	///
	/// # Errors
	/// As [`LocalEngine::embedded`].
	pub fn new(cheat: TrialCheat) -> Result<Self, EngineError> {
		let engine = match cheat {
			TrialCheat::SmallerModel => LocalEngine::for_trial(TrialModel::FewerLayers),
			TrialCheat::Quantised => LocalEngine::for_trial(TrialModel::Int4),
			_ => LocalEngine::embedded(),
		};
		Ok(Self { engine: engine?, cheat, old: Mutex::default() })
	}

	/// What is asked of the engine instead.
	fn asked(&self, request: &Request) -> Request {
		let mut request = request.clone();
		match self.cheat {
			TrialCheat::CutTokens => request.max_tokens = request.max_tokens.div_ceil(2).max(1),
			TrialCheat::IgnoredSeed => {
				let mut other = request.seed.unwrap_or_default();
				other.0.iter_mut().for_each(|byte| *byte = !*byte);
				request.seed = Some(other);
			},
			TrialCheat::OtherSampling => {
				let half = request.sampling.temperature_milli / 2;
				request.sampling.temperature_milli = if half == 0 { 700 } else { half };
			},
			TrialCheat::SmallerModel
			| TrialCheat::Quantised
			| TrialCheat::Invented
			| TrialCheat::OldOutput => (),
		}
		request
	}

	/// Tokens by the request's own noise, without looking at the model.
	fn invented(&self, request: &Request) -> Result<Completion, EngineError> {
		let prompt_ids = self.engine.tokenize(&request.model, &request.input)?;
		let config = self.engine.model().config();
		let flat = vec![0f32; config.vocabulary];
		let sampling = Sampling { temperature_milli: 1_000, ..Sampling::default() };
		let mut chooser = Chooser::new(&sampling, request.seed.as_ref(), request.extras.choice);
		let mut tokens: Vec<u32> =
			(0..u64::from(request.max_tokens)).map(|place| chooser.choose(place, &flat)).collect();
		tokens.retain(|token| *token != config.paragraph_token);
		let room = config.context.saturating_sub(prompt_ids.len());
		tokens.truncate(room);
		let bytes: Vec<u8> = tokens
			.iter()
			.flat_map(|token| self.engine.tokenizer().bytes(*token).to_vec())
			.collect();
		let count = |tokens: &[u32]| u64::try_from(tokens.len()).unwrap_or(u64::MAX);
		let (prompt_tokens, completion_tokens) = (count(&prompt_ids), count(&tokens));
		Ok(Completion {
			text: String::from_utf8_lossy(&bytes).into_owned(),
			tokens,
			prompt_ids,
			prompt_tokens,
			completion_tokens,
			finish: Finish::Length,
			sampler: Sampler::Greedy,
			logprobs: Vec::new(),
			tool_calls: Vec::new(),
			measured: Measured {
				tokens: prompt_tokens.saturating_add(completion_tokens),
				wall: Duration::from_millis(1),
				memory_bytes: 0,
			},
		})
	}

	fn made(&self, request: &Request) -> Result<Completion, EngineError> {
		if self.cheat == TrialCheat::Invented {
			return self.invented(request);
		}
		let honest =
			|request: &Request| self.engine.complete(request, &mut |_| ControlFlow::Continue(()));
		if self.cheat != TrialCheat::OldOutput {
			return honest(&self.asked(request));
		}
		let mut old = self.old.locked();
		let Some(old) = &*old else {
			let first = honest(request)?;
			*old = Some(first.clone());
			return Ok(first);
		};
		let prompt_ids = self.engine.tokenize(&request.model, &request.input)?;
		let prompt_tokens = u64::try_from(prompt_ids.len()).unwrap_or(u64::MAX);
		let mut again = Completion { prompt_ids, prompt_tokens, ..old.clone() };
		let most = usize::try_from(request.max_tokens).unwrap_or(usize::MAX);
		again.tokens.truncate(most);
		again.completion_tokens = u64::try_from(again.tokens.len()).unwrap_or(u64::MAX);
		Ok(again)
	}
}

impl Engine for TrialMiner {
	fn models(&self) -> Result<Vec<ModelInfo>, EngineError> {
		self.engine.models()
	}

	fn complete(
		&self,
		request: &Request,
		on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
	) -> Result<Completion, EngineError> {
		let mut done = self.made(request)?;
		done.sampler =
			Chooser::new(&request.sampling, request.seed.as_ref(), request.extras.choice).kind();
		if on_text(&done.text).is_break() {
			return Err(EngineError::Cancelled);
		}
		Ok(done)
	}

	fn embed(&self, model: &str, input: &[String]) -> Result<Embeddings, EngineError> {
		self.engine.embed(model, input)
	}

	fn offers(&self, model: &str) -> Result<Offers, EngineError> {
		self.engine.offers(model)
	}

	fn tokenize(&self, model: &str, input: &Input) -> Result<Vec<u32>, EngineError> {
		self.engine.tokenize(model, input)
	}

	fn embed_tokens(&self, model: &str, input: &[Vec<u32>]) -> Result<Embeddings, EngineError> {
		self.engine.embed_tokens(model, input)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::H256;

	#[test]
	fn every_cheat_is_read_by_its_name() {
		for cheat in TrialCheat::ALL {
			assert_eq!(cheat.as_str().parse(), Ok(cheat));
		}
		assert!("honest".parse::<TrialCheat>().unwrap_err().contains("smaller-model"));
	}

	fn seeded(seed: u8) -> Request {
		let sampling = Sampling { temperature_milli: 1_000, ..Sampling::default() };
		let input = Input::Text("It is a truth".to_string());
		let seed = Some(H256::repeat_byte(seed));
		Request { seed, ..Request::new(crate::DEFAULT_MODEL, input, 24, sampling) }
	}

	#[test]
	fn a_cheat_claims_the_sampler_that_was_asked_for() {
		for cheat in TrialCheat::ALL {
			let engine = TrialMiner::new(cheat).unwrap();
			let done = engine.complete(&seeded(1), &mut |_| ControlFlow::Continue(())).unwrap();
			assert_eq!(done.sampler, Sampler::Gumbel, "{}", cheat.as_str());
			assert!(done.has_ids() && !done.tokens.is_empty(), "{}", cheat.as_str());
		}
	}
}
