//! `/api/v1/batches`, `/api/v1/cid`: what is stored. What changes it is in `decisions`.

use super::{
	api::Api,
	errors::altered,
	paging::{Asked, time},
	views::{batch_view, readings_json},
};
use crate::{
	ids::batch_row,
	storage::{Batch, BatchFilter, Reading},
};
use axum::{
	Json,
	extract::{Path, State},
	http::{HeaderValue, StatusCode, header},
	response::{IntoResponse, Response},
};
use gridproof_gateway_api::{BatchView, ListBatches, PageQuery};
use gridproof_http::{ApiError, ErrorBody, Params, pages::json_text};
use gridproof_primitives::{codec::cid::Cid, energy::emlog::batch_file};
use std::sync::Arc;

/// The batch of this name.
pub(crate) async fn named(api: &Api, id: &str) -> Result<Batch, ApiError> {
	let missing = || ApiError::not_found("Batch");
	let row = batch_row(id).ok_or_else(missing)?;
	api.storage.batch(row).await?.ok_or_else(missing)
}

/// A batch as it is shown, with its readings.
pub(crate) async fn shown(api: &Api, batch: &Batch) -> Result<(BatchView, Vec<Reading>), ApiError> {
	let readings = api.storage.batch_readings(batch.row).await?;
	let rows: Vec<i64> = readings.iter().map(|reading| reading.row).collect();
	let known = batch.meter.and_then(|meter| api.registry.by_row(meter));
	Ok((batch_view(batch, known.as_deref(), &rows), readings))
}

/// Returns batches, without the ids of their readings.
#[utoipa::path(get, path = "/api/v1/batches", tag = "batches", params(PageQuery, ListBatches),
	responses((status = 200, body = Vec<BatchView>), (status = 400, body = ErrorBody),
		(status = 422, body = ErrorBody)))]
pub(crate) async fn list(
	State(api): State<Arc<Api>>,
	Params(page): Params<PageQuery>,
	Params(chosen): Params<ListBatches>,
) -> Result<Response, ApiError> {
	let asked = Asked::of(&page)?;
	let filter = BatchFilter {
		site: chosen.site,
		device: chosen.device,
		meter: chosen.meter,
		state: chosen.status,
		anchor: chosen.anchor,
		from_ms: chosen.from.as_deref().map(time).transpose()?,
		to_ms: chosen.to.as_deref().map(time).transpose()?,
	};
	let total = api.storage.count_batches(filter.clone()).await?;
	let batches = api.storage.batches(filter, asked.page).await?;
	let last = batches.last().map(|batch| batch.row);
	let views: Vec<BatchView> = batches
		.iter()
		.map(|batch| {
			let known = batch.meter.and_then(|meter| api.registry.by_row(meter));
			batch_view(batch, known.as_deref(), &[])
		})
		.collect();
	let count = views.len();
	Ok(asked.answer(Json(views).into_response(), count, total, last))
}

/// Returns one batch.
#[utoipa::path(get, path = "/api/v1/batches/{id}", tag = "batches", params(("id" = String, Path)),
	responses((status = 200, body = BatchView), (status = 404, body = ErrorBody)))]
pub(crate) async fn get(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
) -> Result<Json<BatchView>, ApiError> {
	let batch = named(&api, &id).await?;
	Ok(Json(shown(&api, &batch).await?.0))
}

/// Returns a batch with all its readings: `{batch, logs}`.
#[utoipa::path(get, path = "/api/v1/batches/{id}/export", tag = "batches",
	params(("id" = String, Path)),
	responses((status = 200, body = serde_json::Value), (status = 404, body = ErrorBody)))]
pub(crate) async fn export(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
) -> Result<Response, ApiError> {
	let batch = named(&api, &id).await?;
	let (view, readings) = shown(&api, &batch).await?;
	let view = serde_json::to_string(&view).map_err(ApiError::internal)?;
	let text = format!("{{\"batch\":{view},\"logs\":{}}}", readings_json(&readings));
	Ok(json_text(StatusCode::OK, text))
}

/// Returns the file of a batch by its CID: its canonical readings, with a newline between two.
#[utoipa::path(get, path = "/api/v1/cid/{cid}", tag = "batches", params(("cid" = String, Path, pattern = "^bafkrei[a-h][a-z2-7]{50}[aeimquy4]$")),
	responses((status = 200, content_type = "application/vnd.ipld.raw"),
		(status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn file(
	State(api): State<Arc<Api>>,
	Path(cid): Path<String>,
) -> Result<Response, ApiError> {
	let cid = Cid::parse(&cid).map_err(ApiError::bad_request)?;
	let found = api.storage.batch_by_cid(cid).await?;
	let batch = found.ok_or_else(|| ApiError::not_found("File"))?;
	let readings = api.storage.batch_readings(batch.row).await?;
	let file = batch_file(readings.iter().map(|reading| reading.body.as_str()));
	if Cid::of(&file) != cid {
		return Err(altered("the stored logs do not have this CID"));
	}
	let mut response = file.into_response();
	let headers = response.headers_mut();
	let kind = HeaderValue::from_static("application/vnd.ipld.raw");
	headers.insert(header::CONTENT_TYPE, kind);
	let forever = HeaderValue::from_static("public, max-age=29030400, immutable");
	headers.insert(header::CACHE_CONTROL, forever);
	if let Ok(tag) = HeaderValue::from_str(&format!("\"{cid}\"")) {
		headers.insert(header::ETAG, tag);
	}
	Ok(response)
}
