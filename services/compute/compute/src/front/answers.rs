//! Answers in OpenAI's shape.

use super::fault::OpenAiFault;
use crate::{
	coordinator::{
		results::floats,
		rows::{Job, ReceiptRow},
		state::JobState,
	},
	protocol::{Finish, Hex32, Output},
};
use axum::http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

/// A job that is done.
#[derive(Clone, Debug)]
pub struct Done {
	/// The job.
	pub job: Job,
	/// Its receipt.
	pub receipt: ReceiptRow,
	/// What came out.
	pub output: Output,
}

/// Which kind of text was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
	/// `/v1/chat/completions`.
	Chat,
	/// `/v1/completions`.
	Completion,
}

impl Done {
	/// A job with its receipt, if it came to a good end.
	///
	/// # Errors
	/// What became of it instead.
	pub fn of(job: Job, receipt: Option<ReceiptRow>) -> Result<Self, OpenAiFault> {
		let output = job.output.as_deref().and_then(|output| serde_json::from_str(output).ok());
		match (job.state, receipt, output) {
			(JobState::Completed, Some(receipt), Some(output)) => Ok(Self { job, receipt, output }),
			(state, ..) => Err(OpenAiFault::not_done(state.as_str(), job.reason.as_deref())),
		}
	}

	/// The headers of an answer in one piece.
	pub fn headers(&self) -> HeaderMap {
		let mut headers = job_header(&self.job);
		let shown = [
			("x-gridproof-receipt", Hex32::from(self.receipt.id).to_string()),
			("x-gridproof-price", self.receipt.price.to_string()),
			("x-gridproof-asset", self.job.asset.clone()),
		];
		for (name, value) in shown {
			if let Ok(value) = HeaderValue::from_str(&value) {
				headers.insert(name, value);
			}
		}
		headers
	}

	/// Job, receipt and bill, for the body.
	pub fn bill(&self) -> Value {
		json!({
			"job": Hex32::from(self.job.job),
			"receipt": Hex32::from(self.receipt.id),
			"compute_units": self.receipt.units,
			"price": self.receipt.price.to_string(),
			"asset": self.job.asset,
		})
	}

	/// The token counts.
	pub fn usage(&self) -> Value {
		let Output { prompt_tokens, completion_tokens, .. } = self.output;
		json!({
			"prompt_tokens": prompt_tokens,
			"completion_tokens": completion_tokens,
			"total_tokens": self.output.tokens(),
		})
	}

	/// The answer in one piece.
	pub fn text(&self, kind: Kind) -> Value {
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

	/// The vectors.
	///
	/// # Errors
	/// When the database was altered.
	pub fn embeddings(&self, as_base64: bool) -> Result<Value, OpenAiFault> {
		let vector = |(index, text): (usize, &String)| {
			let embedding = match as_base64 {
				true => json!(text),
				false => json!(floats(text)?),
			};
			Some(json!({ "object": "embedding", "index": index, "embedding": embedding }))
		};
		let data: Option<Vec<Value>> =
			self.output.embeddings.iter().enumerate().map(vector).collect();
		let broken = || OpenAiFault::not_done("has a broken output", None);
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

impl Kind {
	const fn object(self, is_chunk: bool) -> &'static str {
		match (self, is_chunk) {
			(Self::Chat, true) => "chat.completion.chunk",
			(Self::Chat, false) => "chat.completion",
			(Self::Completion, _) => "text_completion",
		}
	}

	/// The first chunk of a stream, if there is one before the text.
	pub fn opening(self, job: &Job) -> Option<Value> {
		(self == Self::Chat).then(|| {
			let delta = json!({ "delta": { "role": "assistant", "content": "" } });
			chunk(job, self, choice_with(delta, None))
		})
	}

	/// A chunk with a piece of the text.
	pub fn piece(self, job: &Job, text: &str) -> Value {
		let choice = match self {
			Self::Chat => json!({ "delta": { "content": text } }),
			Self::Completion => json!({ "text": text }),
		};
		chunk(job, self, choice_with(choice, None))
	}

	/// The chunk that ends the text. The bill is with it.
	pub fn closing(self, done: &Done) -> Value {
		let choice = match self {
			Self::Chat => json!({ "delta": {} }),
			Self::Completion => json!({ "text": "" }),
		};
		let mut chunk = chunk(&done.job, self, choice_with(choice, Some(done.output.finish)));
		chunk["gridproof"] = done.bill();
		chunk
	}

	/// The chunk with the token counts.
	pub fn counts(self, done: &Done) -> Value {
		let mut chunk = frame(&done.job, self.object(true), self);
		chunk["choices"] = json!([]);
		chunk["usage"] = done.usage();
		chunk["gridproof"] = done.bill();
		chunk
	}
}

/// The header with the job's id.
pub fn job_header(job: &Job) -> HeaderMap {
	let mut headers = HeaderMap::new();
	if let Ok(value) = HeaderValue::from_str(&Hex32::from(job.job).to_string()) {
		headers.insert("x-gridproof-job", value);
	}
	headers
}

fn chunk(job: &Job, kind: Kind, choice: Value) -> Value {
	let mut chunk = frame(job, kind.object(true), kind);
	chunk["choices"] = json!([choice]);
	chunk
}

fn frame(job: &Job, object: &str, kind: Kind) -> Value {
	let prefix = match kind {
		Kind::Chat => "chatcmpl",
		Kind::Completion => "cmpl",
	};
	json!({
		"id": format!("{prefix}-{}", hex::encode(job.job.0)),
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
