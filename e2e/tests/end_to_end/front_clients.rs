//! Programs that people have already, unchanged, at a client's own front: OpenAI's library for Node.js
//! (that for Python is in `channels.rs`), LiteLLM, LangChain and the Vercel AI SDK, each with its models, an
//! answer, a stream and errors; and OpenAI's interface beyond one text, by hand.

use anyhow::{Context, Result, ensure};
use gridproof_e2e::{
	channels::Client,
	clients::{npm, python_script, python_with, run},
	compute::{CLIENT, Compute},
	wait,
};
use serde_json::{Value, json};
use std::{process::Command, time::Duration};

const LIMIT: Duration = Duration::from_secs(120);
/// What the channel is opened with, in AIT.
const DEPOSIT: u128 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_speak_openais_protocol_work_unchanged_at_a_clients_front() -> Result<()> {
	let compute = Compute::start().await?;
	let front = Client::start(&compute, "front", CLIENT, DEPOSIT).await?;
	let model = compute.model().await?;
	beyond_one_text(&front, &model).await?;
	let script = |environment: &str, name: &str| -> Result<Command> {
		let mut command = Command::new(python_with(environment)?);
		command.arg(python_script(name));
		Ok(command)
	};
	let node = |folder: &str| -> Result<Command> {
		let mut command = Command::new("node");
		command.arg(npm(folder)?.join("client.js"));
		Ok(command)
	};
	let clients = [
		("OpenAI's library for Node.js", node("openai")?),
		("LiteLLM", script("litellm", "litellm_client.py")?),
		("LangChain", script("langchain", "langchain_client.py")?),
		("Vercel AI SDK", node("vercel")?),
	];
	for (name, mut command) in clients {
		command.env("OPENAI_BASE_URL", format!("{}/v1", front.url));
		command.envs([("OPENAI_API_KEY", "none"), ("MODEL", &model), ("PAID_BY", "channel")]);
		// Prices of other services, which it would fetch from the network.
		command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
		let printed = tokio::task::spawn_blocking(move || run(&mut command)).await?;
		let printed = printed.with_context(|| name.to_owned())?;
		let said: Value = serde_json::from_str(&printed).with_context(|| printed.clone())?;
		let receipts = ["chat", "stream", "completion", "embedding"]
			.map(|kind| said[kind].as_str().is_some_and(|receipt| receipt.starts_with("0x")));
		let has_answers = said["answered"].as_u64() >= Some(3) || receipts == [true; 4];
		ensure!(has_answers, "{name}: {said}");
	}
	let status = format!("{}/api/v1/front", front.url);
	wait::until("what was refused is closed", LIMIT, async || {
		let status: Value = reqwest::get(&status).await?.json().await?;
		assert_eq!(status["distrust"], Value::Null, "{status}");
		Ok((status["open"] == "0").then_some(()))
	})
	.await?;
	compute.node.assert_no_errors();
	Ok(())
}

/// Several texts, token ids, several answers, logarithms; and what the small model does not know.
async fn beyond_one_text(front: &Client, model: &str) -> Result<()> {
	let http = reqwest::Client::builder().timeout(LIMIT).build()?;
	let ask = async |path: &str, more: Value| -> Result<(u16, Value)> {
		let mut body = json!({ "model": model, "max_tokens": 8, "temperature": 0 });
		for (name, value) in more.as_object().context("an object")? {
			body[name] = value.clone();
		}
		let answer = http.post(format!("{}/v1/{path}", front.url)).json(&body).send().await?;
		Ok((answer.status().as_u16(), answer.json().await?))
	};
	let several = json!({ "prompt": ["Once upon a time", "It is a truth"], "n": 2, "logprobs": 2 });
	let (status, answer) = ask("completions", several).await?;
	let choices = answer["choices"].as_array().with_context(|| answer.to_string())?;
	assert_eq!((status, choices.len()), (200, 4), "{answer}");
	for (index, choice) in choices.iter().enumerate() {
		assert_eq!(choice["index"], json!(index), "{answer}");
		let lengths = ["tokens", "token_logprobs", "top_logprobs", "text_offset"]
			.map(|name| choice["logprobs"][name].as_array().map_or(0, Vec::len));
		ensure!(lengths[0] > 0 && lengths.iter().all(|length| *length == lengths[0]), "{choice}");
	}
	let (status, tokens) = ask("completions", json!({ "prompt": [[300, 400], [500]] })).await?;
	ensure!(status == 200 || status == 502, "an answer, or one without a text: {tokens}");
	let (status, vectors) = ask("embeddings", json!({ "input": [[300, 400], [500]] })).await?;
	assert_eq!((status, vectors["data"].as_array().map(Vec::len)), (200, Some(2)), "{vectors}");
	let (status, stranger) = ask("embeddings", json!({ "input": [[99_999]] })).await?;
	assert_eq!(status, 400, "{stranger}");

	let question = json!([{ "role": "user", "content": "Say something about energy." }]);
	let tools = json!([{ "type": "function", "function": { "name": "add", "parameters": {} } }]);
	let (status, refused) =
		ask("chat/completions", json!({ "messages": question, "tools": tools })).await?;
	assert_eq!(status, 400, "{refused}");
	assert_eq!(refused["error"]["param"], "tools", "{refused}");
	assert_eq!(refused["error"]["code"], "unsupported_parameter", "{refused}");
	let format = json!({ "type": "json_object" });
	let (status, refused) =
		ask("chat/completions", json!({ "messages": question, "response_format": format })).await?;
	assert_eq!((status, &refused["error"]["param"]), (400, &json!("response_format")), "{refused}");
	Ok(())
}
