//! Plans, what is left of them, and the API keys of channels, which only their clients can ask for.

use super::callers::Api;
use axum::{
	Json,
	extract::{Path, State},
};
use gridproof_compute_api::protocol::{CoordinatorError, KeyAnswer, KeyRequest, PlanState, Plans};
use gridproof_http::{ApiError, Body, Whole};
use std::sync::Arc;

/// The plans on offer.
#[utoipa::path(get, path = "/v1/plans", tag = "plans", responses((status = 200, body = Plans)))]
pub(super) async fn list(State(api): State<Arc<Api>>) -> Json<Plans> {
	Json(api.public.plans())
}

/// What is left of a channel, and of its plan.
#[utoipa::path(get, path = "/v1/channels/{channel}/plan", tag = "plans",
	params(("channel" = inline(Whole), Path, description = "Number of the channel")),
	responses((status = 200, body = PlanState), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn show(
	State(api): State<Arc<Api>>,
	Path(Whole(channel)): Path<Whole>,
) -> Result<Json<PlanState>, ApiError> {
	Ok(Json(api.public.plan_state(channel).await?))
}

/// Make the API key of a channel whose key the coordinator keeps, for the account that opened it. An
/// older one ends.
#[utoipa::path(post, path = "/v1/channels/{channel}/key", tag = "plans",
	params(("channel" = inline(Whole), Path, description = "Number of the channel")),
	request_body = KeyRequest,
	responses((status = 200, body = KeyAnswer), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn key(
	State(api): State<Arc<Api>>,
	Path(Whole(channel)): Path<Whole>,
	Body(request): Body<KeyRequest>,
) -> Result<Json<KeyAnswer>, ApiError> {
	Ok(Json(api.public.new_channel_key(channel, &request).await?))
}
