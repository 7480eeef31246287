//! Jobs, channels, batches of receipts, and what miners and coordinators were paid.

use super::{
	api::Api,
	asked::{PageQuery, SpanQuery, bytes},
};
use crate::views::{ChannelView, EarningPoint, EarningView, JobView, Page, ReceiptBatchView};
use axum::{
	Json,
	extract::{Path, State},
};
use gridproof_http::{ApiError, ErrorBody, Params, Whole};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

type Answer<T> = Result<Json<T>, ApiError>;

/// Returns a job, by its id.
#[utoipa::path(get, path = "/api/v1/compute/jobs/{job}", tag = "compute", params(("job" = String, Path)),
	responses((status = 200, body = JobView), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody),
		(status = 404, body = ErrorBody)))]
pub(super) async fn job(State(api): State<Arc<Api>>, Path(job): Path<String>) -> Answer<JobView> {
	let found = api.store.job(bytes(&job)?).await?;
	found.map(Json).ok_or_else(|| ApiError::not_found("Job"))
}

/// Returns a channel, by its number.
#[utoipa::path(get, path = "/api/v1/compute/channels/{channel}", tag = "compute",
	params(("channel" = inline(Whole), Path)),
	responses((status = 200, body = ChannelView), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody),
		(status = 404, body = ErrorBody)))]
pub(super) async fn channel(
	State(api): State<Arc<Api>>,
	Path(Whole(channel)): Path<Whole>,
) -> Answer<ChannelView> {
	let found = api.store.channel(channel).await?;
	found.map(Json).ok_or_else(|| ApiError::not_found("Channel"))
}

/// Filter of a list of batches.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BatchQuery {
	/// Key of the coordinator.
	coordinator: Option<String>,
}

/// Returns batches of receipts that were settled.
#[utoipa::path(get, path = "/api/v1/compute/batches", tag = "compute", params(PageQuery, BatchQuery),
	responses((status = 200, body = Page<ReceiptBatchView>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn batches(
	State(api): State<Arc<Api>>,
	Params(page): Params<PageQuery>,
	Params(BatchQuery { coordinator }): Params<BatchQuery>,
) -> Answer<Page<ReceiptBatchView>> {
	let coordinator = coordinator.as_deref().map(bytes).transpose()?;
	Ok(Json(api.store.receipt_batches(coordinator, page.asked(&api).await?).await?))
}

/// Returns what a miner or coordinator was paid by day, week or month, for each thing and in each asset.
#[utoipa::path(get, path = "/api/v1/compute/miners/{key}/earnings", tag = "compute",
	params(("key" = String, Path), SpanQuery),
	responses((status = 200, body = Vec<EarningPoint>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn earnings(
	State(api): State<Arc<Api>>,
	Path(key): Path<String>,
	Params(span): Params<SpanQuery>,
) -> Answer<Vec<EarningPoint>> {
	let key = bytes(&key)?;
	let (by, span) = span.asked(&api).await?;
	Ok(Json(api.store.earned(key, by, span).await?))
}

/// Returns each payment to a miner or coordinator.
#[utoipa::path(get, path = "/api/v1/compute/miners/{key}/payments", tag = "compute",
	params(("key" = String, Path), PageQuery),
	responses((status = 200, body = Page<EarningView>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn payments(
	State(api): State<Arc<Api>>,
	Path(key): Path<String>,
	Params(page): Params<PageQuery>,
) -> Answer<Page<EarningView>> {
	Ok(Json(api.store.earnings(bytes(&key)?, page.asked(&api).await?).await?))
}
