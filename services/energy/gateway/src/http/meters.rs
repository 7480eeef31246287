//! `/api/v1/meters`.

use super::{api::Api, paging::time, views::meter_view};
use axum::{
	Json,
	extract::{Query, State},
};
use gridproof_gateway_api::{ListReadings, MeterView};
use gridproof_http::ApiError;
use std::{collections::HashMap, sync::Arc};

/// Returns every meter that ever sent a reading, with what the chain says of it.
#[utoipa::path(get, path = "/api/v1/meters", tag = "meters", params(ListReadings),
	responses((status = 200, body = Vec<MeterView>)))]
pub(crate) async fn list(
	State(api): State<Arc<Api>>,
	Query(chosen): Query<ListReadings>,
) -> Result<Json<Vec<MeterView>>, ApiError> {
	// A meter has no time, but a mistake in one is a mistake here as in other lists.
	chosen.from.as_deref().map(time).transpose()?;
	chosen.to.as_deref().map(time).transpose()?;
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
