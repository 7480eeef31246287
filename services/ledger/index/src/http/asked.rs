//! Pages, spans of time and names in requests.

use super::api::Api;
use crate::store::{Asked, By};
use gridproof_http::{ApiError, page_limit};
use gridproof_keys::account::parse_account;
use gridproof_primitives::energy::emlog::parse_utc;
use serde::Deserialize;
use utoipa::IntoParams;

/// Entries of a page if nothing is asked for.
const DEFAULT_LIMIT: u32 = 100;
/// Most entries of a page.
pub(super) const MAX_LIMIT: u32 = 1_000;
/// Most points of a chart.
pub(super) const MAX_POINTS: u64 = 1_000;
/// A year, in milliseconds.
const YEAR: u64 = 366 * 24 * 3_600_000;

/// Which part of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct PageQuery {
	/// Entries of a page, 1 to 1,000; by default 100.
	#[param(minimum = 1, maximum = 1000)]
	limit: Option<u32>,
	/// Where the page begins: `next` of the page before.
	#[param(pattern = "^[0-9]{1,15}(-[0-9]{1,15})?$")]
	cursor: Option<String>,
	/// `desc`, newest first, as by default, or `asc`.
	order: Option<String>,
	/// From this block on: its height, or a time in RFC 3339.
	from: Option<String>,
	/// Up to this block: its height; or before this time in RFC 3339.
	to: Option<String>,
}

impl PageQuery {
	/// What is asked for.
	pub(super) async fn asked(&self, api: &Api) -> Result<Asked, ApiError> {
		let after = self.cursor.as_deref().map(cursor).transpose()?;
		let newest_first = match self.order.as_deref() {
			None | Some("desc") => true,
			Some("asc") => false,
			Some(_) => return Err(ApiError::unprocessable("order is asc or desc")),
		};
		let from = match &self.from {
			None => 0,
			Some(text) => match moment(text)? {
				Moment::Block(height) => height,
				// A time that has not come yet is after all blocks.
				Moment::Time(time) => api.store.height_from(time).await?.unwrap_or(NEVER),
			},
		};
		let to = match &self.to {
			None => NEVER,
			Some(text) => match moment(text)? {
				Moment::Block(height) => height,
				Moment::Time(time) => match api.store.height_from(time).await? {
					None => NEVER,
					Some(0) => {
						return Err(ApiError::unprocessable("to: the chain began after this time"));
					},
					Some(height) => height.saturating_sub(1),
				},
			},
		};
		Ok(Asked { limit: self.limit()?, after, newest_first, from, to })
	}

	/// Entries of a page.
	pub(super) fn limit(&self) -> Result<u32, ApiError> {
		page_limit(self.limit, DEFAULT_LIMIT, MAX_LIMIT)
	}

	/// The number after which the page of a list begins that is in the order of its numbers.
	pub(super) fn after(&self) -> Result<Option<u64>, ApiError> {
		Ok(self.cursor.as_deref().map(cursor).transpose()?.map(|(number, _)| number))
	}
}

/// A height that no block has.
const NEVER: u64 = u64::MAX >> 1;

fn cursor(text: &str) -> Result<(u64, u64), ApiError> {
	let (height, place) = text.split_once('-').unwrap_or((text, "0"));
	let number = |text: &str| {
		let is_number = (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
		text.parse::<u64>().ok().filter(|_| is_number)
	};
	let wrong = || ApiError::bad_request("cursor is what the page before gives as next");
	Ok((number(height).ok_or_else(wrong)?, number(place).ok_or_else(wrong)?))
}

/// A block, or a time in UTC milliseconds.
#[derive(Debug, PartialEq, Eq)]
enum Moment {
	Block(u64),
	Time(u64),
}

fn moment(text: &str) -> Result<Moment, ApiError> {
	if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
		let height = text.parse::<u64>().ok().filter(|height| *height <= NEVER);
		let wrong = || ApiError::unprocessable(format!("{text}: no block is that high"));
		return height.map(Moment::Block).ok_or_else(wrong);
	}
	time(text).map(Moment::Time)
}

/// A time of a query, in UTC milliseconds.
pub(super) fn time(text: &str) -> Result<u64, ApiError> {
	parse_utc(text).map_err(|error| {
		ApiError::unprocessable(format!("{text:?}: {error}; write it as 2026-01-31T10:20:30Z"))
	})
}

/// Which span of time, and by which steps it is added up.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct SpanQuery {
	/// `hour`, `day`, `week` or `month`, in UTC; by default `day`. Weeks begin on Monday.
	by: Option<String>,
	/// The first moment, in RFC 3339; by default 30 days before the last.
	from: Option<String>,
	/// The moment after the last, in RFC 3339; by default the end of what is indexed.
	to: Option<String>,
}

impl SpanQuery {
	/// The steps, and the begin of the first of them and the end of the last, in UTC milliseconds.
	pub(super) async fn asked(&self, api: &Api) -> Result<(By, (u64, u64)), ApiError> {
		let by = match self.by.as_deref() {
			None => By::default(),
			Some(text) => By::parse(text)
				.ok_or_else(|| ApiError::unprocessable("by is hour, day, week or month"))?,
		};
		let to = match &self.to {
			Some(text) => time(text)?,
			None => api.store.head().await?.map_or(0, |head| head.time_ms.saturating_add(1)),
		};
		const DEFAULT: u64 = 30 * 24 * 3_600_000;
		let from = match &self.from {
			Some(text) => time(text)?,
			None => to.saturating_sub(DEFAULT),
		};
		let from = by.begin(from);
		let longest = match by {
			By::Hour => MAX_POINTS.saturating_mul(3_600_000),
			By::Day => MAX_POINTS.saturating_mul(24 * 3_600_000),
			By::Week | By::Month => 20 * YEAR,
		};
		if to.saturating_sub(from) > longest {
			let sentence = format!(
				"these are more than {MAX_POINTS} points: ask for less time, or longer steps"
			);
			return Err(ApiError::unprocessable(sentence));
		}
		Ok((by, (from, to)))
	}
}

/// An account, by its address or its 32 bytes in hexadecimal digits.
pub(super) fn account(text: &str) -> Result<[u8; 32], ApiError> {
	parse_account(text).map_err(|error| ApiError::unprocessable(format!("{text}: {error}")))
}

/// A key or a hash.
pub(super) fn bytes(text: &str) -> Result<[u8; 32], ApiError> {
	let mut bytes = [0; 32];
	let digits = text.strip_prefix("0x").unwrap_or(text);
	let decoded = hex::decode_to_slice(digits, &mut bytes);
	let wrong = |_| ApiError::unprocessable(format!("{text}: write 0x and 64 hexadecimal digits"));
	decoded.map_err(wrong)?;
	Ok(bytes)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_moment_is_a_height_or_a_time() {
		assert_eq!(moment("17").unwrap(), Moment::Block(17));
		assert_eq!(moment("1970-01-01T00:00:01Z").unwrap(), Moment::Time(1_000));
		for wrong in ["", "-1", "yesterday", "9223372036854775808", "99999999999999999999"] {
			assert!(moment(wrong).is_err(), "{wrong}");
		}
	}

	#[test]
	fn a_cursor_is_one_or_two_numbers() {
		assert_eq!(cursor("12-3").unwrap(), (12, 3));
		assert_eq!(cursor("12").unwrap(), (12, 0));
		for wrong in ["", "-", "1-", "+1-2", "1-2-3", "1234567890123456", "a"] {
			assert!(cursor(wrong).is_err(), "{wrong}");
		}
	}

	#[test]
	fn bytes_are_64_digits_with_or_without_their_prefix() {
		let digits = "07".repeat(32);
		assert_eq!(bytes(&digits).unwrap(), [7; 32]);
		assert_eq!(bytes(&format!("0x{digits}")).unwrap(), [7; 32]);
		assert!(bytes("0x07").is_err());
	}
}
