//! `/api/v1/dead-letters`.

use super::{api::Api, paging::Asked};
use axum::{
	Json,
	extract::{Query, State},
	response::{IntoResponse, Response},
};
use gridproof_gateway_api::{DeadLetter, ListDeadLetters, PageQuery};
use gridproof_http::ApiError;
use std::sync::Arc;

/// Returns what was refused, with its reason; nothing is dropped silently.
#[utoipa::path(get, path = "/api/v1/dead-letters", tag = "operation",
	params(PageQuery, ListDeadLetters), responses((status = 200, body = Vec<DeadLetter>)))]
pub(crate) async fn list(
	State(api): State<Arc<Api>>,
	Query(page): Query<PageQuery>,
	Query(chosen): Query<ListDeadLetters>,
) -> Result<Response, ApiError> {
	let asked = Asked::of(&page)?;
	let mut letters = api.storage.dead_letters(chosen.reason, asked.page).await?;
	let total = api.storage.counts().await?.dead_letters;
	let last = letters.last().map(|letter| letter.id);
	if asked.is_default {
		letters.reverse();
	}
	let count = letters.len();
	Ok(asked.answer(Json(letters).into_response(), count, total, last))
}
