//! What is known of vLLM and of llama.cpp beyond OpenAI's protocol, against servers that answer in
//! their form; and several engines as one.

use axum::{
	Json, Router,
	body::Body,
	extract::{Request, State},
	http::{StatusCode, Uri},
	response::{IntoResponse, Response},
};
use gridproof_compute_api::protocol::{
	Finish, Further, JobSpec, Message, SPEC_VERSION, Sampling, Task,
};
use gridproof_engine::{
	Claim, Completion, DEFAULT_MODEL, Engine, EngineError, Extras, Input, LocalEngine,
	MemoryOptions, Offers, OpenAiEngine, OpenAiOptions, Request as EngineRequest, Several,
	execute_seeded,
};
use gridproof_primitives::{
	H256,
	compute::{Class, channels::Sampler},
};
use serde_json::{Value, json};
use std::{
	collections::BTreeMap,
	ops::ControlFlow,
	sync::{Arc, Mutex},
	time::Duration,
};
use tokio::{net::TcpListener, runtime::Handle};

/// Answers by path: a list of events, or one object.
type Answers = BTreeMap<&'static str, Value>;
type Asked = Arc<Mutex<Vec<(String, Value)>>>;

struct Server {
	engine: Arc<OpenAiEngine>,
	options: OpenAiOptions,
	asked: Asked,
}

async fn answer(
	State((answers, asked)): State<(Answers, Asked)>,
	uri: Uri,
	request: Request,
) -> Response {
	let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
	let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
	asked.lock().unwrap().push((uri.path().to_string(), body));
	match answers.get(uri.path()) {
		None => (StatusCode::NOT_FOUND, "no such path").into_response(),
		Some(Value::Array(events)) => {
			let events = events.iter().map(|event| format!("data: {event}\n\n"));
			Body::from(events.collect::<String>() + "data: [DONE]\n\n").into_response()
		},
		Some(one) => Json(one).into_response(),
	}
}

fn listed(owner: &str) -> Value {
	json!({ "data": [{ "id": "m", "owned_by": owner, "meta": { "size": 4_000_000_000u64 } }] })
}

impl Server {
	async fn new(answers: &[(&'static str, Value)]) -> Self {
		let answers: Answers = answers.iter().cloned().collect();
		let asked = Asked::default();
		let router = Router::new().fallback(answer).with_state((answers, asked.clone()));
		let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
		let options = OpenAiOptions {
			url: format!("http://{}", listener.local_addr().unwrap()),
			api_key: None,
			models: Vec::new(),
			class: Class::Cpu,
			memory: MemoryOptions::default(),
			end_token: None,
			timeout: Duration::from_secs(10),
		};
		tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
		let engine = Arc::new(OpenAiEngine::new(options.clone(), Handle::current()).unwrap());
		Self { engine, options, asked }
	}

	/// The same with a known token of the model's own end.
	fn with_end(self, end: u32) -> Self {
		let options = OpenAiOptions { end_token: Some(end), ..self.options };
		let engine = Arc::new(OpenAiEngine::new(options.clone(), Handle::current()).unwrap());
		Self { engine, options, asked: self.asked }
	}

	async fn with<T: Send + 'static>(
		&self,
		work: impl FnOnce(&OpenAiEngine) -> T + Send + 'static,
	) -> T {
		let engine = self.engine.clone();
		tokio::task::spawn_blocking(move || work(&engine)).await.unwrap()
	}

	async fn ask(&self, request: EngineRequest) -> Result<Completion, EngineError> {
		self.with(move |engine| engine.complete(&request, &mut |_| ControlFlow::Continue(()))).await
	}

	/// Paths and bodies of what was asked, without the list of models.
	fn asked(&self) -> Vec<(String, Value)> {
		let all = self.asked.lock().unwrap().clone();
		all.into_iter().filter(|(path, _)| path != "/v1/models").collect()
	}
}

fn request(input: Input, extras: Extras) -> EngineRequest {
	let sampling = Sampling { temperature_milli: 700, ..Sampling::default() };
	let seed = Some(H256([
		0xff, 0xff, 0xff, 0xff, 5, 0, 0, 0xf0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
		9, 9, 9, 9, 9, 9, 9,
	]));
	EngineRequest { seed, extras, ..EngineRequest::new("m", input, 16, sampling) }
}

fn text() -> Input {
	Input::Text("Once".to_string())
}

fn chat() -> Input {
	Input::Chat(vec![Message { role: "user".to_string(), content: "Hello".to_string() }])
}

fn ids() -> Extras {
	Extras { ids: true, ..Extras::default() }
}

fn usage(read: u64, made: u64) -> Value {
	json!({ "choices": [], "usage": { "prompt_tokens": read, "completion_tokens": made } })
}

#[tokio::test(flavor = "multi_thread")]
async fn vllm_gives_token_ids_of_texts_and_conversations() {
	let texts = json!([
		{ "choices": [{ "text": " upon", "prompt_token_ids": [1, 2, 3], "token_ids": [7] }] },
		{ "choices": [{ "text": " a", "token_ids": [8, 9], "finish_reason": "length" }] },
		usage(3, 3),
	]);
	let chats = json!([
		{ "choices": [{ "delta": { "role": "assistant" } }], "prompt_token_ids": [4, 5] },
		{ "choices": [{ "delta": { "content": "Good" }, "token_ids": [7] }] },
		{ "choices": [{ "delta": {}, "token_ids": [2], "finish_reason": "stop" }] },
		usage(2, 2),
	]);
	let server = Server::new(&[
		("/v1/models", listed("vllm")),
		("/v1/completions", texts),
		("/v1/chat/completions", chats),
	])
	.await;
	let done = server.ask(request(text(), ids())).await.unwrap();
	assert_eq!((&done.prompt_ids[..], &done.tokens[..]), (&[1, 2, 3][..], &[7, 8, 9][..]));
	assert!(done.has_ids());
	assert_eq!(done.sampler, Sampler::Engine, "its own noise, whatever the seed");
	let done = server.ask(request(chat(), ids())).await.unwrap();
	assert_eq!((&done.prompt_ids[..], &done.tokens[..]), (&[4, 5][..], &[7, 2][..]));
	for (_, body) in server.asked() {
		assert_eq!(body["return_token_ids"], true);
		assert_eq!(body["seed"], json!(0x7000_0005_ffff_ffffu64), "eight bytes without a sign");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_not_those_of_the_tokens_that_are_billed_are_none() {
	let texts = json!([
		{ "choices": [{ "text": " upon", "prompt_token_ids": [1, 2, 3], "token_ids": [7] }] },
		{ "choices": [{ "text": "", "finish_reason": "length" }] },
		usage(3, 3),
	]);
	let server = Server::new(&[("/v1/models", listed("vllm")), ("/v1/completions", texts)]).await;
	let done = server.ask(request(text(), ids())).await.unwrap();
	assert!(!done.has_ids() && done.tokens.is_empty() && done.prompt_ids.is_empty());
	assert_eq!(done.text, " upon");
}

#[tokio::test(flavor = "multi_thread")]
async fn llama_cpp_gives_ids_beside_probabilities_and_by_its_tokenizer() {
	let token = |id: u32, text: &str| {
		let bytes: Vec<u8> = text.bytes().collect();
		let top = json!([{ "id": id, "token": text, "bytes": bytes, "logprob": -0.5 },
			{ "id": 99, "token": "x", "bytes": [120], "logprob": -2.5 }]);
		json!({ "content": [{ "id": id, "token": text, "bytes": bytes, "logprob": -0.5,
			"top_logprobs": top }] })
	};
	let texts = json!([
		{ "choices": [{ "text": " upon", "logprobs": token(7, " upon") }] },
		{ "choices": [{ "text": " a", "logprobs": token(8, " a") }] },
		{ "choices": [{ "text": "", "finish_reason": "stop" }] },
		usage(3, 2),
	]);
	let chats = json!([
		{ "choices": [{ "delta": { "content": " upon" }, "logprobs": token(7, " upon") }] },
		{ "choices": [{ "delta": {}, "finish_reason": "stop" }] },
		usage(3, 1),
	]);
	let server = Server::new(&[
		("/v1/models", listed("llamacpp")),
		("/v1/completions", texts),
		("/v1/chat/completions", chats),
		("/tokenize", json!({ "tokens": [1, 2, 3] })),
		("/apply-template", json!({ "prompt": "<user>Hello" })),
	])
	.await;
	let done = server.ask(request(text(), ids())).await.unwrap();
	assert_eq!((&done.prompt_ids[..], &done.tokens[..]), (&[1, 2, 3][..], &[7, 8][..]));
	assert!(done.logprobs.is_empty(), "they were not asked for");
	let extras = Extras { logprobs: Some(2), ..ids() };
	let done = server.ask(request(chat(), extras)).await.unwrap();
	assert!(done.has_ids());
	let [one] = &done.logprobs[..] else { panic!("{:?}", done.logprobs) };
	assert_eq!((one.token.id, &one.token.bytes[..], one.top.len()), (Some(7), &b" upon"[..], 2));
	let asked = server.asked();
	assert_eq!(asked[0].1["n_probs"], 1);
	// 2³¹ − 1: of 32 bits all ones would mean "draw one".
	assert_eq!(asked[0].1["seed"], 0x7fff_ffff);
	let tokenized = json!({ "content": "<user>Hello", "add_special": true, "parse_special": true });
	assert_eq!(asked[4], ("/tokenize".to_string(), tokenized));
	let memory = server.with(|engine| engine.memory()).await;
	assert_eq!(memory.bytes, 4_000_000_000, "the size of its model, where nothing is measured");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_known_is_asked_for_texts_only() {
	let server = Server::new(&[
		("/v1/models", listed("somebody")),
		(
			"/v1/completions",
			json!([{ "choices": [{ "text": "x", "finish_reason": "stop" }] }, usage(1, 1)]),
		),
	])
	.await;
	let done = server.ask(request(text(), ids())).await.unwrap();
	assert!(!done.has_ids());
	let body = server.asked()[0].1.clone();
	assert!(body.get("return_token_ids").is_none() && body.get("logprobs").is_none(), "{body}");
	assert_eq!(server.with(|engine| engine.offers("m")).await.unwrap(), Offers::default());
	let format = Some(json!({ "type": "json_object" }));
	let refused = [
		(text(), Extras { logprobs: Some(0), ..Extras::default() }, "logprobs"),
		(chat(), Extras { tools: Some(json!([{}])), ..Extras::default() }, "tools"),
		(chat(), Extras { tool_choice: Some(json!("auto")), ..Extras::default() }, "tool_choice"),
		(chat(), Extras { response_format: format, ..Extras::default() }, "response_format"),
		(Input::Tokens(vec![1]), Extras::default(), "token ids as input"),
		(Input::Messages(vec![json!({})]), Extras::default(), "messages with more than a text"),
	];
	for (input, extras, name) in refused {
		let fault = server.ask(request(input, extras)).await.unwrap_err();
		assert!(matches!(fault, EngineError::NotOffered { what, .. } if what == name), "{fault:?}");
		assert!(!fault.is_temporary() && !fault.is_requests_own(), "another engine may have it");
	}
	let text_only =
		Extras { response_format: Some(json!({ "type": "text" })), ..Extras::default() };
	assert!(server.ask(request(text(), text_only)).await.is_ok());
	let fault = server.with(|engine| engine.embed_tokens("m", &[vec![1]])).await.unwrap_err();
	assert!(matches!(fault, EngineError::NotOffered { .. }));
	let fault = server.with(|engine| engine.tokenize("m", &text())).await.unwrap_err();
	assert!(matches!(fault, EngineError::NotOffered { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_tools_are_put_together_from_their_pieces() {
	let piece = |index: u64, call: Value| {
		let mut call = call;
		call["index"] = json!(index);
		json!({ "choices": [{ "delta": { "tool_calls": [call] } }] })
	};
	let chats = json!([
		piece(0, json!({ "id": "a", "type": "function", "function": { "name": "weather", "arguments": "" } })),
		piece(0, json!({ "function": { "arguments": "{\"city\":" } })),
		piece(1, json!({ "id": "b", "type": "function", "function": { "name": "time", "arguments": "{}" } })),
		piece(0, json!({ "function": { "name": null, "arguments": "\"Ulm\"}" } })),
		{ "choices": [{ "delta": {}, "finish_reason": "tool_calls" }] },
		usage(9, 20),
	]);
	let server =
		Server::new(&[("/v1/models", listed("vllm")), ("/v1/chat/completions", chats)]).await;
	let tools = json!([{ "type": "function", "function": { "name": "weather" } }]);
	let extras = Extras {
		tools: Some(tools.clone()),
		tool_choice: Some(json!("auto")),
		..Extras::default()
	};
	let messages = vec![json!({ "role": "tool", "tool_call_id": "x", "content": "3" })];
	let done = server.ask(request(Input::Messages(messages.clone()), extras)).await.unwrap();
	let wanted = [
		json!({ "id": "a", "type": "function", "function": { "name": "weather", "arguments": "{\"city\":\"Ulm\"}" } }),
		json!({ "id": "b", "type": "function", "function": { "name": "time", "arguments": "{}" } }),
	];
	assert_eq!(done.tool_calls, wanted);
	assert_eq!((done.finish, done.text.as_str()), (Finish::Stop, ""));
	let body = &server.asked()[0].1;
	assert_eq!((&body["tools"], &body["tool_choice"]), (&tools, &json!("auto")));
	assert_eq!(body["messages"], json!(messages));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_by_tools_without_a_call_is_not_an_answer() {
	let chats =
		json!([{ "choices": [{ "delta": {}, "finish_reason": "tool_calls" }] }, usage(1, 1)]);
	let server =
		Server::new(&[("/v1/models", listed("vllm")), ("/v1/chat/completions", chats)]).await;
	let fault = server.ask(request(chat(), Extras::default())).await.unwrap_err();
	assert!(fault.is_temporary() && fault.to_string().contains("tool_calls"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn probabilities_of_texts_come_in_lists_side_by_side() {
	let texts = json!([
		{ "choices": [{ "text": " upon", "logprobs": { "tokens": [" upon"], "token_logprobs": [-0.25],
			"top_logprobs": [{ " in": -3.0, " upon": -0.25 }] } }] },
		{ "choices": [{ "text": "", "finish_reason": "length", "logprobs": null }] },
		usage(1, 1),
	]);
	let server = Server::new(&[("/v1/models", listed("vllm")), ("/v1/completions", texts)]).await;
	let extras = Extras { logprobs: Some(2), ..Extras::default() };
	let done = server.ask(request(text(), extras)).await.unwrap();
	let [one] = &done.logprobs[..] else { panic!("{:?}", done.logprobs) };
	assert_eq!((&one.token.bytes[..], one.token.logprob), (&b" upon"[..], -0.25));
	let top: Vec<&[u8]> = one.top.iter().map(|likely| &likely.bytes[..]).collect();
	assert_eq!(top, [&b" upon"[..], &b" in"[..]], "the likeliest first");
	assert_eq!(server.asked()[0].1["logprobs"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_arrays_are_passed_on_to_servers_that_take_them() {
	let texts = json!([
		{ "choices": [{ "text": "x", "finish_reason": "stop" }] },
		usage(2, 1),
	]);
	let vectors = json!({ "data": [{ "index": 0, "embedding": [3.0, 4.0] }],
		"usage": { "prompt_tokens": 2 } });
	let server = Server::new(&[
		("/v1/models", listed("vllm")),
		("/v1/completions", texts),
		("/v1/embeddings", vectors),
		("/tokenize", json!({ "count": 2, "tokens": [11, 12] })),
	])
	.await;
	server.ask(request(Input::Tokens(vec![11, 12]), Extras::default())).await.unwrap();
	let found = server.with(|engine| engine.embed_tokens("m", &[vec![11, 12]])).await.unwrap();
	assert_eq!(found.vectors, [[0.6, 0.8]]);
	assert_eq!(server.with(|engine| engine.tokenize("m", &text())).await.unwrap(), [11, 12]);
	let asked = server.asked();
	assert_eq!(asked[0].1["prompt"], json!([11, 12]));
	assert_eq!(asked[1].1["input"], json!([[11, 12]]));
	assert_eq!(asked[2].1, json!({ "model": "m", "prompt": "Once" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_specification_with_tools_is_passed_on_and_its_calls_come_back() {
	let call = json!({ "index": 0, "id": "c", "type": "function",
		"function": { "name": "add", "arguments": "{}" } });
	let chunks = json!([
		{ "choices": [{ "delta": { "tool_calls": [call] } }] },
		{ "choices": [{ "delta": {}, "finish_reason": "tool_calls" }] },
		usage(9, 3),
	]);
	let server =
		Server::new(&[("/v1/models", listed("vllm")), ("/v1/chat/completions", chunks)]).await;
	let tools = json!([{ "type": "function", "function": { "name": "add" } }]);
	let message = json!({ "role": "tool", "tool_call_id": "b", "content": "2" });
	let further = Further {
		tools: Some(tools.to_string()),
		tool_choice: Some("\"required\"".to_string()),
		..Further::default()
	};
	let spec = JobSpec {
		version: SPEC_VERSION,
		model: "m".to_string(),
		task: Task::Messages { messages: vec![message.to_string()] },
		max_tokens: 9,
		sampling: Sampling::default(),
		further,
	};
	let done = server
		.with(move |engine| {
			execute_seeded(engine, &spec, H256::zero(), &mut |_| ControlFlow::Continue(()))
		})
		.await
		.unwrap();
	let [answer] = &done.output.answers[..] else { panic!("{:?}", done.output) };
	let calls: Value = serde_json::from_str(answer.tool_calls.as_deref().unwrap()).unwrap();
	assert_eq!((&calls[0]["id"], &calls[0]["function"]["name"]), (&json!("c"), &json!("add")));
	let asked = server.asked();
	let body = &asked.last().unwrap().1;
	assert_eq!((&body["messages"][0], &body["tools"]), (&message, &tools));
	assert_eq!(body["tool_choice"], "required");
}

#[test]
fn the_embedded_engine_says_what_it_does_not_have() {
	let engine = LocalEngine::embedded().unwrap();
	let ask = |input: Input, extras: Extras| {
		let request = EngineRequest { model: DEFAULT_MODEL.to_string(), ..request(input, extras) };
		engine.complete(&request, &mut |_| ControlFlow::Continue(()))
	};
	let format = Some(json!({ "type": "json_object" }));
	let fault = ask(chat(), Extras { response_format: format, ..Extras::default() }).unwrap_err();
	let said = "response_format is not offered by austen-1m: leave it out, or choose another model";
	assert_eq!(fault.to_string(), said);
	let fault = ask(chat(), Extras { tools: Some(json!([])), ..Extras::default() }).unwrap_err();
	assert!(fault.to_string().starts_with("tools is not offered"));
	assert!(ask(Input::Messages(Vec::new()), Extras::default()).is_err());
	let bad = ask(Input::Tokens(vec![2_048]), Extras::default()).unwrap_err();
	assert!(bad.to_string().contains("token 2048 is not one of the model's 2048"), "{bad}");
}

#[test]
fn the_embedded_engine_reads_token_ids_and_gives_probabilities() {
	let engine = LocalEngine::embedded().unwrap();
	let tokens = engine.tokenizer().encode("It is a truth");
	let ask = |input: Input| {
		let extras = Extras { logprobs: Some(3), ..Extras::default() };
		let request = EngineRequest { model: DEFAULT_MODEL.to_string(), ..request(input, extras) };
		engine.complete(&request, &mut |_| ControlFlow::Continue(())).unwrap()
	};
	let done = ask(Input::Tokens(tokens.clone()));
	assert_eq!(done.tokens, ask(Input::Text("It is a truth".to_string())).tokens);
	assert_eq!(done.logprobs.len(), done.tokens.len());
	for (token, one) in done.tokens.iter().zip(&done.logprobs) {
		assert_eq!(one.token.id, Some(*token));
		assert_eq!(one.token.bytes, engine.tokenizer().bytes(*token));
		assert!(one.token.logprob < 0.0 && one.top.len() == 3);
		assert!(one.top[0].logprob >= one.token.logprob);
	}
	let found = engine.embed_tokens(DEFAULT_MODEL, std::slice::from_ref(&tokens)).unwrap();
	let same = engine.embed(DEFAULT_MODEL, &["It is a truth".to_string()]).unwrap();
	assert_eq!((found.vectors, &found.ids), (same.vectors, &same.ids));
	assert_eq!(found.ids[0].len(), tokens.len() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_model_goes_to_the_engine_that_serves_it() {
	let texts = json!([{ "choices": [{ "text": "far", "finish_reason": "stop" }] }, usage(1, 1)]);
	let server = Server::new(&[("/v1/models", listed("vllm")), ("/v1/completions", texts)]).await;
	let far: Arc<dyn Engine> = server.engine.clone();
	let near: Arc<dyn Engine> = Arc::new(LocalEngine::embedded().unwrap());
	let work = move || {
		let both = Several::new(vec![far.clone(), near.clone()]);
		let plain = |model: &str| EngineRequest::new(model, text(), 4, Sampling::default());
		let ask = |model: &str| both.complete(&plain(model), &mut |_| ControlFlow::Continue(()));
		// Before anybody has asked for the models.
		assert_eq!(ask("m").unwrap().text, "far");
		assert_eq!(ask(DEFAULT_MODEL).unwrap().tokens.len(), 4);
		let names: Vec<String> = both.models().unwrap().into_iter().map(|m| m.name).collect();
		assert_eq!(names, ["m", DEFAULT_MODEL]);
		let seeded = |model: &str| both.offers(model).unwrap().seeded;
		assert!(seeded(DEFAULT_MODEL) && !seeded("m"));
		let fault = ask("gpt-5").unwrap_err();
		assert_eq!(fault.to_string(), "no model \"gpt-5\" here; there is austen-1m, m");
		let twice = Several::new(vec![near.clone(), near]).models().unwrap_err();
		assert!(twice.to_string().contains("give one of them another name"), "{twice}");
	};
	tokio::task::spawn_blocking(work).await.unwrap();
}

/// A claim of two tokens after a prompt of two.
fn claim(output: &[u32], max_tokens: u32) -> Claim {
	Claim {
		model: "m".to_string(),
		prompt: vec![1, 2],
		output: output.to_vec(),
		max_tokens,
		sampling: Sampling::default(),
		seed: Some(H256([7; 32])),
		choice: 0,
	}
}

/// What a server lists at one place.
fn place(listed: &[(u32, f64)]) -> Value {
	let entry = |(token, logprob): &(u32, f64)| {
		(token.to_string(), json!({ "logprob": logprob, "rank": 1, "decoded_token": "x" }))
	};
	Value::Object(listed.iter().map(entry).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn vllm_judges_a_claimed_answer_by_the_tokens_that_it_lists() {
	let listed = json!([
		null,
		place(&[(2, -0.1)]),
		place(&[(5, -0.5), (6, -1.0)]),
		place(&[(6, -2.0), (9, -0.25)])
	]);
	let answer = json!({ "choices": [{ "text": "x", "finish_reason": "length", "prompt_logprobs": listed }] });
	let server =
		Server::new(&[("/v1/models", self::listed("vllm")), ("/v1/completions", answer)]).await;
	let forced = server.with(|engine| engine.force(&claim(&[5, 6], 2))).await.unwrap();
	let gaps: Vec<_> = forced.tokens.iter().map(|one| (one.drawn, one.gap_micro)).collect();
	assert_eq!(gaps, [(5, 0), (9, 1_750_000)]);
	assert_eq!((forced.end, forced.end_gap_micro), (Some((2, Finish::Length)), 0));
	assert_eq!(forced.logits, [(-0.5f32).to_bits(), (-2.0f32).to_bits()]);
	let (path, body) = server.asked().pop().unwrap();
	assert_eq!(path, "/v1/completions");
	assert_eq!(body["prompt"], json!([1, 2, 5, 6]));
	assert_eq!(body["prompt_logprobs"], 20);
	// Places that are not listed are not a judgement.
	let short = server.with(|engine| engine.force(&claim(&[5, 6, 7], 3))).await;
	assert!(matches!(short, Err(EngineError::Failed(_))), "{short:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_should_have_come_is_judged_where_the_server_knows_the_models_own() {
	let listed =
		json!([null, place(&[(2, -0.1)]), place(&[(5, -0.5)]), place(&[(3, -4.0), (9, -0.5)])]);
	let answer = json!({ "choices": [{ "prompt_logprobs": listed }] });
	let answers = [("/v1/models", self::listed("vllm")), ("/v1/completions", answer)];
	let server = Server::new(&answers).await.with_end(3);
	let forced = server.with(|engine| engine.force(&claim(&[5], 9))).await.unwrap();
	assert_eq!(forced.tokens.len(), 1);
	assert_eq!(forced.end_gap_micro, 3_500_000, "cut short");
	assert_eq!(server.asked().pop().unwrap().1["prompt"], json!([1, 2, 5, 3]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lists_no_prompts_judges_nothing() {
	for owner in ["llamacpp", "me"] {
		let server = Server::new(&[("/v1/models", self::listed(owner))]).await;
		let judged = server.with(|engine| engine.force(&claim(&[5], 1))).await;
		assert!(matches!(judged, Err(EngineError::NotOffered { .. })), "{judged:?}");
	}
}
