//! An engine that speaks OpenAI's protocol and can break off, as servers do that are put to sleep.

use anyhow::Result;
use serde_json::{Value, json};
use std::{
	io,
	sync::{
		Arc,
		atomic::{AtomicBool, AtomicUsize, Ordering},
	},
};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::{TcpListener, TcpStream},
	task::JoinHandle,
};

/// Name of the model that every engine of these tests serves.
pub(crate) const MODEL: &str = "parrot";
const WORDS: [&str; 8] = ["One", " two", " three", " four", " five", " six", " seven", " eight."];
/// Words before it breaks off.
const HALF: usize = 3;

/// The whole of every answer.
pub(crate) fn answer() -> String {
	WORDS.concat()
}

/// The engine. Dropped, it ends.
pub(crate) struct Engine {
	/// Where it is.
	pub(crate) url: String,
	state: Arc<State>,
	serving: JoinHandle<()>,
}

#[derive(Default)]
struct State {
	is_broken: AtomicBool,
	broken_off: AtomicUsize,
}

impl Engine {
	/// An engine that works.
	pub(crate) async fn start() -> Result<Self> {
		let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
		let (url, state) = (format!("http://{}", listener.local_addr()?), Arc::<State>::default());
		let own = state.clone();
		let serving = tokio::spawn(async move {
			loop {
				if let Ok((stream, _)) = listener.accept().await {
					tokio::spawn(serve(stream, own.clone()));
				}
			}
		});
		Ok(Self { url, state, serving })
	}

	/// Breaks off every answer from now on, or no more.
	pub(crate) fn set_broken(&self, is_broken: bool) {
		self.state.is_broken.store(is_broken, Ordering::SeqCst);
	}

	/// How often it has broken off.
	pub(crate) fn broken_off(&self) -> usize {
		self.state.broken_off.load(Ordering::SeqCst)
	}
}

impl Drop for Engine {
	fn drop(&mut self) {
		self.serving.abort();
	}
}

/// Answers one request, and closes.
async fn serve(mut stream: TcpStream, state: Arc<State>) -> io::Result<()> {
	let Some(request) = request(&mut stream).await? else { return Ok(()) };
	let answer = if request.starts_with("GET") {
		let models = json!({
			"object": "list",
			"data": [{ "id": MODEL, "object": "model", "max_model_len": 512 }],
		});
		document("200 OK", &models)
	} else if state.is_broken.load(Ordering::SeqCst) {
		// In each of the ways that were met, in turns.
		match state.broken_off.fetch_add(1, Ordering::SeqCst) % 3 {
			0 => stream_of(HALF, Some("abort")),
			1 => stream_of(HALF, None),
			_ => document("503 Service Unavailable", &json!({ "error": "the engine sleeps" })),
		}
	} else {
		stream_of(WORDS.len(), Some("stop"))
	};
	stream.write_all(answer.as_bytes()).await?;
	stream.shutdown().await
}

/// The head of a request whose body was read too; `None` if nothing comes.
async fn request(stream: &mut TcpStream) -> io::Result<Option<String>> {
	let mut bytes = Vec::new();
	loop {
		if stream.read_buf(&mut bytes).await? == 0 {
			return Ok(None);
		}
		let text = String::from_utf8_lossy(&bytes).into_owned();
		let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
		let length = head.lines().find_map(|line| {
			let (name, value) = line.split_once(':')?;
			name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
		});
		if body.len() >= length.unwrap_or(0) {
			return Ok(Some(head.to_owned()));
		}
	}
}

fn document(status: &str, body: &Value) -> String {
	let body = body.to_string();
	format!(
		"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
		 connection: close\r\n\r\n{body}",
		body.len()
	)
}

/// So many words as events, with a reason for the end or without an end.
fn stream_of(words: usize, reason: Option<&str>) -> String {
	let mut text = String::from(
		"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n",
	);
	let mut event = |value: Value| text.push_str(&format!("data: {value}\n\n"));
	let chunk = |text: &str, reason: Option<&str>| {
		let choice = json!({
			"index": 0, "text": text, "delta": { "content": text }, "finish_reason": reason,
		});
		json!({ "id": "x", "choices": [choice] })
	};
	for word in &WORDS[..words] {
		event(chunk(word, None));
	}
	if reason.is_some() {
		event(chunk("", reason));
		let usage = json!({ "prompt_tokens": 4, "completion_tokens": words });
		event(json!({ "id": "x", "choices": [], "usage": usage }));
	}
	if reason == Some("stop") {
		text.push_str("data: [DONE]\n\n");
	}
	text
}
