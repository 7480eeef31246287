//! `/api/v1/logs`: what is stored. What comes in is in [`crate::intake`].

use super::{
	api::Api,
	errors::{altered, find},
	paging::{Asked, time},
	views::{EnergyLogBody, reading_json, readings_json},
};
use crate::{
	ids::{batch_id, batch_row, reading_id, reading_row},
	storage::{Batch, Reading, ReadingFilter},
};
use axum::{
	extract::{Path, State},
	http::StatusCode,
	response::Response,
};
use gridproof_gateway_api::{AnchorStatus, ListReadings, PageQuery};
use gridproof_http::{ApiError, ErrorBody, Params, pages::json_text};
use gridproof_primitives::{
	codec::{
		hexadecimal,
		json::{self, Limits},
	},
	crypto::merkle::{
		self,
		anchored::AnchorPath,
		document::{ProofDocument, Scheme},
	},
};
use gridproof_support::number::clamped;
use std::sync::Arc;

/// Returns readings, in order of arrival. `x-total-count` is the number of those that match,
/// `x-next-cursor` where the next page begins.
#[utoipa::path(get, path = "/api/v1/logs", tag = "logs", params(PageQuery, ListReadings),
	responses((status = 200, body = Vec<EnergyLogBody>), (status = 400, body = ErrorBody),
		(status = 422, body = ErrorBody)))]
pub(crate) async fn list(
	State(api): State<Arc<Api>>,
	Params(page): Params<PageQuery>,
	Params(chosen): Params<ListReadings>,
) -> Result<Response, ApiError> {
	let asked = Asked::of(&page)?;
	let filter = filter(chosen)?;
	let total = api.storage.count_readings(filter.clone()).await?;
	let mut readings = api.storage.readings(filter, asked.page).await?;
	let last = readings.last().map(|reading| reading.row);
	if asked.is_default {
		readings.reverse();
	}
	let response = json_text(StatusCode::OK, readings_json(&readings));
	Ok(asked.answer(response, readings.len(), total, last))
}

fn filter(chosen: ListReadings) -> Result<ReadingFilter, ApiError> {
	let (status, batched) = match chosen.status.as_deref() {
		Some("pending") => (None, Some(false)),
		Some("batched") => (None, Some(true)),
		None | Some("ok" | "estimated" | "error") => (chosen.status, None),
		Some(_) => {
			let words = "status is ok, estimated or error, or pending or batched";
			return Err(ApiError::bad_request(words));
		},
	};
	let batch = match chosen.batch {
		Some(name) => Some(batch_row(&name).ok_or_else(|| ApiError::not_found("Batch"))?),
		None => None,
	};
	Ok(ReadingFilter {
		site: chosen.site,
		device: chosen.device,
		meter: chosen.meter,
		status,
		batched,
		batch,
		from_ms: chosen.from.as_deref().map(time).transpose()?,
		to_ms: chosen.to.as_deref().map(time).transpose()?,
	})
}

/// Returns one reading.
#[utoipa::path(get, path = "/api/v1/logs/{id}", tag = "logs", params(("id" = String, Path)),
	responses((status = 200, body = EnergyLogBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn get(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
) -> Result<Response, ApiError> {
	let reading = named(&api, &id).await?;
	Ok(json_text(StatusCode::OK, reading_json(&reading)))
}

async fn named(api: &Api, id: &str) -> Result<Reading, ApiError> {
	let missing = || ApiError::not_found("Log");
	let row = reading_row(id).ok_or_else(missing)?;
	find(&*api.storage, row).await?.ok_or_else(missing)
}

/// The way from a batch's root to the root in a transaction that is on its way or in a block, with that
/// transaction. One that is simulated proves nothing.
async fn anchor_path(api: &Api, batch: &Batch) -> Result<Option<AnchorPath>, ApiError> {
	if !matches!(batch.anchor.status, AnchorStatus::Broadcast | AnchorStatus::Confirmed) {
		return Ok(None);
	}
	let path = api.storage.anchor_path(batch.row).await?;
	let txid = batch.anchor.txid.as_deref().and_then(hexadecimal::decode_hash);
	Ok(path.map(|path| AnchorPath { txid, ..path }))
}

/// Returns the proof that a reading is in its batch: the siblings from the leaf to the root.
#[utoipa::path(get, path = "/api/v1/logs/{id}/proof", tag = "logs", params(("id" = String, Path)),
	responses((status = 200, body = serde_json::Value), (status = 400, body = ErrorBody),
		(status = 404, body = ErrorBody)))]
pub(crate) async fn proof(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
) -> Result<Response, ApiError> {
	let reading = named(&api, &id).await?;
	let (Some(row), Some(place)) = (reading.batch, reading.place) else {
		return Err(ApiError::new(
			StatusCode::BAD_REQUEST,
			"not_batched",
			"the log has not been assigned to a batch yet; flush, or wait",
		));
	};
	let batch = api.storage.batch(row).await?.ok_or_else(|| ApiError::not_found("Batch"))?;
	let leaves = api.storage.leaves(row).await?;
	let altered = || altered("the stored logs of the batch do not have its root");
	let index = usize::try_from(place).map_err(|_| altered())?;
	if merkle::root(&leaves) != batch.root || leaves.get(index) != Some(&reading.leaf) {
		return Err(altered());
	}
	let header = batch.on_chain.as_ref().map(|part| &part.header);
	let document = ProofDocument {
		log_id: Some(reading_id(reading.row)),
		batch_id: Some(batch_id(row)),
		leaf_hash: reading.leaf,
		merkle_root: batch.root,
		index: u64::from(place),
		proof: merkle::inclusion_steps(&leaves, index).ok_or_else(altered)?,
		tree_size: Some(clamped(leaves.len())),
		scheme: Some(Scheme::Rfc6962),
		meter: header.map(|header| header.meter),
		sequence: header.map(|header| header.sequence),
		anchor_path: anchor_path(&api, &batch).await?,
		log: json::parse(reading.body.as_bytes(), Limits::DEFAULT).ok(),
	};
	Ok(json_text(StatusCode::OK, document.to_value().to_canonical()))
}
