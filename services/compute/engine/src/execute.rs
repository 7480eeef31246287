//! A job's specification, run by an engine.

use crate::{
	api::{Engine, Extras, Input, Measured, Request},
	error::EngineError,
};
use gridproof_compute_api::protocol::{Finish, JobSpec, Output, Task, vector_to_text};
use gridproof_primitives::{H256, compute::channels::Sampler};
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
	/// Token ids of the output; none where the engine does not report them, and for embeddings.
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

fn run(
	engine: &dyn Engine,
	spec: &JobSpec,
	seed: Option<H256>,
	on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<Executed, EngineError> {
	let input = match &spec.task {
		Task::Embedding { input } => return embed(engine, spec, input),
		Task::Completion { prompt } => Input::Text(prompt.clone()),
		Task::Chat { messages } => Input::Chat(messages.clone()),
	};
	let JobSpec { model, max_tokens, sampling, .. } = spec.clone();
	let extras = Extras { ids: seed.is_some(), ..Extras::default() };
	let request = Request { model, input, max_tokens, sampling, seed, extras };
	let done = engine.complete(&request, on_text)?;
	let has_ids = done.has_ids();
	let output = Output {
		text: done.text,
		embeddings: Vec::new(),
		finish: done.finish,
		prompt_tokens: done.prompt_tokens,
		completion_tokens: done.completion_tokens,
	};
	let (prompt_ids, output_ids) =
		if has_ids { (done.prompt_ids, done.tokens) } else { Default::default() };
	let (measured, sampler) = (done.measured, done.sampler);
	Ok(Executed { output, measured, sampler, prompt_ids, output_ids })
}

fn embed(engine: &dyn Engine, spec: &JobSpec, input: &[String]) -> Result<Executed, EngineError> {
	let done = engine.embed(&spec.model, input)?;
	let output = Output {
		text: String::new(),
		embeddings: done.vectors.iter().map(|vector| vector_to_text(vector)).collect(),
		finish: Finish::Stop,
		prompt_tokens: done.prompt_tokens,
		completion_tokens: 0,
	};
	let (sampler, prompt_ids) = (Sampler::Greedy, done.ids.concat());
	Ok(Executed { output, measured: done.measured, sampler, prompt_ids, output_ids: Vec::new() })
}
