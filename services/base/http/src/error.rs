//! What is answered instead of a result: one word for programs, one sentence for people.

use axum::{
	Json,
	http::{HeaderValue, StatusCode, header},
	response::{IntoResponse, Response},
};
use gridproof_store::StoreError;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};
use utoipa::ToSchema;

/// Seconds after which a request that found the server busy is worth repeating.
const RETRY_SECONDS: u16 = 2;

/// The body of every error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
	/// One word for programs; what it means never changes.
	#[schema(example = "not_found")]
	pub error: String,
	/// One sentence for people, which says what to do.
	#[serde(default)]
	pub detail: String,
	/// The same sentence, for clients that read it under this name.
	#[serde(default)]
	pub message: String,
}

impl ErrorBody {
	/// Returns the sentence for people.
	pub fn sentence(&self) -> &str {
		if self.detail.is_empty() { &self.message } else { &self.detail }
	}
}

/// An error with its HTTP status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
	status: StatusCode,
	word: Cow<'static, str>,
	sentence: String,
	/// Seconds.
	retry_after: Option<u16>,
	challenge: Option<&'static str>,
}

impl ApiError {
	/// Returns the error `word`, with a sentence that says what to do. A 503 asks the client to
	/// come back in a moment.
	pub fn new(
		status: StatusCode,
		word: impl Into<Cow<'static, str>>,
		sentence: impl fmt::Display,
	) -> Self {
		let busy = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::INSUFFICIENT_STORAGE];
		Self {
			status,
			word: word.into(),
			sentence: sentence.to_string(),
			retry_after: busy.contains(&status).then_some(RETRY_SECONDS),
			challenge: None,
		}
	}

	/// The request cannot be understood.
	pub fn bad_request(sentence: impl fmt::Display) -> Self {
		Self::new(StatusCode::BAD_REQUEST, "bad_request", sentence)
	}

	/// The request has the form that the document states, and a value in it cannot be: a time that is none, a
	/// word that is not among those to choose from.
	pub fn unprocessable(sentence: impl fmt::Display) -> Self {
		Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_value", sentence)
	}

	/// There is no such thing; `what` is its name with a capital letter.
	pub fn not_found(what: &str) -> Self {
		Self::new(StatusCode::NOT_FOUND, "not_found", format!("{what} not found"))
	}

	/// More is asked at a time than the server answers.
	pub fn overloaded() -> Self {
		let sentence = "too many requests at a time; try again in a moment";
		Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", sentence)
	}

	/// A defect of the server. The reason goes into the log, not to the caller.
	pub fn internal(reason: impl fmt::Display) -> Self {
		tracing::error!(%reason, "a request failed");
		let sentence = "the server failed to answer; its log has the reason";
		Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", sentence)
	}

	/// Asks the client to repeat the request after so many seconds.
	#[must_use]
	pub const fn retry_after(mut self, seconds: u16) -> Self {
		self.retry_after = Some(seconds);
		self
	}

	/// Says how to authenticate, in the form of `WWW-Authenticate`.
	#[must_use]
	pub const fn challenge(mut self, challenge: &'static str) -> Self {
		self.challenge = Some(challenge);
		self
	}

	/// Returns the HTTP status.
	pub const fn status(&self) -> StatusCode {
		self.status
	}

	/// Returns the word for programs.
	pub fn word(&self) -> &str {
		&self.word
	}

	/// Returns the sentence for people.
	pub fn sentence(&self) -> &str {
		&self.sentence
	}

	/// Returns the body.
	pub fn body(&self) -> ErrorBody {
		ErrorBody {
			error: self.word.to_string(),
			detail: self.sentence.clone(),
			message: self.sentence.clone(),
		}
	}
}

impl fmt::Display for ApiError {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		write!(f, "{}: {}", self.word, self.sentence)
	}
}

impl std::error::Error for ApiError {}

impl IntoResponse for ApiError {
	fn into_response(self) -> Response {
		let mut response = (self.status, Json(self.body())).into_response();
		let headers = response.headers_mut();
		if let Some(seconds) = self.retry_after {
			headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
		}
		if let Some(challenge) = self.challenge {
			headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
		}
		response
	}
}

impl From<StoreError> for ApiError {
	fn from(error: StoreError) -> Self {
		let (status, word) = match &error {
			StoreError::Overloaded | StoreError::Interrupted => {
				(StatusCode::SERVICE_UNAVAILABLE, "overloaded")
			},
			StoreError::Full => (StatusCode::INSUFFICIENT_STORAGE, "no_space"),
			StoreError::Disk(_) => (StatusCode::SERVICE_UNAVAILABLE, "disk_fails"),
			StoreError::CannotOpen { .. }
			| StoreError::InUse(_)
			| StoreError::Newer { .. }
			| StoreError::Closed
			| StoreError::Sql(_)
			| StoreError::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, "storage_fails"),
		};
		Self::new(status, word, error)
	}
}
