//! Who may call the front: a customer with an API key.

use super::{
	desk::{Desk, KeyDesks},
	error::OpenAiError,
};
use axum::{
	extract::FromRequestParts,
	http::{HeaderMap, HeaderValue, request::Parts},
};
use codec::DecodeAll;
use gridproof_compute_api::{
	ApiKeys, Customer,
	protocol::{SECRET_HEADER, VOUCHER_HEADER},
};
use gridproof_http::{Rates, Token};
use gridproof_primitives::compute::channels::{Secret, SignedVoucher};
use gridproof_support::{
	clock::now_ms,
	text::{Hex32, HexBytes},
};
use std::{ops::Deref, sync::Arc};

/// The state of the front's routes. Only [`Caller`] gives access to the desks behind it.
#[derive(Clone)]
pub(crate) struct Front {
	customers: Option<Arc<Customers>>,
	/// The desk of requests that come with vouchers.
	channels: Arc<dyn Desk>,
	/// The desks of API keys of channels.
	keys: Arc<dyn KeyDesks>,
	/// Counts requests of these keys.
	rates: Arc<Rates>,
	/// Requests a minute of each of these keys.
	per_minute: u32,
	/// Since when the front offers its models, UTC seconds.
	since: u64,
}

struct Customers {
	keys: Arc<ApiKeys>,
	desk: Arc<dyn Desk>,
	rates: Rates,
	/// Requests a minute of customers without a number of their own.
	per_minute: u32,
}

impl Front {
	/// Returns a front for requests that channels pay for: by vouchers, or by API keys of channels, each
	/// so often a minute. Others learn what to do instead.
	pub(crate) fn of_channels(
		channels: Arc<dyn Desk>,
		keys: Arc<dyn KeyDesks>,
		per_minute: u32,
	) -> Self {
		let (rates, since) = (Arc::default(), now_ms() / 1_000);
		Self { customers: None, channels, keys, rates, per_minute, since }
	}

	/// Returns the same front, which also serves the customers with these keys.
	#[must_use]
	pub(crate) fn with_customers(
		mut self,
		keys: Arc<ApiKeys>,
		desk: Arc<dyn Desk>,
		per_minute: u32,
	) -> Self {
		let customers = Customers { keys, desk, rates: Rates::default(), per_minute };
		self.customers = Some(Arc::new(customers));
		self
	}
}

/// Who asks, and the desk: a customer whose key is known and who has a request left in this minute, or
/// anyone who presents a voucher, which the desk looks at.
pub(super) struct Caller {
	pub(super) customer: Customer,
	/// Since when the front offers its models, UTC seconds.
	pub(super) since: u64,
	/// Voucher and secret of a request that a channel pays for.
	pub(super) payment: Option<(SignedVoucher, Secret)>,
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

	async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, OpenAiError> {
		let since = front.since;
		if let Some(payment) = payment(&parts.headers)? {
			let customer = Customer {
				name: format!("channel {}", payment.0.voucher.channel),
				sha256: Hex32([0; 32]),
				requests_per_minute: None,
				limit: None,
			};
			let (desk, payment) = (front.channels.clone(), Some(payment));
			return Ok(Self { customer, since, payment, desk });
		}
		let token = Token::of(&parts.headers);
		if let Some((customer, desk)) = token.as_deref().and_then(|token| front.keys.of(token)) {
			let counted = front.rates.count(&customer.name, front.per_minute);
			counted.map_err(|error| OpenAiError::too_often(Some(error)))?;
			return Ok(Self { customer, since, payment: None, desk });
		}
		let customers = front.customers.as_ref().ok_or_else(OpenAiError::no_front)?;
		let token = token.ok_or_else(OpenAiError::key)?;
		let customer = customers.keys.find(&token).ok_or_else(OpenAiError::key)?;
		let per_minute = customer.requests_per_minute.unwrap_or(customers.per_minute);
		let counted = customers.rates.count(&customer.name, per_minute);
		counted.map_err(|error| OpenAiError::too_often(Some(error)))?;
		Ok(Self { customer, since, payment: None, desk: customers.desk.clone() })
	}
}

/// Returns voucher and secret of a request, if a channel pays for it.
fn payment(headers: &HeaderMap) -> Result<Option<(SignedVoucher, Secret)>, OpenAiError> {
	let Some(voucher) = headers.get(VOUCHER_HEADER) else { return Ok(None) };
	let text = |value: &HeaderValue| value.to_str().ok().map(str::to_string);
	let voucher = text(voucher)
		.and_then(|text| text.parse::<HexBytes>().ok())
		.and_then(|bytes| SignedVoucher::decode_all(&mut &bytes.0[..]).ok());
	let secret = headers
		.get(SECRET_HEADER)
		.and_then(text)
		.and_then(|text| text.parse::<Hex32>().ok())
		.map(|secret| secret.0);
	match voucher.zip(secret) {
		Some(payment) => Ok(Some(payment)),
		None => Err(OpenAiError::bad_payment()),
	}
}
