//! Meters and their energy.

use super::{
	api::Api,
	asked::{PageQuery, SpanQuery, account},
};
use crate::{
	store::Whose,
	views::{EnergyPoint, MeterView, Page, ReadingsView},
};
use axum::{
	Json,
	extract::{Path, State},
};
use gridproof_http::{ApiError, ErrorBody, Params};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

type Answer<T> = Result<Json<T>, ApiError>;

/// Filters of a list of meters.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MeterQuery {
	/// Id of their site.
	site: Option<String>,
	/// Address of their owner.
	owner: Option<String>,
}

/// Returns meters that have sent batches or were certified, by their index. `order`, `from` and `to` do nothing.
#[utoipa::path(get, path = "/api/v1/meters", tag = "energy", params(PageQuery, MeterQuery),
	responses((status = 200, body = Page<MeterView>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn meters(
	State(api): State<Arc<Api>>,
	Params(page): Params<PageQuery>,
	Params(MeterQuery { site, owner }): Params<MeterQuery>,
) -> Answer<Page<MeterView>> {
	let owner = owner.as_deref().map(account).transpose()?;
	Ok(Json(api.store.meters(site, owner, page.after()?, page.limit()?).await?))
}

/// Returns the energy of a meter by hour, day, week or month.
#[utoipa::path(get, path = "/api/v1/energy/meters/{meter}", tag = "energy",
	params(("meter" = u32, Path), SpanQuery),
	responses((status = 200, body = Vec<EnergyPoint>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn of_meter(
	State(api): State<Arc<Api>>,
	Path(meter): Path<u32>,
	Params(span): Params<SpanQuery>,
) -> Answer<Vec<EnergyPoint>> {
	energy(&api, Whose::Meter(meter), &span).await
}

/// Returns the batches of readings of a meter.
#[utoipa::path(get, path = "/api/v1/energy/meters/{meter}/batches", tag = "energy",
	params(("meter" = u32, Path), PageQuery),
	responses((status = 200, body = Page<ReadingsView>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn readings(
	State(api): State<Arc<Api>>,
	Path(meter): Path<u32>,
	Params(page): Params<PageQuery>,
) -> Answer<Page<ReadingsView>> {
	Ok(Json(api.store.readings(meter, page.asked(&api).await?).await?))
}

/// Returns the energy of an owner's meters, those that are theirs now, by hour, day, week or month.
#[utoipa::path(get, path = "/api/v1/energy/owners/{address}", tag = "energy",
	params(("address" = String, Path), SpanQuery),
	responses((status = 200, body = Vec<EnergyPoint>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn of_owner(
	State(api): State<Arc<Api>>,
	Path(address): Path<String>,
	Params(span): Params<SpanQuery>,
) -> Answer<Vec<EnergyPoint>> {
	energy(&api, Whose::Owner(account(&address)?), &span).await
}

/// Returns the energy of a site's meters by hour, day, week or month.
#[utoipa::path(get, path = "/api/v1/energy/sites/{site}", tag = "energy",
	params(("site" = String, Path), SpanQuery),
	responses((status = 200, body = Vec<EnergyPoint>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn of_site(
	State(api): State<Arc<Api>>,
	Path(site): Path<String>,
	Params(span): Params<SpanQuery>,
) -> Answer<Vec<EnergyPoint>> {
	energy(&api, Whose::Site(site), &span).await
}

async fn energy(api: &Api, whose: Whose, span: &SpanQuery) -> Answer<Vec<EnergyPoint>> {
	let (by, span) = span.asked(api).await?;
	Ok(Json(api.store.energy(whose, by, span).await?))
}
