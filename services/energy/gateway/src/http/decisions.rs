//! What the operator decides about batches. Every handler here has `Authorized<Admin, Changes>` in
//! its signature: nothing else reaches what it changes.

use super::{
	api::{Api, Changes},
	batches::{named, shown},
};
use crate::{
	ids::batch_id,
	storage::{Batch, BatchAnchor, Settled},
};
use axum::{
	Json,
	extract::{Path, State},
	http::StatusCode,
};
use gridproof_gateway_api::{
	AnchorStatus, AnchorUpdate, BatchState, BatchView, Decision, SimulatedAnchor,
};
use gridproof_http::{Admin, ApiError, Authorized, Body, ErrorBody};
use gridproof_primitives::{
	crypto::merkle::anchored::AnchorPath,
	energy::{MIN_CONFIRMATIONS, emlog::format_utc},
};
use gridproof_support::clock::now_ms;
use std::sync::Arc;

/// Makes batches of all readings that are in none: one of all meters that are not certified, and one
/// of each certified meter. Returns the first; `also` names the others.
#[utoipa::path(post, path = "/api/v1/batches/flush", tag = "batches", security((), ("admin" = [])),
	responses((status = 200, body = BatchView), (status = 400, body = ErrorBody),
		(status = 401, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(crate) async fn flush(
	State(api): State<Arc<Api>>,
	changes: Authorized<Admin, Changes>,
) -> Result<Json<BatchView>, ApiError> {
	let round = changes.batcher.round(true).await?;
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
	let (mut view, _) = shown(&api, &batch).await?;
	view.also = rest.iter().map(|row| batch_id(*row)).collect();
	Ok(Json(view))
}

fn is_hash(text: &Option<String>) -> bool {
	text.as_ref()
		.is_some_and(|text| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The anchor that an update states, if it holds all that its status claims.
fn checked(update: AnchorUpdate, before: AnchorStatus) -> Result<BatchAnchor, ApiError> {
	let bad = |detail: &str| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_anchor", detail);
	let status = AnchorStatus::parse(&update.status)
		.ok_or_else(|| bad("status is pending, broadcast, confirmed or simulated"))?;
	if update.block_height.is_some_and(|height| i64::try_from(height).is_err())
		|| update.confirmations.is_some_and(|count| i32::try_from(count).is_err())
	{
		return Err(bad("block_height and confirmations are numbers of blocks of Bitcoin's chain"));
	}
	let has_block = is_hash(&update.block_hash) && update.block_height.is_some();
	let is_deep = update.confirmations.unwrap_or_default() >= MIN_CONFIRMATIONS;
	match status {
		AnchorStatus::Broadcast if !is_hash(&update.txid) => {
			return Err(bad("a broadcast anchor has a txid of 64 hexadecimal digits"));
		},
		AnchorStatus::Confirmed if !(is_hash(&update.txid) && has_block) => {
			return Err(bad("a confirmed anchor has txid, block_hash and block_height"));
		},
		AnchorStatus::Confirmed if !is_deep => {
			return Err(bad("a confirmed anchor has at least 6 confirmations"));
		},
		AnchorStatus::Simulated
			if matches!(before, AnchorStatus::Broadcast | AnchorStatus::Confirmed) =>
		{
			return Err(bad("a real anchor is never replaced by a simulated one"));
		},
		_ => (),
	}
	Ok(BatchAnchor {
		status,
		txid: update.txid,
		block_hash: update.block_hash,
		block_height: update.block_height,
		block_time: update.block_time,
	})
}

/// The way to the root in the transaction that an update states, if it begins at the batch's root.
fn checked_path(update: &AnchorUpdate, batch: &Batch) -> Result<Option<AnchorPath>, ApiError> {
	let Some(way) = &update.path else { return Ok(None) };
	let bad =
		|detail: String| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_anchor", detail);
	let path =
		way.path().ok_or_else(|| {
			bad("path has a root, an index below tree_size, and one hash of 64 digits for each step".into())
		})?;
	let held = path.verify(&batch.root);
	held.map_err(|fault| bad(format!("path does not lead from the batch's root: {fault}")))?;
	Ok(Some(path))
}

/// Sets the Bitcoin anchor of a batch.
#[utoipa::path(put, path = "/api/v1/batches/{id}/anchor", tag = "batches",
	security((), ("admin" = [])), params(("id" = String, Path)), request_body = AnchorUpdate,
	responses((status = 200, body = BatchView), (status = 401, body = ErrorBody),
		(status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
		(status = 422, body = ErrorBody)))]
pub(crate) async fn anchor(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
	changes: Authorized<Admin, Changes>,
	Body(update): Body<AnchorUpdate>,
) -> Result<Json<BatchView>, ApiError> {
	let batch = named(&api, &id).await?;
	set_anchor(&api, &changes, &batch, update).await
}

async fn set_anchor(
	api: &Api,
	changes: &Changes,
	batch: &Batch,
	update: AnchorUpdate,
) -> Result<Json<BatchView>, ApiError> {
	let path = checked_path(&update, batch)?;
	let anchor = checked(update, batch.anchor.status)?;
	if !changes.storage.anchor(batch.row, anchor, path).await? {
		return Err(ApiError::new(
			StatusCode::CONFLICT,
			"archived",
			"the batch is in the archive, where nothing changes any more: anchor batches sooner, or \
			 run the gateway with a longer --keep-days",
		));
	}
	let batch = api.storage.batch(batch.row).await?;
	let batch = batch.ok_or_else(|| ApiError::not_found("Batch"))?;
	Ok(Json(shown(api, &batch).await?.0))
}

/// Marks the anchor of a batch as simulated; it is never shown as anything else.
#[utoipa::path(post, path = "/api/v1/batches/{id}/anchor/simulate", tag = "batches",
	security((), ("admin" = [])), params(("id" = String, Path)), request_body = SimulatedAnchor,
	responses((status = 200, body = BatchView), (status = 401, body = ErrorBody),
		(status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
		(status = 422, body = ErrorBody)))]
pub(crate) async fn simulate(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
	changes: Authorized<Admin, Changes>,
	Body(trial): Body<SimulatedAnchor>,
) -> Result<Json<BatchView>, ApiError> {
	let batch = named(&api, &id).await?;
	let update = AnchorUpdate {
		txid: Some(trial.txid.unwrap_or_else(|| format!("simtx_{id}"))),
		block_hash: Some(trial.block_hash.unwrap_or_else(|| format!("simblock_{id}"))),
		block_height: Some(trial.block_height.unwrap_or(100_000)),
		block_time: Some(format_utc(now_ms())),
		..AnchorUpdate::new(AnchorStatus::Simulated)
	};
	set_anchor(&api, &changes, &batch, update).await
}

/// Tries a parked batch again as it is.
#[utoipa::path(post, path = "/api/v1/batches/{id}/retry", tag = "batches",
	security((), ("admin" = [])), params(("id" = String, Path)),
	responses((status = 200, body = Decision), (status = 401, body = ErrorBody),
		(status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn retry(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
	changes: Authorized<Admin, Changes>,
) -> Result<Json<Decision>, ApiError> {
	let batch = parked(&api, &id).await?;
	changes.storage.settle(vec![Settled::Retried { row: batch.row }]).await?;
	changes.wake.iter().for_each(|wake| wake.notify_one());
	Ok(Json(Decision { id, batches: 1, readings: 0 }))
}

/// Gives up a parked batch and the later ones of its meter: their readings go into new batches that
/// follow on what the chain has.
#[utoipa::path(post, path = "/api/v1/batches/{id}/rebuild", tag = "batches",
	security((), ("admin" = [])), params(("id" = String, Path)),
	responses((status = 200, body = Decision), (status = 401, body = ErrorBody),
		(status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn rebuild(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
	changes: Authorized<Admin, Changes>,
) -> Result<Json<Decision>, ApiError> {
	let batch = named(&api, &id).await?;
	// An exchange may have done it meanwhile.
	if batch.state == BatchState::Dissolved {
		return Ok(Json(Decision { id, batches: 0, readings: 0 }));
	}
	let batch = parked(&api, &id).await?;
	let batches = changes.storage.dissolve(batch.row).await?;
	Ok(Json(Decision { id, batches, readings: 0 }))
}

/// Gives up a parked batch with its readings: they go to the dead letters, and the device strikes
/// them. Later batches of its meter are rebuilt.
#[utoipa::path(post, path = "/api/v1/batches/{id}/give-up", tag = "batches",
	security((), ("admin" = [])), params(("id" = String, Path)),
	responses((status = 200, body = Decision), (status = 401, body = ErrorBody),
		(status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn give_up(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
	changes: Authorized<Admin, Changes>,
) -> Result<Json<Decision>, ApiError> {
	let batch = parked(&api, &id).await?;
	let (batches, readings) = changes.batcher.give_up(&batch).await?;
	Ok(Json(Decision { id, batches, readings }))
}

/// The batch of this name, if it is parked.
async fn parked(api: &Api, id: &str) -> Result<Batch, ApiError> {
	let batch = named(api, id).await?;
	if batch.state == BatchState::Parked {
		return Ok(batch);
	}
	let detail = format!("the batch is {}, not parked", batch.state);
	Err(ApiError::new(StatusCode::CONFLICT, "not_parked", detail))
}
