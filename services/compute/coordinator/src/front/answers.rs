//! Answers in OpenAI's shape.

use super::{
	desk::{Done, JobHead, LeftAfter},
	error::OpenAiError,
};
use axum::http::{HeaderMap, HeaderValue};
use codec::Encode;
use gridproof_compute_api::protocol::{
	Answer, IssuedReceipt, Output, RECEIPT_HEADER, WARNING_HEADER, vector_from_text,
};
use gridproof_support::{
	clock::now_ms,
	text::{Hex32, HexBytes},
};
use serde_json::{Map, Value, json};

/// The kind of text that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
	/// `/v1/chat/completions`.
	Chat,
	/// `/v1/completions`.
	Completion,
}

impl Done {
	/// Returns the headers of an answer in one piece.
	pub(super) fn headers(&self) -> HeaderMap {
		let mut headers = job_header(&self.job);
		let shown = [
			("x-gridproof-receipt", Hex32::from(self.receipt).to_string()),
			("x-gridproof-price", self.price.to_string()),
			("x-gridproof-asset", self.asset.clone()),
		];
		let issued = self.issued.iter().map(|issued| (RECEIPT_HEADER, issued_text(issued)));
		let left = self.left.iter().flat_map(LeftAfter::headers);
		for (name, value) in shown.into_iter().chain(issued).chain(left) {
			if let Ok(value) = HeaderValue::from_str(&value) {
				headers.insert(name, value);
			}
		}
		headers
	}

	/// Returns job, receipt and bill, for the body.
	pub(super) fn bill(&self) -> Value {
		let mut bill = json!({
			"job": Hex32::from(self.job.id),
			"receipt": Hex32::from(self.receipt),
			"compute_units": self.units,
			"price": self.price.to_string(),
			"asset": self.asset,
		});
		if let Some(issued) = &self.issued {
			bill["issued"] = json!(issued_text(issued));
		}
		if let Some(left) = &self.left {
			bill["left"] = left.to_json();
		}
		bill
	}

	/// Returns the token counts.
	fn usage(&self) -> Value {
		let Output { prompt_tokens, completion_tokens, .. } = self.output;
		json!({
			"prompt_tokens": prompt_tokens,
			"completion_tokens": completion_tokens,
			"total_tokens": self.output.tokens(),
		})
	}

	/// Returns the answer in one piece.
	pub(super) fn text(&self, kind: Kind) -> Value {
		let choices: Vec<Value> = self
			.output
			.all_answers()
			.iter()
			.enumerate()
			.map(|(index, answer)| {
				let mut choice = match kind {
					Kind::Chat => json!({ "message": message(answer) }),
					Kind::Completion => json!({ "text": answer.text }),
				};
				choice["logprobs"] = kind.logprobs(answer);
				placed(choice, index, Some(ending(answer)))
			})
			.collect();
		let mut answer = frame(&self.job, kind.object(false), kind);
		answer["choices"] = json!(choices);
		answer["usage"] = self.usage();
		answer["gridproof"] = self.bill();
		answer
	}

	/// Returns the vectors.
	///
	/// # Errors
	/// When the database was altered.
	pub(super) fn embeddings(&self, as_base64: bool) -> Result<Value, OpenAiError> {
		let vector = |(index, text): (usize, &String)| {
			let embedding = if as_base64 { json!(text) } else { json!(vector_from_text(text)?) };
			Some(json!({ "object": "embedding", "index": index, "embedding": embedding }))
		};
		let data: Option<Vec<Value>> =
			self.output.embeddings.iter().enumerate().map(vector).collect();
		let broken = || OpenAiError::not_done("has a broken output", None);
		let tokens = self.output.prompt_tokens;
		Ok(json!({
			"object": "list",
			"model": self.job.model,
			"data": data.ok_or_else(broken)?,
			"usage": { "prompt_tokens": tokens, "total_tokens": tokens },
			"gridproof": self.bill(),
		}))
	}
}

impl LeftAfter {
	/// Returns what headers say: by the names that OpenAI's clients know, and the warning.
	fn headers(&self) -> Vec<(&'static str, String)> {
		let seconds = self.day_ends_ms.saturating_sub(now_ms()).div_ceil(1_000);
		let mut headers = vec![
			("x-ratelimit-limit-tokens", self.per_day.to_string()),
			("x-ratelimit-remaining-tokens", self.today.to_string()),
			("x-ratelimit-reset-tokens", format!("{seconds}s")),
		];
		headers.extend(self.warning.iter().map(|warning| (WARNING_HEADER, warning.clone())));
		headers
	}

	fn to_json(&self) -> Value {
		json!({
			"tokens_today": self.today,
			"tokens": self.all,
			"day_ends_ms": self.day_ends_ms,
			"warning": self.warning,
		})
	}
}

impl Kind {
	/// Returns the member of a request that holds the prompt.
	pub(super) const fn prompt(self) -> &'static str {
		match self {
			Self::Chat => "messages",
			Self::Completion => "prompt",
		}
	}

	const fn object(self, is_chunk: bool) -> &'static str {
		match (self, is_chunk) {
			(Self::Chat, true) => "chat.completion.chunk",
			(Self::Chat, false) => "chat.completion",
			(Self::Completion, _) => "text_completion",
		}
	}

	/// Returns the first chunk of an answer, if there is one before the text.
	pub(super) fn opening(self, job: &JobHead, index: usize) -> Option<Value> {
		(self == Self::Chat).then(|| {
			let delta =
				json!({ "delta": { "role": "assistant", "content": "" }, "logprobs": null });
			chunk(job, self, placed(delta, index, None))
		})
	}

	/// Returns a chunk with a piece of the text of the first answer.
	pub(super) fn piece(self, job: &JobHead, text: &str) -> Value {
		let mut choice = self.text(text);
		choice["logprobs"] = Value::Null;
		chunk(job, self, placed(choice, 0, None))
	}

	/// Returns a chunk with all of an answer but `sent` bytes of its text, and the calls of tools in it;
	/// `None` if nothing is left.
	pub(super) fn rest(
		self,
		job: &JobHead,
		index: usize,
		answer: &Answer,
		sent: usize,
	) -> Option<Value> {
		let text = answer.text.get(sent..).unwrap_or_default();
		let calls = parsed(&answer.tool_calls);
		if text.is_empty() && calls.is_null() && answer.logprobs.is_none() {
			return None;
		}
		let mut choice = self.text(text);
		if let Value::Array(mut calls) = calls {
			for (place, call) in calls.iter_mut().enumerate() {
				call["index"] = json!(place);
			}
			choice["delta"]["tool_calls"] = json!(calls);
		}
		choice["logprobs"] = self.logprobs(answer);
		Some(chunk(job, self, placed(choice, index, None)))
	}

	/// Returns the chunk that ends an answer.
	pub(super) fn closing(self, job: &JobHead, index: usize, answer: &Answer) -> Value {
		let mut choice = match self {
			Self::Chat => json!({ "delta": {} }),
			Self::Completion => json!({ "text": "" }),
		};
		choice["logprobs"] = Value::Null;
		chunk(job, self, placed(choice, index, Some(ending(answer))))
	}

	fn text(self, text: &str) -> Value {
		match self {
			Self::Chat => json!({ "delta": { "content": text } }),
			Self::Completion => json!({ "text": text }),
		}
	}

	/// The logarithms of an answer's tokens, in the form of this kind.
	fn logprobs(self, answer: &Answer) -> Value {
		let Value::Array(content) = parsed(&answer.logprobs) else { return Value::Null };
		match self {
			Self::Chat => json!({ "content": content, "refusal": null }),
			Self::Completion => side_by_side(&content),
		}
	}

	/// Returns the chunk with the token counts.
	pub(super) fn counts(self, done: &Done) -> Value {
		let mut chunk = frame(&done.job, self.object(true), self);
		chunk["choices"] = json!([]);
		chunk["usage"] = done.usage();
		chunk["gridproof"] = done.bill();
		chunk
	}
}

/// Returns a receipt with its signatures, SCALE in hexadecimal digits.
fn issued_text(issued: &IssuedReceipt) -> String {
	HexBytes(issued.encode()).to_string()
}

/// Says in the headers that the answer is that of the same request before, if it is.
pub(super) fn mark_repeated(headers: &mut HeaderMap, is_repeated: bool) {
	if is_repeated {
		headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
	}
}

/// Returns the header with the job's id.
pub(super) fn job_header(job: &JobHead) -> HeaderMap {
	let mut headers = HeaderMap::new();
	if let Ok(value) = HeaderValue::from_str(&Hex32::from(job.id).to_string()) {
		headers.insert("x-gridproof-job", value);
	}
	headers
}

/// JSON that a miner has stated; `null` if there is none.
fn parsed(text: &Option<String>) -> Value {
	text.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null)
}

fn message(answer: &Answer) -> Value {
	let mut message = json!({ "role": "assistant", "content": answer.text, "refusal": null });
	let calls = parsed(&answer.tool_calls);
	if !calls.is_null() {
		message["tool_calls"] = calls;
		if answer.text.is_empty() {
			message["content"] = Value::Null;
		}
	}
	message
}

/// Why an answer ended, in OpenAI's words.
fn ending(answer: &Answer) -> Value {
	match &answer.tool_calls {
		Some(_) => json!("tool_calls"),
		None => json!(answer.finish),
	}
}

/// Logarithms of the tokens of a text, as `/v1/completions` has them.
fn side_by_side(content: &[Value]) -> Value {
	let (mut offset, mut offsets, mut tops) = (0usize, Vec::new(), Vec::new());
	for entry in content {
		offsets.push(offset);
		let token = entry["token"].as_str().unwrap_or_default();
		offset = offset.saturating_add(token.chars().count());
		let likeliest = entry["top_logprobs"].as_array().into_iter().flatten();
		let top: Map<String, Value> = likeliest
			.map(|one| {
				let token = one["token"].as_str().unwrap_or_default();
				(token.to_string(), one["logprob"].clone())
			})
			.collect();
		tops.push(Value::Object(top));
	}
	let all = |name: &str| content.iter().map(|entry| entry[name].clone()).collect::<Vec<_>>();
	json!({ "tokens": all("token"), "token_logprobs": all("logprob"), "top_logprobs": tops,
		"text_offset": offsets })
}

fn chunk(job: &JobHead, kind: Kind, choice: Value) -> Value {
	let mut chunk = frame(job, kind.object(true), kind);
	chunk["choices"] = json!([choice]);
	chunk
}

fn frame(job: &JobHead, object: &str, kind: Kind) -> Value {
	let prefix = match kind {
		Kind::Chat => "chatcmpl",
		Kind::Completion => "cmpl",
	};
	json!({
		"id": format!("{prefix}-{}", hex::encode(job.id.0)),
		"object": object,
		"created": job.created_ms / 1_000,
		"model": job.model,
		"system_fingerprint": null,
	})
}

fn placed(mut choice: Value, index: usize, finish: Option<Value>) -> Value {
	choice["index"] = json!(index);
	choice["finish_reason"] = json!(finish);
	choice
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_compute_api::protocol::Finish;
	use gridproof_primitives::H256;

	fn job() -> JobHead {
		JobHead { id: H256([1; 32]), model: "m".to_string(), created_ms: 1_000 }
	}

	fn answer(text: &str) -> Answer {
		Answer { text: text.to_string(), finish: Finish::Stop, tool_calls: None, logprobs: None }
	}

	#[test]
	fn calls_of_tools_take_the_place_of_a_text_and_end_an_answer() {
		let calls = json!([{ "id": "c", "type": "function" }]);
		let called = Answer { tool_calls: Some(calls.to_string()), ..answer("") };
		assert_eq!(
			(&message(&called)["content"], ending(&called)),
			(&json!(null), json!("tool_calls"))
		);
		assert_eq!(message(&called)["tool_calls"], calls);
		let rest = Kind::Chat.rest(&job(), 0, &called, 0).unwrap();
		assert_eq!(rest["choices"][0]["delta"]["tool_calls"][0]["index"], 0);
		let closing = Kind::Chat.closing(&job(), 0, &called);
		assert_eq!(closing["choices"][0]["finish_reason"], "tool_calls");
		assert_eq!(Kind::Chat.rest(&job(), 0, &answer("text"), 4), None, "all of it was sent");
	}

	#[test]
	fn logarithms_have_the_form_of_each_interface() {
		let top = json!([{ "token": "é", "logprob": -0.5, "bytes": [] }]);
		let content = json!([
			{ "token": "é", "logprob": -0.5, "bytes": [], "top_logprobs": top },
			{ "token": "b", "logprob": -1, "bytes": [], "top_logprobs": [] },
		]);
		let said = Answer { logprobs: Some(content.to_string()), ..answer("éb") };
		assert_eq!(Kind::Chat.logprobs(&said), json!({ "content": content, "refusal": null }));
		let sides = json!({ "tokens": ["é", "b"], "token_logprobs": [-0.5, -1],
			"top_logprobs": [{ "é": -0.5 }, {}], "text_offset": [0, 1] });
		assert_eq!(Kind::Completion.logprobs(&said), sides);
		assert_eq!(Kind::Chat.logprobs(&answer("éb")), Value::Null);
	}
}
