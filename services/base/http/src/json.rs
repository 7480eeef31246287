//! JSON and queries in a request.

use crate::ApiError;
use axum::{
	Json,
	extract::{FromRequest, FromRequestParts, Query, Request},
	http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;

/// A request's JSON. A mistake in it is answered as an [`ApiError`]: `bad_request`, or
/// `payload_too_large`.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
	type Rejection = ApiError;

	async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
		match Json::<T>::from_request(request, state).await {
			Ok(Json(value)) => Ok(Self(value)),
			Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
				let sentence = "the request's body is too long";
				Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", sentence))
			},
			Err(rejection) => Err(ApiError::bad_request(rejection.body_text())),
		}
	}
}

/// What stands behind the `?` of a request. A mistake in it is answered as an [`ApiError`]:
/// `bad_request`.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
	type Rejection = ApiError;

	async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
		match Query::<T>::from_request_parts(parts, state).await {
			Ok(Query(value)) => Ok(Self(value)),
			Err(rejection) => Err(ApiError::bad_request(rejection.body_text())),
		}
	}
}
