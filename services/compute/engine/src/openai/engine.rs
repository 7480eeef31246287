//! The engine itself: requests to a server, and what becomes of its answers.

use super::{
	answer::{Arrived, Chunk, Usage},
	body::{body_of, messages},
	embedded::EmbeddingAnswer,
	forced::{self, ForcedAnswer},
	kind::{Kind, Known, Listed, Models},
	problem::{is_about_context, limited, reason_in, with_causes},
};
use crate::{
	api::{Completion, Embeddings, Engine, Input, Measured, ModelInfo, Offers, Request},
	error::EngineError,
	forced::{Claim, Forced},
	memory::{MemoryOptions, MemoryReading, ServerMemory},
};
use bytes::Bytes;
use eventsource_stream::{EventStreamError, Eventsource};
use futures::{StreamExt, future::BoxFuture, stream};
use gridproof_primitives::compute::{Class, channels::Sampler};
use gridproof_support::{Lock, http_client};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{
	ops::ControlFlow,
	sync::Mutex,
	time::{Duration, Instant},
};
use tokio::runtime::Handle;
use zeroize::Zeroizing;

/// How long a server may take to accept a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long the end of an answer may take after its last event.
const DRAIN: Duration = Duration::from_secs(1);
/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 32 << 20;

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
	/// What its operator states about its memory, and whether that is measured.
	pub memory: MemoryOptions,
	/// Token id of the model's own end. A forced pass needs it to see that an answer was cut short.
	pub end_token: Option<u32>,
	/// How long the server may be silent before a request is given up.
	pub timeout: Duration,
}

/// An engine behind a URL.
pub struct OpenAiEngine {
	options: OpenAiOptions,
	base: String,
	client: reqwest::Client,
	runtime: Handle,
	memory: ServerMemory,
	/// What its list of models said last.
	known: Mutex<Option<Known>>,
}

/// Why a stream of events ends early.
#[derive(Debug)]
enum Broken {
	/// The connection broke, or was silent too long.
	Connection(reqwest::Error),
	/// The answer is longer than [`MAX_ANSWER`].
	Endless,
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
		let port = port_here(&base);
		let uses_gpus = options.class == Class::Gpu;
		let memory = ServerMemory::new(options.memory.clone(), port, uses_gpus);
		Ok(Self { options, base, client, runtime, memory, known: Mutex::default() })
	}

	/// Returns the memory that the server has in use, and where that figure comes from.
	pub fn memory(&self) -> MemoryReading {
		self.memory.read(self.known.locked().and_then(|known| known.model_bytes))
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

	fn send(
		&self,
		request: reqwest::RequestBuilder,
	) -> BoxFuture<'_, Result<reqwest::Response, EngineError>> {
		Box::pin(async move {
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
		*self.known.locked() = Some(listed.known());
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

	/// Which server it is: as its list says, which is asked for if it was not yet.
	async fn kind(&self) -> Result<Kind, EngineError> {
		let known = *self.known.locked();
		if let Some(known) = known {
			return Ok(known.kind);
		}
		self.list().await?;
		Ok(self.known.locked().map_or(Kind::Other, |known| known.kind))
	}

	/// Which server a request is for, and that it offers what is asked for. Plain requests need not
	/// know.
	async fn kind_for(&self, request: &Request) -> Result<Kind, EngineError> {
		let is_text = matches!(request.input, Input::Text(_) | Input::Chat(_));
		let asks = request.extras.beyond(&Offers::default()).is_some() || !is_text;
		if !asks && !request.extras.ids {
			return Ok(self.known.locked().map_or(Kind::Other, |known| known.kind));
		}
		let kind = match self.kind().await {
			Ok(kind) => kind,
			// Without ids there is an answer all the same.
			Err(_) if !asks => Kind::Other,
			Err(error) => return Err(error),
		};
		let offers = kind.offers();
		let beyond = match request.input {
			Input::Tokens(_) if !offers.token_input => Some("token ids as input"),
			Input::Messages(_) if !offers.tools => Some("messages with more than a text"),
			_ => request.extras.beyond(&offers),
		};
		beyond.map_or(Ok(kind), |what| Err(self.not_offered(what)))
	}

	fn not_offered(&self, what: &'static str) -> EngineError {
		EngineError::NotOffered { what, engine: self.base.clone() }
	}

	/// Vectors of all texts in their order, and the tokens read. Where the server refuses several at
	/// once, as those do that have a largest batch, each half is asked for alone.
	async fn embed_all(
		&self,
		served: &str,
		input: &[Value],
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
		input: &[Value],
	) -> Result<(Vec<Vec<f32>>, u64), EngineError> {
		let body = json!({ "model": served, "input": input, "encoding_format": "float" });
		let answer: EmbeddingAnswer = self.ask("v1/embeddings", &body).await?;
		let usage = answer.usage();
		let vectors = answer.vectors(input.len()).ok_or_else(|| {
			let reason = format!("{} answers with other vectors than asked for", self.base);
			EngineError::Failed(reason)
		})?;
		Ok((vectors, self.usage(usage)?.prompt_tokens))
	}

	fn embed_values(&self, model: &str, input: Vec<Value>) -> Result<Embeddings, EngineError> {
		let begun = Instant::now();
		let served = self.served(model)?;
		let (vectors, prompt_tokens) = self.runtime.block_on(self.embed_all(&served, &input))?;
		let measured = self.measured(begun, prompt_tokens);
		Ok(Embeddings { vectors, ids: Vec::new(), prompt_tokens, measured })
	}

	/// Posts a body and reads the whole answer.
	async fn ask<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, EngineError> {
		let url = format!("{}/{path}", self.base);
		let response = self.send(self.client.post(url).json(body)).await?;
		let answer = limited(response, MAX_ANSWER).await.map_err(EngineError::Failed)?;
		serde_json::from_slice(&answer).map_err(|_| self.not_understood())
	}

	/// The token ids that the server reads an input as.
	async fn ids_of(
		&self,
		kind: Kind,
		served: &str,
		input: &Input,
		tools: Option<&Value>,
	) -> Result<Vec<u32>, EngineError> {
		let body = match (kind, input) {
			(Kind::Other, _) => return Err(self.not_offered("tokenize")),
			(_, Input::Tokens(tokens)) => return Ok(tokens.clone()),
			(Kind::Vllm, Input::Text(text)) => json!({ "model": served, "prompt": text }),
			(Kind::Vllm, Input::Chat(_) | Input::Messages(_)) => {
				json!({ "model": served, "messages": messages(input), "tools": tools })
			},
			(Kind::LlamaCpp, Input::Text(text)) => llama_text(text),
			(Kind::LlamaCpp, Input::Chat(_) | Input::Messages(_)) => {
				let body = json!({ "messages": messages(input), "tools": tools });
				let framed: Framed = self.ask("apply-template", &body).await?;
				llama_text(&framed.prompt)
			},
		};
		Ok(self.ask::<Tokenized>("tokenize", &body).await?.tokens)
	}

	fn not_understood(&self) -> EngineError {
		EngineError::Failed(format!("{} answers in a form that is not OpenAI's", self.base))
	}

	async fn stream(
		&self,
		request: &Request,
		on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
	) -> Result<Arrived, EngineError> {
		let served = self.served(&request.model)?;
		let kind = self.kind_for(request).await?;
		let (path, body) = body_of(request, &served, kind);
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
		let mut events = Box::pin(parts.chain(end).eventsource());
		let mut arrived = Arrived::default();
		while let Some(event) = events.next().await {
			let event = event.map_err(|error| self.broken(error))?;
			if self.event(event.data.trim(), &mut arrived, on_text)? {
				// Read to its end, the connection serves the next request.
				tokio::spawn(tokio::time::timeout(DRAIN, async move {
					while let Some(Ok(_)) = events.next().await {}
				}));
				break;
			}
		}
		if request.extras.ids && kind == Kind::LlamaCpp && arrived.finish.is_some() {
			let tools = request.extras.tools.as_ref();
			// An answer without ids is one all the same.
			let ids = self.ids_of(kind, &served, &request.input, tools).await;
			arrived.prompt_ids = ids.unwrap_or_default();
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
		if let Some(error) = &chunk.error {
			let reason = reason_in(error.to_string().as_bytes());
			return Err(EngineError::Failed(format!("{} breaks off: {reason}", self.base)));
		}
		let text = arrived.take(chunk).map_err(|end| {
			EngineError::Unavailable(format!("{} ends the answer with {end:?}", self.base))
		})?;
		match text {
			Some(text) if on_text(&text).is_break() => Err(EngineError::Cancelled),
			_ => Ok(false),
		}
	}

	fn measured(&self, begun: Instant, tokens: u64) -> Measured {
		let wall = begun.elapsed().max(Duration::from_nanos(1));
		Measured { wall, memory_bytes: self.memory().bytes, tokens }
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
		let is_greedy = request.sampling.temperature_milli == 0;
		let mut done = Completion {
			text: arrived.text,
			tokens: arrived.ids,
			prompt_ids: arrived.prompt_ids,
			prompt_tokens: usage.prompt_tokens,
			completion_tokens: usage.completion_tokens,
			finish,
			sampler: if is_greedy { Sampler::Greedy } else { Sampler::Engine },
			logprobs: arrived.logprobs,
			tool_calls: arrived.tool_calls,
			measured: self.measured(begun, tokens),
		};
		// Ids that are not those of the tokens that are paid for are none.
		if !done.has_ids() {
			(done.tokens, done.prompt_ids) = Default::default();
		}
		if request.extras.logprobs.is_none() {
			done.logprobs.clear();
		}
		Ok(done)
	}

	fn embed(&self, model: &str, input: &[String]) -> Result<Embeddings, EngineError> {
		self.embed_values(model, input.iter().map(|text| json!(text)).collect())
	}

	fn embed_tokens(&self, model: &str, input: &[Vec<u32>]) -> Result<Embeddings, EngineError> {
		if !self.runtime.block_on(self.kind())?.offers().token_input {
			return Err(self.not_offered("token ids as input"));
		}
		self.embed_values(model, input.iter().map(|tokens| json!(tokens)).collect())
	}

	fn offers(&self, model: &str) -> Result<Offers, EngineError> {
		self.served(model)?;
		Ok(self.runtime.block_on(self.kind())?.offers())
	}

	fn tokenize(&self, model: &str, input: &Input) -> Result<Vec<u32>, EngineError> {
		let served = self.served(model)?;
		self.runtime.block_on(async {
			let kind = self.kind().await?;
			self.ids_of(kind, &served, input, None).await
		})
	}

	fn force(&self, claim: &Claim) -> Result<Forced, EngineError> {
		let served = self.served(&claim.model)?;
		forced::check(claim)?;
		let answer: ForcedAnswer = self.runtime.block_on(async {
			if !self.kind().await?.offers().forced {
				return Err(self.not_offered("a forced pass"));
			}
			let body = forced::body_of(claim, &served, self.options.end_token);
			self.ask("v1/completions", &body).await
		})?;
		answer.judged(claim, self.options.end_token).ok_or_else(|| self.not_understood())
	}
}

/// An answer of `tokenize`, of both servers.
#[derive(Deserialize)]
struct Tokenized {
	tokens: Vec<u32>,
}

/// A conversation as the text that a model is given.
#[derive(Deserialize)]
struct Framed {
	prompt: String,
}

/// What llama.cpp is asked for a text's tokens as its completions read them.
fn llama_text(text: &str) -> Value {
	json!({ "content": text, "add_special": true, "parse_special": true })
}

/// The port of an address of this machine; `None` of any other.
fn port_here(base: &str) -> Option<u16> {
	let url = reqwest::Url::parse(base).ok()?;
	let is_here = matches!(url.host_str()?, "localhost" | "127.0.0.1" | "[::1]");
	if is_here { url.port_or_known_default() } else { None }
}
