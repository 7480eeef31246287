//! An engine behind a URL, against a small server that answers as vLLM and llama.cpp do.

use axum::{
	Json, Router,
	body::{Body, Bytes},
	extract::{Request, State},
	http::{HeaderMap, StatusCode},
	response::{IntoResponse, Response},
	routing::{get, post},
};
use futures::{StreamExt, stream};
use gridproof_compute_api::protocol::{Finish, Message, Sampling};
use gridproof_engine::{
	Completion, Engine, EngineError, Input, MemoryOptions, OpenAiEngine, OpenAiOptions,
	Request as EngineRequest,
};
use gridproof_primitives::compute::Class;
use serde_json::{Value, json};
use std::{
	convert::Infallible,
	ops::ControlFlow,
	sync::{Arc, Mutex},
	time::Duration,
};
use tokio::{net::TcpListener, runtime::Handle};

/// What the server answers, and what it was asked.
struct Server {
	url: String,
	asked: Asked,
}

type Asked = Arc<Mutex<Vec<(String, HeaderMap, Value)>>>;
type Answer = Arc<dyn Fn() -> Response + Send + Sync>;

async fn answer(State((asked, answer)): State<(Asked, Answer)>, request: Request) -> Response {
	let (parts, body) = request.into_parts();
	let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
	let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
	asked.lock().unwrap().push((parts.uri.path().to_string(), parts.headers, body));
	answer()
}

impl Server {
	async fn new(answers: impl Fn() -> Response + Send + Sync + 'static) -> Self {
		let asked = Asked::default();
		let models = json!({ "object": "list", "data": [
			{ "id": "Qwen/Qwen2.5-7B-Instruct", "object": "model", "max_model_len": 32_768 },
			{ "id": "other", "object": "model" },
		] });
		let router = Router::new()
			.route("/v1/models", get(async move || Json(models)))
			.route("/v1/completions", post(answer))
			.route("/v1/chat/completions", post(answer))
			.route("/v1/embeddings", post(answer))
			.with_state((asked.clone(), Arc::new(answers) as Answer));
		let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
		let url = format!("http://{}", listener.local_addr().unwrap());
		tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
		Self { url, asked }
	}

	fn options(&self) -> OpenAiOptions {
		OpenAiOptions {
			url: self.url.clone(),
			api_key: None,
			models: Vec::new(),
			class: Class::Gpu,
			memory: MemoryOptions { stated: Some(24_000_000_000), ..MemoryOptions::default() },
			end_token: None,
			timeout: Duration::from_millis(500),
		}
	}

	async fn ask(&self, request: EngineRequest) -> Result<(Completion, Vec<String>), EngineError> {
		complete(self.options(), request).await
	}

	fn asked(&self) -> (String, HeaderMap, Value) {
		self.asked.lock().unwrap().last().unwrap().clone()
	}
}

async fn complete(
	options: OpenAiOptions,
	request: EngineRequest,
) -> Result<(Completion, Vec<String>), EngineError> {
	let engine = OpenAiEngine::new(options, Handle::current())?;
	let work = move || {
		let mut pieces = Vec::new();
		let done = engine.complete(&request, &mut |text| {
			pieces.push(text.to_string());
			ControlFlow::Continue(())
		})?;
		Ok((done, pieces))
	};
	tokio::task::spawn_blocking(work).await.unwrap()
}

fn request(input: Input) -> EngineRequest {
	let sampling = Sampling {
		temperature_milli: 700,
		top_p_milli: 950,
		seed: 42,
		stop: vec!["END".to_string()],
	};
	EngineRequest::new("other", input, 16, sampling)
}

fn text() -> EngineRequest {
	request(Input::Text("Once".to_string()))
}

/// Events as a server sends them, in pieces that respect no border.
fn events(chunks: &[Value], done: bool) -> Response {
	let mut all = String::from(": a comment\n\n");
	for chunk in chunks {
		all.push_str(&format!("data: {chunk}\r\n\r\n"));
	}
	if done {
		all.push_str("data: [DONE]\n\n");
	}
	let pieces: Vec<Result<Bytes, Infallible>> =
		all.as_bytes().chunks(7).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
	Body::from_stream(stream::iter(pieces)).into_response()
}

fn usage() -> Value {
	json!({ "choices": [], "usage": { "prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8 } })
}

fn completion() -> Vec<Value> {
	vec![
		json!({ "choices": [{ "index": 0, "text": " upon", "finish_reason": null }] }),
		json!({ "choices": [{ "index": 0, "text": " a caf\u{e9}", "finish_reason": null }] }),
		json!({ "choices": [{ "index": 0, "text": "", "finish_reason": "length" }] }),
		usage(),
	]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_gone_on_with_as_it_streams() {
	let server = Server::new(|| events(&completion(), true)).await;
	let (done, pieces) = server.ask(text()).await.unwrap();
	assert_eq!((done.text.as_str(), pieces.concat()), (" upon a café", done.text.clone()));
	assert_eq!((done.prompt_tokens, done.completion_tokens, done.finish), (5, 3, Finish::Length));
	assert_eq!((done.measured.tokens, done.measured.memory_bytes), (8, 24_000_000_000));
	assert!(done.measured.wall > Duration::ZERO);
	let (path, _, body) = server.asked();
	assert_eq!(path, "/v1/completions");
	let wanted = json!({
		"model": "other", "prompt": "Once", "max_tokens": 16, "temperature": 0.7, "top_p": 0.95,
		"seed": 42, "stop": ["END"], "stream": true, "stream_options": { "include_usage": true },
	});
	assert_eq!(body, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_answered() {
	let chunks = vec![
		json!({ "choices": [{ "delta": { "role": "assistant", "content": null } }] }),
		json!({ "choices": [{ "delta": { "content": "Good" } }] }),
		json!({ "choices": [{ "delta": { "content": " day" }, "finish_reason": "stop" }] }),
		usage(),
	];
	let server = Server::new(move || events(&chunks, true)).await;
	let message = Message { role: "user".to_string(), content: "Hello".to_string() };
	let (done, _) = server.ask(request(Input::Chat(vec![message]))).await.unwrap();
	assert_eq!((done.text.as_str(), done.finish), ("Good day", Finish::Stop));
	let (path, _, body) = server.asked();
	assert_eq!(path, "/v1/chat/completions");
	assert_eq!(body["messages"], json!([{ "role": "user", "content": "Hello" }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_without_its_last_mark_is_whole_if_it_ended() {
	let server = Server::new(|| events(&completion(), false)).await;
	assert_eq!(server.ask(text()).await.unwrap().0.text, " upon a café");
}

#[tokio::test(flavor = "multi_thread")]
async fn models_have_the_names_that_the_operator_gave_them() {
	let server = Server::new(|| events(&completion(), true)).await;
	let models = |options: OpenAiOptions| async {
		let engine = OpenAiEngine::new(options, Handle::current()).unwrap();
		tokio::task::spawn_blocking(move || engine.models()).await.unwrap()
	};
	let all = models(server.options()).await.unwrap();
	let found: Vec<_> = all.iter().map(|m| (m.name.as_str(), m.factor, m.context)).collect();
	let wanted = [("Qwen/Qwen2.5-7B-Instruct", 12_000, Some(32_768)), ("other", 5_000, None)];
	assert_eq!(found, wanted);
	let served = "Qwen/Qwen2.5-7B-Instruct".to_string();
	let named = OpenAiOptions {
		models: vec![("qwen-7b".to_string(), served.clone())],
		url: format!("{}/v1/", server.url),
		..server.options()
	};
	assert_eq!(models(named.clone()).await.unwrap()[0].name, "qwen-7b");
	let asked = EngineRequest { model: "qwen-7b".to_string(), ..text() };
	complete(named.clone(), asked).await.unwrap();
	assert_eq!(server.asked().2["model"], json!(served));
	let unknown = complete(named, text()).await.unwrap_err();
	assert_eq!(unknown.to_string(), "no model \"other\" here; there is qwen-7b");
	let missing =
		OpenAiOptions { models: vec![("x".to_string(), "y".to_string())], ..server.options() };
	let fault = models(missing).await.unwrap_err();
	assert!(matches!(fault, EngineError::UnknownModel { wanted, .. } if wanted == "y"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_key_goes_along_and_is_never_shown() {
	let refuse = || (StatusCode::UNAUTHORIZED, "{\"error\":{\"message\":\"bad key\"}}");
	let server = Server::new(move || refuse().into_response()).await;
	let secret = "sk-secret".to_string();
	let options = OpenAiOptions { api_key: Some(secret.clone().into()), ..server.options() };
	let fault = complete(options, text()).await.unwrap_err().to_string();
	assert!(fault.contains("bad key") && fault.contains("is the API key right?"), "{fault}");
	assert!(!fault.contains(&secret));
	assert_eq!(server.asked().1["authorization"], "Bearer sk-secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_says_is_wrong_is_passed_on() {
	type Kind = fn(&EngineError) -> bool;
	let bad: Kind = |fault| matches!(fault, EngineError::BadRequest(_));
	let away: Kind = |fault| fault.is_temporary();
	let failed: Kind = |fault| matches!(fault, EngineError::Failed(_));
	let cases: [(StatusCode, &str, Kind, &str); 6] = [
		(StatusCode::BAD_REQUEST, r#"{"error":{"message":"no such field"}}"#, bad, "no such"),
		(StatusCode::BAD_REQUEST, r#"{"message":"of vLLM"}"#, bad, "of vLLM"),
		(StatusCode::TOO_MANY_REQUESTS, "slow down", away, "slow down"),
		(StatusCode::SERVICE_UNAVAILABLE, r#"{"error":"loading model"}"#, away, "loading model"),
		(StatusCode::NOT_FOUND, "no such path", failed, "no such path"),
		(StatusCode::OK, "data: {no json}\n", failed, "not OpenAI's"),
	];
	for (status, body, kind, reason) in cases {
		let server = Server::new(move || (status, body).into_response()).await;
		let fault = server.ask(text()).await.unwrap_err();
		assert!(kind(&fault) && fault.to_string().contains(reason), "{fault:?}");
		assert!(fault.to_string().contains(&server.url), "{fault}");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_is_none() {
	let half = completion()[..2].to_vec();
	let server = Server::new(move || events(&half, false)).await;
	let fault = server.ask(text()).await.unwrap_err();
	assert!(fault.is_temporary() && fault.to_string().contains("broke off"), "{fault}");
	let error = vec![completion()[0].clone(), json!({ "error": { "message": "out of memory" } })];
	let server = Server::new(move || events(&error, true)).await;
	let fault = server.ask(text()).await.unwrap_err().to_string();
	assert!(fault.contains("out of memory"), "{fault}");
}

/// Three words, then an end.
fn three_words(reason: &str) -> Vec<Value> {
	let word = |text: &str, reason: Value| json!({ "choices": [{ "index": 0, "text": text, "finish_reason": reason }] });
	vec![
		word("One", Value::Null),
		word(" two", Value::Null),
		word(" three", Value::Null),
		word("", json!(reason)),
		usage(),
	]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_not_known_is_not_an_answer() {
	for reason in ["abort", "cancelled", "error", "content_filter", "Stop"] {
		let server = Server::new(move || events(&three_words(reason), true)).await;
		let fault = server.ask(text()).await.unwrap_err();
		assert!(fault.is_temporary() && fault.to_string().contains(reason), "{fault}");
	}
	for (reason, finish) in [("eos_token", Finish::Stop), ("max_tokens", Finish::Length)] {
		let server = Server::new(move || events(&three_words(reason), true)).await;
		assert_eq!(server.ask(text()).await.unwrap().0.finish, finish);
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_reason_is_none_and_a_stream_that_ends_there_is_cut() {
	let mut chunks = three_words("");
	for (count, chunk) in chunks.iter_mut().take(4).enumerate() {
		chunk["usage"] = json!({ "prompt_tokens": 7, "completion_tokens": count });
		chunk["choices"][0]["finish_reason"] = json!("");
	}
	let server = Server::new(move || events(&chunks[..4], false)).await;
	let fault = server.ask(text()).await.unwrap_err();
	assert!(fault.is_temporary() && fault.to_string().contains("broke off"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_made_nothing_is_not_paid() {
	let chunks = vec![
		json!({ "choices": [{ "text": "", "finish_reason": "stop" }] }),
		json!({ "choices": [], "usage": { "prompt_tokens": 5, "completion_tokens": 0 } }),
	];
	let server = Server::new(move || events(&chunks, true)).await;
	let fault = server.ask(text()).await.unwrap_err();
	assert!(fault.is_temporary() && fault.to_string().contains("a token"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_nothing_in_a_stream_is_passed_over() {
	let mut chunks = three_words("stop");
	for (place, nothing) in
		[json!({}), json!(null), json!({ "total_tokens": 4 })].iter().enumerate()
	{
		chunks[place]["usage"] = nothing.clone();
	}
	chunks[4]["choices"] = Value::Null;
	chunks.insert(2, Value::Null);
	chunks.push(json!({ "choices": null, "usage": null }));
	let server = Server::new(move || events(&chunks, true)).await;
	let (done, _) = server.ask(text()).await.unwrap();
	assert_eq!((done.text.as_str(), done.completion_tokens), ("One two three", 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_is_too_long_is_the_requests_own_fault() {
	for body in [
		r#"{"error":{"message":"the prompt has 12000 tokens, the context 512","code":400}}"#,
		r#"{"error":{"message":"too many","type":"exceed_context_size_error"}}"#,
		r#"{"error":{"message":"too many","code":"context_length_exceeded"}}"#,
	] {
		let server = Server::new(move || (StatusCode::BAD_REQUEST, body).into_response()).await;
		let fault = server.ask(text()).await.unwrap_err();
		assert!(matches!(fault, EngineError::ContextExceeded(_)), "{fault:?}");
		assert!(fault.is_requests_own() && !fault.is_temporary());
	}
}

/// A server of vectors that takes so many texts at a time.
async fn batches(most: usize) -> (String, Arc<Mutex<Vec<usize>>>) {
	let seen = Arc::new(Mutex::new(Vec::new()));
	let counted = seen.clone();
	let embed = move |Json(body): Json<Value>| async move {
		let texts = body["input"].as_array().unwrap().clone();
		counted.lock().unwrap().push(texts.len());
		if texts.len() > most {
			let refused = json!({ "error": "too many texts", "error_type": "Validation" });
			return (StatusCode::UNPROCESSABLE_ENTITY, Json(refused)).into_response();
		}
		let row = |(index, text): (usize, &Value)| {
			let number: f32 = text.as_str().unwrap().parse().unwrap();
			json!({ "index": index, "embedding": [number, 1.0] })
		};
		let data: Vec<Value> = texts.iter().enumerate().map(row).collect();
		Json(json!({ "data": data, "usage": { "prompt_tokens": 3 * texts.len() } })).into_response()
	};
	let router = Router::new().route("/v1/embeddings", post(embed));
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let url = format!("http://{}", listener.local_addr().unwrap());
	tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
	(url, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_beyond_a_servers_batch_are_asked_for_in_parts() {
	let server = Server::new(|| StatusCode::OK.into_response()).await;
	for (most, requests) in [(32, vec![40, 20, 20]), (40, vec![40])] {
		let (url, seen) = batches(most).await;
		let options = OpenAiOptions { url, ..server.options() };
		let engine = OpenAiEngine::new(options, Handle::current()).unwrap();
		let texts: Vec<String> = (0..40).map(|number| number.to_string()).collect();
		let found = tokio::task::spawn_blocking(move || engine.embed("other", &texts));
		let found = found.await.unwrap().unwrap();
		assert_eq!((found.vectors.len(), found.prompt_tokens), (40, 120));
		for (number, vector) in found.vectors.iter().enumerate() {
			assert!((vector[0] / vector[1] - number as f32).abs() < 1e-3, "text {number}");
		}
		assert_eq!(*seen.lock().unwrap(), requests);
	}
	let (url, seen) = batches(0).await;
	let options = OpenAiOptions { url, ..server.options() };
	let engine = OpenAiEngine::new(options, Handle::current()).unwrap();
	let texts = vec!["1".to_string(); 4];
	let refused = tokio::task::spawn_blocking(move || engine.embed("other", &texts)).await.unwrap();
	assert!(matches!(refused, Err(EngineError::BadRequest(_))));
	assert_eq!(*seen.lock().unwrap(), [4, 2, 1], "the first text that is refused ends it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_states_no_tokens_cannot_be_paid_for() {
	let chunks = completion()[..3].to_vec();
	let server = Server::new(move || events(&chunks, true)).await;
	let fault = server.ask(text()).await.unwrap_err();
	assert!(matches!(&fault, EngineError::Failed(reason) if reason.contains("usage")), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_or_silent_is_said_so() {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let url = format!("http://{}", listener.local_addr().unwrap());
	let server = Server::new(|| {
		let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"data: "))]);
		Body::from_stream(first.chain(stream::pending())).into_response()
	})
	.await;
	let fault = server.ask(text()).await.unwrap_err();
	assert!(fault.is_temporary() && fault.to_string().contains("no word for 0.5 s"), "{fault}");
	drop(listener);
	let away = OpenAiOptions { url, ..server.options() };
	let fault = complete(away, text()).await.unwrap_err();
	assert!(fault.is_temporary() && fault.to_string().contains("nobody answers"), "{fault}");
	let nowhere = OpenAiOptions { url: "127.0.0.1:8000".to_string(), ..server.options() };
	let fault = OpenAiEngine::new(nowhere, Handle::current()).err().unwrap();
	assert!(fault.to_string().contains("http://127.0.0.1:8000"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_wants_is_given_up() {
	let server = Server::new(|| {
		let one = format!("data: {}\n\n", completion()[0]);
		let endless = stream::repeat_with(move || Ok::<_, Infallible>(Bytes::from(one.clone())));
		let endless = endless.then(|piece| async {
			tokio::time::sleep(Duration::from_millis(5)).await;
			piece
		});
		Body::from_stream(endless).into_response()
	})
	.await;
	let engine = OpenAiEngine::new(server.options(), Handle::current()).unwrap();
	let work = move || {
		let mut seen = 0;
		engine.complete(&text(), &mut |_| {
			seen += 1;
			if seen == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
		})
	};
	let fault = tokio::task::spawn_blocking(work).await.unwrap().unwrap_err();
	assert_eq!(fault, EngineError::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn embeddings_come_in_order_and_with_length_one() {
	let vectors = |indices: [usize; 2]| {
		let row = |index: usize| json!({ "index": index, "embedding": [3.0 + index as f32, 4.0] });
		json!({ "data": indices.map(row), "usage": { "prompt_tokens": 9, "total_tokens": 9 } })
	};
	let embed = |server: &Server| {
		let engine = OpenAiEngine::new(server.options(), Handle::current()).unwrap();
		let texts = ["a".to_string(), "b".to_string()];
		tokio::task::spawn_blocking(move || engine.embed("other", &texts))
	};
	let server = Server::new(move || Json(vectors([1, 0])).into_response()).await;
	let found = embed(&server).await.unwrap().unwrap();
	assert_eq!(found.vectors[0], [0.6, 0.8]);
	assert!((found.vectors[1][0] - 0.5f32.sqrt()).abs() < 1e-6);
	assert_eq!((found.prompt_tokens, found.measured.tokens), (9, 9));
	assert_eq!(server.asked().2["input"], json!(["a", "b"]));
	let server = Server::new(move || Json(vectors([0, 0])).into_response()).await;
	let fault = embed(&server).await.unwrap().unwrap_err().to_string();
	assert!(fault.contains("other vectors than asked for"), "{fault}");
}
