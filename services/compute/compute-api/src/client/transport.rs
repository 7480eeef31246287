//! Requests to a coordinator, and its answers.

use super::error::ClientError;
use crate::protocol::{CoordinatorError, ErrorCode};
use futures::future::BoxFuture;
use gridproof_support::http_client::{self, BodyError};
use reqwest::{RequestBuilder, Response, StatusCode, header::RETRY_AFTER};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The longest answer that is read, in bytes: vectors of 256 texts have a few million.
const MAX_ANSWER: usize = 32 << 20;
/// The longest pause that a coordinator may ask for with `Retry-After`.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A coordinator behind a URL.
#[derive(Clone, Debug)]
pub(super) struct Transport {
	base: String,
	http: reqwest::Client,
}

/// A request that was not done, and how long the coordinator asks to wait before the next.
pub(super) struct Failed {
	pub(super) error: ClientError,
	pub(super) retry_after: Option<Duration>,
}

impl From<ClientError> for Failed {
	fn from(error: ClientError) -> Self {
		Self { error, retry_after: None }
	}
}

impl Transport {
	/// # Errors
	/// [`ClientError::BadUrl`]; [`ClientError::Unreachable`] if there is no TLS on this machine.
	pub(super) fn new(url: &str) -> Result<Self, ClientError> {
		if !url.starts_with("http://") && !url.starts_with("https://") {
			return Err(ClientError::BadUrl(url.to_string()));
		}
		let unusable = |error: reqwest::Error| ClientError::Unreachable {
			url: url.to_string(),
			reason: http_client::causes(&error),
		};
		let http = http_client::builder().build().map_err(unusable)?;
		Ok(Self { base: url.trim_end_matches('/').to_string(), http })
	}

	pub(super) fn url(&self) -> &str {
		&self.base
	}

	pub(super) fn get(&self, path: &str) -> RequestBuilder {
		self.http.get(format!("{}{path}", self.base))
	}

	pub(super) fn post(&self, path: &str) -> RequestBuilder {
		self.http.post(format!("{}{path}", self.base))
	}

	/// Sends a request and reads the answer's JSON. The whole may take `limit`.
	pub(super) async fn answer<R: DeserializeOwned>(
		&self,
		request: RequestBuilder,
		limit: Duration,
	) -> Result<R, Failed> {
		let body = self.body(request, limit).await?;
		Ok(self.read(&body)?)
	}

	/// Reads an answer's JSON.
	pub(super) fn read<R: DeserializeOwned>(&self, body: &[u8]) -> Result<R, ClientError> {
		serde_json::from_slice(body).map_err(|error| self.not_understood(error.to_string()))
	}

	/// Sends a request and returns the body of a good answer. The whole may take `limit`.
	pub(super) fn body(
		&self,
		request: RequestBuilder,
		limit: Duration,
	) -> BoxFuture<'_, Result<Vec<u8>, Failed>> {
		Box::pin(async move {
			let response = request.timeout(limit).send().await;
			let response = response.map_err(|error| self.unreachable(&error))?;
			let (status, retry_after) = (response.status(), retry_after(&response));
			let body = self.limited(response).await?;
			if status.is_success() {
				return Ok(body);
			}
			Err(Failed { error: self.refused(status, &body), retry_after })
		})
	}

	fn refused(&self, status: StatusCode, body: &[u8]) -> ClientError {
		let reason = || format!("it answers {status}");
		match serde_json::from_slice::<CoordinatorError>(body) {
			Ok(error) if error.error != ErrorCode::Other => ClientError::Refused(error),
			// A proxy before the coordinator, or a failure that this program does not know: the next
			// request may succeed.
			_ if status.is_server_error() => {
				ClientError::Unreachable { url: self.base.clone(), reason: reason() }
			},
			_ if status == StatusCode::TOO_MANY_REQUESTS => {
				let (error, message) = (ErrorCode::RateLimited, "too many requests".to_string());
				ClientError::Refused(CoordinatorError { error, message })
			},
			Ok(error) => ClientError::Refused(error),
			Err(_) => self.not_understood(reason()),
		}
	}

	async fn limited(&self, response: Response) -> Result<Vec<u8>, ClientError> {
		http_client::body(response, MAX_ANSWER).await.map_err(|error| match error {
			BodyError::Broken(error) => self.unreachable(&error),
			BodyError::TooLong(_) => self.not_understood(error.to_string()),
		})
	}

	fn not_understood(&self, reason: String) -> ClientError {
		ClientError::NotUnderstood { url: self.base.clone(), reason }
	}

	pub(super) fn unreachable(&self, error: &reqwest::Error) -> ClientError {
		let reason = if error.is_connect() {
			"nobody answers there"
		} else if error.is_timeout() {
			"no answer in time"
		} else {
			"the connection broke"
		};
		ClientError::Unreachable { url: self.base.clone(), reason: reason.to_string() }
	}
}

/// How long the coordinator asks to wait, in whole seconds as RFC 9110 has it.
fn retry_after(response: &Response) -> Option<Duration> {
	let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
	Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}
