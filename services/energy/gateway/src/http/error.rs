//! Errors as the API answers them: `{"error": "one_word", "detail": "A sentence."}`.

use crate::{
	ingest::{NotTaken, Refusal},
	storage::StoreFault,
};
use axum::{
	Json,
	http::{HeaderValue, StatusCode, header},
	response::{IntoResponse, Response},
};
use gridproof_primitives::emlog::LogRefusal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is answered instead of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
	/// One word for machines.
	#[schema(example = "overlap")]
	pub error: String,
	/// One sentence for people.
	pub detail: String,
}

/// An error with its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
	pub(crate) status: StatusCode,
	pub(crate) body: ErrorBody,
}

impl ApiError {
	pub(crate) fn new(status: StatusCode, error: &str, detail: impl ToString) -> Self {
		let body = ErrorBody { error: error.to_string(), detail: detail.to_string() };
		Self { status, body }
	}

	pub(crate) fn not_found(what: &str) -> Self {
		Self::new(StatusCode::NOT_FOUND, "not_found", format!("{what} not found"))
	}

	pub(crate) fn bad_request(detail: impl ToString) -> Self {
		Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
	}
}

impl IntoResponse for ApiError {
	fn into_response(self) -> Response {
		let mut response = (self.status, Json(self.body)).into_response();
		let mut set = |name, value| {
			response.headers_mut().insert(name, HeaderValue::from_static(value));
		};
		match self.status {
			StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE => {
				set(header::RETRY_AFTER, "2");
			},
			StatusCode::UNAUTHORIZED => {
				set(header::WWW_AUTHENTICATE, "Basic realm=\"gridproof gateway\"");
			},
			_ => (),
		}
		response
	}
}

impl From<StoreFault> for ApiError {
	fn from(fault: StoreFault) -> Self {
		let (status, error) = match &fault {
			StoreFault::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
			StoreFault::Full => (StatusCode::INSUFFICIENT_STORAGE, "no_space"),
			StoreFault::Disk(_) => (StatusCode::SERVICE_UNAVAILABLE, "disk_fails"),
			_ => (StatusCode::INTERNAL_SERVER_ERROR, "storage_fails"),
		};
		Self::new(status, error, fault)
	}
}

impl From<NotTaken> for ApiError {
	fn from(not_taken: NotTaken) -> Self {
		let refusal = match not_taken {
			NotTaken::Store(fault) => return fault.into(),
			NotTaken::Refused(refusal) => refusal,
		};
		let status = match &refusal {
			Refusal::Log(LogRefusal::Malformed(_)) => StatusCode::BAD_REQUEST,
			Refusal::Log(LogRefusal::TooLong(_)) => StatusCode::PAYLOAD_TOO_LARGE,
			Refusal::Overlap(_) | Refusal::Late { .. } => StatusCode::CONFLICT,
			Refusal::Unproven => StatusCode::UNAUTHORIZED,
			Refusal::WrongDevice | Refusal::Suspended => StatusCode::FORBIDDEN,
			Refusal::Log(_) | Refusal::TooMuchEnergy { .. } => StatusCode::UNPROCESSABLE_ENTITY,
		};
		Self::new(status, refusal.code(), refusal)
	}
}
