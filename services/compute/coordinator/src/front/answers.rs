//! Answers in OpenAI's shape.

use super::{
	desk::{Done, JobHead, LeftAfter},
	error::OpenAiError,
};
use axum::http::{HeaderMap, HeaderValue};
use codec::Encode;
use gridproof_compute_api::protocol::{
	Finish, IssuedReceipt, Output, RECEIPT_HEADER, WARNING_HEADER, vector_from_text,
};
use gridproof_support::{
	clock::now_ms,
	text::{Hex32, HexBytes},
};
use serde_json::{Value, json};

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
	fn bill(&self) -> Value {
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
		let choice = match kind {
			Kind::Chat => {
				let content = &self.output.text;
				json!({ "message": { "role": "assistant", "content": content, "refusal": null } })
			},
			Kind::Completion => json!({ "text": self.output.text }),
		};
		let mut answer = frame(&self.job, kind.object(false), kind);
		answer["choices"] = json!([choice_with(choice, Some(self.output.finish))]);
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

	/// Returns the first chunk of a stream, if there is one before the text.
	pub(super) fn opening(self, job: &JobHead) -> Option<Value> {
		(self == Self::Chat).then(|| {
			let delta = json!({ "delta": { "role": "assistant", "content": "" } });
			chunk(job, self, choice_with(delta, None))
		})
	}

	/// Returns a chunk with a piece of the text.
	pub(super) fn piece(self, job: &JobHead, text: &str) -> Value {
		let choice = match self {
			Self::Chat => json!({ "delta": { "content": text } }),
			Self::Completion => json!({ "text": text }),
		};
		chunk(job, self, choice_with(choice, None))
	}

	/// Returns the chunk that ends the text, with the bill.
	pub(super) fn closing(self, done: &Done) -> Value {
		let choice = match self {
			Self::Chat => json!({ "delta": {} }),
			Self::Completion => json!({ "text": "" }),
		};
		let mut chunk = chunk(&done.job, self, choice_with(choice, Some(done.output.finish)));
		chunk["gridproof"] = done.bill();
		chunk
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

fn choice_with(mut choice: Value, finish: Option<Finish>) -> Value {
	choice["index"] = json!(0);
	choice["logprobs"] = Value::Null;
	choice["finish_reason"] = json!(finish);
	choice
}
