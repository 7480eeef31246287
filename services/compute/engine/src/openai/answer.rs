//! What has come of an answer, put together from its events.

use crate::logprob::{Likely, TokenLogprob};
use gridproof_compute_api::protocol::Finish;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Most calls of tools in one answer.
const MAX_CALLS: usize = 128;

/// Token counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
	/// Tokens read.
	pub(super) prompt_tokens: u64,
	/// Tokens made.
	pub(super) completion_tokens: u64,
}

impl Usage {
	/// Returns the counts that an answer states; `None` of `null`, `{}` and whatever else says
	/// nothing.
	pub(super) fn read(stated: &Value) -> Option<Self> {
		let count = |name: &str| stated.get(name).and_then(Value::as_u64);
		let prompt_tokens = count("prompt_tokens")?;
		Some(Self { prompt_tokens, completion_tokens: count("completion_tokens").unwrap_or(0) })
	}
}

/// The data of one event.
#[derive(Deserialize)]
pub(super) struct Chunk {
	choices: Option<Vec<Choice>>,
	#[serde(default)]
	usage: Value,
	/// What went wrong on the way.
	pub(super) error: Option<Value>,
	/// vLLM: of conversations.
	prompt_token_ids: Option<Vec<u32>>,
}

#[derive(Deserialize)]
struct Choice {
	text: Option<String>,
	#[serde(default)]
	delta: Option<Delta>,
	finish_reason: Option<String>,
	token_ids: Option<Vec<u32>>,
	/// vLLM: of texts.
	prompt_token_ids: Option<Vec<u32>>,
	#[serde(default)]
	logprobs: Value,
}

#[derive(Deserialize)]
struct Delta {
	content: Option<String>,
	tool_calls: Option<Vec<Value>>,
}

/// What has come of an answer.
#[derive(Default)]
pub(super) struct Arrived {
	pub(super) text: String,
	pub(super) finish: Option<Finish>,
	pub(super) usage: Option<Usage>,
	pub(super) prompt_ids: Vec<u32>,
	pub(super) ids: Vec<u32>,
	pub(super) logprobs: Vec<TokenLogprob>,
	pub(super) tool_calls: Vec<Value>,
}

impl Arrived {
	/// Takes an event. Returns the text that it brings, or the word of an end that is not known.
	pub(super) fn take(&mut self, chunk: Chunk) -> Result<Option<String>, String> {
		self.usage = Usage::read(&chunk.usage).or(self.usage.take());
		if let Some(ids) = chunk.prompt_token_ids {
			self.prompt_ids = ids;
		}
		let Some(choice) = chunk.choices.into_iter().flatten().next() else { return Ok(None) };
		let (content, calls) =
			choice.delta.map_or((None, None), |delta| (delta.content, delta.tool_calls));
		if let Some(ids) = choice.prompt_token_ids {
			self.prompt_ids = ids;
		}
		for call in calls.into_iter().flatten() {
			merge(&mut self.tool_calls, call);
		}
		let logprobs = logprobs(&choice.logprobs);
		match choice.token_ids {
			Some(ids) => self.ids.extend(ids),
			// llama.cpp: beside the probabilities.
			None => self.ids.extend(logprobs.iter().filter_map(|one| one.token.id)),
		}
		self.logprobs.extend(logprobs);
		match choice.finish_reason.as_deref() {
			None | Some("") => (),
			Some("tool_calls" | "function_call") if !self.tool_calls.is_empty() => {
				self.finish = Some(Finish::Stop);
			},
			Some(reason) => self.finish = Some(end(reason)?),
		}
		let text = choice.text.or(content).unwrap_or_default();
		self.text.push_str(&text);
		Ok(Some(text))
	}
}

/// Returns the end that a server's word means. An end that is not known is none: a server that is
/// put to sleep says `abort`, and nobody pays for half an answer.
fn end(reason: &str) -> Result<Finish, String> {
	match reason {
		"stop" | "stop_sequence" | "eos" | "eos_token" | "end_turn" => Ok(Finish::Stop),
		"length" | "max_tokens" | "model_length" => Ok(Finish::Length),
		other => Err(other.chars().take(40).collect()),
	}
}

/// Puts a piece of a call to the call that it belongs to. Names come once, arguments in pieces.
fn merge(calls: &mut Vec<Value>, piece: Value) {
	let Value::Object(mut piece) = piece else { return };
	let index = piece.remove("index").and_then(|index| index.as_u64());
	let place = index.and_then(|index| usize::try_from(index).ok()).unwrap_or(calls.len());
	if place >= MAX_CALLS {
		return;
	}
	while calls.len() <= place {
		calls.push(Value::Object(Map::new()));
	}
	if let Some(Value::Object(call)) = calls.get_mut(place) {
		join(call, piece);
	}
}

fn join(into: &mut Map<String, Value>, piece: Map<String, Value>) {
	for (name, value) in piece {
		match (into.get_mut(&name), value) {
			(_, Value::Null) => (),
			(Some(Value::Object(there)), Value::Object(more)) => join(there, more),
			(Some(Value::String(there)), Value::String(more)) if name == "arguments" => {
				there.push_str(&more);
			},
			(_, value) => {
				into.insert(name, value);
			},
		}
	}
}

/// Reads OpenAI's `logprobs` of one event: of conversations (and of llama.cpp) a list `content`, of
/// texts three lists side by side.
fn logprobs(stated: &Value) -> Vec<TokenLogprob> {
	if let Some(content) = stated.get("content").and_then(Value::as_array) {
		let one = |entry: &Value| {
			let top = entry.get("top_logprobs").and_then(Value::as_array).into_iter().flatten();
			Some(TokenLogprob { token: likely(entry)?, top: top.filter_map(likely).collect() })
		};
		return content.iter().filter_map(one).collect();
	}
	let list = |name: &str| stated.get(name).and_then(Value::as_array).into_iter().flatten();
	let mut tops = list("top_logprobs");
	let plain =
		|text: &str, logprob: f64| Likely { id: None, bytes: text.as_bytes().to_vec(), logprob };
	let both = list("tokens").zip(list("token_logprobs"));
	both.filter_map(|(text, logprob)| {
		let top = tops.next().and_then(Value::as_object).into_iter().flatten();
		let mut top: Vec<Likely> =
			top.filter_map(|(text, logprob)| Some(plain(text, logprob.as_f64()?))).collect();
		top.sort_by(|a, b| b.logprob.total_cmp(&a.logprob));
		Some(TokenLogprob { token: plain(text.as_str()?, logprob.as_f64()?), top })
	})
	.collect()
}

/// A token with its probability, as entries of `content` state it.
fn likely(entry: &Value) -> Option<Likely> {
	let text = entry.get("token").and_then(Value::as_str)?;
	let byte = |byte: &Value| byte.as_u64().and_then(|byte| u8::try_from(byte).ok());
	let bytes = entry.get("bytes").and_then(Value::as_array);
	let bytes = bytes.and_then(|bytes| bytes.iter().map(byte).collect());
	Some(Likely {
		id: entry.get("id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok()),
		bytes: bytes.unwrap_or_else(|| text.as_bytes().to_vec()),
		logprob: entry.get("logprob").and_then(Value::as_f64)?,
	})
}
