//! `/api/v1/status`.

use super::api::Api;
use crate::message::Source;
use axum::{Json, extract::State};
use gridproof_gateway_api::{RefusedCount, Status};
use gridproof_http::ApiError;
use gridproof_primitives::energy::emlog::format_utc;
use gridproof_support::{clock::now_ms, number::clamped};
use std::sync::Arc;

/// Returns what is stored, and how the work proceeds.
#[utoipa::path(get, path = "/api/v1/status", tag = "operation",
	responses((status = 200, body = Status)))]
pub(crate) async fn get(State(api): State<Arc<Api>>) -> Result<Json<Status>, ApiError> {
	let counts = api.counts().await?;
	let refused = api.storage.refusals().await?.into_iter();
	Ok(Json(Status {
		version: env!("CARGO_PKG_VERSION").to_string(),
		time: format_utc(now_ms()),
		counts,
		refused: refused
			.map(|(source, reason, count)| RefusedCount { source, reason, count })
			.collect(),
		connections: clamped(api.board.connections(Source::MQTT)),
		queue: clamped(api.storage.waiting()),
		run: api.board.state(),
	}))
}
