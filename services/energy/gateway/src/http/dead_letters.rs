//! `/api/v1/dead-letters`.

use super::{api::Api, paging::Asked};
use axum::{
	Json,
	extract::State,
	response::{IntoResponse, Response},
};
use gridproof_gateway_api::{DeadLetter, ListDeadLetters, PageQuery};
use gridproof_http::{ApiError, ErrorBody, Params};
use std::sync::Arc;

/// Most dead letters of a page: each may have four kilobytes.
const MAX_LETTERS: u32 = 1_000;

/// Returns what was refused, with its reason; nothing is dropped silently.
#[utoipa::path(get, path = "/api/v1/dead-letters", tag = "operation",
	params(PageQuery, ListDeadLetters), responses((status = 200, body = Vec<DeadLetter>),
		(status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(crate) async fn list(
	State(api): State<Arc<Api>>,
	Params(page): Params<PageQuery>,
	Params(chosen): Params<ListDeadLetters>,
) -> Result<Response, ApiError> {
	let asked = Asked::at_most(&page, MAX_LETTERS)?;
	let mut letters = api.storage.dead_letters(chosen.reason, asked.page).await?;
	let total = api.counts().await?.dead_letters;
	let last = letters.last().map(|letter| letter.id);
	if asked.is_default {
		letters.reverse();
	}
	let count = letters.len();
	Ok(asked.answer(Json(letters).into_response(), count, total, last))
}
