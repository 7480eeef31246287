//! The front and the REST, over real HTTP.

use super::*;
use gridproof_compute_api::protocol::{Answer, ErrorCode, Progress, Refusal, RefusalReason};
use gridproof_support::{Stopper, http_client};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::num::NonZeroU32;
use tokio::net::TcpListener;

/// A coordinator that runs and is served, and miners that work in the background.
pub(super) struct Served {
	pub(super) world: World,
	pub(super) url: String,
	pub(super) http: Client,
	tasks: Vec<tokio::task::JoinHandle<()>>,
	_serving: Stopper,
}

impl Drop for Served {
	fn drop(&mut self) {
		for task in &self.tasks {
			task.abort();
		}
	}
}

impl Served {
	pub(super) async fn new() -> Self {
		Self::with(World::new().await).await
	}

	pub(super) async fn with(world: World) -> Self {
		let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
		let stopper = Stopper::new();
		let router = world.server().router();
		let serving = gridproof_http::serve_on(router, listener, stopper.signal()).unwrap();
		let url = format!("http://{}", serving.address());
		let coordinator = world.coordinator.clone();
		let running = tokio::spawn(async move {
			coordinator.run().await;
		});
		let http = http_client::builder().build().unwrap();
		Self { world, url, http, tasks: vec![running, serving.into_task()], _serving: stopper }
	}

	/// A miner that does one job, in these pieces.
	pub(super) async fn works(&mut self, pieces: &'static [&'static str]) {
		let miner = self.world.miner(1);
		let session = miner.session(&self.world).await;
		let coordinator = self.world.coordinator.clone();
		self.tasks.push(tokio::spawn(async move {
			let taken = coordinator.take(&session, Duration::from_secs(20)).await.unwrap();
			let assignment = job_of(taken.expect("a job"));
			let mut text = String::new();
			for piece in pieces {
				let offset = u64::try_from(text.len()).unwrap();
				let progress = Progress { attempt: 1, offset, text: (*piece).to_string() };
				coordinator.progress(&session, assignment.job.into(), &progress).await.unwrap();
				text.push_str(piece);
				tokio::time::sleep(Duration::from_millis(30)).await;
			}
			let output = match &assignment.spec.task {
				Task::Embedding { input } => Output {
					embeddings: vec!["AACAPwAAAEA=".to_string(); input.len()],
					completion_tokens: 0,
					..output("")
				},
				_ => output(&text),
			};
			let receipt = miner.receipt(&assignment, &output);
			let result = miner.signed(assignment.attempt, output, &receipt);
			coordinator.result(&session, assignment.job.into(), &result).await.unwrap();
		}));
	}

	pub(super) async fn post(&self, path: &str, key: &str, body: Value) -> reqwest::Response {
		let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(key);
		request.json(&body).send().await.unwrap()
	}

	pub(super) async fn get(&self, path: &str) -> reqwest::Response {
		let request = self.http.get(format!("{}{path}", self.url)).bearer_auth("gpk_test");
		request.send().await.unwrap()
	}
}

pub(super) fn chat(stream: bool) -> Value {
	json!({
		"model": MODEL,
		"messages": [{ "role": "user", "content": "Hello" }],
		"max_tokens": 20,
		"stream": stream,
		"stream_options": { "include_usage": true },
	})
}

pub(super) fn header(answer: &reqwest::Response, name: &str) -> String {
	answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_has_the_shape_of_openai_and_a_receipt_in_its_headers() {
	let mut served = Served::new().await;
	served.works(&["there ", "was"]).await;
	let answer = served.post("/v1/chat/completions", "gpk_test", chat(false)).await;
	assert_eq!(answer.status(), StatusCode::OK);
	let (job, receipt) =
		(header(&answer, "x-gridproof-job"), header(&answer, "x-gridproof-receipt"));
	assert_eq!(header(&answer, "x-gridproof-asset"), "ait");
	assert_eq!(header(&answer, "x-gridproof-price"), "8000000000000");
	let body: Value = answer.json().await.unwrap();
	assert_eq!(body["object"], "chat.completion");
	let message = json!({ "role": "assistant", "content": "there was", "refusal": null });
	assert_eq!(body["choices"][0]["message"], message);
	assert_eq!(body["choices"][0]["finish_reason"], "stop");
	let usage = json!({ "prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8 });
	assert_eq!(body["usage"], usage);
	assert_eq!(
		(&body["gridproof"]["job"], &body["gridproof"]["receipt"]),
		(&json!(job), &json!(receipt))
	);

	let shown: Value =
		served.get(&format!("/attest/receipt?job={job}")).await.json().await.unwrap();
	assert_eq!(shown["receipt_id"], json!(receipt));
	let signed: HexBytes = serde_json::from_value(shown["signed"].clone()).unwrap();
	let signed = SignedReceipt::decode_all(&mut &signed.0[..]).unwrap();
	assert_eq!(Hex32::from(signed.receipt.id(&GENESIS)).to_string(), receipt);
	let public = served.world.coordinator.public();
	signed
		.receipt
		.verify(&GENESIS, Signer::Coordinator, &public, &signed.coordinator_signature)
		.unwrap();
	let by_id: Value =
		served.get(&format!("/attest/receipt?id={receipt}")).await.json().await.unwrap();
	assert_eq!(by_id["job"], json!(job));

	let bill: Value = served.get("/v1/billing/usage").await.json().await.unwrap();
	assert_eq!((&bill["customer"], &bill["jobs"]), (&json!("acme"), &json!(1)));
	assert_eq!(bill["price"]["ait"], "8000000000000");
	let job: H256 = job.parse::<Hex32>().unwrap().into();
	for _ in 0..100 {
		if served.world.settlement(job).await == Settlement::Final {
			return;
		}
		tokio::time::sleep(Duration::from_millis(50)).await;
	}
	panic!("the receipt was not settled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_made_of_chunks_and_ends_with_receipt_counts_and_done() {
	let mut served = Served::new().await;
	served.works(&["there ", "was ", "light"]).await;
	let answer = served.post("/v1/chat/completions", "gpk_test", chat(true)).await;
	assert_eq!(header(&answer, "content-type"), "text/event-stream");
	let job = header(&answer, "x-gridproof-job");
	assert_eq!(header(&answer, "x-gridproof-receipt"), "", "not known yet");
	let text = answer.text().await.unwrap();
	let events: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
	assert_eq!(events.last(), Some(&"[DONE]"));
	let chunks: Vec<Value> =
		events[..events.len() - 1].iter().map(|e| serde_json::from_str(e).unwrap()).collect();
	assert!(chunks.iter().all(|chunk| chunk["object"] == "chat.completion.chunk"));
	assert!(chunks.iter().all(|chunk| chunk["id"] == chunks[0]["id"]));
	assert_eq!(chunks[0]["choices"][0]["delta"], json!({ "role": "assistant", "content": "" }));
	let content: String = chunks
		.iter()
		.filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
		.collect();
	assert_eq!(content, "there was light");
	assert!(chunks.len() > 4, "it came in pieces: {chunks:?}");
	let closing = &chunks[chunks.len() - 2];
	assert_eq!(closing["choices"][0]["finish_reason"], "stop");
	assert!(chunks[..chunks.len() - 1].iter().all(|c| c.get("usage") == Some(&Value::Null)));
	let counts = &chunks[chunks.len() - 1];
	assert_eq!((&counts["choices"], &counts["usage"]["total_tokens"]), (&json!([]), &json!(8)));
	for chunk in [closing, counts] {
		assert_eq!(chunk["gridproof"]["job"], json!(job));
		assert!(chunk["gridproof"]["receipt"].as_str().unwrap().starts_with("0x"));
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_and_embeddings_are_answered() {
	let mut served = Served::new().await;
	served.works(&["there was"]).await;
	let asked = json!({ "model": MODEL, "prompt": "Once", "max_tokens": 20 });
	let body: Value = served.post("/v1/completions", "gpk_test", asked).await.json().await.unwrap();
	assert_eq!(
		(&body["object"], &body["choices"][0]["text"]),
		(&json!("text_completion"), &json!("there was"))
	);
	served.works(&[]).await;
	let asked = json!({ "model": MODEL, "input": ["a", "b"] });
	let answer = served.post("/v1/embeddings", "gpk_test", asked).await;
	assert!(header(&answer, "x-gridproof-receipt").starts_with("0x"));
	let body: Value = answer.json().await.unwrap();
	assert_eq!(
		body["data"][1],
		json!({ "object": "embedding", "index": 1, "embedding": [1.0, 2.0] })
	);
	served.works(&[]).await;
	let asked = json!({ "model": MODEL, "input": "a", "encoding_format": "base64" });
	let body: Value = served.post("/v1/embeddings", "gpk_test", asked).await.json().await.unwrap();
	assert_eq!(body["data"][0]["embedding"], "AACAPwAAAEA=");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_the_shape_of_openai() {
	let served = Served::new().await;
	let _session = served.world.miner(1).session(&served.world).await;
	let error = async |path: &str, key: &str, body: Value| {
		let answer = served.post(path, key, body).await;
		let status = answer.status().as_u16();
		let body: Value = answer.json().await.unwrap();
		assert!(body["error"]["message"].is_string(), "{body}");
		(status, body["error"]["type"].clone(), body["error"]["code"].clone())
	};
	let (path, invalid) = ("/v1/chat/completions", json!("invalid_request_error"));
	let wrong_key = error(path, "gpk_wrong", chat(false)).await;
	assert_eq!(wrong_key, (401, invalid.clone(), json!("invalid_api_key")));
	let mut other = chat(false);
	other["model"] = json!("nothing");
	let unknown = error(path, "gpk_test", other).await;
	assert_eq!(unknown, (404, invalid.clone(), json!("model_not_found")));
	let missing = error(path, "gpk_test", json!({ "model": MODEL })).await;
	assert_eq!(missing, (400, invalid.clone(), json!(null)));
	let long = json!({ "model": MODEL, "prompt": "x".repeat(2 << 20) });
	assert_eq!(error("/v1/completions", "gpk_test", long).await.0, 413);
	let models: Value = served.get("/v1/models").await.json().await.unwrap();
	assert_eq!((&models["object"], &models["data"][0]["id"]), (&json!("list"), &json!(MODEL)));
	assert_eq!(served.get(&format!("/v1/models/{MODEL}")).await.status(), StatusCode::OK);
	assert_eq!(served.get("/v1/models/some/other").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpayable_request_is_answered_and_nothing_stays_open() {
	let served = Served::new().await;
	let _session = served.world.miner(1).session(&served.world).await;
	served.world.chain.set_trouble(Trouble::Broke);
	let answer = served.post("/v1/chat/completions", "gpk_test", chat(false)).await;
	assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
	let body: Value = answer.json().await.unwrap();
	assert!(body["error"]["message"].as_str().unwrap().contains("nothing was paid"), "{body}");
	let stream = served.post("/v1/chat/completions", "gpk_test", chat(true)).await;
	let text = stream.text().await.unwrap();
	assert!(text.contains("\"error\"") && !text.contains("[DONE]"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_described_and_the_pages_need_nothing_from_elsewhere() {
	let served = Served::new().await;
	let api: Value = served.get("/openapi.json").await.json().await.unwrap();
	for path in [
		"/v1/chat/completions",
		"/api/v1/quotes",
		"/api/v1/jobs/{job}",
		"/attest/receipt",
		"/miner/v1/jobs/{job}/result",
		"/metrics",
	] {
		assert!(api["paths"][path].is_object(), "{path} is missing");
	}
	for schema in ["JobSpec", "Assignment", "ReceiptInfo", "CoordinatorError", "ErrorCode"] {
		assert!(api["components"]["schemas"][schema].is_object(), "{schema} is missing");
	}
	let page = served.get("/docs").await.text().await.unwrap();
	assert!(!page.contains("http://") && !page.contains("https://"));
	let health: Value = served.get("/health").await.json().await.unwrap();
	assert_eq!(health["status"], "ok");
	let figures = served.get("/metrics").await.text().await.unwrap();
	assert!(figures.contains("gridproof_coordinator_jobs{state=\"queued\"} 0"), "{figures}");
	let nothing = served.get("/nothing").await;
	assert_eq!(nothing.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_is_shown_to_those_with_the_access_key_only() {
	let mut served = Served::new().await;
	served.works(&["there was"]).await;
	let (quoted, job) = served.world.submitted().await;
	let path = format!("{}/api/v1/jobs/{}", served.url, Hex32::from(job.job));
	let show = async |key: &str| -> Value {
		served.http.get(&path).bearer_auth(key).send().await.unwrap().json().await.unwrap()
	};
	for _ in 0..100 {
		if show("").await["state"] == "completed" {
			break;
		}
		tokio::time::sleep(Duration::from_millis(50)).await;
	}
	assert_eq!(show(quoted.access.reveal()).await["output"]["text"], "there was");
	assert_eq!(show("guess").await["output"], Value::Null);
	assert_eq!(show("gpk_test").await["output"], Value::Null, "another client's job");
	let page: Value =
		served.get("/api/v1/jobs?state=completed&limit=1").await.json().await.unwrap();
	assert_eq!(page["jobs"][0]["output"], Value::Null);
	assert_eq!(page["next"], json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_waits() {
	let requests_per_minute = NonZeroU32::new(3).unwrap();
	let settings = Settings { requests_per_minute, ..Settings::default() };
	let served = Served::with(World::with(settings, None).await).await;
	let mut statuses = Vec::new();
	for _ in 0..5 {
		statuses.push(served.get("/api/v1/info").await.status().as_u16());
	}
	assert_eq!(statuses, [200, 200, 200, 429, 429]);
	assert_eq!(served.get("/health").await.status(), StatusCode::OK);
	let refused = served.get("/api/v1/info").await;
	assert!(header(&refused, "retry-after").parse::<u16>().unwrap() >= 1);
	let body: Value = refused.json().await.unwrap();
	assert_eq!(body["error"], "rate_limited");
	assert!(body["message"].is_string());
	// The front counts its customers by name, not by address.
	assert_eq!(served.get("/v1/models").await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_each_client_has_its_own_requests() {
	let settings = Settings {
		requests_per_minute: NonZeroU32::new(1).unwrap(),
		trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
		..Settings::default()
	};
	let served = Served::with(World::with(settings, None).await).await;
	let ask = async |client: &str| {
		let request = served.http.get(format!("{}/api/v1/info", served.url));
		request.header("x-forwarded-for", client).send().await.unwrap().status().as_u16()
	};
	assert_eq!([ask("198.51.100.1").await, ask("198.51.100.2").await], [200, 200]);
	assert_eq!([ask("198.51.100.1").await, ask("198.51.100.2").await], [429, 429]);
	let own = "203.0.113.7, 198.51.100.1";
	assert_eq!(ask(own).await, 429, "what a client writes before its address counts for nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_asks_too_often_waits_and_others_do_not() {
	let requests_per_minute = NonZeroU32::new(2).unwrap();
	let settings = Settings { requests_per_minute, ..Settings::default() };
	let served = Served::with(World::with(settings, None).await).await;
	let mut statuses = Vec::new();
	for _ in 0..3 {
		statuses.push(served.get("/v1/models").await.status().as_u16());
	}
	assert_eq!(statuses, [200, 200, 429]);
	let refused = served.get("/v1/models").await;
	assert!(header(&refused, "retry-after").parse::<u16>().unwrap() >= 1);
	let body: Value = refused.json().await.unwrap();
	assert_eq!(body["error"]["code"], "rate_limit_exceeded");
	assert_eq!(served.get("/api/v1/info").await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_call_is_asked_before_anything_is_done() {
	let served = Served::new().await;
	let code = async |path: &str, key: &str, body: Value| {
		let answer = served.post(path, key, body).await;
		let status = answer.status().as_u16();
		let body: Value = answer.json().await.unwrap();
		(status, body["error"].as_str().unwrap_or_default().to_string())
	};
	let (_, job) = served.world.submitted_by(1).await;
	let id = Hex32::from(job.job).to_string();
	let miner = |path: &str| format!("/miner/v1/jobs/{id}/{path}");
	let progress = json!({ "attempt": 1, "offset": 0, "text": "" });
	let unknown = (401, "unknown_session".to_string());
	assert_eq!(code(&miner("progress"), "nobody", progress).await, unknown);
	assert_eq!(code("/miner/v1/heartbeat", "nobody", json!({})).await, unknown);
	assert_eq!(code("/miner/v1/goodbye", "nobody", json!(null)).await, unknown);
	let wrong = (401, "unauthorized".to_string());
	assert_eq!(code(&format!("/api/v1/jobs/{id}/cancel"), "guess", json!(null)).await, wrong);
	let without = served.http.post(format!("{}/api/v1/jobs/{id}/cancel", served.url));
	assert_eq!(without.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
	assert_eq!(served.world.state(job.job).await, JobStage::Queued);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_fits_with_no_tokenizer_is_refused_before_any_money_is_held() {
	let served = Served::new().await;
	let _session = served.world.miner(1).session(&served.world).await;
	// The registry's context is 32,768 tokens, and no token has more than 128 bytes.
	let longest = 32_768 * 128;
	let mut quoted = spec();
	for (length, is_refused) in [(longest, false), (longest + 1, true)] {
		quoted.task = Task::Completion { prompt: "a".repeat(length) };
		let quote = served.world.coordinator.quote(&quoted, CLIENT, PriceAsset::Ait);
		assert_eq!(
			quote.err().map(|error| error.code),
			is_refused.then_some(ErrorCode::ContextExceeded)
		);
	}
	let tokens: Vec<u32> = vec![7; 32_769];
	let asked = json!({ "model": MODEL, "prompt": tokens, "max_tokens": 20 });
	let answer = served.post("/v1/completions", "gpk_test", asked).await;
	assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
	let body: Value = answer.json().await.unwrap();
	let error = &body["error"];
	assert_eq!(
		(&error["code"], &error["param"]),
		(&json!("context_length_exceeded"), &json!("prompt"))
	);
	assert!(error["message"].as_str().unwrap().contains("32769"), "{body}");
	assert_eq!(served.world.chain.jobs.lock().unwrap().len(), 0, "no escrow was opened");
	let asked = json!({ "client": Hex32(CLIENT), "spec": spec(), "asset": "ait" });
	let quote: Value = served.post("/api/v1/quotes", "", asked).await.json().await.unwrap();
	assert_eq!(quote["context"], 32_768, "a quote says what fits");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_is_too_long_is_answered_at_once_as_openai_does() {
	for (stream, path, param) in [
		(false, "/v1/chat/completions", "messages"),
		(true, "/v1/chat/completions", "messages"),
		(false, "/v1/completions", "prompt"),
	] {
		let mut served = Served::new().await;
		let miner = served.world.miner(1);
		let session = miner.session(&served.world).await;
		let coordinator = served.world.coordinator.clone();
		served.tasks.push(tokio::spawn(async move {
			let taken = coordinator.take(&session, Duration::from_secs(20)).await.unwrap();
			let assignment = job_of(taken.expect("a job"));
			let (reason, detail) = (RefusalReason::ContextExceeded, "12003 tokens, 511 at most");
			let refusal = Refusal { attempt: 1, reason, detail: detail.to_string() };
			coordinator.refuse(&session, assignment.job.into(), &refusal).await.unwrap();
		}));
		let mut asked = chat(stream);
		asked["prompt"] = json!("Hello");
		let answer = served.post(path, "gpk_test", asked).await;
		let body: Value = if stream {
			let text = answer.text().await.unwrap();
			let last = text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back();
			serde_json::from_str(last.unwrap()).unwrap()
		} else {
			assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
			answer.json().await.unwrap()
		};
		let error = &body["error"];
		assert_eq!(
			(&error["code"], &error["param"]),
			(&json!("context_length_exceeded"), &json!(param))
		);
		assert_eq!(error["type"], "invalid_request_error");
		assert!(error["message"].as_str().unwrap().contains("12003"), "{body}");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_engine_does_not_offer_another_does_and_what_none_does_is_refused_by_name() {
	for others in [0u8, 1] {
		let mut served = Served::new().await;
		let mut asking = Vec::new();
		for byte in 1..=others + 1 {
			let miner = served.world.miner(byte);
			let session = miner.session(&served.world).await;
			asking.push((miner, session));
		}
		let coordinator = served.world.coordinator.clone();
		served.tasks.push(tokio::spawn(async move {
			let mut attempt = 1;
			// The first miner that is given it has no tools.
			while let Some((miner, session)) = asking.pop() {
				let taken = coordinator.take(&session, Duration::from_secs(20)).await.unwrap();
				let assignment = job_of(taken.expect("a job"));
				let job = assignment.job.into();
				assert!(assignment.spec.further.tools.is_some());
				if attempt == 1 {
					let detail = "tools is not offered by http://10.0.0.1:8000: leave it out";
					let (reason, detail) = (RefusalReason::NotOffered, detail.to_string());
					let refusal = Refusal { attempt, reason, detail };
					coordinator.refuse(&session, job, &refusal).await.unwrap();
				} else {
					let result = miner.does(&assignment);
					coordinator.result(&session, job, &result).await.unwrap();
				}
				attempt += 1;
			}
		}));
		let mut asked = chat(false);
		asked["tools"] = json!([{ "type": "function", "function": { "name": "add" } }]);
		let answer = served.post("/v1/chat/completions", "gpk_test", asked).await;
		let status = answer.status();
		let body: Value = answer.json().await.unwrap();
		if others > 0 {
			assert_eq!(status, StatusCode::OK, "{body}");
			continue;
		}
		let error = &body["error"];
		assert_eq!((status.as_u16(), &error["param"]), (400, &json!("tools")), "{body}");
		assert_eq!(error["code"], "unsupported_parameter");
		assert_eq!(error["type"], "invalid_request_error");
		let said = error["message"].as_str().unwrap();
		assert!(said.contains("tools is not offered") && !said.contains("10.0.0.1"), "{said}");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn several_answers_come_by_their_number_also_in_a_stream() {
	for stream in [false, true] {
		let mut served = Served::new().await;
		let miner = served.world.miner(1);
		let session = miner.session(&served.world).await;
		let coordinator = served.world.coordinator.clone();
		served.tasks.push(tokio::spawn(async move {
			let taken = coordinator.take(&session, Duration::from_secs(20)).await.unwrap();
			let assignment = job_of(taken.expect("a job"));
			assert_eq!((assignment.spec.answers(), assignment.stream), (2, false));
			let answer = |text: &str| Answer {
				text: text.to_string(),
				finish: Finish::Stop,
				tool_calls: None,
				logprobs: Some(r#"[{"token":"a","logprob":-1.5,"bytes":[97]}]"#.to_string()),
			};
			let answers = vec![answer("one"), answer("two")];
			let output = Output { answers, ..output("one") };
			let receipt = miner.receipt(&assignment, &output);
			let result = miner.signed(assignment.attempt, output, &receipt);
			coordinator.result(&session, assignment.job.into(), &result).await.unwrap();
		}));
		let mut asked = chat(stream);
		asked["n"] = json!(2);
		asked["logprobs"] = json!(true);
		let answer = served.post("/v1/chat/completions", "gpk_test", asked).await;
		if !stream {
			let body: Value = answer.json().await.unwrap();
			let choice = |place: usize| {
				let choice = &body["choices"][place];
				(choice["index"].clone(), choice["message"]["content"].clone())
			};
			assert_eq!(choice(0), (json!(0), json!("one")), "{body}");
			assert_eq!(choice(1), (json!(1), json!("two")), "{body}");
			assert_eq!(body["choices"][1]["logprobs"]["content"][0]["logprob"], -1.5);
			continue;
		}
		let text = answer.text().await.unwrap();
		let events = text.lines().filter_map(|line| line.strip_prefix("data: {"));
		let chunks: Vec<Value> =
			events.map(|event| serde_json::from_str(&format!("{{{event}")).unwrap()).collect();
		let said = |index: u64| -> String {
			let choices = chunks.iter().map(|chunk| &chunk["choices"][0]);
			let own = choices.filter(|choice| choice["index"] == index);
			own.filter_map(|choice| choice["delta"]["content"].as_str()).collect()
		};
		assert_eq!((said(0), said(1)), ("one".to_string(), "two".to_string()), "{text}");
		let ends = chunks.iter().filter(|chunk| chunk["choices"][0]["finish_reason"] == "stop");
		let ends: Vec<&Value> = ends.collect();
		assert_eq!(ends.len(), 2, "{text}");
		assert!(ends[0]["gridproof"].is_null() && ends[1]["gridproof"]["receipt"].is_string());
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refused_parameter_is_named_with_its_bound() {
	let served = Served::new().await;
	let _session = served.world.miner(1).session(&served.world).await;
	let texts = vec!["x"; 257];
	let stops = vec!["x"; 5];
	for (path, member, value, param, said) in [
		("chat/completions", "max_tokens", json!(4096), "max_tokens", "1024"),
		("chat/completions", "stop", json!(stops), "stop", "4"),
		(
			"chat/completions",
			"messages",
			json!([{ "role": "wizard" , "content": "" }]),
			"messages",
			"wizard",
		),
		(
			"chat/completions",
			"messages",
			json!([{ "role": "function", "content": "" }]),
			"messages",
			"function",
		),
		("embeddings", "input", json!(texts), "input", "256"),
		("embeddings", "input", json!(["a", ""]), "input", "text 1"),
		("completions", "prompt", json!(""), "prompt", "empty"),
	] {
		let mut asked = chat(false);
		(asked["input"], asked["prompt"]) = (json!("x"), json!("x"));
		asked[member] = value;
		let answer = served.post(&format!("/v1/{path}"), "gpk_test", asked).await;
		assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
		let body: Value = answer.json().await.unwrap();
		assert_eq!(body["error"]["param"], param, "{body}");
		assert!(body["error"]["message"].as_str().unwrap().contains(said), "{body}");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_under_v1_has_the_form_of_openai_and_every_answer_a_number() {
	let served = Served::new().await;
	let unknown = served.get("/v1/responses").await;
	let wrong = served.get("/v1/chat/completions").await;
	let pairs = [(unknown, StatusCode::NOT_FOUND), (wrong, StatusCode::METHOD_NOT_ALLOWED)];
	for (answer, status) in pairs {
		assert_eq!(answer.status(), status);
		assert!(header(&answer, "x-request-id").starts_with("req_"));
		let body: Value = answer.json().await.unwrap();
		assert!(body["error"]["message"].is_string(), "{body}");
		assert_eq!(body["error"]["type"], "invalid_request_error");
	}
	let elsewhere: Value = served.get("/api/nothing").await.json().await.unwrap();
	assert!(elsewhere["error"].is_string(), "{elsewhere}");
	let models: Value = served.get("/v1/models").await.json().await.unwrap();
	assert!(models["data"].as_array().unwrap().iter().all(|m| m["created"] != json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn web_pages_of_named_origins_may_call_and_others_may_not() {
	let page = "https://chat.example";
	let named = Settings { origins: vec![page.to_string()], ..Settings::default() };
	for (settings, allowed) in [(named, page), (Settings::default(), "")] {
		let served = Served::with(World::with(settings, None).await).await;
		let url = format!("{}/v1/chat/completions", served.url);
		let preflight = served.http.request(reqwest::Method::OPTIONS, &url);
		let asked = "authorization, content-type, x-stainless-lang";
		let preflight = preflight
			.header("origin", page)
			.header("access-control-request-method", "POST")
			.header("access-control-request-headers", asked);
		let answer = preflight.send().await.unwrap();
		assert!(answer.status().is_success());
		assert_eq!(header(&answer, "access-control-allow-origin"), allowed);
		if !allowed.is_empty() {
			assert_eq!(header(&answer, "access-control-allow-headers"), asked);
		}
		let refused = served.http.post(&url).header("origin", page).send().await.unwrap();
		assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
		assert_eq!(header(&refused, "access-control-allow-origin"), allowed);
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_token_is_refused_and_costs_nothing() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let (_, job) = world.submitted().await;
	let assignment = miner.asks(&world, &session).await.unwrap();
	let nothing = Output { completion_tokens: 0, ..output("") };
	let receipt = miner.receipt(&assignment, &nothing);
	let result = miner.signed(assignment.attempt, nothing, &receipt);
	let refused = world.coordinator.result(&session, job.job, &result).await.unwrap_err();
	assert_eq!(refused.code, ErrorCode::Implausible);
	assert_eq!(world.state(job.job).await, JobStage::Queued, "another miner may do it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_that_no_receipt_has_any_more_is_shown_as_zero() {
	let served = Served::new().await;
	let figures = served.get("/metrics").await.text().await.unwrap();
	for settlement in ["pending", "final", "refused"] {
		let line = format!("gridproof_coordinator_receipts{{settlement=\"{settlement}\"}} 0");
		assert!(figures.contains(&line), "{figures}");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_may_be_longer_than_a_clients_request() {
	let served = Served::new().await;
	let token = served.world.coordinator.hello(&served.world.miner(1).hello(&served.world)).await;
	let token = token.unwrap().session;
	let job = Hex32([1; 32]);
	let vectors = vec!["A".repeat(8_192); 256];
	let output = Output { embeddings: vectors, ..output("") };
	let (receipt, signature) = (HexBytes(Vec::new()), Hex64([0; 64]));
	let result = json!(JobResult { attempt: 1, output, receipt, signature, tokens: None });
	let answer = served.post(&format!("/miner/v1/jobs/{job}/result"), &token, result).await;
	assert_eq!(answer.status(), StatusCode::NOT_FOUND, "it is read: the job is not known");
	let progress = json!({ "attempt": 1, "offset": 0, "text": "x".repeat(2 << 20) });
	let answer = served.post(&format!("/miner/v1/jobs/{job}/progress"), &token, progress).await;
	assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_the_same_time_do_not_pass_a_customers_limit_together() {
	let world = World::new().await;
	let _session = world.miner(1).session(&world).await;
	let price = world.coordinator.price(&spec(), PURSE, PriceAsset::Ait).unwrap().quote.price;
	let limit = Some(price * 3);
	let orders = (0..12).map(|_| world.ordered("acme", limit));
	let admissions = futures::future::join_all(orders).await;
	let is_new = |admission: &&Admission| matches!(admission, Admission::New(_));
	assert_eq!(admissions.iter().filter(is_new).count(), 3);
	assert_eq!(admissions.iter().filter(|a| **a == Admission::LimitReached).count(), 9);
	assert!(matches!(world.ordered("other", limit).await, Admission::New(_)));
}

#[test]
fn the_document_is_what_generators_of_clients_take_and_says_who_may_ask() {
	/// A voucher, a receipt and a batch say themselves who has signed them; plans are a list of prices.
	const IS_PUBLIC: [&str; 4] = ["/v1/channels/", "/v1/receipts/", "/v1/batches/", "/v1/plans"];
	let document = crate::openapi();
	assert_eq!(document["servers"][0]["url"], "/");
	let (mut names, mut operations) = (std::collections::BTreeSet::new(), 0);
	for (path, item) in document["paths"].as_object().unwrap() {
		assert!(!path.contains("{*"), "{path}");
		for (method, operation) in item.as_object().unwrap() {
			names.insert(operation["operationId"].as_str().unwrap().to_string());
			operations += 1;
			for response in operation["responses"].as_object().unwrap().values() {
				assert!(!response["description"].as_str().unwrap().is_empty(), "{method} {path}");
			}
			assert!(operation["responses"]["default"].is_object(), "{method} {path}");
			let wanted = match (method.as_str(), path.as_str()) {
				(_, "/miner/v1/about" | "/miner/v1/hello") => json!([]),
				(_, path) if path.starts_with("/miner/") => json!([{ "session": [] }]),
				(_, path) if IS_PUBLIC.iter().any(|public| path.starts_with(public)) => json!([]),
				(_, path) if path.starts_with("/v1/") => json!([{ "api_key": [] }]),
				("post", path) if path.starts_with("/api/v1/jobs") => json!([{ "access": [] }]),
				("get", "/api/v1/jobs/{job}") => json!([{}, { "access": [] }, { "api_key": [] }]),
				_ => json!([]),
			};
			assert_eq!(operation["security"], wanted, "{method} {path}");
			for scheme in wanted.as_array().unwrap().iter().flat_map(|s| s.as_object().unwrap()) {
				let known = &document["components"]["securitySchemes"][scheme.0];
				assert_eq!(known["scheme"], "bearer", "{method} {path}");
			}
		}
	}
	assert_eq!(names.len(), operations, "no two operations have one name");
}

#[test]
fn the_document_bounds_numbers_and_closes_the_kinds_of_tasks() {
	let document = crate::openapi();
	let schemas = &document["components"]["schemas"];
	let kinds = schemas["Task"]["oneOf"].as_array().unwrap();
	assert!(kinds.len() > 1 && kinds.iter().all(|kind| kind["additionalProperties"] == false));
	fn numbers<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
		match value {
			Value::Object(fields) => {
				if fields.get("type") == Some(&json!("integer")) {
					found.push(value);
				}
				fields.values().for_each(|field| numbers(field, found));
			},
			Value::Array(items) => items.iter().for_each(|item| numbers(item, found)),
			_ => (),
		}
	}
	let mut found = Vec::new();
	numbers(&document, &mut found);
	assert!(found.len() > 20);
	for number in found {
		assert!(number["minimum"].is_null() || number["maximum"].is_u64(), "{number}");
	}
}

#[test]
fn every_error_of_every_request_has_its_form_in_the_document() {
	let document = crate::openapi();
	let form = |response: &Value| {
		let schema = &response["content"]["application/json"]["schema"]["$ref"];
		schema.as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_string()
	};
	for (path, item) in document["paths"].as_object().unwrap() {
		for (method, operation) in item.as_object().unwrap() {
			let responses = operation["responses"].as_object().unwrap();
			let errors = responses.iter().filter(|(status, _)| !status.starts_with('2'));
			let forms: Vec<String> = errors.map(|(_, response)| form(response)).collect();
			// What is asked beside OpenAI's requests has the form of `/api/v1`.
			let beside = ["/v1/channels/", "/v1/batches/", "/v1/receipts/", "/v1/plans"];
			let wanted: &[&str] = match path.as_str() {
				path if beside.iter().any(|prefix| path.starts_with(prefix)) => {
					&["ErrorBody", "CoordinatorError"]
				},
				path if path.starts_with("/v1/") => &["OpenAiErrorBody"],
				_ => &["ErrorBody", "CoordinatorError"],
			};
			let is_known = |form: &String| wanted.contains(&form.as_str());
			assert!(forms.iter().all(is_known), "{method} {path}: {forms:?}");
			for form in &forms {
				assert!(document["components"]["schemas"][form].is_object(), "{form}");
			}
		}
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_and_cannot_be_done_is_422_and_an_unknown_id_404() {
	let served = Served::new().await;
	let _session = served.world.miner(1).session(&served.world).await;
	let id = format!("0x{}", "0".repeat(64));
	let error = async |answer: reqwest::Response| {
		let status = answer.status().as_u16();
		let body: Value = answer.json().await.unwrap();
		let message = body["message"].as_str().unwrap().to_string();
		(status, body["error"].as_str().unwrap().to_string(), message)
	};
	for (path, status, word, said) in [
		(format!("/api/v1/jobs/{id}"), 404, "unknown_job", "no such job"),
		(format!("/attest/receipt?job={id}"), 404, "unknown_job", "no receipt"),
		(format!("/attest/receipt?id={id}"), 404, "unknown_job", "no receipt"),
		(format!("/attest/receipt?id={id}&job={id}"), 422, "bad_request", "either ?job= "),
		("/attest/receipt".to_string(), 422, "bad_request", "either ?job= "),
		("/attest/receipt?job=".to_string(), 400, "bad_request", "want 0x"),
		("/api/v1/jobs?client=".to_string(), 400, "bad_request", "want 0x"),
		("/api/v1/jobs?state=".to_string(), 400, "bad_request", "state or client: "),
		("/api/v1/jobs?before=9223372036854775808".to_string(), 400, "bad_request", "at most"),
	] {
		let (found, code, message) = error(served.get(&path).await).await;
		assert_eq!((found, code.as_str()), (status, word), "{path}: {message}");
		assert!(message.contains(said), "{path}: {message}");
	}
	let mut spec = serde_json::to_value(spec()).unwrap();
	let submission = |quote: &str, spec: &Value| {
		let signature = format!("0x{}", "0".repeat(128));
		json!({ "job": id, "quote": quote, "signature": signature, "spec": spec })
	};
	let refused = served.post("/api/v1/jobs", "guess", submission("0x00", &spec)).await;
	let (status, code, message) = error(refused).await;
	assert_eq!((status, code.as_str()), (422, "bad_quote"), "{message}");
	assert!(message.contains("ask for a new quote"), "{message}");
	spec["version"] = json!(0);
	let asked = json!({ "client": id, "asset": "ait", "spec": spec });
	let (status, code, message) = error(served.post("/api/v1/quotes", "", asked).await).await;
	assert_eq!((status, code.as_str()), (422, "bad_request"), "{message}");
	assert!(message.contains("version 0, not 1"), "{message}");
	let mut hello = served.world.miner(1).hello(&served.world);
	hello.slots = 0;
	let hello = serde_json::to_value(hello).unwrap();
	let (status, code, message) = error(served.post("/miner/v1/hello", "", hello).await).await;
	assert_eq!((status, code.as_str()), (422, "bad_request"), "{message}");
	assert!(message.contains("1 to 256 slots"), "{message}");
	// OpenAI's clients know one status for both.
	let mut asked = chat(false);
	asked["max_tokens"] = json!(4_096);
	let refused = served.post("/v1/chat/completions", "gpk_test", asked).await;
	assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_cannot_be_read_is_answered_as_every_other_mistake() {
	let served = Served::new().await;
	let token = served.world.coordinator.hello(&served.world.miner(1).hello(&served.world)).await;
	let token = token.unwrap().session;
	let list = served.get("/api/v1/jobs?limit=-1").await;
	let wait = served.post("/miner/v1/work?wait=-1", &token, json!(null)).await;
	for answer in [list, wait] {
		assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
		let body: Value = answer.json().await.unwrap();
		assert_eq!(body["error"], "bad_request");
		assert!(body["message"].as_str().unwrap().contains("invalid digit"), "{body}");
	}
	for limit in [0, 501] {
		let list = served.get(&format!("/api/v1/jobs?limit={limit}")).await;
		assert_eq!(list.status(), StatusCode::BAD_REQUEST);
		let body: Value = list.json().await.unwrap();
		assert_eq!(body["message"], "limit is 1 to 500");
	}
	assert_eq!(served.get("/api/v1/jobs?limit=500").await.status(), StatusCode::OK);
	// No database has the first; the other is one that is not there.
	for (channel, status) in
		[(1 << 63, StatusCode::BAD_REQUEST), ((1 << 63) - 1, StatusCode::NOT_FOUND)]
	{
		let channel: u64 = channel;
		assert_eq!(served.get(&format!("/v1/channels/{channel}")).await.status(), status);
	}
	for (since, said) in [("x", "invalid digit"), ("9223372036854775808", "at most 92233720368547")]
	{
		let bill = served.get(&format!("/v1/billing/usage?since_ms={since}")).await;
		assert_eq!(bill.status(), StatusCode::BAD_REQUEST);
		let body: Value = bill.json().await.unwrap();
		assert_eq!(body["error"]["type"], "invalid_request_error");
		assert!(body["error"]["message"].as_str().unwrap().contains(said), "{body}");
	}
}
