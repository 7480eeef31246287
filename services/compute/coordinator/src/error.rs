//! Why a request is not done.

use axum::http::StatusCode;
use gridproof_chain::ChainError;
use gridproof_compute_api::protocol::ErrorCode;
use gridproof_http::ApiError;
use gridproof_store::{StoreError, rusqlite};
use std::fmt;

/// Seconds after which a request that found the queue full is worth repeating.
const RETRY_SECONDS: u16 = 2;

/// Why a request is not done: a reason for programs and one for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
	/// The reason, for programs.
	pub code: ErrorCode,
	/// The reason, in words.
	pub message: String,
	/// The member of the request that is wrong, by OpenAI's name for it.
	pub param: Option<&'static str>,
}

impl RequestError {
	/// Returns an error.
	pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
		Self { code, message: message.into(), param: None }
	}

	/// Returns an error about a member of the request.
	pub fn about(param: &'static str, message: impl Into<String>) -> Self {
		Self { param: Some(param), ..Self::new(ErrorCode::BadRequest, message) }
	}

	/// Returns the HTTP status that goes with it.
	pub fn status(&self) -> StatusCode {
		StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
	}

	/// Returns an error in a result.
	///
	/// # Errors
	/// Always.
	pub fn err<T>(code: ErrorCode, message: impl Into<String>) -> Result<T, Self> {
		Err(Self::new(code, message))
	}
}

impl fmt::Display for RequestError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.message)
	}
}

impl std::error::Error for RequestError {}

impl From<RequestError> for ApiError {
	fn from(error: RequestError) -> Self {
		// What cannot be read is refused before it comes to this: here it is what it asks for.
		let status = match error.code {
			ErrorCode::BadRequest => StatusCode::UNPROCESSABLE_ENTITY,
			_ => error.status(),
		};
		let answer = Self::new(status, error.code.as_str(), error.message);
		match error.code {
			ErrorCode::RateLimited => answer.retry_after(RETRY_SECONDS),
			_ => answer,
		}
	}
}

impl From<StoreError> for RequestError {
	fn from(error: StoreError) -> Self {
		// Of this nobody hears: who asked has left.
		if error != StoreError::Interrupted {
			tracing::error!(%error, "the database fails");
		}
		Self::new(ErrorCode::Internal, "the coordinator's database fails; try again")
	}
}

impl From<rusqlite::Error> for RequestError {
	fn from(error: rusqlite::Error) -> Self {
		StoreError::from(error).into()
	}
}

impl From<serde_json::Error> for RequestError {
	fn from(error: serde_json::Error) -> Self {
		tracing::error!(%error, "a row of the database is not JSON");
		Self::new(ErrorCode::Internal, "the coordinator's database holds something unreadable")
	}
}

impl From<ChainError> for RequestError {
	fn from(error: ChainError) -> Self {
		tracing::warn!(%error, "the chain does not answer");
		Self::new(ErrorCode::ChainUnavailable, "the chain cannot be asked now; try again")
	}
}
