//! A job's specification, run by an engine.

use crate::{
	api::{Engine, Input, Measured, Request},
	error::EngineError,
};
use gridproof_compute_api::protocol::{Finish, JobSpec, Output, Task, vector_to_text};
use std::ops::ControlFlow;

/// Runs a specification. `on_text` gets the text as it is made; when it breaks, the work is given
/// up.
///
/// # Errors
/// [`EngineError`]; [`EngineError::Cancelled`] if `on_text` broke.
pub fn execute(
	engine: &dyn Engine,
	spec: &JobSpec,
	on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<(Output, Measured), EngineError> {
	let input = match &spec.task {
		Task::Embedding { input } => return embed(engine, spec, input),
		Task::Completion { prompt } => Input::Text(prompt.clone()),
		Task::Chat { messages } => Input::Chat(messages.clone()),
	};
	let JobSpec { model, max_tokens, sampling, .. } = spec.clone();
	let done = engine.complete(&Request { model, input, max_tokens, sampling }, on_text)?;
	let output = Output {
		text: done.text,
		embeddings: Vec::new(),
		finish: done.finish,
		prompt_tokens: done.prompt_tokens,
		completion_tokens: done.completion_tokens,
	};
	Ok((output, done.measured))
}

fn embed(
	engine: &dyn Engine,
	spec: &JobSpec,
	input: &[String],
) -> Result<(Output, Measured), EngineError> {
	let done = engine.embed(&spec.model, input)?;
	let output = Output {
		text: String::new(),
		embeddings: done.vectors.iter().map(|vector| vector_to_text(vector)).collect(),
		finish: Finish::Stop,
		prompt_tokens: done.prompt_tokens,
		completion_tokens: 0,
	};
	Ok((output, done.measured))
}
