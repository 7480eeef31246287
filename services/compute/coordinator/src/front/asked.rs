//! A request that may come twice.

use super::{
	desk::Once,
	error::{Body, OpenAiError},
};
use axum::{
	body::Bytes,
	extract::{FromRequest, Request},
	http::HeaderMap,
};
use serde::de::DeserializeOwned;
use sp_crypto_hashing::sha2_256;

/// The header with a request's key.
const KEY: &str = "idempotency-key";
/// Most bytes of a key.
const MAX_KEY: usize = 255;

/// A request's JSON, and by what the same request is known again.
pub(super) struct Asked<T> {
	/// What is asked for.
	pub(super) request: T,
	/// Its key, if it has one, with a hash of all that it asks for.
	pub(super) once: Option<Once>,
	/// The very bytes of its body.
	pub(super) body: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Asked<T> {
	type Rejection = OpenAiError;

	async fn from_request(request: Request, state: &S) -> Result<Self, OpenAiError> {
		let key = key(request.headers())?;
		let path = request.uri().path().to_string();
		let (parts, body) = request.into_parts();
		let whole = Bytes::from_request(Request::from_parts(parts.clone(), body), state);
		let whole = whole
			.await
			.map_err(|rejection| OpenAiError::body(rejection.status(), rejection.body_text()))?;
		let once = key.map(|key| {
			let mut named = path.into_bytes();
			named.push(b'\n');
			named.extend_from_slice(&whole);
			Once { key, body: sha2_256(&named) }
		});
		let request = Request::from_parts(parts, whole.clone().into());
		let Body(request) = Body::<T>::from_request(request, state).await?;
		Ok(Self { request, once, body: whole })
	}
}

/// Returns a request's key, if it has one.
fn key(headers: &HeaderMap) -> Result<Option<String>, OpenAiError> {
	let Some(value) = headers.get(KEY) else { return Ok(None) };
	match value.to_str() {
		Ok(text) if (1..=MAX_KEY).contains(&text.len()) => Ok(Some(text.to_string())),
		_ => Err(OpenAiError::bad_key()),
	}
}
