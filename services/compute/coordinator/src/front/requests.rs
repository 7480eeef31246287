//! OpenAI's requests, and the jobs they ask for.
//!
//! A member that would change the answer and is not offered here is refused by name; other members
//! that are not known are passed over, as clients send new ones every month.

use super::{error::OpenAiError, sampling};
use gridproof_compute_api::protocol::{JobSpec, Message, SPEC_VERSION, Sampling, Task};
use rand::{Rng, rngs::OsRng};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How tokens are chosen, in both kinds of requests for text.
///
/// Numbers are taken as they come: members of a flattened structure are buffered, where serde_json
/// keeps a number's literal and no longer knows its type.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub(super) struct Choice {
	/// 0 to 2.
	#[serde(default)]
	#[schema(value_type = Option<f64>)]
	temperature: Option<Value>,
	/// Above 0, at most 1.
	#[serde(default)]
	#[schema(value_type = Option<f64>)]
	top_p: Option<Value>,
	/// Seed of the random choices, 0 or more; one is drawn if it is left out.
	#[serde(default)]
	#[schema(value_type = Option<i64>)]
	seed: Option<Value>,
	/// Texts that end the answer: one, or up to four.
	#[serde(default)]
	#[schema(value_type = Object)]
	stop: Option<Value>,
	/// How many answers: 1.
	#[serde(default)]
	#[schema(value_type = Option<u64>)]
	n: Option<Value>,
	/// Not offered: 0.
	#[serde(default)]
	#[schema(value_type = Option<f64>)]
	presence_penalty: Option<Value>,
	/// Not offered: 0.
	#[serde(default)]
	#[schema(value_type = Option<f64>)]
	frequency_penalty: Option<Value>,
	/// Not offered.
	#[serde(default)]
	#[schema(value_type = Object)]
	logit_bias: Option<Value>,
	/// Not offered.
	#[serde(default)]
	#[schema(value_type = Object)]
	logprobs: Option<Value>,
	/// `true` to have the answer in pieces as it comes.
	#[serde(default)]
	pub(super) stream: Option<bool>,
	/// What else to stream.
	#[serde(default)]
	pub(super) stream_options: Option<StreamOptions>,
	/// What else was sent.
	#[serde(flatten)]
	#[schema(ignore)]
	others: BTreeMap<String, Value>,
}

/// What else to stream.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
pub(super) struct StreamOptions {
	/// Add a chunk with the token counts.
	#[serde(default)]
	pub(super) include_usage: Option<bool>,
}

/// A request for `/v1/chat/completions`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct ChatRequest {
	/// Name of the model, as `/v1/models` lists it.
	model: String,
	/// The conversation, oldest message first.
	messages: Vec<ChatMessage>,
	/// Most tokens of the answer.
	#[serde(default)]
	#[schema(value_type = Option<i64>)]
	max_completion_tokens: Option<Value>,
	/// The same by its older name.
	#[serde(default)]
	#[schema(value_type = Option<i64>)]
	max_tokens: Option<Value>,
	/// Not offered.
	#[serde(default)]
	#[schema(value_type = Object)]
	tools: Option<Value>,
	/// Not offered.
	#[serde(default)]
	#[schema(value_type = Object)]
	functions: Option<Value>,
	/// Only `{"type":"text"}`.
	#[serde(default)]
	#[schema(value_type = Object)]
	response_format: Option<Value>,
	/// How tokens are chosen.
	#[serde(flatten)]
	pub(super) choice: Choice,
}

/// A message of a conversation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct ChatMessage {
	/// `system`, `developer`, `user` or `assistant`.
	role: String,
	/// A text, or parts of the type `text`.
	#[serde(default)]
	#[schema(value_type = Object)]
	content: Value,
}

/// A request for `/v1/completions`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct CompletionRequest {
	/// Name of the model, as `/v1/models` lists it.
	model: String,
	/// A text, or a list of one.
	#[schema(value_type = Object)]
	prompt: Value,
	/// Most tokens of the answer; 16 if it is not said, as the older interface has it.
	#[serde(default)]
	#[schema(value_type = Option<i64>)]
	max_tokens: Option<Value>,
	/// Not offered.
	#[serde(default)]
	echo: Option<bool>,
	/// Not offered.
	#[serde(default)]
	suffix: Option<String>,
	/// Not offered: 1.
	#[serde(default)]
	best_of: Option<u64>,
	/// How tokens are chosen.
	#[serde(flatten)]
	pub(super) choice: Choice,
}

/// A request for `/v1/embeddings`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct EmbeddingRequest {
	/// Name of the model, as `/v1/models` lists it.
	model: String,
	/// A text, or several.
	#[schema(value_type = Object)]
	input: Value,
	/// `float` (the default) or `base64`.
	#[serde(default)]
	encoding_format: Option<String>,
	/// Not offered.
	#[serde(default)]
	dimensions: Option<u64>,
}

impl Choice {
	fn sampling(&self) -> Result<Sampling, OpenAiError> {
		let is_set = |value: &Option<Value>| {
			value.as_ref().is_some_and(|value| {
				!matches!(value, Value::Null | Value::Bool(false))
					&& value.as_object().is_none_or(|members| !members.is_empty())
					&& value.as_f64() != Some(0.0)
			})
		};
		let refused = [
			("n", number("n", &self.n)?.is_some_and(|n| n != 1.0)),
			("presence_penalty", is_other("presence_penalty", &self.presence_penalty)?),
			("frequency_penalty", is_other("frequency_penalty", &self.frequency_penalty)?),
			("logit_bias", is_set(&self.logit_bias)),
			("logprobs", is_set(&self.logprobs)),
		];
		if let Some((name, _)) = refused.into_iter().find(|(_, set)| *set) {
			return Err(not_offered(name));
		}
		if let Some(name) = sampling::not_offered(&self.others) {
			return Err(not_offered(name));
		}
		let seed = match &self.seed {
			None | Some(Value::Null) => OsRng.gen_range(0..=u64::MAX >> 1),
			Some(value) => seed(value)?,
		};
		let (temperature, top_p) = (&self.temperature, &self.top_p);
		let (mut temperature_milli, mut top_p_milli) =
			(milli("temperature", temperature, 2.0)?, milli("top_p", top_p, 1.0)?);
		if top_p_milli == 0 {
			// A nucleus of nothing holds the likeliest token only.
			(temperature_milli, top_p_milli) = (0, 1_000);
		}
		let mut stop = match &self.stop {
			None | Some(Value::Null) => Vec::new(),
			Some(stop) => texts("stop", stop)?,
		};
		stop.retain(|stop| !stop.is_empty());
		Ok(Sampling { temperature_milli, top_p_milli, seed, stop })
	}

	/// Returns `true` if the answer is to come in pieces.
	pub(super) fn is_streamed(&self) -> bool {
		self.stream.unwrap_or(false)
	}

	/// Returns `true` if the stream is to end with the token counts.
	pub(super) fn wants_usage(&self) -> bool {
		self.stream_options.and_then(|options| options.include_usage).unwrap_or(false)
	}
}

fn not_offered(name: &'static str) -> OpenAiError {
	OpenAiError::param(name, format!("{name} is not offered here"))
}

/// A number, if it is given.
fn number(name: &'static str, value: &Option<Value>) -> Result<Option<f64>, OpenAiError> {
	match value {
		None | Some(Value::Null) => Ok(None),
		Some(value) => {
			let wanted = || OpenAiError::param(name, format!("{name} must be a number"));
			value.as_f64().map(Some).ok_or_else(wanted)
		},
	}
}

/// Returns `true` if a number is given that is not zero.
fn is_other(name: &'static str, value: &Option<Value>) -> Result<bool, OpenAiError> {
	Ok(number(name, value)?.is_some_and(|number| number != 0.0))
}

/// A figure in thousandths; one if it is not given.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn milli(name: &'static str, value: &Option<Value>, to: f64) -> Result<u32, OpenAiError> {
	let value = number(name, value)?.unwrap_or(1.0);
	if !(0.0..=to).contains(&value) {
		return Err(OpenAiError::param(name, format!("{name} must be from 0 to {to}")));
	}
	// Within 0 … 2000 by the check above.
	Ok((value * 1_000.0).round() as u32)
}

/// A seed: any whole number of 64 bits, however it is written. The sign bit is left out, as engines
/// take none.
#[allow(clippy::cast_possible_truncation)]
fn seed(value: &Value) -> Result<u64, OpenAiError> {
	let whole = value.as_i64().or_else(|| {
		let float = value.as_f64().filter(|float| float.fract() == 0.0)?;
		// From 2⁶³ on there is no room for the sign.
		(float.abs() < 9_223_372_036_854_775_808.0).then_some(float as i64)
	});
	let bits = value.as_u64().or_else(|| whole.map(i64::cast_unsigned));
	let wanted = || OpenAiError::param("seed", "seed must be a whole number of 64 bits");
	Ok(bits.ok_or_else(wanted)? & (u64::MAX >> 1))
}

/// A number of tokens; `null` and -1 mean that it is not set.
fn tokens(name: &'static str, value: &Option<Value>) -> Result<Option<u32>, OpenAiError> {
	match value {
		None | Some(Value::Null) => Ok(None),
		Some(value) if value.as_i64() == Some(-1) => Ok(None),
		Some(value) => {
			let wanted = || OpenAiError::param(name, format!("{name} must be a whole number"));
			let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
			count.map(Some).ok_or_else(wanted)
		},
	}
}

/// Returns `true` of a list of token numbers, or of several.
fn is_tokens(value: &Value) -> bool {
	let has_numbers =
		|value: &Value| value.as_array().is_some_and(|list| list.iter().any(Value::is_number));
	has_numbers(value) || value.as_array().is_some_and(|list| list.iter().any(has_numbers))
}

/// What a model is given: a text, or a list of texts. Numbers of tokens are refused by name: each
/// model has its own, and nothing in a request says whose they are. Read as another model's, they
/// would give an answer to something that nobody asked.
fn given(name: &'static str, value: &Value) -> Result<Vec<String>, OpenAiError> {
	if is_tokens(value) {
		return Err(OpenAiError::tokens(name));
	}
	texts(name, value)
}

/// A text, or a list of texts.
fn texts(name: &'static str, value: &Value) -> Result<Vec<String>, OpenAiError> {
	let text = |value: &Value| value.as_str().map(str::to_string);
	let list = match value {
		Value::String(one) => Some(vec![one.clone()]),
		Value::Array(many) => many.iter().map(text).collect(),
		_ => None,
	};
	list.ok_or_else(|| {
		OpenAiError::param(name, format!("{name} must be a text or a list of texts"))
	})
}

/// A message's text.
fn content(value: &Value) -> Result<String, OpenAiError> {
	let wanted = || OpenAiError::param("messages", "only parts of the type text are offered here");
	match value {
		Value::String(text) => Ok(text.clone()),
		Value::Array(parts) => parts
			.iter()
			.map(|part| match (part["type"].as_str(), part["text"].as_str()) {
				(Some("text"), Some(text)) => Ok(text),
				_ => Err(wanted()),
			})
			.collect(),
		_ => Err(wanted()),
	}
}

fn spec(model: &str, task: Task, max_tokens: u32, sampling: Sampling) -> JobSpec {
	JobSpec { version: SPEC_VERSION, model: model.to_string(), task, max_tokens, sampling }
}

impl ChatRequest {
	/// Returns the job it asks for. `most` is the longest answer that the model is offered with.
	///
	/// # Errors
	/// What is not offered, or wrong.
	pub(super) fn job(&self, most: impl Fn(&str) -> u32) -> Result<JobSpec, OpenAiError> {
		let is_set = |value: &Option<Value>| {
			value.as_ref().is_some_and(|value| {
				!value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())
			})
		};
		let format = self.response_format.as_ref().and_then(|format| format["type"].as_str());
		let refused = [
			("tools", is_set(&self.tools)),
			("functions", is_set(&self.functions)),
			("response_format", format.is_some_and(|format| format != "text")),
		];
		if let Some((name, _)) = refused.into_iter().find(|(_, set)| *set) {
			return Err(not_offered(name));
		}
		let message = |message: &ChatMessage| {
			let role = message.role.clone();
			if matches!(role.as_str(), "tool" | "function") {
				let message = format!("messages of the role {role}: tools are not offered here");
				return Err(OpenAiError::param("messages", message));
			}
			let content = match &message.content {
				// An assistant that called a tool said nothing.
				Value::Null if role == "assistant" => String::new(),
				value => content(value)?,
			};
			Ok(Message { role, content })
		};
		let messages = self.messages.iter().map(message).collect::<Result<_, OpenAiError>>()?;
		let asked = tokens("max_completion_tokens", &self.max_completion_tokens)?;
		let asked = asked.or(tokens("max_tokens", &self.max_tokens)?);
		let max_tokens = asked.unwrap_or_else(|| most(&self.model));
		Ok(spec(&self.model, Task::Chat { messages }, max_tokens, self.choice.sampling()?))
	}
}

impl CompletionRequest {
	/// Returns the job it asks for.
	///
	/// # Errors
	/// What is not offered, or wrong.
	pub(super) fn job(&self) -> Result<JobSpec, OpenAiError> {
		let refused = [
			("echo", self.echo.unwrap_or(false)),
			("suffix", self.suffix.as_ref().is_some_and(|suffix| !suffix.is_empty())),
			("best_of", self.best_of.is_some_and(|best| best != 1)),
		];
		if let Some((name, _)) = refused.into_iter().find(|(_, set)| *set) {
			return Err(not_offered(name));
		}
		let prompts = given("prompt", &self.prompt)?;
		let [prompt] = &prompts[..] else {
			return Err(OpenAiError::param("prompt", "one prompt a request, please"));
		};
		let task = Task::Completion { prompt: prompt.clone() };
		let most = tokens("max_tokens", &self.max_tokens)?.unwrap_or(16);
		Ok(spec(&self.model, task, most, self.choice.sampling()?))
	}
}

impl EmbeddingRequest {
	/// Returns the job it asks for.
	///
	/// # Errors
	/// What is not offered, or wrong.
	pub(super) fn job(&self) -> Result<JobSpec, OpenAiError> {
		if self.dimensions.is_some() {
			return Err(not_offered("dimensions"));
		}
		if self.encoding_format.as_deref().is_some_and(|f| !["float", "base64"].contains(&f)) {
			let message = "encoding_format must be float or base64";
			return Err(OpenAiError::param("encoding_format", message));
		}
		let task = Task::Embedding { input: given("input", &self.input)? };
		Ok(spec(&self.model, task, 0, Sampling::default()))
	}

	/// Returns `true` if vectors are wanted as base64.
	pub(super) fn wants_base64(&self) -> bool {
		self.encoding_format.as_deref() == Some("base64")
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::json;

	const INVALID: &str = "invalid_request_error";

	fn chat(more: Value) -> Result<JobSpec, OpenAiError> {
		let mut request =
			json!({ "model": "m", "messages": [{ "role": "user", "content": "Hi" }] });
		for (name, value) in more.as_object().unwrap() {
			request[name] = value.clone();
		}
		serde_json::from_value::<ChatRequest>(request).unwrap().job(|_| 99)
	}

	#[test]
	fn a_chat_becomes_a_job() {
		let job =
			chat(json!({ "temperature": 0.7, "seed": 5, "stop": "END", "unknown": 1 })).unwrap();
		let messages = vec![Message { role: "user".to_string(), content: "Hi".to_string() }];
		assert_eq!(job.task, Task::Chat { messages });
		assert_eq!((job.max_tokens, job.sampling.temperature_milli), (99, 700));
		assert_eq!((job.sampling.seed, job.sampling.stop), (5, vec!["END".to_string()]));
		assert_eq!(
			chat(json!({ "max_tokens": 3, "max_completion_tokens": 4 })).unwrap().max_tokens,
			4
		);
	}

	#[test]
	fn numbers_are_read_from_text_too() {
		let text = r#"{"model":"m","prompt":"p","temperature":0.8,"top_p":0.95,"seed":1,"n":1}"#;
		let job = serde_json::from_str::<CompletionRequest>(text).unwrap().job().unwrap();
		let Sampling { temperature_milli, top_p_milli, seed, .. } = job.sampling;
		assert_eq!((temperature_milli, top_p_milli, seed), (800, 950, 1));
		let text = r#"{"model":"m","prompt":"p","temperature":"hot"}"#;
		let error = serde_json::from_str::<CompletionRequest>(text).unwrap().job().unwrap_err();
		assert_eq!(error.to_json()["error"]["param"], "temperature");
	}

	#[test]
	fn parts_of_text_are_put_together() {
		let parts = json!([{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }]);
		let job = chat(json!({ "messages": [{ "role": "user", "content": parts }] })).unwrap();
		let Task::Chat { messages } = job.task else { panic!("a chat") };
		assert_eq!(messages[0].content, "ab");
		let image = json!([{ "type": "image_url", "image_url": {} }]);
		assert!(chat(json!({ "messages": [{ "role": "user", "content": image }] })).is_err());
	}

	#[test]
	fn what_is_not_offered_is_refused_by_name() {
		for (name, value) in [
			("n", json!(2)),
			("tools", json!([{}])),
			("logprobs", json!(true)),
			("presence_penalty", json!(0.5)),
			("top_k", json!(40)),
			("min_p", json!(0.1)),
			("response_format", json!({ "type": "json_object" })),
			("temperature", json!(2.1)),
			("top_p", json!(-0.1)),
			("seed", json!(0.5)),
			("seed", json!(1e300)),
			("max_tokens", json!(-2)),
			("max_tokens", json!("many")),
			("messages", json!([{ "role": "tool", "content": "x" }])),
			("stop", json!(5)),
		] {
			let error = chat(json!({ name: value })).unwrap_err().to_json();
			assert_eq!(error["error"]["param"], name);
			assert_eq!(error["error"]["type"], "invalid_request_error");
		}
		for (name, value) in [
			("n", json!(1)),
			("tools", json!([])),
			("logprobs", json!(false)),
			("logprobs", json!(0)),
			("top_k", json!(-1)),
			("repetition_penalty", json!(1.0)),
		] {
			assert!(chat(json!({ name: value })).is_ok(), "{name}");
		}
	}

	#[test]
	fn what_usual_clients_send_is_taken() {
		let seed = |value: Value| chat(json!({ "seed": value })).unwrap().sampling.seed;
		assert_eq!((seed(json!(-1)), seed(json!(-1))), (u64::MAX >> 1, u64::MAX >> 1));
		assert_eq!((seed(json!(7.0)), seed(json!(u64::MAX))), (7, u64::MAX >> 1));
		for top_p in [json!(0), json!(0.0001)] {
			let job = chat(json!({ "top_p": top_p, "temperature": 0.9 })).unwrap();
			assert_eq!((job.sampling.temperature_milli, job.sampling.top_p_milli), (0, 1_000));
		}
		assert_eq!(chat(json!({ "max_tokens": -1 })).unwrap().max_tokens, 99);
		assert_eq!(chat(json!({ "stop": ["", "END"] })).unwrap().sampling.stop, ["END"]);
		let said = json!([
			{ "role": "assistant", "content": null },
			{ "role": "assistant" },
			{ "role": "user", "content": "Hi" },
		]);
		let Task::Chat { messages } = chat(json!({ "messages": said })).unwrap().task else {
			panic!("a chat")
		};
		assert_eq!((messages[0].content.as_str(), messages[1].content.as_str()), ("", ""));
	}

	#[test]
	fn completions_and_embeddings_become_jobs() {
		let completion = json!({ "model": "m", "prompt": ["Once"] });
		let job = serde_json::from_value::<CompletionRequest>(completion).unwrap().job().unwrap();
		assert_eq!(
			(job.max_tokens, job.task),
			(16, Task::Completion { prompt: "Once".to_string() })
		);
		let embedding = json!({ "model": "m", "input": "Once", "encoding_format": "base64" });
		let request = serde_json::from_value::<EmbeddingRequest>(embedding).unwrap();
		assert!(request.wants_base64());
		assert_eq!(
			request.job().unwrap().task,
			Task::Embedding { input: vec!["Once".to_string()] }
		);
	}

	#[test]
	fn token_numbers_are_refused_by_name_with_what_to_send_instead() {
		let refused = |error: OpenAiError, param: &str| {
			let error = error.to_json()["error"].clone();
			assert_eq!((&error["param"], &error["type"]), (&json!(param), &json!(INVALID)));
			assert_eq!(error["code"], "token_input_not_supported");
			let said = error["message"].as_str().unwrap();
			assert!(said.contains("send the text") && said.contains("ctx_length=False"), "{said}");
		};
		for tokens in [json!([1, 2]), json!([[1, 2]]), json!([[1], [2]]), json!(["a", [1]])] {
			let embedding = json!({ "model": "m", "input": tokens });
			let embedding = serde_json::from_value::<EmbeddingRequest>(embedding).unwrap();
			refused(embedding.job().unwrap_err(), "input");
			let completion = json!({ "model": "m", "prompt": tokens });
			let completion = serde_json::from_value::<CompletionRequest>(completion).unwrap();
			refused(completion.job().unwrap_err(), "prompt");
		}
	}
}
