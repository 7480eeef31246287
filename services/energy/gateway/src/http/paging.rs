//! Pages of lists, and times in queries.

use crate::storage::Page;
use axum::{
	http::{HeaderValue, StatusCode},
	response::Response,
};
use gridproof_gateway_api::PageQuery;
use gridproof_http::ApiError;
use gridproof_primitives::energy::emlog::{TimeError, parse_utc};

/// Entries of a page if nothing is asked for.
const DEFAULT_LIMIT: u32 = 1_000;
/// Most entries of a page.
const MAX_LIMIT: u32 = 10_000;

/// A page that is asked for.
pub(crate) struct Asked {
	/// The page.
	pub(crate) page: Page,
	/// Whether nothing was asked for: the newest entries then, newest first.
	pub(crate) is_default: bool,
}

impl Asked {
	/// Reads what is asked for.
	pub(crate) fn of(query: &PageQuery) -> Result<Self, ApiError> {
		Self::at_most(query, MAX_LIMIT)
	}

	/// Reads what is asked for, of at most `most` entries.
	pub(crate) fn at_most(query: &PageQuery, most: u32) -> Result<Self, ApiError> {
		let is_default = *query == PageQuery::default();
		let newest_first = match query.order.as_deref() {
			None => is_default,
			Some("asc") => false,
			Some("desc") => true,
			Some(_) => return Err(ApiError::bad_request("order is asc or desc")),
		};
		let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
		if limit == 0 || limit > most {
			return Err(ApiError::bad_request(format!("limit is 1 to {most}")));
		}
		let offset = query.offset.unwrap_or_default();
		if i64::try_from(offset).is_err() {
			return Err(ApiError::bad_request("offset is a number of entries"));
		}
		let page = Page { limit, offset, after: query.cursor, newest_first };
		Ok(Self { page, is_default })
	}

	/// The answer with `count` entries, how many match in all, and where the next page begins:
	/// after the `last` entry, unless this page is not full.
	pub(crate) fn answer(
		&self,
		mut response: Response,
		count: usize,
		total: u64,
		last: Option<i64>,
	) -> Response {
		let headers = response.headers_mut();
		headers.insert("x-total-count", HeaderValue::from(total));
		let is_full = !self.is_default && u32::try_from(count) == Ok(self.page.limit);
		if let Some(last) = last.filter(|_| is_full) {
			headers.insert("x-next-cursor", HeaderValue::from(last));
		}
		response
	}
}

/// A time of a query: RFC 3339, or UTC milliseconds.
pub(crate) fn time(text: &str) -> Result<u64, ApiError> {
	if let Ok(millis) = text.parse() {
		return Ok(millis);
	}
	parse_utc(text).map_err(|error| {
		let sentence = format!("{text:?}: {error}");
		match error {
			// It is a time, but none that a reading can have.
			TimeError::OutOfRange => {
				ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_time", sentence)
			},
			_ => ApiError::bad_request(sentence),
		}
	})
}
