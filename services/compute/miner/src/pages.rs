//! Health and figures of a miner, for its operator.

use crate::{metrics::Metrics, miner::Miner};
use axum::{Router, http::StatusCode};
use futures::{FutureExt, future::BoxFuture};
use gridproof_http::{ApiError, Limits, Metric, Service, describe, site};
use gridproof_support::Clock;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

#[derive(OpenApi)]
#[openapi(info(title = "Gridproof miner", description = "Health and figures of a miner."))]
struct Description;

struct Pages(Arc<Miner>);

impl Service for Pages {
	fn health(&self) -> BoxFuture<'_, Result<(), ApiError>> {
		async {
			// A miner whose database does not answer cannot keep what it signs.
			self.0.counts().await?;
			match self.0.standstill() {
				None => Ok(()),
				Some(what) => Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unwell", what)),
			}
		}
		.boxed()
	}

	fn metrics(&self) -> BoxFuture<'_, Result<String, ApiError>> {
		async {
			let counts = self.0.counts().await?;
			let running = self.0.running().len();
			self.0.metrics.set(running, counts, self.0.idle());
			Ok(self.0.metrics.render())
		}
		.boxed()
	}

	fn loops(&self) -> BTreeMap<String, u64> {
		self.0.idle()
	}

	fn clock(&self) -> Clock {
		self.0.clock.clone()
	}
}

/// Returns the pages of a miner: `/health`, `/metrics`, `/docs`. They are for its operator: serve
/// them on the loopback address.
pub fn pages(miner: Arc<Miner>) -> Router {
	let routes = OpenApiRouter::with_openapi(Description::openapi());
	site(routes, (), Arc::new(Pages(miner)), &Limits::default())
}

/// Returns the description of a miner's pages, as OpenAPI.
pub fn openapi() -> serde_json::Value {
	describe(OpenApiRouter::<()>::with_openapi(Description::openapi()))
}

/// Returns what a miner counts, for the reference.
pub fn metrics() -> Vec<Metric> {
	Metrics::new().map(|metrics| metrics.describe()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_figure_and_page_is_described() {
		assert_eq!(metrics().len(), 11);
		assert!(openapi()["paths"]["/metrics"].is_object());
	}
}
