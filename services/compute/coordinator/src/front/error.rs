//! Errors in OpenAI's shape.

use super::desk::{Dry, OrderError};
use crate::error::RequestError;
use axum::{
	Json,
	extract::{FromRequest, Request},
	http::{HeaderValue, StatusCode, header},
	middleware::Next,
	response::{IntoResponse, Response},
};
use gridproof_compute_api::protocol::{ErrorCode, RefusalReason};
use gridproof_http::{ApiError, json::make_whole};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// An error as OpenAI's clients read it: `{"error": {message, type, param, code}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OpenAiError {
	status: StatusCode,
	detail: Detail,
	/// Seconds after which the request is worth repeating.
	retry_after: Option<HeaderValue>,
}

/// What an error says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Detail {
	/// The reason, in words.
	pub(super) message: String,
	/// The kind of error, such as `invalid_request_error`.
	#[serde(rename = "type")]
	pub(super) kind: &'static str,
	/// The parameter that is wrong.
	pub(super) param: Option<&'static str>,
	/// The reason, for programs, such as `invalid_api_key`.
	pub(super) code: Option<&'static str>,
}

/// The body of an error.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenAiErrorBody {
	/// What went wrong.
	pub(super) error: Detail,
}

const INVALID: &str = "invalid_request_error";
const SERVER: &str = "server_error";
/// Kind and code of a limit that is used up.
const QUOTA: &str = "insufficient_quota";
/// The code of a prompt that is too long.
const CONTEXT: &str = "context_length_exceeded";
/// The code of a parameter that is not offered.
const UNSUPPORTED: &str = "unsupported_parameter";
/// What engines may not offer, by the words with which they refuse it and the members that ask for it.
const OFFERS: [(&str, &str); 7] = [
	("logprobs", "logprobs"),
	("tools", "tools"),
	("tool_choice", "tool_choice"),
	("response_format", "response_format"),
	("messages with more than a text", "messages"),
	("token ids as input", PROMPT),
	("tokenize", PROMPT),
];
/// Stands for the member that holds the prompt.
const PROMPT: &str = "prompt";
/// Seconds after which a request that found no room is worth repeating.
const RETRY_SECONDS: &str = "2";
/// Longest error of the server that is read to be answered in OpenAI's form, in bytes.
const MAX_ERROR_BYTES: usize = 4 << 20;

impl OpenAiError {
	fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
		let detail = Detail { message: message.into(), kind, param: None, code: None };
		Self { status, detail, retry_after: None }
	}

	/// A parameter is wrong.
	pub(super) fn param(param: &'static str, message: impl Into<String>) -> Self {
		let mut error = Self::new(StatusCode::BAD_REQUEST, INVALID, message);
		error.detail.param = Some(param);
		error
	}

	/// A parameter is not offered.
	pub(super) fn not_offered(param: &'static str) -> Self {
		Self::param(param, format!("{param} is not offered here")).code(UNSUPPORTED)
	}

	/// The API key is missing or unknown.
	pub(super) fn key() -> Self {
		let message = "Incorrect API key provided; send yours as Authorization: Bearer …";
		Self::new(StatusCode::UNAUTHORIZED, INVALID, message).code("invalid_api_key")
	}

	/// The customer asks too often, or the queue is full; `limit` says how long to wait, if it is
	/// known.
	pub(super) fn too_often(limit: Option<ApiError>) -> Self {
		let message = "Rate limit reached; wait a little and try again";
		let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", message)
			.code("rate_limit_exceeded");
		error.retry_after =
			limit.and_then(|limit| limit.into_response().headers_mut().remove(header::RETRY_AFTER));
		error
	}

	/// The customer's limit is used up.
	pub(super) fn quota() -> Self {
		let message = "The limit of this API key is used up";
		Self::new(StatusCode::TOO_MANY_REQUESTS, QUOTA, message).code(QUOTA)
	}

	/// The channel of the API key cannot pay now. What only its client can change is 402, which libraries
	/// do not try again.
	fn dry(dry: Dry) -> Self {
		const QUOTA: &str = "insufficient_quota";
		match dry {
			Dry::Over(message) => {
				Self::new(StatusCode::PAYMENT_REQUIRED, QUOTA, message).code("plan_over")
			},
			Dry::Deposit(message) => {
				Self::new(StatusCode::PAYMENT_REQUIRED, QUOTA, message).code(QUOTA)
			},
			Dry::Today { message, seconds } => {
				let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, QUOTA, message)
					.code("daily_limit_reached");
				error.retry_after = Some(HeaderValue::from(seconds));
				error
			},
		}
	}

	/// The body cannot be read.
	pub(super) fn body(status: StatusCode, message: String) -> Self {
		let status = match status {
			StatusCode::PAYLOAD_TOO_LARGE => status,
			_ => StatusCode::BAD_REQUEST,
		};
		Self::new(status, INVALID, message)
	}

	/// The header that makes a request known again holds something else than a key.
	pub(super) fn bad_key() -> Self {
		let message = "The header Idempotency-Key must have 1 to 255 visible characters of ASCII; send \
			a random one, such as a UUID, with each new request";
		Self::new(StatusCode::BAD_REQUEST, INVALID, message).code("invalid_idempotency_key")
	}

	/// Voucher or secret cannot be read.
	pub(super) fn bad_payment() -> Self {
		let message = "Gridproof-Voucher must be SCALE of a signed voucher and Gridproof-Secret 32 \
			bytes, both as 0x and hexadecimal digits; see docs/protocols/channels.md";
		Self::new(StatusCode::PAYMENT_REQUIRED, INVALID, message).code("bad_voucher")
	}

	/// The key came with another request before.
	pub(super) fn key_reused() -> Self {
		let message = "This Idempotency-Key came with another request within the last day; send the \
			same request again, or a new one with a new key";
		Self::new(StatusCode::UNPROCESSABLE_ENTITY, INVALID, message).code("idempotency_key_reused")
	}

	/// There is no front here.
	pub(super) fn no_front() -> Self {
		let message = "this coordinator serves who pays by a channel or a job: buy a plan (gridproof \
			plan list) and send its API key as Authorization: Bearer …, or see /docs";
		Self::new(StatusCode::NOT_FOUND, INVALID, message)
	}

	/// There is no such model.
	pub(super) fn model(name: &str) -> Self {
		let message = format!("The model {name:?} does not exist here; see /v1/models");
		let mut error = Self::new(StatusCode::NOT_FOUND, INVALID, message).code("model_not_found");
		error.detail.param = Some("model");
		error
	}

	/// The job did not come to a good end.
	pub(super) fn not_done(state: &str, reason: Option<&str>) -> Self {
		let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
		let message = format!("the job {state}{reason}; nothing was paid for it");
		Self::new(StatusCode::BAD_GATEWAY, SERVER, message)
	}

	/// The job ended without an answer. Where the request is at fault, its client learns that and need
	/// not try again.
	pub(super) fn ended(state: &str, reason: Option<&str>) -> Self {
		let text = reason.unwrap_or_default();
		match reason.and_then(RefusalReason::of_job) {
			Some(RefusalReason::ContextExceeded) => {
				// LiteLLM knows this error by these words.
				let message =
					format!("The prompt is longer than the model's context length ({text})");
				Self::new(StatusCode::BAD_REQUEST, INVALID, message).code(CONTEXT)
			},
			Some(RefusalReason::NotOffered) => {
				// Only what it is: the rest names the miner's server.
				let what = text.split_once(": ").map_or("", |(_, what)| what);
				let what = what.split_once(" is not offered").map_or("this", |(what, _)| what);
				let message = format!(
					"{what} is not offered for this model: leave it out, or choose another model"
				);
				let mut error =
					Self::new(StatusCode::BAD_REQUEST, INVALID, message).code(UNSUPPORTED);
				let offers = OFFERS.iter().find(|(words, _)| *words == what);
				error.detail.param = offers.map(|(_, param)| *param);
				error
			},
			Some(cause) if cause.is_requests_own() => {
				let message = format!("No engine can do this request ({text})");
				Self::new(StatusCode::BAD_REQUEST, INVALID, message)
			},
			_ => Self::not_done(state, reason),
		}
	}

	/// Names the member that holds the prompt, if the prompt is what is wrong.
	#[must_use]
	pub(super) fn with_prompt(mut self, param: &'static str) -> Self {
		if self.detail.code == Some(CONTEXT)
			|| (self.detail.code == Some(UNSUPPORTED) && self.detail.param == Some(PROMPT))
		{
			self.detail.param = Some(param);
		}
		self
	}

	/// Another answer than what was streamed already.
	pub(super) fn diverged() -> Self {
		let message = "the answer was begun by one miner and continued differently by another";
		Self::new(StatusCode::BAD_GATEWAY, SERVER, message)
	}

	fn code(mut self, code: &'static str) -> Self {
		self.detail.code = Some(code);
		self
	}

	/// Returns the body.
	pub(super) fn to_json(&self) -> Value {
		json!({ "error": self.detail })
	}
}

impl From<RequestError> for OpenAiError {
	fn from(request: RequestError) -> Self {
		match request.code {
			ErrorCode::RateLimited => {
				let mut error = Self::too_often(None);
				error.retry_after = Some(HeaderValue::from_static(RETRY_SECONDS));
				error
			},
			ErrorCode::UnknownModel => {
				let mut error = Self::new(StatusCode::NOT_FOUND, INVALID, request.message)
					.code("model_not_found");
				error.detail.param = Some("model");
				error
			},
			ErrorCode::ContextExceeded => {
				let text = request.message;
				let message =
					format!("The prompt is longer than the model's context length ({text})");
				let mut error = Self::new(StatusCode::BAD_REQUEST, INVALID, message).code(CONTEXT);
				error.detail.param = request.param;
				error
			},
			ErrorCode::PrivateModel => {
				let mut error = Self::new(request.status(), INVALID, request.message);
				error.detail.param = request.param;
				error.code(ErrorCode::PrivateModel.as_str())
			},
			_ => {
				let status = request.status();
				let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE)
					.then(|| HeaderValue::from_static(RETRY_SECONDS));
				let kind = if status.is_client_error() { INVALID } else { SERVER };
				let mut error = Self::new(status, kind, request.message);
				error.detail.param = request.param;
				error.retry_after = retry_after;
				match request.code {
					code @ (ErrorCode::BadVoucher
					| ErrorCode::ChannelDry
					| ErrorCode::UnknownChannel
					| ErrorCode::BadSignature) => error.code(code.as_str()),
					_ => error,
				}
			},
		}
	}
}

impl From<OrderError> for OpenAiError {
	fn from(error: OrderError) -> Self {
		match error {
			OrderError::LimitReached => Self::quota(),
			OrderError::KeyReused => Self::key_reused(),
			OrderError::Dry(dry) => Self::dry(dry),
			OrderError::BrokeOff => {
				let message = "the server failed to take the request; try again";
				Self::new(StatusCode::INTERNAL_SERVER_ERROR, SERVER, message)
			},
			OrderError::Request(request) => request.into(),
		}
	}
}

impl IntoResponse for OpenAiError {
	fn into_response(self) -> Response {
		let mut response = (self.status, Json(self.to_json())).into_response();
		if let Some(seconds) = self.retry_after {
			response.headers_mut().insert(header::RETRY_AFTER, seconds);
		}
		if self.detail.code == Some(QUOTA) {
			// OpenAI's clients try a 429 again unless this keeps them from it.
			let no = HeaderValue::from_static("false");
			response.headers_mut().insert("x-should-retry", no);
		}
		response
	}
}

/// Answers errors under `/v1` in OpenAI's form also where no handler was reached: an unknown path,
/// another method, a server that is full.
pub(crate) async fn in_openai_form(request: Request, next: Next) -> Response {
	let path = request.uri().path();
	let others = ["/v1/channels/", "/v1/receipts/", "/v1/batches/", "/v1/plans"];
	let is_front = path.starts_with("/v1/") && !others.iter().any(|other| path.starts_with(other));
	let response = next.run(request).await;
	let status = response.status();
	if !is_front || !(status.is_client_error() || status.is_server_error()) {
		return response;
	}
	let (mut parts, body) = response.into_parts();
	if status == StatusCode::SERVICE_UNAVAILABLE {
		let seconds = HeaderValue::from_static(RETRY_SECONDS);
		parts.headers.entry(header::RETRY_AFTER).or_insert(seconds);
	}
	let bytes = axum::body::to_bytes(body, MAX_ERROR_BYTES).await.unwrap_or_default();
	let value: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
	if value["error"].is_object() {
		return Response::from_parts(parts, bytes.into());
	}
	let kind = if status.is_client_error() { INVALID } else { SERVER };
	let message = value["message"].as_str().unwrap_or("the request was not done");
	let body = OpenAiError::new(status, kind, message).to_json().to_string();
	parts.headers.remove(header::CONTENT_LENGTH);
	parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
	Response::from_parts(parts, body.into())
}

/// Members of requests whose type is looked at when they are read; that of others is when they are used.
const MEMBERS: [&str; 12] = [
	"model",
	"messages",
	"prompt",
	"input",
	"stream",
	"stream_options",
	"echo",
	"suffix",
	"best_of",
	"encoding_format",
	"dimensions",
	"include_usage",
];

/// JSON in a request, whose mistakes are answered in OpenAI's form, with the member that is wrong or
/// missing.
pub(super) struct Body<T>(pub(super) T);

/// The member that a request cannot be read for.
fn member(error: &serde_path_to_error::Error<serde_json::Error>) -> Option<&'static str> {
	let (path, reason) = (error.path().to_string(), error.inner().to_string());
	let wrong = path.split(['.', '[']).next().unwrap_or_default();
	// What is missing has no place of its own: the reader names it.
	let is_it = |name: &&str| *name == wrong || reason == format!("missing field `{name}`");
	MEMBERS.into_iter().find(is_it)
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
	type Rejection = OpenAiError;

	async fn from_request(request: Request, state: &S) -> Result<Self, OpenAiError> {
		let read = gridproof_http::Body::<Value>::from_request(request, state).await;
		let gridproof_http::Body(mut value) =
			read.map_err(|error| OpenAiError::body(error.status(), error.sentence().to_string()))?;
		let read = serde_path_to_error::deserialize(&value).or_else(|error| {
			let again = make_whole(&mut value).then(|| serde_json::from_value(value).ok());
			again.flatten().ok_or(error)
		});
		read.map(Self).map_err(|error| {
			let mut answer = OpenAiError::new(StatusCode::BAD_REQUEST, INVALID, error.to_string());
			answer.detail.param = member(&error);
			answer
		})
	}
}
