//! An engine behind a URL: any server that speaks OpenAI's protocol (vLLM, llama.cpp, …). It may
//! spread one job over as many processors as it likes.
//!
//! Tokens are counted by the server, which has to state them (`usage`); the text is read as it
//! comes. What the server computes is not reproducible to the last bit in general.

use crate::{
	api::{Completion, Embeddings, Engine, Input, Measured, ModelInfo, Request},
	error::EngineError,
};
use bytes::Bytes;
use eventsource_stream::{EventStreamError, Eventsource};
use futures::{StreamExt, stream};
use gridproof_compute_api::protocol::Finish;
use gridproof_primitives::compute::Class;
use gridproof_support::http_client::{self, BodyError};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{
	ops::ControlFlow,
	pin::pin,
	time::{Duration, Instant},
};
use tokio::runtime::Handle;
use zeroize::Zeroizing;

/// How long a server may take to accept a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 32 << 20;
/// The longest text of an error that is passed on, in characters.
const MAX_REASON: usize = 300;

/// Where a server is, and what its operator states about it.
#[derive(Clone)]
pub struct OpenAiOptions {
	/// Its address with or without `/v1`, such as `http://127.0.0.1:8000`.
	pub url: String,
	/// Sent as a bearer token with each request.
	pub api_key: Option<Zeroizing<String>>,
	/// The models to serve, each with the name that the server has for it. If empty: all that the
	/// server lists.
	pub models: Vec<(String, String)>,
	/// What the server computes with.
	pub class: Class,
	/// Memory that the server has in use, in bytes, as its operator states it.
	pub memory_bytes: u64,
	/// How long the server may be silent before a request is given up.
	pub timeout: Duration,
}

/// An engine behind a URL.
pub struct OpenAiEngine {
	options: OpenAiOptions,
	base: String,
	client: reqwest::Client,
	runtime: Handle,
}

#[derive(Deserialize)]
struct Models {
	data: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
	id: String,
	/// vLLM's name for the context.
	max_model_len: Option<u32>,
}

#[derive(Default)]
struct Usage {
	prompt_tokens: u64,
	completion_tokens: u64,
}

impl Usage {
	/// Returns the counts that an answer states; `None` of `null`, `{}` and whatever else says
	/// nothing.
	fn read(stated: &Value) -> Option<Self> {
		let count = |name: &str| stated.get(name).and_then(Value::as_u64);
		let prompt_tokens = count("prompt_tokens")?;
		Some(Self { prompt_tokens, completion_tokens: count("completion_tokens").unwrap_or(0) })
	}
}

#[derive(Deserialize)]
struct Chunk {
	choices: Option<Vec<Choice>>,
	#[serde(default)]
	usage: Value,
	error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
	text: Option<String>,
	#[serde(default)]
	delta: Option<Delta>,
	finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
	content: Option<String>,
}

#[derive(Deserialize)]
struct EmbeddingAnswer {
	data: Vec<Embedded>,
	#[serde(default)]
	usage: Value,
}

#[derive(Deserialize)]
struct Embedded {
	index: usize,
	embedding: Vec<f32>,
}

/// Why a stream of events ends early.
#[derive(Debug)]
enum Broken {
	/// The connection broke, or was silent too long.
	Connection(reqwest::Error),
	/// The answer is longer than [`MAX_ANSWER`].
	Endless,
}

/// What has come of an answer.
#[derive(Default)]
struct Arrived {
	text: String,
	finish: Option<Finish>,
	usage: Option<Usage>,
}

impl OpenAiEngine {
	/// An engine whose requests run on `runtime`. Its methods block: call them from threads that
	/// may, such as those of `spawn_blocking`.
	///
	/// # Errors
	/// [`EngineError::BadRequest`] if the address is not one of an HTTP server.
	pub fn new(options: OpenAiOptions, runtime: Handle) -> Result<Self, EngineError> {
		let trimmed = options.url.trim_end_matches('/');
		let base = trimmed.strip_suffix("/v1").unwrap_or(trimmed).to_string();
		if !base.starts_with("http://") && !base.starts_with("https://") {
			let reason = format!(
				"{:?} is not a server's address; it looks like http://127.0.0.1:8000",
				options.url
			);
			return Err(EngineError::BadRequest(reason));
		}
		let client = http_client::builder()
			.connect_timeout(CONNECT_LIMIT.min(options.timeout))
			.read_timeout(options.timeout)
			.build()
			.map_err(|error| EngineError::Failed(http_client::causes(&error)))?;
		Ok(Self { options, base, client, runtime })
	}

	/// The server's name for a model.
	fn served(&self, name: &str) -> Result<String, EngineError> {
		let models = &self.options.models;
		match models.iter().find(|(public, _)| public == name) {
			Some((_, served)) => Ok(served.clone()),
			None if models.is_empty() => Ok(name.to_string()),
			None => Err(EngineError::UnknownModel {
				wanted: name.to_string(),
				served: models.iter().map(|(public, _)| public.clone()).collect(),
			}),
		}
	}

	fn authorized(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
		match &self.options.api_key {
			Some(key) => request.bearer_auth(key.as_str()),
			None => request,
		}
	}

	async fn send(
		&self,
		request: reqwest::RequestBuilder,
	) -> Result<reqwest::Response, EngineError> {
		let sent = self.authorized(request).send().await;
		let response = sent.map_err(|error| self.unavailable(&error))?;
		let status = response.status();
		if status.is_success() {
			return Ok(response);
		}
		let body = limited(response, 1 << 16).await.unwrap_or_default();
		let reason = reason_in(&body);
		let said = format!("{} answers {status}: {reason}", self.base);
		Err(match status.as_u16() {
			400 | 413 | 422 if is_about_context(&body) => EngineError::ContextExceeded(said),
			400 | 413 | 422 => EngineError::BadRequest(said),
			408 | 429 | 500..=599 => EngineError::Unavailable(said),
			401 | 403 => EngineError::Failed(format!("{said}; is the API key right?")),
			_ => EngineError::Failed(said),
		})
	}

	fn unavailable(&self, error: &reqwest::Error) -> EngineError {
		let what = if error.is_timeout() {
			format!("no word for {} s", self.options.timeout.as_secs_f32())
		} else if error.is_connect() {
			"nobody answers there; is the server running?".to_string()
		} else {
			with_causes(error)
		};
		EngineError::Unavailable(format!("{}: {what}", self.base))
	}

	async fn list(&self) -> Result<Vec<ModelInfo>, EngineError> {
		let response = self.send(self.client.get(format!("{}/v1/models", self.base))).await?;
		let body = limited(response, MAX_ANSWER).await.map_err(EngineError::Failed)?;
		let listed: Models = serde_json::from_slice(&body).map_err(|_| self.not_understood())?;
		let class = self.options.class;
		let context = |served: &str| {
			listed.data.iter().find(|listed| listed.id == served).map(|listed| listed.max_model_len)
		};
		if self.options.models.is_empty() {
			let info = |listed: &Listed| ModelInfo::new(&listed.id, class, listed.max_model_len);
			return Ok(listed.data.iter().map(info).collect());
		}
		let wanted = self.options.models.iter().map(|(public, served)| {
			let context = context(served).ok_or_else(|| EngineError::UnknownModel {
				wanted: served.clone(),
				served: listed.data.iter().map(|listed| listed.id.clone()).collect(),
			})?;
			Ok(ModelInfo::new(public, class, context))
		});
		wanted.collect()
	}

	/// Vectors of all texts in their order, and the tokens read. Where the server refuses several at
	/// once, as those do that have a largest batch, each half is asked for alone.
	async fn embed_all(
		&self,
		served: &str,
		input: &[String],
	) -> Result<(Vec<Vec<f32>>, u64), EngineError> {
		let (mut vectors, mut tokens) = (Vec::with_capacity(input.len()), 0u64);
		let mut waiting = vec![input];
		while let Some(texts) = waiting.pop() {
			match self.embed_some(served, texts).await {
				Ok((some, read)) => {
					vectors.extend(some);
					tokens = tokens.saturating_add(read);
				},
				Err(EngineError::BadRequest(_)) if texts.len() > 1 => {
					let (first, second) = texts.split_at(texts.len() / 2);
					waiting.extend([second, first]);
				},
				Err(error) => return Err(error),
			}
		}
		Ok((vectors, tokens))
	}

	async fn embed_some(
		&self,
		served: &str,
		input: &[String],
	) -> Result<(Vec<Vec<f32>>, u64), EngineError> {
		let body = json!({ "model": served, "input": input, "encoding_format": "float" });
		let url = format!("{}/v1/embeddings", self.base);
		let response = self.send(self.client.post(url).json(&body)).await?;
		let answer = limited(response, MAX_ANSWER).await.map_err(EngineError::Failed)?;
		let mut answer: EmbeddingAnswer =
			serde_json::from_slice(&answer).map_err(|_| self.not_understood())?;
		answer.data.sort_by_key(|embedded| embedded.index);
		if !answer.data.iter().map(|embedded| embedded.index).eq(0..input.len()) {
			let reason = format!("{} answers with other vectors than asked for", self.base);
			return Err(EngineError::Failed(reason));
		}
		let usage = self.usage(Usage::read(&answer.usage))?;
		let vectors = answer.data.into_iter().map(|row| direction(row.embedding)).collect();
		Ok((vectors, usage.prompt_tokens))
	}

	fn not_understood(&self) -> EngineError {
		EngineError::Failed(format!("{} answers in a form that is not OpenAI's", self.base))
	}

	async fn stream(
		&self,
		request: &Request,
		on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
	) -> Result<Arrived, EngineError> {
		let (path, body) = body_of(request, &self.served(&request.model)?);
		let url = format!("{}/v1/{path}", self.base);
		let response = self.send(self.client.post(url).json(&body)).await?;
		let mut read = 0usize;
		let parts = response.bytes_stream().map(move |part| {
			let part = part.map_err(Broken::Connection)?;
			read = read.saturating_add(part.len());
			if read > MAX_ANSWER { Err(Broken::Endless) } else { Ok(part) }
		});
		// The last event of a server need not end.
		let end = stream::iter([Ok(Bytes::from_static(b"\n\n"))]);
		let mut events = pin!(parts.chain(end).eventsource());
		let mut arrived = Arrived::default();
		while let Some(event) = events.next().await {
			let event = event.map_err(|error| self.broken(error))?;
			if self.event(event.data.trim(), &mut arrived, on_text)? {
				break;
			}
		}
		Ok(arrived)
	}

	fn broken(&self, error: EventStreamError<Broken>) -> EngineError {
		match error {
			EventStreamError::Transport(Broken::Connection(error)) => self.unavailable(&error),
			EventStreamError::Transport(Broken::Endless) => {
				EngineError::Failed(format!("{} answers without end", self.base))
			},
			EventStreamError::Utf8(_) | EventStreamError::Parser(_) => self.not_understood(),
		}
	}

	/// Takes the data of one event; returns `true` if it says that there are no more.
	fn event(
		&self,
		data: &str,
		arrived: &mut Arrived,
		on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
	) -> Result<bool, EngineError> {
		if data.is_empty() {
			return Ok(false);
		}
		if data == "[DONE]" {
			return Ok(true);
		}
		let chunk: Option<Chunk> = serde_json::from_str(data).map_err(|_| self.not_understood())?;
		let Some(chunk) = chunk else { return Ok(false) };
		if let Some(error) = chunk.error {
			let reason = reason_in(error.to_string().as_bytes());
			return Err(EngineError::Failed(format!("{} breaks off: {reason}", self.base)));
		}
		if let Some(choice) = chunk.choices.into_iter().flatten().next() {
			let text = choice.text.or_else(|| choice.delta.and_then(|delta| delta.content));
			let text = text.unwrap_or_default();
			if on_text(&text).is_break() {
				return Err(EngineError::Cancelled);
			}
			arrived.text.push_str(&text);
			match choice.finish_reason.as_deref() {
				None | Some("") => (),
				Some(reason) => arrived.finish = Some(self.finish(reason)?),
			}
		}
		arrived.usage = Usage::read(&chunk.usage).or(arrived.usage.take());
		Ok(false)
	}

	/// Returns the end that a server's word means. An end that is not known is none: a server that is
	/// put to sleep says `abort`, and nobody pays for half an answer.
	fn finish(&self, reason: &str) -> Result<Finish, EngineError> {
		match reason {
			"stop" | "stop_sequence" | "eos" | "eos_token" | "end_turn" => Ok(Finish::Stop),
			"length" | "max_tokens" | "model_length" => Ok(Finish::Length),
			other => {
				let other: String = other.chars().take(40).collect();
				let said = format!("{} ends the answer with {other:?}", self.base);
				Err(EngineError::Unavailable(said))
			},
		}
	}

	fn measured(&self, begun: Instant, tokens: u64) -> Measured {
		let wall = begun.elapsed().max(Duration::from_nanos(1));
		Measured { wall, memory_bytes: self.options.memory_bytes, tokens }
	}

	fn usage(&self, usage: Option<Usage>) -> Result<Usage, EngineError> {
		usage.ok_or_else(|| {
			let reason = "does not state the tokens used (usage); they are what is paid for";
			EngineError::Failed(format!("{} {reason}", self.base))
		})
	}
}

impl Engine for OpenAiEngine {
	fn models(&self) -> Result<Vec<ModelInfo>, EngineError> {
		self.runtime.block_on(self.list())
	}

	fn complete(
		&self,
		request: &Request,
		on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
	) -> Result<Completion, EngineError> {
		let begun = Instant::now();
		let arrived = self.runtime.block_on(self.stream(request, on_text))?;
		let Some(finish) = arrived.finish else {
			let reason = format!("{} broke off in the middle of an answer", self.base);
			return Err(EngineError::Unavailable(reason));
		};
		let usage = self.usage(arrived.usage)?;
		if usage.completion_tokens == 0 {
			let reason = format!("{} ends without having made a token", self.base);
			return Err(EngineError::Unavailable(reason));
		}
		let tokens = usage.prompt_tokens.saturating_add(usage.completion_tokens);
		Ok(Completion {
			text: arrived.text,
			tokens: Vec::new(),
			prompt_tokens: usage.prompt_tokens,
			completion_tokens: usage.completion_tokens,
			finish,
			measured: self.measured(begun, tokens),
		})
	}

	fn embed(&self, model: &str, input: &[String]) -> Result<Embeddings, EngineError> {
		let begun = Instant::now();
		let served = self.served(model)?;
		let (vectors, prompt_tokens) = self.runtime.block_on(self.embed_all(&served, input))?;
		let measured = self.measured(begun, prompt_tokens);
		Ok(Embeddings { vectors, prompt_tokens, measured })
	}
}

/// The vector of length one that points the same way.
fn direction(mut vector: Vec<f32>) -> Vec<f32> {
	let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
	if length > 0.0 {
		vector.iter_mut().for_each(|x| *x /= length);
	}
	vector
}

/// Path and body of a request for a stream.
fn body_of(request: &Request, served: &str) -> (&'static str, Value) {
	let sampling = &request.sampling;
	let mut body = Map::new();
	let mut put = |name: &str, value: Value| body.insert(name.to_string(), value);
	put("model", json!(served));
	put("max_tokens", json!(request.max_tokens));
	put("temperature", json!(f64::from(sampling.temperature_milli) / 1_000.0));
	put("top_p", json!(f64::from(sampling.top_p_milli) / 1_000.0));
	// Servers read it as a signed number.
	put("seed", json!(sampling.seed & 0x7fff_ffff_ffff_ffff));
	put("stream", json!(true));
	put("stream_options", json!({ "include_usage": true }));
	if !sampling.stop.is_empty() {
		put("stop", json!(sampling.stop));
	}
	match &request.input {
		Input::Text(prompt) => {
			put("prompt", json!(prompt));
			("completions", Value::Object(body))
		},
		Input::Chat(messages) => {
			let messages = messages.iter().map(|m| json!({ "role": m.role, "content": m.content }));
			put("messages", messages.collect());
			("chat/completions", Value::Object(body))
		},
	}
}

/// A body of at most so many bytes.
async fn limited(response: reqwest::Response, most: usize) -> Result<Vec<u8>, String> {
	http_client::body(response, most).await.map_err(|error| match error {
		BodyError::Broken(error) => with_causes(&error),
		BodyError::TooLong(_) => "the answer is too long".to_string(),
	})
}

/// Returns `true` if a refusal is about the length of the prompt. llama.cpp and OpenAI have a name
/// for that; vLLM says it in its message only, where the context is named.
fn is_about_context(body: &[u8]) -> bool {
	let value: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
	let name = ["/error/code", "/error/type", "/code", "/type"].into_iter().any(|path| {
		let name = value.pointer(path).and_then(Value::as_str);
		matches!(name, Some("context_length_exceeded" | "exceed_context_size_error"))
	});
	name || reason_in(body).contains("context")
}

/// The message in an error's body, or its first characters.
fn reason_in(body: &[u8]) -> String {
	let value: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
	let found = ["/error/message", "/message", "/error", "/detail"]
		.iter()
		.find_map(|path| value.pointer(path).and_then(Value::as_str));
	let text = found.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_string);
	text.chars().filter(|c| !c.is_control()).take(MAX_REASON).collect()
}

/// An error's causes, without its own text: that holds the address, which may hold a secret.
fn with_causes(error: &reqwest::Error) -> String {
	let cause = std::error::Error::source(error);
	cause.map_or_else(|| "the connection failed".to_string(), http_client::causes)
}
