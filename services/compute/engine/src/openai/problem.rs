//! What a server says is wrong, and bodies that are too long.

use gridproof_support::http_client::{self, BodyError};
use serde_json::Value;

/// The longest text of an error that is passed on, in characters.
const MAX_REASON: usize = 300;

/// Returns a body of at most so many bytes.
pub(super) async fn limited(response: reqwest::Response, most: usize) -> Result<Vec<u8>, String> {
	http_client::body(response, most).await.map_err(|error| match error {
		BodyError::Broken(error) => with_causes(&error),
		BodyError::TooLong(_) => "the answer is too long".to_string(),
	})
}

/// Returns `true` if a refusal is about the length of the prompt. llama.cpp and OpenAI have a name
/// for that; vLLM says it in its message only, where the context is named.
pub(super) fn is_about_context(body: &[u8]) -> bool {
	let value: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
	let name = ["/error/code", "/error/type", "/code", "/type"].into_iter().any(|path| {
		let name = value.pointer(path).and_then(Value::as_str);
		matches!(name, Some("context_length_exceeded" | "exceed_context_size_error"))
	});
	name || reason_in(body).contains("context")
}

/// Returns the message in an error's body, or its first characters.
pub(super) fn reason_in(body: &[u8]) -> String {
	let value: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
	let found = ["/error/message", "/message", "/error", "/detail"]
		.iter()
		.find_map(|path| value.pointer(path).and_then(Value::as_str));
	let text = found.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_string);
	text.chars().filter(|c| !c.is_control()).take(MAX_REASON).collect()
}

/// Returns an error's causes, without its own text: that holds the address, which may hold a secret.
pub(super) fn with_causes(error: &reqwest::Error) -> String {
	let cause = std::error::Error::source(error);
	cause.map_or_else(|| "the connection failed".to_string(), http_client::causes)
}
