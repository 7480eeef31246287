//! The small model behind OpenAI's interface, as a process of its own: `scripts/bench front` asks it
//! directly, and so does the miner.

use crate::options::Options;
use anyhow::{Context, Result};
use axum::{
	Json, Router,
	body::{Body, Bytes},
	extract::{Path, State},
	http::{StatusCode, header},
	response::{IntoResponse, Response},
	routing::{get, post},
};
use futures::{SinkExt, channel::mpsc};
use gridproof_compute_api::protocol::{Finish, Message, Sampling};
use gridproof_engine::{DEFAULT_MODEL, Engine, EngineError, Input, LocalEngine, Request};
use serde_json::{Value, json};
use std::{convert::Infallible, ops::ControlFlow, sync::Arc};
use tokio::{net::TcpListener, runtime::Handle};

/// What `scripts/bench front` starts this program with.
pub(crate) const NAME: &str = "engine";
/// Pieces of text that may wait for a slow reader.
const BUFFER: usize = 64;

/// Answers until it is killed.
pub(crate) async fn serve(mut options: Options) -> Result<()> {
	let port = u16::try_from(options.number("--port", 0)?).context("no such port")?;
	options.end()?;
	let engine = Arc::new(LocalEngine::embedded()?);
	let router = Router::new()
		.route("/v1/models", get(models))
		.route("/v1/{*what}", post(answer))
		.with_state(engine);
	Ok(axum::serve(TcpListener::bind(("127.0.0.1", port)).await?, router).await?)
}

async fn models() -> Json<Value> {
	Json(json!({ "object": "list", "data": [{ "id": DEFAULT_MODEL, "object": "model" }] }))
}

async fn answer(
	State(engine): State<Arc<LocalEngine>>,
	Path(what): Path<String>,
	Json(asked): Json<Value>,
) -> Response {
	let Some(request) = read(&what, &asked) else {
		let said = json!({ "error": { "message": "only texts and conversations" } });
		return (StatusCode::BAD_REQUEST, Json(said)).into_response();
	};
	if asked["stream"] == json!(true) {
		return stream(engine, request);
	}
	let work = move || engine.complete(&request, &mut |_| ControlFlow::Continue(()));
	match tokio::task::spawn_blocking(work).await {
		Ok(Ok(done)) => {
			let text = done.text.clone();
			let choice = json!({ "index": 0, "text": text, "message": { "role": "assistant",
				"content": done.text }, "finish_reason": word(done.finish) });
			let usage = usage(done.prompt_tokens, done.completion_tokens);
			Json(json!({ "choices": [choice], "usage": usage })).into_response()
		},
		Ok(Err(error)) => refused(&error),
		Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
	}
}

/// Answers in pieces as they are made.
fn stream(engine: Arc<LocalEngine>, request: Request) -> Response {
	let (mut sender, pieces) = mpsc::channel::<Result<Bytes, Infallible>>(BUFFER);
	let runtime = Handle::current();
	tokio::task::spawn_blocking(move || {
		let mut send = |value: &str| {
			let piece = Bytes::from(format!("data: {value}\n\n"));
			runtime.block_on(sender.send(Ok(piece))).is_ok()
		};
		let chunk = |text: &str, finish: Option<&str>| {
			json!({ "choices": [{ "index": 0, "text": text, "delta": { "content": text },
				"finish_reason": finish }] })
			.to_string()
		};
		let done = engine.complete(&request, &mut |text| {
			if text.is_empty() || send(&chunk(text, None)) {
				ControlFlow::Continue(())
			} else {
				ControlFlow::Break(())
			}
		});
		// Nobody may listen any more.
		let _ = match done {
			Ok(done) => {
				let usage = usage(done.prompt_tokens, done.completion_tokens);
				let counts = json!({ "choices": [], "usage": usage }).to_string();
				send(&chunk("", Some(word(done.finish)))) && send(&counts) && send("[DONE]")
			},
			Err(error) => send(&json!({ "error": { "message": error.to_string() } }).to_string()),
		};
	});
	([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(pieces)).into_response()
}

/// What is asked for; `None` of anything but a text or a conversation of texts.
fn read(what: &str, asked: &Value) -> Option<Request> {
	let input = match what {
		"completions" => Input::Text(asked["prompt"].as_str()?.to_owned()),
		"chat/completions" => {
			let text = |value: &Value| value.as_str().map(str::to_owned);
			let message = |said: &Value| {
				Some(Message { role: text(&said["role"])?, content: text(&said["content"])? })
			};
			let messages: Option<_> = asked["messages"].as_array()?.iter().map(message).collect();
			Input::Chat(messages?)
		},
		_ => return None,
	};
	let max_tokens = asked["max_tokens"].as_u64().and_then(|most| u32::try_from(most).ok());
	// Always the likeliest token: then both ways have the same answer.
	let sampling = Sampling::default();
	Some(Request::new(asked["model"].as_str()?, input, max_tokens.unwrap_or(16), sampling))
}

fn refused(error: &EngineError) -> Response {
	let status = match error {
		EngineError::UnknownModel { .. } => StatusCode::NOT_FOUND,
		error if error.is_requests_own() => StatusCode::BAD_REQUEST,
		_ => StatusCode::INTERNAL_SERVER_ERROR,
	};
	(status, Json(json!({ "error": { "message": error.to_string() } }))).into_response()
}

fn usage(prompt_tokens: u64, completion_tokens: u64) -> Value {
	json!({ "prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens,
		"total_tokens": prompt_tokens.saturating_add(completion_tokens) })
}

const fn word(finish: Finish) -> &'static str {
	match finish {
		Finish::Stop => "stop",
		Finish::Length => "length",
	}
}
