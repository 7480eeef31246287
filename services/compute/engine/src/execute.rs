//! A job's specification, run by an engine.

use crate::{
	api::{Completion, Engine, Extras, Input, Measured, Request},
	error::EngineError,
	logprob::TokenLogprob,
};
use gridproof_compute_api::protocol::{Answer, Finish, JobSpec, Output, Task, vector_to_text};
use gridproof_primitives::{H256, compute::channels::Sampler};
use serde_json::Value;
use std::ops::ControlFlow;

/// What came of a specification, with all that a receipt states about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Executed {
	/// Text or vectors, with the tokens that are billed.
	pub output: Output,
	/// Time and memory that it took.
	pub measured: Measured,
	/// How the tokens were chosen.
	pub sampler: Sampler,
	/// Token ids of the prompt, or of all texts one after another; none where the engine does not
	/// report them.
	pub prompt_ids: Vec<u32>,
	/// Token ids of the output, of all answers one after another; none where the engine does not report
	/// them, and for embeddings.
	pub output_ids: Vec<u32>,
}

/// Runs a specification with the seed that it states. `on_text` gets the text as it is made; when it
/// breaks, the work is given up.
///
/// # Errors
/// [`EngineError`]; [`EngineError::Cancelled`] if `on_text` broke.
pub fn execute(
	engine: &dyn Engine,
	spec: &JobSpec,
	on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<(Output, Measured), EngineError> {
	let done = run(engine, spec, None, on_text)?;
	Ok((done.output, done.measured))
}

/// Runs a specification with the seed of a receipt (of its voucher, or
/// [`job_seed`](gridproof_primitives::compute::channels::job_seed)), and asks for token ids.
///
/// # Errors
/// As [`execute`].
pub fn execute_seeded(
	engine: &dyn Engine,
	spec: &JobSpec,
	seed: H256,
	on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<Executed, EngineError> {
	run(engine, spec, Some(seed), on_text)
}

/// Returns the prompts of a specification, as engines are given them.
///
/// # Errors
/// [`EngineError::BadRequest`] for messages that are not JSON.
pub fn inputs(spec: &JobSpec) -> Result<Vec<Input>, EngineError> {
	let texts = |all: &[String]| all.iter().cloned().map(Input::Text).collect();
	let tokens = |all: &[Vec<u32>]| all.iter().cloned().map(Input::Tokens).collect();
	Ok(match &spec.task {
		Task::Completion { prompt } => vec![Input::Text(prompt.clone())],
		Task::Completions { prompts } => texts(prompts),
		Task::CompletionTokens { prompts } => tokens(prompts),
		Task::Chat { messages } => vec![Input::Chat(messages.clone())],
		Task::Messages { messages } => {
			let messages: Result<_, _> =
				messages.iter().map(|text| read("messages", text)).collect();
			vec![Input::Messages(messages?)]
		},
		Task::Embedding { input } => texts(input),
		Task::EmbeddingTokens { input } => tokens(input),
	})
}

fn run(
	engine: &dyn Engine,
	spec: &JobSpec,
	seed: Option<H256>,
	on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<Executed, EngineError> {
	if spec.task.is_embedding() {
		return embed(engine, spec);
	}
	let inputs = inputs(spec)?;
	let extras = extras(spec, seed.is_some())?;
	let is_read_along = spec.is_read_along();
	let mut made = Made::default();
	let mut number = 0u32;
	for input in inputs {
		for choice in 0..spec.further.n {
			let request = Request {
				model: spec.model.clone(),
				input: input.clone(),
				max_tokens: spec.max_tokens,
				sampling: spec.sampling.clone(),
				seed,
				extras: Extras { choice: number, ..extras.clone() },
			};
			// Several answers cannot be told apart: nobody reads them along, but may leave meanwhile.
			let done = engine
				.complete(&request, &mut |text| on_text(if is_read_along { text } else { "" }))?;
			made.add(done, choice == 0)?;
			number = number.saturating_add(1);
		}
	}
	made.executed()
}

/// Returns what is asked for beyond a text, as engines are asked for it.
fn extras(spec: &JobSpec, ids: bool) -> Result<Extras, EngineError> {
	let further = &spec.further;
	let document = |name: &str, text: &Option<String>| {
		text.as_deref().map(|text| read(name, text)).transpose()
	};
	Ok(Extras {
		choice: 0,
		ids,
		logprobs: further.logprobs,
		tools: document("tools", &further.tools)?,
		tool_choice: document("tool_choice", &further.tool_choice)?,
		response_format: document("response_format", &further.response_format)?,
	})
}

fn read(name: &str, text: &str) -> Result<Value, EngineError> {
	serde_json::from_str(text).map_err(|_| EngineError::BadRequest(format!("{name} is not JSON")))
}

/// Answers that were made.
#[derive(Default)]
struct Made {
	answers: Vec<Answer>,
	sampler: Option<Sampler>,
	measured: Measured,
	prompt_tokens: u64,
	completion_tokens: u64,
	prompt_ids: Vec<u32>,
	output_ids: Vec<u32>,
	lacks_ids: bool,
}

impl Made {
	/// Adds an answer. A prompt counts once, with the first answer to it.
	fn add(&mut self, done: Completion, is_first: bool) -> Result<(), EngineError> {
		self.lacks_ids |= !done.has_ids();
		if is_first {
			self.prompt_tokens = self.prompt_tokens.saturating_add(done.prompt_tokens);
			self.prompt_ids.extend(done.prompt_ids);
		}
		self.completion_tokens = self.completion_tokens.saturating_add(done.completion_tokens);
		self.output_ids.extend(done.tokens);
		self.sampler = Some(done.sampler);
		self.measured.wall = self.measured.wall.saturating_add(done.measured.wall);
		self.measured.tokens = self.measured.tokens.saturating_add(done.measured.tokens);
		self.measured.memory_bytes = self.measured.memory_bytes.max(done.measured.memory_bytes);
		let broken = |_| EngineError::Failed("the answer cannot be written as JSON".to_string());
		let calls = (!done.tool_calls.is_empty())
			.then(|| serde_json::to_string(&done.tool_calls).map_err(broken));
		let logprobs: Vec<Value> = done.logprobs.iter().map(TokenLogprob::to_json).collect();
		let logprobs =
			(!logprobs.is_empty()).then(|| serde_json::to_string(&logprobs).map_err(broken));
		self.answers.push(Answer {
			text: done.text,
			finish: done.finish,
			tool_calls: calls.transpose()?,
			logprobs: logprobs.transpose()?,
		});
		Ok(())
	}

	fn executed(mut self) -> Result<Executed, EngineError> {
		let nothing = || EngineError::BadRequest("nothing is asked for".to_string());
		let first = self.answers.first().cloned().ok_or_else(nothing)?;
		let is_text = first.tool_calls.is_none() && first.logprobs.is_none();
		if self.answers.len() == 1 && is_text {
			self.answers.clear();
		}
		if self.lacks_ids {
			(self.prompt_ids, self.output_ids) = Default::default();
		}
		let output = Output {
			text: first.text,
			embeddings: Vec::new(),
			finish: first.finish,
			prompt_tokens: self.prompt_tokens,
			completion_tokens: self.completion_tokens,
			answers: self.answers,
		};
		Ok(Executed {
			output,
			measured: self.measured,
			sampler: self.sampler.ok_or_else(nothing)?,
			prompt_ids: self.prompt_ids,
			output_ids: self.output_ids,
		})
	}
}

fn embed(engine: &dyn Engine, spec: &JobSpec) -> Result<Executed, EngineError> {
	let done = match &spec.task {
		Task::EmbeddingTokens { input } => engine.embed_tokens(&spec.model, input)?,
		Task::Embedding { input } => engine.embed(&spec.model, input)?,
		_ => return Err(EngineError::BadRequest("no texts for vectors".to_string())),
	};
	let output = Output {
		text: String::new(),
		embeddings: done.vectors.iter().map(|vector| vector_to_text(vector)).collect(),
		finish: Finish::Stop,
		prompt_tokens: done.prompt_tokens,
		completion_tokens: 0,
		answers: Vec::new(),
	};
	let (sampler, prompt_ids) = (Sampler::Greedy, done.ids.concat());
	Ok(Executed { output, measured: done.measured, sampler, prompt_ids, output_ids: Vec::new() })
}
