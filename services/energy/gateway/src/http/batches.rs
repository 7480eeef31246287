//! `/api/v1/batches`, `/api/v1/cid`.

use super::{
	Api, ApiError,
	error::ErrorBody,
	json_text,
	logs::time,
	page, paged,
	views::{BatchQuery, BatchView, PageQuery, batch_view, logs_json},
};
use crate::{
	ids::{batch_id, batch_row},
	storage::{Anchor, AnchorStatus, Batch, BatchFilter, BatchRow, BatchState, Reading, Settled},
};
use axum::{
	Json,
	extract::{Path, Query, State},
	http::{HeaderMap, HeaderValue, StatusCode, header},
	response::{IntoResponse, Response},
};
use gridproof_primitives::{
	cid::Cid,
	emlog::{batch_file, format_utc},
	meter::MIN_CONFIRMATIONS,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

fn row_of(id: &str) -> Result<BatchRow, ApiError> {
	batch_row(id).ok_or_else(|| ApiError::not_found("Batch"))
}

async fn find(api: &Api, id: &str) -> Result<Batch, ApiError> {
	let found = api.storage.batch(row_of(id)?).await?;
	found.ok_or_else(|| ApiError::not_found("Batch"))
}

async fn view(api: &Api, batch: &Batch) -> Result<(BatchView, Vec<Reading>), ApiError> {
	let logs = api.storage.batch_logs(batch.row).await?;
	let rows: Vec<i64> = logs.iter().map(|log| log.row).collect();
	let known = batch.meter.and_then(|meter| api.registry.by_row(meter));
	Ok((batch_view(batch, known.as_deref(), &rows), logs))
}

/// Makes batches of all logs that are in none: one of all meters that are not certified, and one of
/// each certified meter. Answers the first; `also` names the others.
#[utoipa::path(post, path = "/api/v1/batches/flush", tag = "batches", security((), ("admin" = [])),
	responses((status = 200, body = BatchView), (status = 400, body = ErrorBody),
		(status = 401, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(crate) async fn flush(
	State(api): State<Arc<Api>>,
	headers: HeaderMap,
) -> Result<Json<BatchView>, ApiError> {
	api.demand_admin(&headers)?;
	let round = api.batcher.round(true).await?;
	let Some((first, rest)) = round.batches.split_first() else {
		return Err(if round.waiting > 0 {
			ApiError::new(
				StatusCode::SERVICE_UNAVAILABLE,
				"waiting",
				"the logs that are left wait: for the chain to answer, for a signature, or for a \
				 decision about a parked batch",
			)
		} else {
			ApiError::new(StatusCode::BAD_REQUEST, "nothing_pending", "No unbatched logs available")
		});
	};
	let batch = api.storage.batch(*first).await?.ok_or_else(|| ApiError::not_found("Batch"))?;
	let (mut view, _) = view(&api, &batch).await?;
	view.also = rest.iter().map(|row| batch_id(*row)).collect();
	Ok(Json(view))
}

/// Batches, without their logs.
#[utoipa::path(get, path = "/api/v1/batches", tag = "batches", params(PageQuery, BatchQuery),
	responses((status = 200, body = Vec<BatchView>), (status = 400, body = ErrorBody)))]
pub(crate) async fn list(
	State(api): State<Arc<Api>>,
	Query(page_query): Query<PageQuery>,
	Query(query): Query<BatchQuery>,
) -> Result<Response, ApiError> {
	let (page, is_default) = page(&page_query)?;
	let unknown = |what: &str| ApiError::bad_request(format!("unknown {what}"));
	let filter = BatchFilter {
		site: query.site,
		device: query.device,
		meter: query.meter,
		state: query
			.status
			.map(|text| BatchState::parse(&text).ok_or_else(|| unknown("status")))
			.transpose()?,
		anchor: query
			.anchor
			.map(|text| AnchorStatus::parse(&text).ok_or_else(|| unknown("anchor status")))
			.transpose()?,
		from_ms: query.from.as_deref().map(time).transpose()?,
		to_ms: query.to.as_deref().map(time).transpose()?,
	};
	let total = api.storage.count_batches(filter.clone()).await?;
	let batches = api.storage.batches(filter, page).await?;
	let next = batches.last().map(|batch| batch.row);
	let views: Vec<BatchView> = batches
		.iter()
		.map(|batch| {
			let known = batch.meter.and_then(|meter| api.registry.by_row(meter));
			batch_view(batch, known.as_deref(), &[])
		})
		.collect();
	let is_full = !is_default && views.len() == page.limit as usize;
	Ok(paged(Json(views).into_response(), total, next.filter(|_| is_full)))
}

/// One batch.
#[utoipa::path(get, path = "/api/v1/batches/{id}", tag = "batches", params(("id" = String, Path)),
	responses((status = 200, body = BatchView), (status = 404, body = ErrorBody)))]
pub(crate) async fn get(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
) -> Result<Json<BatchView>, ApiError> {
	let batch = find(&api, &id).await?;
	Ok(Json(view(&api, &batch).await?.0))
}

/// A batch with all its logs: `{batch, logs}`.
#[utoipa::path(get, path = "/api/v1/batches/{id}/export", tag = "batches",
	params(("id" = String, Path)),
	responses((status = 200, body = serde_json::Value), (status = 404, body = ErrorBody)))]
pub(crate) async fn export(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
) -> Result<Response, ApiError> {
	let batch = find(&api, &id).await?;
	let (view, logs) = view(&api, &batch).await?;
	let view = serde_json::to_string(&view).map_err(ApiError::bad_request)?;
	let text = format!("{{\"batch\":{view},\"logs\":{}}}", logs_json(&logs));
	Ok(json_text(StatusCode::OK, text))
}

/// The anchor of a batch.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnchorUpdate {
	/// `pending`, `broadcast`, `confirmed` or `simulated`.
	pub status: String,
	/// Transaction; needed for `broadcast` and `confirmed`.
	#[serde(default)]
	pub txid: Option<String>,
	/// Hash of its block; needed for `confirmed`.
	#[serde(default)]
	pub block_hash: Option<String>,
	/// Height of its block; needed for `confirmed`.
	#[serde(default)]
	pub block_height: Option<u64>,
	/// Time of its block, RFC 3339.
	#[serde(default)]
	pub block_time: Option<String>,
	/// How deep it is; at least 6 for `confirmed`.
	#[serde(default)]
	pub confirmations: Option<u32>,
}

fn is_hash(text: &Option<String>) -> bool {
	text.as_ref()
		.is_some_and(|text| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl AnchorUpdate {
	/// What may be kept: a state with all that it claims.
	fn checked(self, before: AnchorStatus) -> Result<Anchor, ApiError> {
		let bad =
			|detail: &str| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_anchor", detail);
		let status = AnchorStatus::parse(&self.status)
			.ok_or_else(|| bad("status is pending, broadcast, confirmed or simulated"))?;
		let has_block = is_hash(&self.block_hash) && self.block_height.is_some();
		match status {
			AnchorStatus::Broadcast if !is_hash(&self.txid) => {
				return Err(bad("a broadcast anchor has a txid of 64 hexadecimal digits"));
			},
			AnchorStatus::Confirmed if !(is_hash(&self.txid) && has_block) => {
				return Err(bad("a confirmed anchor has txid, block_hash and block_height"));
			},
			AnchorStatus::Confirmed
				if self.confirmations.unwrap_or_default() < MIN_CONFIRMATIONS =>
			{
				return Err(bad("a confirmed anchor has at least 6 confirmations"));
			},
			AnchorStatus::Simulated
				if matches!(before, AnchorStatus::Broadcast | AnchorStatus::Confirmed) =>
			{
				return Err(bad("a real anchor is never replaced by a simulated one"));
			},
			_ => (),
		}
		Ok(Anchor {
			status,
			txid: self.txid,
			block_hash: self.block_hash,
			block_height: self.block_height,
			block_time: self.block_time,
		})
	}
}

/// Sets the Bitcoin anchor of a batch.
#[utoipa::path(put, path = "/api/v1/batches/{id}/anchor", tag = "batches",
	security((), ("admin" = [])), params(("id" = String, Path)), request_body = AnchorUpdate,
	responses((status = 200, body = BatchView), (status = 401, body = ErrorBody),
		(status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(crate) async fn anchor(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
	headers: HeaderMap,
	Json(update): Json<AnchorUpdate>,
) -> Result<Json<BatchView>, ApiError> {
	api.demand_admin(&headers)?;
	let batch = find(&api, &id).await?;
	set_anchor(&api, &batch, update).await
}

async fn set_anchor(
	api: &Api,
	batch: &Batch,
	update: AnchorUpdate,
) -> Result<Json<BatchView>, ApiError> {
	let anchor = update.checked(batch.anchor.status)?;
	api.storage.anchor(batch.row, anchor).await?;
	let batch = api.storage.batch(batch.row).await?;
	let batch = batch.ok_or_else(|| ApiError::not_found("Batch"))?;
	Ok(Json(view(api, &batch).await?.0))
}

/// A trial of the older gateway's clients.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct SimulatedAnchor {
	/// Shown as the transaction.
	#[serde(default)]
	pub txid: Option<String>,
	/// Shown as its block.
	#[serde(default)]
	pub block_hash: Option<String>,
	/// Shown as its height.
	#[serde(default)]
	pub block_height: Option<u64>,
}

/// Marks the anchor of a batch as simulated; it is never shown as anything else.
#[utoipa::path(post, path = "/api/v1/batches/{id}/anchor/simulate", tag = "batches",
	security((), ("admin" = [])), params(("id" = String, Path)), request_body = SimulatedAnchor,
	responses((status = 200, body = BatchView), (status = 401, body = ErrorBody),
		(status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(crate) async fn simulate(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
	headers: HeaderMap,
	Json(trial): Json<SimulatedAnchor>,
) -> Result<Json<BatchView>, ApiError> {
	api.demand_admin(&headers)?;
	let batch = find(&api, &id).await?;
	let update = AnchorUpdate {
		status: AnchorStatus::Simulated.as_str().to_string(),
		txid: Some(trial.txid.unwrap_or_else(|| format!("simtx_{id}"))),
		block_hash: Some(trial.block_hash.unwrap_or_else(|| format!("simblock_{id}"))),
		block_height: Some(trial.block_height.unwrap_or(100_000)),
		block_time: Some(format_utc(crate::ingest::now_ms())),
		confirmations: None,
	};
	set_anchor(&api, &batch, update).await
}

/// What became of a parked batch.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Decision {
	/// The batch.
	pub id: String,
	/// How many batches this concerned.
	pub batches: u64,
}

/// Tries a parked batch again as it is.
#[utoipa::path(post, path = "/api/v1/batches/{id}/retry", tag = "batches",
	security((), ("admin" = [])), params(("id" = String, Path)),
	responses((status = 200, body = Decision), (status = 401, body = ErrorBody),
		(status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn retry(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
	headers: HeaderMap,
) -> Result<Json<Decision>, ApiError> {
	api.demand_admin(&headers)?;
	let batch = find(&api, &id).await?;
	demand_parked(&batch)?;
	api.storage.settle(vec![Settled::Retried { row: batch.row }]).await?;
	api.wake.iter().for_each(|wake| wake.notify_one());
	Ok(Json(Decision { id, batches: 1 }))
}

/// Gives up a parked batch and what follows it of its meter: their logs go into new batches that
/// follow on what the chain has.
#[utoipa::path(post, path = "/api/v1/batches/{id}/rebuild", tag = "batches",
	security((), ("admin" = [])), params(("id" = String, Path)),
	responses((status = 200, body = Decision), (status = 401, body = ErrorBody),
		(status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn rebuild(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
	headers: HeaderMap,
) -> Result<Json<Decision>, ApiError> {
	api.demand_admin(&headers)?;
	let batch = find(&api, &id).await?;
	demand_parked(&batch)?;
	let batches = api.storage.dissolve(batch.row).await?;
	Ok(Json(Decision { id, batches }))
}

fn demand_parked(batch: &Batch) -> Result<(), ApiError> {
	if batch.state == BatchState::Parked {
		return Ok(());
	}
	let detail = format!("the batch is {}, not parked", batch.state.as_str());
	Err(ApiError::new(StatusCode::CONFLICT, "not_parked", detail))
}

/// The file of a batch by its CID: its canonical logs, with a newline between two.
#[utoipa::path(get, path = "/api/v1/cid/{cid}", tag = "batches", params(("cid" = String, Path)),
	responses((status = 200, content_type = "application/vnd.ipld.raw"),
		(status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn file(
	State(api): State<Arc<Api>>,
	Path(cid): Path<String>,
) -> Result<Response, ApiError> {
	let cid = Cid::parse(&cid).map_err(ApiError::bad_request)?;
	let found = api.storage.batch_by_cid(cid).await?;
	let batch = found.ok_or_else(|| ApiError::not_found("File"))?;
	let logs = api.storage.batch_logs(batch.row).await?;
	let file = batch_file(logs.iter().map(|log| log.body.as_str()));
	if Cid::of(&file) != cid {
		return Err(ApiError::new(
			StatusCode::INTERNAL_SERVER_ERROR,
			"altered",
			"the stored logs do not have this CID: the database has been altered",
		));
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
