//! Who may call the front: a customer with an API key.

use super::{
	customers::{ApiKeys, Customer},
	desk::Desk,
	error::OpenAiError,
};
use axum::{extract::FromRequestParts, http::request::Parts};
use gridproof_http::{Rates, Token};
use gridproof_support::clock::now_ms;
use std::{ops::Deref, sync::Arc};

/// The state of the front's routes. Only [`Caller`] gives access to the desk behind it.
#[derive(Clone)]
pub(crate) struct Front(Option<Arc<Open>>);

struct Open {
	keys: Arc<ApiKeys>,
	desk: Arc<dyn Desk>,
	rates: Rates,
	/// Requests a minute of customers without a number of their own.
	per_minute: u32,
	/// Since when the front offers its models, UTC seconds.
	since: u64,
}

impl Front {
	/// Returns a front that serves the customers with these keys.
	pub(crate) fn open(keys: Arc<ApiKeys>, desk: Arc<dyn Desk>, per_minute: u32) -> Self {
		let since = now_ms() / 1_000;
		Self(Some(Arc::new(Open { keys, desk, rates: Rates::default(), per_minute, since })))
	}

	/// Returns the front of a coordinator that has none: every request is answered with what to do
	/// instead.
	pub(crate) const fn closed() -> Self {
		Self(None)
	}
}

/// A customer whose key is known and who has a request left in this minute; and the desk.
pub(super) struct Caller {
	pub(super) customer: Customer,
	/// Since when the front offers its models, UTC seconds.
	pub(super) since: u64,
	desk: Arc<dyn Desk>,
}

impl Caller {
	/// Returns the desk, for work that outlives the request.
	pub(super) fn desk(&self) -> Arc<dyn Desk> {
		self.desk.clone()
	}
}

impl Deref for Caller {
	type Target = dyn Desk;

	fn deref(&self) -> &Self::Target {
		&*self.desk
	}
}

impl FromRequestParts<Front> for Caller {
	type Rejection = OpenAiError;

	async fn from_request_parts(parts: &mut Parts, state: &Front) -> Result<Self, OpenAiError> {
		let front = state.0.as_ref().ok_or_else(OpenAiError::no_front)?;
		let token = Token::of(&parts.headers).ok_or_else(OpenAiError::key)?;
		let customer = front.keys.find(&token).ok_or_else(OpenAiError::key)?;
		let per_minute = customer.requests_per_minute.unwrap_or(front.per_minute);
		let counted = front.rates.count(&customer.name, per_minute);
		counted.map_err(|error| OpenAiError::too_often(Some(error)))?;
		Ok(Self { customer, since: front.since, desk: front.desk.clone() })
	}
}
