//! What a server is asked for.

use super::kind::Kind;
use crate::api::{Input, Request};
use serde_json::{Map, Value, json};

/// The seed that servers take: the first eight bytes of a receipt's seed as a number in little-endian
/// order, or the specification's own, with the number of the answer added. vLLM reads a signed number
/// of 64 bits; llama.cpp one of 32, of which the highest means "draw one".
pub(super) fn seed_of(request: &Request, kind: Kind) -> u64 {
	let first = request.seed.map(|seed| seed.0.first_chunk().copied().unwrap_or_default());
	let seed = first.map_or(request.sampling.seed, u64::from_le_bytes);
	let seed = seed.wrapping_add(request.extras.choice.into());
	match kind {
		Kind::LlamaCpp => seed & 0x7fff_ffff,
		Kind::Vllm | Kind::Other => seed & 0x7fff_ffff_ffff_ffff,
	}
}

/// Returns path and body of a request for a stream.
pub(super) fn body_of(request: &Request, served: &str, kind: Kind) -> (&'static str, Value) {
	let sampling = &request.sampling;
	let mut body = Map::new();
	let mut put = |name: &str, value: Value| {
		body.insert(name.to_string(), value);
	};
	put("model", json!(served));
	put("max_tokens", json!(request.max_tokens));
	put("temperature", json!(f64::from(sampling.temperature_milli) / 1_000.0));
	put("top_p", json!(f64::from(sampling.top_p_milli) / 1_000.0));
	put("seed", json!(seed_of(request, kind)));
	put("stream", json!(true));
	put("stream_options", json!({ "include_usage": true }));
	if !sampling.stop.is_empty() {
		put("stop", json!(sampling.stop));
	}
	let is_chat = matches!(request.input, Input::Chat(_) | Input::Messages(_));
	extras(request, kind, is_chat, &mut put);
	match &request.input {
		Input::Text(prompt) => put("prompt", json!(prompt)),
		Input::Tokens(tokens) => put("prompt", json!(tokens)),
		Input::Chat(_) | Input::Messages(_) => put("messages", messages(&request.input)),
	}
	let path = if is_chat { "chat/completions" } else { "completions" };
	(path, Value::Object(body))
}

/// What is asked for beyond a text.
fn extras(request: &Request, kind: Kind, is_chat: bool, put: &mut dyn FnMut(&str, Value)) {
	let extras = &request.extras;
	// llama.cpp states token ids beside the probabilities only.
	let wants_ids_so = extras.ids && kind == Kind::LlamaCpp;
	let top = extras.logprobs.or(wants_ids_so.then_some(1));
	if let Some(top) = top {
		if is_chat {
			put("logprobs", json!(true));
			put("top_logprobs", json!(top));
		} else {
			put("logprobs", json!(top));
		}
		if kind == Kind::LlamaCpp {
			put("n_probs", json!(top.max(1)));
		}
	}
	if extras.ids && kind == Kind::Vllm {
		put("return_token_ids", json!(true));
	}
	let named = [("tools", &extras.tools), ("tool_choice", &extras.tool_choice)];
	for (name, value) in named.into_iter().filter(|_| is_chat) {
		if let Some(value) = value {
			put(name, value.clone());
		}
	}
	if let Some(format) = &extras.response_format {
		put("response_format", format.clone());
	}
}

/// Returns the messages of a conversation, in OpenAI's form; of anything else none.
pub(super) fn messages(input: &Input) -> Value {
	match input {
		Input::Chat(messages) => {
			messages.iter().map(|m| json!({ "role": m.role, "content": m.content })).collect()
		},
		Input::Messages(messages) => json!(messages),
		Input::Text(_) | Input::Tokens(_) => json!([]),
	}
}
