//! An engine of the tests' own, without a model: it speaks OpenAI's protocol, answers at once, always with
//! the same words, and can break off, as servers do that are put to sleep.
//!
//! What a test shows with it holds for everything but the work itself: a miner asks it as it asks any
//! server, and signs what it gets.

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

/// Name of the model that it serves.
pub const MODEL: &str = "parrot";
const WORDS: [&str; 8] = ["One", " two", " three", " four", " five", " six", " seven", " eight."];
/// Words before it breaks off.
const HALF: usize = 3;

/// The whole of an answer that may have eight tokens or more.
pub fn answer() -> String {
	WORDS.concat()
}

/// The engine. Dropped, it ends.
pub struct Engine {
	/// Where it is.
	pub url: String,
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
	///
	/// # Errors
	/// When there is no port for it.
	pub async fn start() -> Result<Self> {
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
	pub fn set_broken(&self, is_broken: bool) {
		self.state.is_broken.store(is_broken, Ordering::SeqCst);
	}

	/// How often it has broken off.
	pub fn broken_off(&self) -> usize {
		self.state.broken_off.load(Ordering::SeqCst)
	}
}

impl Drop for Engine {
	fn drop(&mut self) {
		self.serving.abort();
	}
}

/// A request that came in full.
struct Request {
	head: String,
	body: Vec<u8>,
}

/// Answers requests until the other side closes, or an answer is broken off.
async fn serve(mut stream: TcpStream, state: Arc<State>) -> io::Result<()> {
	stream.set_nodelay(true)?;
	let mut bytes = Vec::new();
	while let Some(request) = request(&mut stream, &mut bytes).await? {
		if request.head.starts_with("GET") {
			let models = json!({
				"object": "list",
				"data": [{ "id": MODEL, "object": "model", "max_model_len": 512 }],
			});
			stream.write_all(document("200 OK", &models).as_bytes()).await?;
		} else if state.is_broken.load(Ordering::SeqCst) {
			// In each of the ways that were met, in turns.
			let answer = match state.broken_off.fetch_add(1, Ordering::SeqCst) % 3 {
				0 => broken_off(&events(HALF, 4, Some("abort"))),
				1 => broken_off(&events(HALF, 4, None)),
				_ => document("503 Service Unavailable", &json!({ "error": "the engine sleeps" })),
			};
			stream.write_all(answer.as_bytes()).await?;
			return stream.shutdown().await;
		} else {
			stream.write_all(whole(&request.body).as_bytes()).await?;
		}
	}
	Ok(())
}

/// The next request; `None` if no more come.
async fn request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<Option<Request>> {
	loop {
		if let Some(request) = taken(bytes) {
			return Ok(Some(request));
		}
		if stream.read_buf(bytes).await? == 0 {
			return Ok(None);
		}
	}
}

/// Takes the first request out of what has come.
fn taken(bytes: &mut Vec<u8>) -> Option<Request> {
	const END: &[u8] = b"\r\n\r\n";
	let head = bytes.windows(END.len()).position(|window| window == END)? + END.len();
	let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
	let length: Option<usize> = text.lines().find_map(|line| {
		let (name, value) = line.split_once(':')?;
		name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
	});
	let end = head.checked_add(length.unwrap_or(0))?;
	if bytes.len() < end {
		return None;
	}
	let rest = bytes.split_off(end);
	let body = bytes.split_off(head);
	*bytes = rest;
	Some(Request { head: text, body })
}

fn document(status: &str, body: &Value) -> String {
	let body = body.to_string();
	let last = if status.starts_with("200") { "" } else { "connection: close\r\n" };
	format!(
		"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{last}\r\n{body}",
		body.len()
	)
}

/// A whole answer: as many words as may be made. The prompt has a token each word.
fn whole(body: &[u8]) -> String {
	let body: Value = serde_json::from_slice(body).unwrap_or_default();
	let most = body["max_tokens"].as_u64().and_then(|most| usize::try_from(most).ok());
	let words = most.unwrap_or(WORDS.len()).clamp(1, WORDS.len());
	let prompt = body["prompt"].as_str().map_or(4, |prompt| prompt.split_whitespace().count());
	let reason = if words < WORDS.len() { "length" } else { "stop" };
	let events = events(words, prompt, Some(reason));
	format!(
		"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n{events}",
		events.len()
	)
}

/// An answer that ends where these events do.
fn broken_off(events: &str) -> String {
	format!(
		"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{events}"
	)
}

/// So many words as events, with a reason for the end or without an end.
fn events(words: usize, prompt_tokens: usize, reason: Option<&str>) -> String {
	let mut text = String::new();
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
		let usage = json!({ "prompt_tokens": prompt_tokens, "completion_tokens": words });
		event(json!({ "id": "x", "choices": [], "usage": usage }));
	}
	if matches!(reason, Some("stop" | "length")) {
		text.push_str("data: [DONE]\n\n");
	}
	text
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn requests_that_come_together_or_in_pieces_are_taken_one_by_one() {
		let one = b"POST /v1/completions HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody".to_vec();
		let mut bytes = [&one[..], b"GET / HTTP/1.1\r\n\r\n", &one[..30]].concat();
		assert_eq!(taken(&mut bytes).expect("the first").body, b"body");
		assert!(taken(&mut bytes).expect("the second").head.starts_with("GET"));
		assert!(taken(&mut bytes).is_none());
		bytes.extend_from_slice(&one[30..]);
		assert_eq!(taken(&mut bytes).expect("the third").body, b"body");
		assert!(bytes.is_empty());
	}

	#[test]
	fn an_answer_has_as_many_words_as_are_asked_for_and_counts_those_of_the_prompt() {
		let short = whole(br#"{"prompt":"a b c","max_tokens":1}"#);
		assert!(short.contains("\"One\"") && !short.contains(" two"), "{short}");
		assert!(short.contains("\"prompt_tokens\":3") && short.contains("length"), "{short}");
		assert!(whole(br#"{"max_tokens":99}"#).contains("\"completion_tokens\":8"));
		assert!(!events(HALF, 4, None).contains("[DONE]"));
	}
}
