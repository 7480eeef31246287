//! Tokens, the reserve, emission.

use super::{
	api::Api,
	asked::{MAX_POINTS, PageQuery, account, bytes, time},
};
use crate::views::{
	MoveView, Page, ReserveDayView, SlashView, StateView, StepView, SupplyPoint, TransferView,
};
use axum::{Json, extract::State};
use gridproof_chain::tokens::Token;
use gridproof_http::{ApiError, ErrorBody, Params};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// Points of a chart if no step is asked for.
const POINTS: u64 = 200;
/// Longest step of a chart, in seconds.
const MAX_STEP: u32 = 4_000_000_000;
/// Words of what was done with AICP and its credit.
const MOVES: [&str; 4] = ["minted", "redeemed", "credit_given", "credit_spent"];

type Answer<T> = Result<Json<T>, ApiError>;

/// Filters of a list of transfers.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TransferQuery {
	/// Address of the sender or the receiver.
	account: Option<String>,
	/// AIT, AICP or KWH.
	token: Option<String>,
}

/// Returns transfers.
#[utoipa::path(get, path = "/api/v1/transfers", tag = "money", params(PageQuery, TransferQuery),
	responses((status = 200, body = Page<TransferView>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn transfers(
	State(api): State<Arc<Api>>,
	Params(page): Params<PageQuery>,
	Params(chosen): Params<TransferQuery>,
) -> Answer<Page<TransferView>> {
	let of = chosen.account.as_deref().map(account).transpose()?;
	let token = chosen.token.as_deref().map(str::parse::<Token>).transpose();
	let token = token.map_err(|error| ApiError::unprocessable(format!("token: {error}")))?;
	Ok(Json(api.store.transfers(of, token, page.asked(&api).await?).await?))
}

/// Moments of a chart of supplies.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SupplyQuery {
	/// The first moment, in RFC 3339; by default the first block's time.
	from: Option<String>,
	/// The last moment, in RFC 3339; by default the last block's time.
	to: Option<String>,
	/// Seconds from one moment to the next; by default so that there are 200.
	#[param(minimum = 1, maximum = 4_000_000_000u64)]
	step: Option<u32>,
}

/// Returns how much there was of AIT, AICP and KWH: at evenly spread moments, oldest first, the last one
/// included. At most 1,000.
#[utoipa::path(get, path = "/api/v1/supplies", tag = "money", params(SupplyQuery),
	responses((status = 200, body = Vec<SupplyPoint>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn supplies(
	State(api): State<Arc<Api>>,
	Params(asked): Params<SupplyQuery>,
) -> Answer<Vec<SupplyPoint>> {
	let to = match &asked.to {
		Some(text) => time(text)?,
		None => api.store.head().await?.map_or(0, |head| head.time_ms),
	};
	let from = match &asked.from {
		Some(text) => time(text)?,
		None => api.store.begin_ms().await?,
	};
	let length = to.saturating_sub(from);
	let step = match asked.step {
		Some(seconds) if !(1..=MAX_STEP).contains(&seconds) => {
			return Err(ApiError::bad_request(format!("step is 1 to {MAX_STEP} seconds")));
		},
		Some(seconds) => u64::from(seconds).saturating_mul(1_000),
		None => length.div_ceil(POINTS).max(1),
	};
	if length.div_ceil(step) >= MAX_POINTS {
		let sentence = format!("these are more than {MAX_POINTS} points: ask for a longer step");
		return Err(ApiError::unprocessable(sentence));
	}
	let mut moments = Vec::new();
	let mut moment = from;
	while moment < to {
		moments.push(moment);
		moment = moment.saturating_add(step);
	}
	moments.push(to);
	Ok(Json(api.store.supplies(moments).await?))
}

/// Returns statements about days of the reserve, as they were taken.
#[utoipa::path(get, path = "/api/v1/reserve/days", tag = "money", params(PageQuery),
	responses((status = 200, body = Page<ReserveDayView>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn reserve_days(
	State(api): State<Arc<Api>>,
	Params(page): Params<PageQuery>,
) -> Answer<Page<ReserveDayView>> {
	Ok(Json(api.store.reserve_days(page.asked(&api).await?).await?))
}

/// Returns changes of the state of coverage.
#[utoipa::path(get, path = "/api/v1/reserve/states", tag = "money", params(PageQuery),
	responses((status = 200, body = Page<StateView>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn reserve_states(
	State(api): State<Arc<Api>>,
	Params(page): Params<PageQuery>,
) -> Answer<Page<StateView>> {
	Ok(Json(api.store.states(page.asked(&api).await?).await?))
}

/// Filter of a list of mints and redemptions.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MoveQuery {
	/// `minted`, `redeemed`, `credit_given` or `credit_spent`.
	what: Option<String>,
}

/// Returns mints and redemptions of AICP, and service credit that was given and spent.
#[utoipa::path(get, path = "/api/v1/reserve/moves", tag = "money", params(PageQuery, MoveQuery),
	responses((status = 200, body = Page<MoveView>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn reserve_moves(
	State(api): State<Arc<Api>>,
	Params(page): Params<PageQuery>,
	Params(MoveQuery { what }): Params<MoveQuery>,
) -> Answer<Page<MoveView>> {
	if what.as_deref().is_some_and(|what| !MOVES.contains(&what)) {
		return Err(ApiError::unprocessable(format!("what is one of {}", MOVES.join(", "))));
	}
	Ok(Json(api.store.moves(what, page.asked(&api).await?).await?))
}

/// Returns emission steps that ended.
#[utoipa::path(get, path = "/api/v1/emission", tag = "money", params(PageQuery),
	responses((status = 200, body = Page<StepView>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn emission(
	State(api): State<Arc<Api>>,
	Params(page): Params<PageQuery>,
) -> Answer<Page<StepView>> {
	Ok(Json(api.store.steps(page.asked(&api).await?).await?))
}

/// Filter of a list of slashes.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SlashQuery {
	/// Key of the party.
	key: Option<String>,
}

/// Returns slashes of bonds.
#[utoipa::path(get, path = "/api/v1/slashes", tag = "money", params(PageQuery, SlashQuery),
	responses((status = 200, body = Page<SlashView>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn slashes(
	State(api): State<Arc<Api>>,
	Params(page): Params<PageQuery>,
	Params(SlashQuery { key }): Params<SlashQuery>,
) -> Answer<Page<SlashView>> {
	let key = key.as_deref().map(bytes).transpose()?;
	Ok(Json(api.store.slashes(key, page.asked(&api).await?).await?))
}
