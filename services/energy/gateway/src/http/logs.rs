//! `/api/v1/logs`, `/api/v1/dead-letters`, `/api/v1/meters`.

use super::{
	Api, ApiError,
	error::ErrorBody,
	json_text, page, paged,
	views::{
		DeadLetterQuery, LogQuery, LogSchema, MeterView, PageQuery, log_json, logs_json, meter_view,
	},
};
use crate::{
	credentials::Role,
	ids::{batch_id, batch_row, log_id, log_row},
	ingest::{Message, Sender, Source},
	storage::{BuriedLetter, LogFilter, Page, Reading},
};
use axum::{
	Json,
	body::Bytes,
	extract::{Path, Query, State},
	http::{HeaderMap, StatusCode, header},
	response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use gridproof_primitives::{
	emlog::parse_utc,
	json::{self, Limits},
	merkle::{
		self,
		document::{ProofDocument, Scheme},
	},
};
use std::{collections::HashMap, sync::Arc};

/// Takes one log. It is on disk when this answers. The same log again is answered alike and kept
/// once.
#[utoipa::path(post, path = "/api/v1/logs", tag = "logs", request_body = LogSchema,
	security((), ("device" = [])),
	responses((status = 200, body = LogSchema), (status = 400, body = ErrorBody),
		(status = 401, body = ErrorBody), (status = 409, body = ErrorBody),
		(status = 422, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(crate) async fn post(
	State(api): State<Arc<Api>>,
	headers: HeaderMap,
	body: Bytes,
) -> Result<Response, ApiError> {
	let sender = sender(&api, &headers)?;
	let message = Message { source: Source::Http, topic: None, sender: &sender, payload: &body };
	let timer = api.metrics.durable.start_timer();
	let taken = api.ingest.take(&message, false).await?;
	timer.observe_duration();
	let batch = match taken.again {
		true => {
			let found = one(&api, taken.row).await?;
			found.and_then(|reading| reading.batch)
		},
		false => None,
	};
	let reading = Reading {
		row: taken.row,
		meter: 0,
		start_ms: 0,
		end_ms: 0,
		received_ms: 0,
		leaf: taken.leaf,
		body: taken.body,
		batch,
		place: None,
	};
	Ok(json_text(StatusCode::OK, log_json(&reading)))
}

/// Who sends a request: by a device's credentials, or the admin key.
fn sender(api: &Api, headers: &HeaderMap) -> Result<Sender, ApiError> {
	let otherwise = if api.anonymous { Sender::Anyone } else { Sender::Nobody };
	let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(otherwise) };
	let refused = |detail: &str| ApiError::new(StatusCode::UNAUTHORIZED, "bad_credentials", detail);
	let text = value.to_str().map_err(|_| refused("unreadable Authorization header"))?;
	if let Some(key) = text.strip_prefix("Bearer ") {
		return match api.is_admin_key(key) {
			true => Ok(Sender::Anyone),
			false => Err(refused("this is not the admin key")),
		};
	}
	let pair = text
		.strip_prefix("Basic ")
		.and_then(|encoded| STANDARD.decode(encoded.trim()).ok())
		.and_then(|pair| String::from_utf8(pair).ok());
	let Some(pair) = pair.as_deref().filter(|pair| pair.contains(':')) else {
		return Err(refused("send Basic credentials of a device, or the admin key as Bearer"));
	};
	// Our own user names have a colon in them, other people's passwords may.
	let role = [pair.split_once(':'), pair.rsplit_once(':')]
		.into_iter()
		.flatten()
		.find_map(|(username, password)| api.credentials.check(username, password.as_bytes()));
	match role {
		Some(Role::Device { site, device }) => Ok(Sender::Device { site, device }),
		Some(Role::Reader) => Err(refused("these are a reader's credentials")),
		None => Err(refused("unknown user or wrong password")),
	}
}

async fn one(api: &Api, row: i64) -> Result<Option<Reading>, ApiError> {
	let page =
		Page { limit: 1, offset: 0, after: Some(row.saturating_sub(1)), newest_first: false };
	let found = api.storage.logs(LogFilter::default(), page).await?;
	Ok(found.into_iter().find(|reading| reading.row == row))
}

/// Logs, in order of arrival. `x-total-count` says how many match, `x-next-cursor` where the next
/// page begins.
#[utoipa::path(get, path = "/api/v1/logs", tag = "logs", params(PageQuery, LogQuery),
	responses((status = 200, body = Vec<LogSchema>), (status = 400, body = ErrorBody)))]
pub(crate) async fn list(
	State(api): State<Arc<Api>>,
	Query(page_query): Query<PageQuery>,
	Query(query): Query<LogQuery>,
) -> Result<Response, ApiError> {
	let (page, is_default) = page(&page_query)?;
	let filter = filter(query)?;
	let total = api.storage.count_logs(filter.clone()).await?;
	let mut readings = api.storage.logs(filter, page).await?;
	let next = readings.last().map(|reading| reading.row);
	if is_default {
		readings.reverse();
	}
	let response = json_text(StatusCode::OK, logs_json(&readings));
	let is_full = !is_default && readings.len() == page.limit as usize;
	Ok(paged(response, total, next.filter(|_| is_full)))
}

fn filter(query: LogQuery) -> Result<LogFilter, ApiError> {
	let (status, batched) = match query.status.as_deref() {
		Some("pending") => (None, Some(false)),
		Some("batched") => (None, Some(true)),
		_ => (query.status, None),
	};
	let batch = match query.batch {
		Some(name) => Some(batch_row(&name).ok_or_else(|| ApiError::not_found("Batch"))?),
		None => None,
	};
	Ok(LogFilter {
		site: query.site,
		device: query.device,
		meter: query.meter,
		status,
		batched,
		batch,
		from_ms: query.from.as_deref().map(time).transpose()?,
		to_ms: query.to.as_deref().map(time).transpose()?,
	})
}

/// RFC 3339, or UTC milliseconds.
pub(super) fn time(text: &str) -> Result<u64, ApiError> {
	if let Ok(millis) = text.parse() {
		return Ok(millis);
	}
	parse_utc(text).map_err(|fault| ApiError::bad_request(format!("{text:?}: {fault}")))
}

/// One log.
#[utoipa::path(get, path = "/api/v1/logs/{id}", tag = "logs", params(("id" = String, Path)),
	responses((status = 200, body = LogSchema), (status = 404, body = ErrorBody)))]
pub(crate) async fn get(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
) -> Result<Response, ApiError> {
	let reading = find(&api, &id).await?;
	Ok(json_text(StatusCode::OK, log_json(&reading)))
}

async fn find(api: &Api, id: &str) -> Result<Reading, ApiError> {
	let missing = || ApiError::not_found("Log");
	let row = log_row(id).ok_or_else(missing)?;
	one(api, row).await?.ok_or_else(missing)
}

/// The proof that a log is in its batch: the siblings from the leaf to the root.
#[utoipa::path(get, path = "/api/v1/logs/{id}/proof", tag = "logs", params(("id" = String, Path)),
	responses((status = 200, body = serde_json::Value), (status = 400, body = ErrorBody),
		(status = 404, body = ErrorBody)))]
pub(crate) async fn proof(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
) -> Result<Response, ApiError> {
	let reading = find(&api, &id).await?;
	let (Some(row), Some(place)) = (reading.batch, reading.place) else {
		return Err(ApiError::new(
			StatusCode::BAD_REQUEST,
			"not_batched",
			"the log has not been assigned to a batch yet; flush, or wait",
		));
	};
	let batch = api.storage.batch(row).await?.ok_or_else(|| ApiError::not_found("Batch"))?;
	let leaves = api.storage.leaves(row).await?;
	let altered = || {
		ApiError::new(
			StatusCode::INTERNAL_SERVER_ERROR,
			"altered",
			"the stored logs of the batch do not have its root: the database has been altered",
		)
	};
	let index = usize::try_from(place).map_err(|_| altered())?;
	if merkle::root(&leaves) != batch.root || leaves.get(index) != Some(&reading.leaf) {
		return Err(altered());
	}
	let header = batch.on_chain.as_ref().map(|part| &part.header);
	let document = ProofDocument {
		log_id: Some(log_id(reading.row)),
		batch_id: Some(batch_id(row)),
		leaf_hash: reading.leaf,
		merkle_root: batch.root,
		index: u64::from(place),
		proof: merkle::inclusion_steps(&leaves, index).ok_or_else(altered)?,
		tree_size: Some(u64::try_from(leaves.len()).unwrap_or(u64::MAX)),
		scheme: Some(Scheme::Rfc6962),
		meter: header.map(|header| header.meter),
		sequence: header.map(|header| header.sequence),
		log: json::parse(reading.body.as_bytes(), Limits::DEFAULT).ok(),
	};
	Ok(json_text(StatusCode::OK, document.to_value().to_canonical()))
}

/// What was refused, with its reason; nothing is dropped in silence.
#[utoipa::path(get, path = "/api/v1/dead-letters", tag = "operation",
	params(PageQuery, DeadLetterQuery), responses((status = 200, body = Vec<BuriedLetter>)))]
pub(crate) async fn dead_letters(
	State(api): State<Arc<Api>>,
	Query(page_query): Query<PageQuery>,
	Query(query): Query<DeadLetterQuery>,
) -> Result<Response, ApiError> {
	let (page, is_default) = page(&page_query)?;
	let mut letters = api.storage.dead_letters(query.reason, page).await?;
	let total = api.storage.counts().await?.dead_letters;
	let next = letters.last().map(|letter| letter.id);
	if is_default {
		letters.reverse();
	}
	let is_full = !is_default && letters.len() == page.limit as usize;
	Ok(paged(Json(letters).into_response(), total, next.filter(|_| is_full)))
}

/// Every meter that ever sent a log, with what the chain says of it.
#[utoipa::path(get, path = "/api/v1/meters", tag = "meters", params(LogQuery),
	responses((status = 200, body = Vec<MeterView>)))]
pub(crate) async fn meters(
	State(api): State<Arc<Api>>,
	Query(query): Query<LogQuery>,
) -> Result<Json<Vec<MeterView>>, ApiError> {
	let mut pending: HashMap<i64, u64> = HashMap::new();
	for waiting in api.storage.pending().await? {
		let count = pending.entry(waiting.meter).or_default();
		*count = count.saturating_add(waiting.count);
	}
	let is =
		|wanted: &Option<String>, part: &str| wanted.as_ref().is_none_or(|wanted| wanted == part);
	let meters = api
		.registry
		.all()
		.into_iter()
		.filter(|known| {
			is(&query.site, known.name.site())
				&& is(&query.device, known.name.device())
				&& is(&query.meter, known.name.meter())
		})
		.map(|known| meter_view(&known, pending.get(&known.row).copied().unwrap_or_default()))
		.collect();
	Ok(Json(meters))
}
