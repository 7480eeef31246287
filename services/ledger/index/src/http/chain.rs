//! Blocks, transactions and events, and whose they are.

use super::{
	api::Api,
	asked::{PageQuery, account, bytes},
};
use crate::{
	store::{Events, Transactions},
	views::{
		BlockDetail, BlockView, EventView, Found, HistoryEntry, Page, Status, TransactionView,
	},
};
use axum::{
	Json,
	extract::{Path, State},
};
use gridproof_http::{ApiError, ErrorBody, Params};
use gridproof_primitives::energy::emlog::format_utc;
use gridproof_support::text::hexadecimal;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// Longest text that is searched for, in bytes.
const MAX_TEXT: usize = 256;

type Answer<T> = Result<Json<T>, ApiError>;

/// Returns where the index stands.
#[utoipa::path(get, path = "/api/v1/status", tag = "operation",
	responses((status = 200, body = Status)))]
pub(super) async fn status(State(api): State<Arc<Api>>) -> Answer<Status> {
	let (first, head) = (api.store.first().await?, api.store.head().await?);
	Ok(Json(Status {
		version: env!("CARGO_PKG_VERSION").to_string(),
		genesis: hexadecimal(api.genesis.0),
		first,
		last: head.map(|head| head.height),
		hash: head.map(|head| hexadecimal(head.hash.0)),
		time: head.map(|head| format_utc(head.time_ms)),
		finalized: api.board.finalized(),
		trouble: api.board.trouble(),
		bytes: api.store.bytes(),
	}))
}

/// What is searched for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchQuery {
	/// A height, a hash, an address, an index, a name of a meter, a day, or `Pallet.Event`.
	#[param(max_length = 256)]
	q: String,
}

/// Returns what a text can mean: at most some 40 things.
#[utoipa::path(get, path = "/api/v1/search", tag = "chain", params(SearchQuery),
	responses((status = 200, body = Vec<Found>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn search(
	State(api): State<Arc<Api>>,
	Params(SearchQuery { q }): Params<SearchQuery>,
) -> Answer<Vec<Found>> {
	if q.chars().count() > MAX_TEXT {
		return Err(ApiError::bad_request(format!("q has at most {MAX_TEXT} characters")));
	}
	Ok(Json(api.store.search(q).await?))
}

/// Returns blocks.
#[utoipa::path(get, path = "/api/v1/blocks", tag = "chain", params(PageQuery),
	responses((status = 200, body = Page<BlockView>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn blocks(
	State(api): State<Arc<Api>>,
	Params(page): Params<PageQuery>,
) -> Answer<Page<BlockView>> {
	Ok(Json(api.store.blocks(page.asked(&api).await?).await?))
}

/// Returns a block with its transactions and events, by its height or its hash.
#[utoipa::path(get, path = "/api/v1/blocks/{block}", tag = "chain", params(("block" = String, Path)),
	responses((status = 200, body = BlockDetail), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody),
		(status = 404, body = ErrorBody)))]
pub(super) async fn block(
	State(api): State<Arc<Api>>,
	Path(block): Path<String>,
) -> Answer<BlockDetail> {
	let missing = || ApiError::not_found("Block");
	let height = match block.parse::<u64>() {
		Ok(height) => height,
		Err(_) => api.store.height_of(bytes(&block)?).await?.ok_or_else(missing)?,
	};
	api.store.block(height).await?.map(Json).ok_or_else(missing)
}

/// Filters of a list of transactions.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TransactionQuery {
	/// Address of the account that signed them.
	signer: Option<String>,
	/// Name of the pallet that they call.
	pallet: Option<String>,
	/// Name of the call.
	call: Option<String>,
	/// Hash.
	hash: Option<String>,
	/// `true` for those that did what they should, `false` for those that failed.
	ok: Option<bool>,
}

/// Returns transactions.
#[utoipa::path(get, path = "/api/v1/transactions", tag = "chain", params(PageQuery, TransactionQuery),
	responses((status = 200, body = Page<TransactionView>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn transactions(
	State(api): State<Arc<Api>>,
	Params(page): Params<PageQuery>,
	Params(chosen): Params<TransactionQuery>,
) -> Answer<Page<TransactionView>> {
	let TransactionQuery { signer, pallet, call, hash, ok } = chosen;
	let signer = signer.as_deref().map(account).transpose()?;
	let hash = hash.as_deref().map(bytes).transpose()?;
	let chosen = Transactions { signer, pallet, call, hash, ok };
	Ok(Json(api.store.transactions(chosen, page.asked(&api).await?).await?))
}

/// Filters of a list of events.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventQuery {
	/// Name of their pallet.
	pallet: Option<String>,
	/// Their name.
	name: Option<String>,
	/// Address of an account that they name.
	account: Option<String>,
	/// A key or a hash that they name: of a miner, a job, a batch, a statement.
	names: Option<String>,
}

/// Returns events.
#[utoipa::path(get, path = "/api/v1/events", tag = "chain", params(PageQuery, EventQuery),
	responses((status = 200, body = Page<EventView>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn events(
	State(api): State<Arc<Api>>,
	Params(page): Params<PageQuery>,
	Params(chosen): Params<EventQuery>,
) -> Answer<Page<EventView>> {
	let EventQuery { pallet, name, account: of, names } = chosen;
	if of.is_some() && names.is_some() {
		return Err(ApiError::unprocessable("give account or names, not both"));
	}
	let of = of.as_deref().map(account).transpose()?;
	let names = names.as_deref().map(bytes).transpose()?.or(of);
	let chosen = Events { pallet, name, names };
	Ok(Json(api.store.events(chosen, page.asked(&api).await?).await?))
}

/// Returns what an account did and what was done to it: transactions that it signed, and events that name it.
#[utoipa::path(get, path = "/api/v1/accounts/{address}/history", tag = "chain",
	params(("address" = String, Path), PageQuery),
	responses((status = 200, body = Page<HistoryEntry>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn history(
	State(api): State<Arc<Api>>,
	Path(address): Path<String>,
	Params(page): Params<PageQuery>,
) -> Answer<Page<HistoryEntry>> {
	let account = account(&address)?;
	Ok(Json(api.store.history(account, page.asked(&api).await?).await?))
}
