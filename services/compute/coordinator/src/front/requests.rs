//! OpenAI's requests, and the jobs they ask for.
//!
//! A member that would change the answer and is not offered here is refused by name; other members
//! that are not known are passed over, as clients send new ones every month.

use super::{
	error::OpenAiError,
	sampling,
	values::{Given, content, document, given, is_other, milli, number, seed, texts, tokens, top},
};
use gridproof_compute_api::protocol::{Further, JobSpec, Message, SPEC_VERSION, Sampling, Task};
use rand::{Rng, rngs::OsRng};
use serde::Deserialize;
use serde_json::{Value, json};
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
	/// How many answers to each prompt, 1 to 16.
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
	/// Logarithms of the tokens' probabilities, where the engine states them: of conversations `true`,
	/// of texts how many of the likeliest tokens are named.
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
	/// How many of the likeliest tokens are named beside each; only with `logprobs`.
	#[serde(default)]
	#[schema(value_type = Option<u8>)]
	top_logprobs: Option<Value>,
	/// Tools, where the engine knows them.
	#[serde(default)]
	#[schema(value_type = Object)]
	tools: Option<Value>,
	/// Which of the tools is to be called; only with `tools`.
	#[serde(default)]
	#[schema(value_type = Object)]
	tool_choice: Option<Value>,
	/// Not offered.
	#[serde(default)]
	#[schema(value_type = Object)]
	functions: Option<Value>,
	/// The form of the answer, where the engine knows it.
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
	/// `system`, `developer`, `user`, `assistant` or `tool`.
	role: String,
	/// A text, or parts of the type `text`.
	#[serde(default)]
	#[schema(value_type = Object)]
	content: Value,
	/// Tools that the assistant called, where the engine knows them.
	#[serde(default)]
	#[schema(value_type = Object)]
	tool_calls: Option<Value>,
	/// The call that a message of the role `tool` answers.
	#[serde(default)]
	tool_call_id: Option<String>,
}

/// A request for `/v1/completions`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct CompletionRequest {
	/// Name of the model, as `/v1/models` lists it.
	model: String,
	/// A text, token ids of the model, or a list of either.
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
	/// A text, token ids of the model, or a list of either.
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
			("presence_penalty", is_other("presence_penalty", &self.presence_penalty)?),
			("frequency_penalty", is_other("frequency_penalty", &self.frequency_penalty)?),
			("logit_bias", is_set(&self.logit_bias)),
		];
		if let Some((name, _)) = refused.into_iter().find(|(_, set)| *set) {
			return Err(OpenAiError::not_offered(name));
		}
		if let Some(name) = sampling::not_offered(&self.others) {
			return Err(OpenAiError::not_offered(name));
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

	/// Returns how many answers there are to be to each prompt.
	#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
	fn answers(&self) -> Result<u32, OpenAiError> {
		match number("n", &self.n)? {
			None => Ok(1),
			// What is too many is refused with the other bounds of a job.
			Some(n) if n.fract() == 0.0 && (1.0..1e6).contains(&n) => Ok(n as u32),
			Some(_) => Err(OpenAiError::param("n", "n must be a whole number above 0")),
		}
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

fn spec(model: &str, task: Task, max_tokens: u32, sampling: Sampling, further: Further) -> JobSpec {
	JobSpec { version: SPEC_VERSION, model: model.to_string(), task, max_tokens, sampling, further }
}

impl ChatMessage {
	/// Returns `true` if it holds more than a text.
	fn is_more(&self) -> bool {
		self.role == "tool" || document(&self.tool_calls).is_some()
	}

	/// Its text. An assistant that called a tool said nothing.
	fn text(&self) -> Result<Option<String>, OpenAiError> {
		match &self.content {
			Value::Null if self.role == "assistant" => Ok(None),
			value => content(value).map(Some),
		}
	}

	/// Returns it as an engine is given it that knows tools: the text of its JSON.
	fn whole(&self) -> Result<String, OpenAiError> {
		let mut message = json!({ "role": self.role, "content": self.text()? });
		if let Some(calls) = self.tool_calls.as_ref().filter(|calls| !calls.is_null()) {
			message["tool_calls"] = calls.clone();
		}
		if let Some(id) = &self.tool_call_id {
			message["tool_call_id"] = json!(id);
		}
		Ok(message.to_string())
	}
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
		if is_set(&self.functions) {
			return Err(OpenAiError::not_offered("functions"));
		}
		let task = if self.messages.iter().any(ChatMessage::is_more) {
			let messages = self.messages.iter().map(ChatMessage::whole);
			Task::Messages { messages: messages.collect::<Result<_, OpenAiError>>()? }
		} else {
			let message = |message: &ChatMessage| {
				let (role, content) = (message.role.clone(), message.text()?.unwrap_or_default());
				Ok(Message { role, content })
			};
			let messages = self.messages.iter().map(message);
			Task::Chat { messages: messages.collect::<Result<_, OpenAiError>>()? }
		};
		let asked = tokens("max_completion_tokens", &self.max_completion_tokens)?;
		let asked = asked.or(tokens("max_tokens", &self.max_tokens)?);
		let max_tokens = asked.unwrap_or_else(|| most(&self.model));
		Ok(spec(&self.model, task, max_tokens, self.choice.sampling()?, self.further()?))
	}

	/// What is asked for beyond one text.
	fn further(&self) -> Result<Further, OpenAiError> {
		let tools = document(&self.tools);
		let format = document(&self.response_format);
		let is_text = self.response_format.as_ref().is_some_and(|format| format["type"] == "text");
		let logprobs = match &self.choice.logprobs {
			None | Some(Value::Null | Value::Bool(false)) => None,
			Some(Value::Bool(true)) => Some(top("top_logprobs", &self.top_logprobs)?.unwrap_or(0)),
			// What other servers take: a number as of texts.
			Some(_) => top("logprobs", &self.choice.logprobs)?.filter(|top| *top > 0),
		};
		if logprobs.is_none() && top("top_logprobs", &self.top_logprobs)?.is_some_and(|top| top > 0)
		{
			let message = "top_logprobs is for logprobs: true only";
			return Err(OpenAiError::param("top_logprobs", message));
		}
		Ok(Further {
			n: self.choice.answers()?,
			logprobs,
			tool_choice: tools.as_ref().and(document(&self.tool_choice)),
			tools,
			response_format: format.filter(|_| !is_text),
		})
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
			return Err(OpenAiError::not_offered(name));
		}
		let task = match given("prompt", &self.prompt)? {
			Given::Texts(prompts) => match <[String; 1]>::try_from(prompts) {
				Ok([prompt]) => Task::Completion { prompt },
				Err(prompts) => Task::Completions { prompts },
			},
			Given::Tokens(prompts) => Task::CompletionTokens { prompts },
		};
		let most = tokens("max_tokens", &self.max_tokens)?.unwrap_or(16);
		// Clients send 0 and mean that they want none.
		let logprobs = match &self.choice.logprobs {
			Some(Value::Bool(false)) => None,
			asked => top("logprobs", asked)?.filter(|top| *top > 0),
		};
		let further = Further { n: self.choice.answers()?, logprobs, ..Further::default() };
		Ok(spec(&self.model, task, most, self.choice.sampling()?, further))
	}
}

impl EmbeddingRequest {
	/// Returns the job it asks for.
	///
	/// # Errors
	/// What is not offered, or wrong.
	pub(super) fn job(&self) -> Result<JobSpec, OpenAiError> {
		if self.dimensions.is_some() {
			return Err(OpenAiError::not_offered("dimensions"));
		}
		if self.encoding_format.as_deref().is_some_and(|f| !["float", "base64"].contains(&f)) {
			let message = "encoding_format must be float or base64";
			return Err(OpenAiError::param("encoding_format", message));
		}
		let task = match given("input", &self.input)? {
			Given::Texts(input) => Task::Embedding { input },
			Given::Tokens(input) => Task::EmbeddingTokens { input },
		};
		Ok(spec(&self.model, task, 0, Sampling::default(), Further::default()))
	}

	/// Returns `true` if vectors are wanted as base64.
	pub(super) fn wants_base64(&self) -> bool {
		self.encoding_format.as_deref() == Some("base64")
	}
}

#[cfg(test)]
mod tests {
	use super::*;

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
			("n", json!(0.5)),
			("functions", json!([{}])),
			("logprobs", json!(21)),
			("top_logprobs", json!(3)),
			("presence_penalty", json!(0.5)),
			("top_k", json!(40)),
			("min_p", json!(0.1)),
			("temperature", json!(2.1)),
			("top_p", json!(-0.1)),
			("seed", json!(0.5)),
			("seed", json!(1e300)),
			("max_tokens", json!(-2)),
			("max_tokens", json!("many")),
			("messages", json!([{ "role": "tool", "content": 5 }])),
			("stop", json!(5)),
		] {
			let error = chat(json!({ name: value })).unwrap_err().to_json();
			assert_eq!(error["error"]["param"], name);
			assert_eq!(error["error"]["type"], "invalid_request_error");
		}
		for (name, value) in [
			("n", json!(1)),
			("tools", json!([])),
			("tool_choice", json!("auto")),
			("response_format", json!({ "type": "text" })),
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
	fn what_an_engine_may_know_goes_with_the_job() {
		let tools = json!([{ "type": "function", "function": { "name": "add" } }]);
		let format =
			json!({ "type": "json_schema", "json_schema": { "schema": { "minimum": 0.5 } } });
		let job = chat(json!({ "n": 3, "logprobs": true, "top_logprobs": 2, "tools": tools,
			"tool_choice": "required", "response_format": format }))
		.unwrap();
		let further = job.further;
		assert_eq!((further.n, further.logprobs), (3, Some(2)));
		let tool_choice = further.tool_choice.as_deref();
		assert_eq!((further.tools, tool_choice), (Some(tools.to_string()), Some("\"required\"")));
		assert_eq!(further.response_format, Some(format.to_string()));
		let nothing = chat(json!({ "tool_choice": "auto", "response_format": { "type": "text" } }));
		assert!(nothing.unwrap().further.is_nothing());
		assert_eq!(chat(json!({ "logprobs": true })).unwrap().further.logprobs, Some(0));
	}

	#[test]
	fn a_history_with_tools_is_given_to_the_engine_as_it_came() {
		let calls = json!([{ "id": "c", "type": "function",
			"function": { "name": "add", "arguments": "{}" } }]);
		let said = json!([
			{ "role": "user", "content": "1 + 1?" },
			{ "role": "assistant", "content": null, "tool_calls": calls },
			{ "role": "tool", "tool_call_id": "c", "content": [{ "type": "text", "text": "2" }] },
		]);
		let Task::Messages { messages } = chat(json!({ "messages": said })).unwrap().task else {
			panic!("more than texts")
		};
		let read = |place: usize| serde_json::from_str::<Value>(&messages[place]).unwrap();
		assert_eq!(read(0), json!({ "role": "user", "content": "1 + 1?" }));
		let called = json!({ "role": "assistant", "content": null, "tool_calls": calls });
		assert_eq!(read(1), called);
		assert_eq!(read(2), json!({ "role": "tool", "tool_call_id": "c", "content": "2" }));
	}

	#[test]
	fn several_texts_and_token_ids_are_taken_as_they_come() {
		let completion = |prompt: Value| {
			let request = json!({ "model": "m", "prompt": prompt, "n": 2, "logprobs": 1 });
			serde_json::from_value::<CompletionRequest>(request).unwrap().job()
		};
		let prompts = vec!["a".to_string(), "b".to_string()];
		let job = completion(json!(["a", "b"])).unwrap();
		assert_eq!((job.answers(), job.task), (4, Task::Completions { prompts }));
		assert_eq!(job.further.logprobs, Some(1));
		let tokens = |prompts| Task::CompletionTokens { prompts };
		assert_eq!(completion(json!([1, 2])).unwrap().task, tokens(vec![vec![1, 2]]));
		let two = vec![vec![1], vec![2, 3]];
		assert_eq!(completion(json!([[1], [2, 3]])).unwrap().task, tokens(two));
		for wrong in [json!(["a", [1]]), json!([-1]), json!([1, "a"]), json!([[1], []]), json!(5)] {
			let error = completion(wrong.clone()).unwrap_err().to_json();
			assert_eq!(error["error"]["param"], "prompt", "{wrong}");
		}
		let embedding = json!({ "model": "m", "input": [[1, 2]] });
		let embedding = serde_json::from_value::<EmbeddingRequest>(embedding).unwrap();
		let input = vec![vec![1, 2]];
		assert_eq!(embedding.job().unwrap().task, Task::EmbeddingTokens { input });
	}
}
