//! A job's specification, run by an engine.

use crate::protocol::{self, JobSpec, Output, RefusalReason, Task};
use base64::Engine as _;
use gridproof_engine::{Engine, EngineFault, Finish, Input, Measured, Message, Request, Sampling};
use std::ops::ControlFlow;

/// Runs a specification. `on_text` gets the text as it is made; it is given up when that breaks.
///
/// # Errors
/// [`EngineFault`].
pub fn execute(
	engine: &dyn Engine,
	spec: &JobSpec,
	on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<(Output, Measured), EngineFault> {
	let input = match &spec.task {
		Task::Embedding { input } => return embed(engine, spec, input),
		Task::Completion { prompt } => Input::Text(prompt.clone()),
		Task::Chat { messages } => Input::Chat(messages.iter().map(message).collect()),
	};
	let sampling = Sampling {
		temperature_milli: spec.sampling.temperature_milli,
		top_p_milli: spec.sampling.top_p_milli,
		seed: spec.sampling.seed,
		stop: spec.sampling.stop.clone(),
	};
	let request =
		Request { model: spec.model.clone(), input, max_tokens: spec.max_tokens, sampling };
	let done = engine.complete(&request, on_text)?;
	let finish = match done.finish {
		Finish::Stop => protocol::Finish::Stop,
		Finish::Length => protocol::Finish::Length,
	};
	let output = Output {
		text: done.text,
		embeddings: Vec::new(),
		finish,
		prompt_tokens: done.prompt_tokens,
		completion_tokens: done.completion_tokens,
	};
	Ok((output, done.measured))
}

fn message(message: &protocol::Message) -> Message {
	Message { role: message.role.clone(), content: message.content.clone() }
}

fn embed(
	engine: &dyn Engine,
	spec: &JobSpec,
	input: &[String],
) -> Result<(Output, Measured), EngineFault> {
	let done = engine.embed(&spec.model, input)?;
	let encode = |vector: Vec<f32>| {
		let bytes: Vec<u8> = vector.into_iter().flat_map(f32::to_le_bytes).collect();
		base64::engine::general_purpose::STANDARD.encode(bytes)
	};
	let output = Output {
		text: String::new(),
		embeddings: done.vectors.into_iter().map(encode).collect(),
		finish: protocol::Finish::Stop,
		prompt_tokens: done.prompt_tokens,
		completion_tokens: 0,
	};
	Ok((output, done.measured))
}

/// What a coordinator is told of a fault.
pub const fn refusal_for(fault: &EngineFault) -> RefusalReason {
	match fault {
		EngineFault::UnknownModel { .. } => RefusalReason::ModelUnavailable,
		EngineFault::PromptTooLong { .. } | EngineFault::BadRequest(_) => RefusalReason::BadSpec,
		EngineFault::Cancelled => RefusalReason::ShuttingDown,
		EngineFault::BadModel { .. } | EngineFault::Unavailable(_) | EngineFault::Failed(_) => {
			RefusalReason::EngineFailed
		},
	}
}
