//! `/api/v1/meters`.

use super::{api::Api, views::meter_view};
use axum::{Json, extract::State};
use gridproof_gateway_api::{ListMeters, MeterView};
use gridproof_http::{ApiError, ErrorBody, Params};
use std::{collections::HashMap, sync::Arc};

/// Returns every meter that ever sent a reading, with what the chain says of it.
#[utoipa::path(get, path = "/api/v1/meters", tag = "meters", params(ListMeters),
	responses((status = 200, body = Vec<MeterView>), (status = 400, body = ErrorBody)))]
pub(crate) async fn list(
	State(api): State<Arc<Api>>,
	Params(chosen): Params<ListMeters>,
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
			is(&chosen.site, known.name.site())
				&& is(&chosen.device, known.name.device())
				&& is(&chosen.meter, known.name.meter())
		})
		.map(|known| meter_view(&known, pending.get(&known.row).copied().unwrap_or_default()))
		.collect();
	Ok(Json(meters))
}
