//! Requests as clients of other servers send them: `vectors/field/openai/cases.sh`, which needs bash,
//! curl and python3, and what is like them.

use super::*;
use gridproof_compute_api::protocol::{Refusal, RefusalReason};
use gridproof_support::{Stopper, http_client};
use serde_json::{Value, json};
use std::num::NonZeroU32;
use tokio::{net::TcpListener, process::Command, task::JoinHandle};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../vectors/field/openai/cases.sh");
/// A prompt with more bytes is longer than the miner's context.
const CONTEXT: usize = 20_000;

/// A front that may be called from one web page, and a miner that does all its jobs.
struct Front {
	world: World,
	url: String,
	http: reqwest::Client,
	tasks: Vec<JoinHandle<()>>,
	_serving: Stopper,
}

impl Drop for Front {
	fn drop(&mut self) {
		self.tasks.iter().for_each(JoinHandle::abort);
	}
}

impl Front {
	async fn new() -> Self {
		let settings = Settings {
			requests_per_minute: NonZeroU32::new(10_000).unwrap(),
			origins: vec!["https://notes.example".to_string()],
			..Settings::default()
		};
		let world = World::with(settings, None).await;
		let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
		let stopper = Stopper::new();
		let router = world.server().router();
		let serving = gridproof_http::serve_on(router, listener, stopper.signal()).unwrap();
		let url = format!("http://{}", serving.address());
		let coordinator = world.coordinator.clone();
		let running = tokio::spawn(async move {
			coordinator.run().await;
		});
		let (miner, coordinator) = (world.miner(1), world.coordinator.clone());
		let session = miner.session(&world).await;
		let working = tokio::spawn(async move {
			loop {
				let taken = coordinator.take(&session, Duration::from_secs(20)).await.unwrap();
				if let Some(Work::Job(assignment)) = taken {
					work(&miner, &coordinator, &session, &assignment).await;
				}
			}
		});
		let http = http_client::builder().build().unwrap();
		let tasks = vec![running, working, serving.into_task()];
		Self { world, url, http, tasks, _serving: stopper }
	}

	/// Status and body of the answer to a request.
	async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
		let asked = self.http.post(format!("{}{path}", self.url)).bearer_auth("gpk_test");
		let answer = asked.json(body).send().await.unwrap();
		(answer.status().as_u16(), answer.json().await.unwrap())
	}
}

async fn work(miner: &Miner, coordinator: &Coordinator, session: &Session, given: &Assignment) {
	let length = match &given.spec.task {
		Task::Chat { messages } => messages.iter().map(|message| message.content.len()).sum(),
		Task::Completion { prompt } => prompt.len(),
		_ => 0,
	};
	if length > CONTEXT {
		let detail = format!("{} tokens, 511 at most", length / 5);
		let (attempt, reason) = (given.attempt, RefusalReason::ContextExceeded);
		let refusal = Refusal { attempt, reason, detail };
		return coordinator.refuse(session, given.job.into(), &refusal).await.unwrap();
	}
	let output = match &given.spec.task {
		Task::Embedding { input } => Output {
			embeddings: vec!["AACAPwAAAEA=".to_string(); input.len()],
			completion_tokens: 0,
			..output("")
		},
		_ => output("there was"),
	};
	let receipt = miner.receipt(given, &output);
	let result = miner.signed(given.attempt, output, &receipt);
	coordinator.result(session, given.job.into(), &result).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_usual_clients_has_its_outcome() {
	let front = Front::new().await;
	let said = Command::new("bash")
		.arg(SCRIPT)
		.env("BASE", &front.url)
		.env("KEY", "gpk_test")
		.env("MODEL", MODEL)
		.env("EMBED", MODEL)
		.env("NO_PROXY", "127.0.0.1")
		.output()
		.await
		.expect("bash is installed");
	let text = String::from_utf8(said.stdout).unwrap();
	let answers: HashMap<&str, &str> =
		text.lines().filter_map(|line| line.split_once(char::is_whitespace)).collect();
	let wanted: [(&str, &str, &[&str]); 20] = [
		(
			"preflight",
			"HTTP/1.1 200",
			&["access-control-allow-origin: https://notes.example", "x-stainless-os"],
		),
		("seed-minus-one", "200", &["\"message\":{\"content\":\"there was\""]),
		("seed-as-float", "200", &["\"message\":{\"content\":\"there was\""]),
		("top-p-zero", "200", &["\"message\":{\"content\":\"there was\""]),
		("top-p-tiny", "200", &["\"message\":{\"content\":\"there was\""]),
		("max-tokens-minus", "200", &["\"message\":{\"content\":\"there was\""]),
		("max-tokens-4096", "400", &["\"param\":\"max_tokens\"", "1024"]),
		("logprobs-zero", "200", &["\"text\":\"there was\""]),
		("top-k", "400", &["\"param\":\"top_k\"", "top_k is not offered here"]),
		("content-null", "200", &["\"message\":{\"content\":\"there was\""]),
		("content-missing", "200", &["\"message\":{\"content\":\"there was\""]),
		("role-tool", "200", &["\"message\":{\"content\":\"there was\""]),
		("stop-five", "400", &["\"param\":\"stop\"", "at most 4"]),
		("stop-empty-text", "200", &["\"message\":{\"content\":\"there was\""]),
		("embed-300", "400", &["\"param\":\"input\"", "300 texts", "256"]),
		("embed-40", "200", &["\"embedding\""]),
		("embed-empty-one", "400", &["\"param\":\"input\"", "text 1, counted from 0, is empty"]),
		(
			"prompt-too-long",
			"400",
			&[
				"\"code\":\"context_length_exceeded\"",
				"\"param\":\"messages\"",
				"12000 tokens",
				"511",
			],
		),
		("bearer-lower-case", "200", &["\"message\":{\"content\":\"there was\""]),
		("unknown-path", "404", &["\"type\":\"invalid_request_error\"", "\"message\":"]),
	];
	let errors = String::from_utf8_lossy(&said.stderr).to_string();
	for (name, status, parts) in wanted {
		let answer = answers.get(name).unwrap_or_else(|| panic!("{name}: {text}{errors}")).trim();
		assert!(answer.starts_with(status), "{name}: {answer} {errors}");
		for part in parts {
			assert!(answer.contains(part), "{name} has no {part}: {answer}");
		}
	}
	assert_eq!(wanted.len(), answers.len(), "a case without an outcome: {text}");
	// One job for each request that was taken, and one for the prompt that no miner could read.
	let taken = wanted.iter().filter(|(_, status, _)| *status == "200").count();
	assert_eq!(front.world.chain.jobs.lock().unwrap().len(), taken + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_like_those_cases_has_the_same_outcome() {
	let front = Front::new().await;
	let chat = json!({ "model": MODEL, "messages": [{ "role": "user", "content": "Say." }], "max_tokens": 4 });
	let text = json!({ "model": MODEL, "prompt": "Once", "max_tokens": 4 });
	let embed = json!({ "model": MODEL, "input": "Once" });
	let many = |count: usize| json!(vec!["x"; count]);
	let cases: Vec<(&str, &Value, &str, Value, Option<&str>)> = vec![
		("chat/completions", &chat, "seed", json!(i64::MIN), None),
		("chat/completions", &chat, "seed", json!(1e3), None),
		("chat/completions", &chat, "seed", json!(null), None),
		("chat/completions", &chat, "seed", json!("7"), Some("seed")),
		("chat/completions", &chat, "seed", json!(7.5), Some("seed")),
		("completions", &text, "top_p", json!(0.0), None),
		("completions", &text, "top_p", json!(0.0004), None),
		("completions", &text, "top_p", json!(1.1), Some("top_p")),
		("completions", &text, "temperature", json!(-0.1), Some("temperature")),
		("completions", &text, "max_tokens", json!(-1), None),
		("completions", &text, "max_tokens", json!(-2), Some("max_tokens")),
		("chat/completions", &chat, "max_tokens", json!(null), None),
		("chat/completions", &chat, "max_tokens", json!(1025), Some("max_tokens")),
		("chat/completions", &chat, "max_completion_tokens", json!(-1), None),
		("completions", &text, "logprobs", json!(null), None),
		("completions", &text, "logprobs", json!(21), Some("logprobs")),
		("completions", &text, "top_k", json!(40), Some("top_k")),
		("completions", &text, "top_k", json!(-1), None),
		("chat/completions", &chat, "min_p", json!(0.05), Some("min_p")),
		("chat/completions", &chat, "repetition_penalty", json!(1.2), Some("repetition_penalty")),
		("chat/completions", &chat, "repetition_penalty", json!(1), None),
		("chat/completions", &chat, "grammar", json!("root ::= x"), Some("grammar")),
		("chat/completions", &chat, "stop", json!(["a", "b", "c", "d"]), None),
		("chat/completions", &chat, "stop", json!(["", "", "", "", "", "a"]), None),
		("chat/completions", &chat, "stop", json!(""), None),
		("chat/completions", &chat, "stop", json!([1]), Some("stop")),
		("chat/completions", &chat, "messages", json!([]), Some("messages")),
		(
			"chat/completions",
			&chat,
			"messages",
			json!([{ "role": "function", "name": "f", "content": "x" }]),
			Some("messages"),
		),
		(
			"chat/completions",
			&chat,
			"messages",
			json!([{ "role": "user", "content": null }]),
			Some("messages"),
		),
		("embeddings", &embed, "input", many(1), None),
		("embeddings", &embed, "input", many(256), None),
		("embeddings", &embed, "input", many(257), Some("input")),
		("embeddings", &embed, "input", json!([]), Some("input")),
		("embeddings", &embed, "input", json!(["", "a"]), Some("input")),
		("embeddings", &embed, "input", json!(""), Some("input")),
	];
	for (path, body, member, value, param) in cases {
		let mut asked = body.clone();
		asked[member] = value.clone();
		let (status, answer) = front.post(&format!("/v1/{path}"), &asked).await;
		let said = answer["error"]["param"].as_str();
		assert_eq!((status == 200, said), (param.is_none(), param), "{member} {value}: {answer}");
		assert!(status == 200 || status == 400, "{member} {value}: {status}");
	}
	for (path, body, param) in [
		("chat/completions", json!({ "model": MODEL }), Some("messages")),
		("chat/completions", json!({ "messages": [] }), Some("model")),
		("chat/completions", json!({ "model": 7, "messages": [] }), Some("model")),
		("chat/completions", json!({ "model": MODEL, "messages": "Hi" }), Some("messages")),
		("chat/completions", json!({ "model": MODEL, "messages": [{ "content": "x" }] }), None),
		("completions", json!({ "model": MODEL }), Some("prompt")),
		("completions", json!({ "model": MODEL, "prompt": "x", "echo": "yes" }), Some("echo")),
		("completions", json!({ "model": MODEL, "prompt": 7 }), Some("prompt")),
		(
			"embeddings",
			json!({ "model": MODEL, "input": "x", "dimensions": "2" }),
			Some("dimensions"),
		),
		("embeddings", json!({ "model": MODEL, "input": { "text": "x" } }), Some("input")),
		("embeddings", json!([]), None),
	] {
		let (status, answer) = front.post(&format!("/v1/{path}"), &body).await;
		let error = &answer["error"];
		assert_eq!((status, &error["type"]), (400, &json!("invalid_request_error")), "{body}");
		assert!(param.is_none() || error["param"] == json!(param), "{body}: {answer}");
		assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
	}
	let (_, one) = front.post("/v1/chat/completions", &chat).await;
	assert_eq!(one["choices"][0]["message"]["content"], "there was");
}
