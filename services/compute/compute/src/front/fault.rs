//! Errors in OpenAI's shape.

use crate::{coordinator::Refused, protocol::FaultCode};
use axum::{
	Json,
	extract::Request,
	http::StatusCode,
	response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// An error as OpenAI's clients read it: `{"error": {message, type, param, code}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAiFault {
	status: StatusCode,
	detail: Detail,
}

/// What an error says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Detail {
	/// For people.
	pub message: String,
	/// The kind of error.
	#[serde(rename = "type")]
	pub kind: &'static str,
	/// The parameter that is wrong.
	pub param: Option<&'static str>,
	/// For programs.
	pub code: Option<&'static str>,
}

/// The body of an error.
#[derive(Serialize, ToSchema)]
pub struct ErrorBody {
	/// What went wrong.
	pub error: Detail,
}

const INVALID: &str = "invalid_request_error";
const SERVER: &str = "server_error";

impl OpenAiFault {
	fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
		let detail = Detail { message: message.into(), kind, param: None, code: None };
		Self { status, detail }
	}

	/// A parameter is wrong.
	pub fn param(param: &'static str, message: impl Into<String>) -> Self {
		let mut fault = Self::new(StatusCode::BAD_REQUEST, INVALID, message);
		fault.detail.param = Some(param);
		fault
	}

	/// The API key is missing or unknown.
	pub fn key() -> Self {
		let message = "Incorrect API key provided; send yours as Authorization: Bearer …";
		Self::new(StatusCode::UNAUTHORIZED, INVALID, message).code("invalid_api_key")
	}

	/// The customer asks too often.
	pub fn too_often() -> Self {
		let message = "Rate limit reached; wait a little and try again";
		Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", message)
			.code("rate_limit_exceeded")
	}

	/// The customer's limit is used up.
	pub fn quota() -> Self {
		let message = "The limit of this API key is used up";
		Self::new(StatusCode::TOO_MANY_REQUESTS, "insufficient_quota", message)
			.code("insufficient_quota")
	}

	/// There is no front here.
	pub fn no_front() -> Self {
		let message = "this coordinator has no front: clients open jobs on chain, see /docs";
		Self::new(StatusCode::NOT_FOUND, INVALID, message)
	}

	/// There is no such model.
	pub fn model(name: &str) -> Self {
		let message = format!("The model {name:?} does not exist here; see /v1/models");
		let mut fault = Self::new(StatusCode::NOT_FOUND, INVALID, message).code("model_not_found");
		fault.detail.param = Some("model");
		fault
	}

	/// The job did not come to an end that is worth money.
	pub fn not_done(state: &str, reason: Option<&str>) -> Self {
		let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
		let message = format!("the job {state}{reason}; nothing was paid for it");
		Self::new(StatusCode::BAD_GATEWAY, SERVER, message)
	}

	/// Another answer than what was streamed already.
	pub fn diverged() -> Self {
		let message = "the answer was begun by one miner and went on differently with another";
		Self::new(StatusCode::BAD_GATEWAY, SERVER, message)
	}

	fn code(mut self, code: &'static str) -> Self {
		self.detail.code = Some(code);
		self
	}

	/// As JSON.
	pub fn to_json(&self) -> Value {
		json!({ "error": self.detail })
	}
}

impl From<Refused> for OpenAiFault {
	fn from(refused: Refused) -> Self {
		match refused.code {
			FaultCode::RateLimited => Self::too_often(),
			FaultCode::UnknownModel => {
				let mut fault = Self::new(StatusCode::NOT_FOUND, INVALID, refused.message)
					.code("model_not_found");
				fault.detail.param = Some("model");
				fault
			},
			_ => {
				let status = refused.status();
				let kind = if status.is_client_error() { INVALID } else { SERVER };
				Self::new(status, kind, refused.message)
			},
		}
	}
}

impl IntoResponse for OpenAiFault {
	fn into_response(self) -> Response {
		(self.status, Json(self.to_json())).into_response()
	}
}

/// JSON in a request, whose mistakes are told in OpenAI's form.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> axum::extract::FromRequest<S> for Body<T> {
	type Rejection = OpenAiFault;

	async fn from_request(request: Request, state: &S) -> Result<Self, OpenAiFault> {
		match Json::<T>::from_request(request, state).await {
			Ok(Json(value)) => Ok(Self(value)),
			Err(rejection) => {
				let status = match rejection.status() {
					StatusCode::PAYLOAD_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
					_ => StatusCode::BAD_REQUEST,
				};
				Err(OpenAiFault::new(status, INVALID, rejection.body_text()))
			},
		}
	}
}
