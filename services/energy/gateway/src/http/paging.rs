//! Pages of lists, and times in queries.

use crate::storage::Page;
use axum::{
	http::{HeaderValue, StatusCode},
	response::Response,
};
use gridproof_gateway_api::PageQuery;
use gridproof_http::{ApiError, page_limit};
use gridproof_primitives::energy::emlog::{TimeError, parse_utc};

/// Entries of a page if nothing is asked for.
const DEFAULT_LIMIT: u32 = 1_000;
/// Most entries of a page.
const MAX_LIMIT: u32 = 10_000;

/// A page that is asked for.
pub(crate) struct Asked {
	/// How many entries, in which order, and where they begin.
	pub(crate) page: Page,
	/// Whether nothing was asked for: the newest entries then, newest first.
	pub(crate) is_default: bool,
}

impl Asked {
	/// Reads what is asked for.
	pub(crate) fn of(query: &PageQuery) -> Result<Self, ApiError> {
		Self::at_most(query, MAX_LIMIT)
	}

	/// Reads what is asked for, in pages of at most `most` entries: a longer one ends there, with the cursor of
	/// the next.
	pub(crate) fn at_most(query: &PageQuery, most: u32) -> Result<Self, ApiError> {
		let is_default = *query == PageQuery::default();
		let newest_first = match query.order.as_deref() {
			None => is_default,
			Some("asc") => false,
			Some("desc") => true,
			Some(_) => return Err(ApiError::bad_request("order is asc or desc")),
		};
		let limit = page_limit(query.limit, DEFAULT_LIMIT, MAX_LIMIT)?.min(most);
		let offset = query.offset.unwrap_or_default();
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

/// Most digits of a time in milliseconds.
const MILLIS_DIGITS: usize = 15;

/// Reads a time of a query: RFC 3339, or UTC milliseconds. What has neither form is a bad request (400);
/// what is a time of RFC 3339 and yet none that a reading can have is `bad_time` (422).
pub(crate) fn time(text: &str) -> Result<u64, ApiError> {
	let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
	if is_number && text.len() <= MILLIS_DIGITS {
		return text.parse().map_err(ApiError::bad_request);
	}
	parse_utc(text).map_err(|error| match form(text) {
		Some(decimals) => {
			let error = if decimals > 3 { TimeError::TooFine } else { error };
			let sentence = format!("{text:?}: {error}");
			ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_time", sentence)
		},
		None => {
			let or = "or UTC milliseconds of at most 15 digits";
			ApiError::bad_request(format!("{text:?}: {}, {or}", TimeError::Malformed))
		},
	})
}

/// Returns the number of decimals of what has the form of a time of RFC 3339, whatever its figures are,
/// without zeros at their end; `None` if it has another form.
fn form(text: &str) -> Option<usize> {
	let fits = |text: &str, form: &str| {
		text.len() == form.len()
			&& text.bytes().zip(form.bytes()).all(|(byte, wanted)| match wanted {
				b'0' => byte.is_ascii_digit(),
				wanted => byte.to_ascii_uppercase() == wanted,
			})
	};
	let (instant, rest) = text.split_at_checked("0000-00-00T00:00:00".len())?;
	let (decimals, zone) = match rest.strip_prefix('.') {
		Some(fraction) => {
			let end = fraction.find(|letter: char| !letter.is_ascii_digit())?;
			fraction.split_at_checked(end).filter(|(decimals, _)| !decimals.is_empty())?
		},
		None => ("", rest),
	};
	let has_zone = fits(zone, "Z") || fits(zone, "+00:00") || fits(zone, "-00:00");
	let is_one = fits(instant, "0000-00-00T00:00:00") && has_zone;
	is_one.then(|| decimals.trim_end_matches('0').len())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_time_is_rfc_3339_in_whole_milliseconds_or_a_number_of_them() {
		assert_eq!(time("2025-12-01T10:10:00.25Z"), Ok(1_764_583_800_250));
		assert_eq!(time("2025-12-01T11:10:00.250000000+01:00"), time("1764583800250"));
		assert_eq!(time("0"), Ok(0));
		assert_eq!(time("999999999999999"), Ok(999_999_999_999_999));
	}

	#[test]
	fn a_time_that_no_reading_can_have_is_422_and_what_is_no_time_is_400_each_with_what_to_write() {
		let refusal = |text: &str| {
			let error = time(text).unwrap_err();
			(error.status().as_u16(), error.word().to_string(), error.sentence().to_string())
		};
		for (text, advice) in [
			("2025-12-01T10:10:00.4354Z", "at most three decimals"),
			("0133-08-22T22:49:14.103829+03:41", "at most three decimals"),
			("2025-12-01T10:10:00.12345678901Z", "at most three decimals"),
			("2025-12-01T10:10:60Z", "without leap seconds"),
			("0006-07-05T11:32:28Z", "from 1970 to 9999"),
			("2025-02-30T10:10:00Z", "from 1970 to 9999"),
			("2025-12-01T10:10:00+25:00", "from 1970 to 9999"),
			("2025-12-01t10:10:00z", "write 2025-12-01T10:10:00Z"),
		] {
			let (status, word, sentence) = refusal(text);
			assert_eq!((status, word.as_str()), (422, "bad_time"), "{text}: {sentence}");
			assert!(sentence.contains(advice), "{text}: {sentence}");
		}
		for text in [
			"",
			"yesterday",
			"+5",
			"-5",
			"1e3",
			"1000000000000000",
			"2025-12-01",
			"2025-12-01T10:10Z",
			"2025-12-01T10:10:00",
			"2025-12-01T10:10:00.Z",
			"2025-12-01T10:10:00.5",
			"2025-12-01T10:10:00 01:00",
			"2025-12-01T10:10:00Zé",
		] {
			let (status, word, sentence) = refusal(text);
			assert_eq!((status, word.as_str()), (400, "bad_request"), "{text}: {sentence}");
			assert!(sentence.contains("2025-12-01T10:10:00Z, or UTC milliseconds"), "{sentence}");
		}
	}
}
