//! All routes, and the document that describes them.

use super::{api::Api, chain, compute, energy, money};
use std::sync::Arc;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(OpenApi)]
#[openapi(info(
	title = "Gridproof index",
	description = "History of the chain: blocks, transactions, events, money, energy and work over time. What it \
		says, it has read from a node; every entry names its block, by which anybody can check it. Amounts are \
		whole numbers of the smallest unit, as strings; times are RFC 3339 in UTC."
))]
struct Document;

/// All routes but the pages that every server has.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
	OpenApiRouter::with_openapi(Document::openapi())
		.routes(routes!(chain::status))
		.routes(routes!(chain::search))
		.routes(routes!(chain::blocks))
		.routes(routes!(chain::block))
		.routes(routes!(chain::transactions))
		.routes(routes!(chain::events))
		.routes(routes!(chain::history))
		.routes(routes!(money::transfers))
		.routes(routes!(money::supplies))
		.routes(routes!(money::reserve_days))
		.routes(routes!(money::reserve_states))
		.routes(routes!(money::reserve_moves))
		.routes(routes!(money::emission))
		.routes(routes!(money::slashes))
		.routes(routes!(energy::meters))
		.routes(routes!(energy::of_meter))
		.routes(routes!(energy::readings))
		.routes(routes!(energy::of_owner))
		.routes(routes!(energy::of_site))
		.routes(routes!(compute::job))
		.routes(routes!(compute::channel))
		.routes(routes!(compute::batches))
		.routes(routes!(compute::earnings))
		.routes(routes!(compute::payments))
}
