//! All routes of the API, and the document that describes them.

use super::{api::Api, batches, dead_letters, decisions, meters, readings, status};
use std::sync::Arc;
use utoipa::{
	Modify, OpenApi,
	openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(OpenApi)]
#[openapi(
	info(
		title = "Gridproof gateway",
		description = "Readings of energy meters, their batches and proofs."
	),
	modifiers(&Schemes)
)]
struct Document;

struct Schemes;

impl Modify for Schemes {
	fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
		let components = openapi.components.get_or_insert_default();
		let scheme = |scheme| SecurityScheme::Http(HttpBuilder::new().scheme(scheme).build());
		components.add_security_scheme("device", scheme(HttpAuthScheme::Basic));
		components.add_security_scheme("admin", scheme(HttpAuthScheme::Bearer));
	}
}

/// All routes but the one that takes readings.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
	OpenApiRouter::with_openapi(Document::openapi())
		.routes(routes!(status::get))
		.routes(routes!(readings::list))
		.routes(routes!(readings::get))
		.routes(routes!(readings::proof))
		.routes(routes!(dead_letters::list))
		.routes(routes!(meters::list))
		.routes(routes!(batches::list))
		.routes(routes!(batches::get))
		.routes(routes!(batches::export))
		.routes(routes!(batches::file))
		.routes(routes!(decisions::flush))
		.routes(routes!(decisions::anchor))
		.routes(routes!(decisions::simulate))
		.routes(routes!(decisions::retry))
		.routes(routes!(decisions::rebuild))
		.routes(routes!(decisions::give_up))
}
