//! Health and figures of a verifier, for its operator.

use crate::{metrics::Metrics, verifier::Verifier};
use axum::{Router, http::StatusCode};
use futures::{FutureExt, future::BoxFuture};
use gridproof_http::{ApiError, Limits, Metric, Service, describe, site};
use gridproof_support::Clock;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

#[derive(OpenApi)]
#[openapi(info(title = "Gridproof verifier", description = "Health and figures of a verifier."))]
struct Description;

struct Pages(Arc<Verifier>);

impl Service for Pages {
	fn health(&self) -> BoxFuture<'_, Result<(), ApiError>> {
		async {
			// A verifier whose database does not answer would say things twice.
			self.0.counts().await?;
			match self.0.unwell() {
				None => Ok(()),
				Some(what) => Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unwell", what)),
			}
		}
		.boxed()
	}

	fn metrics(&self) -> BoxFuture<'_, Result<String, ApiError>> {
		async {
			self.0.metrics.set(self.0.counts().await?, self.0.loops.idle());
			Ok(self.0.metrics.render())
		}
		.boxed()
	}

	fn loops(&self) -> BTreeMap<String, u64> {
		self.0.loops.idle()
	}

	fn clock(&self) -> Clock {
		self.0.clock.clone()
	}
}

/// Returns the pages of a verifier: `/health`, `/metrics`, `/docs`. They are for its operator: serve
/// them on the loopback address.
pub fn pages(verifier: Arc<Verifier>) -> Router {
	let routes = OpenApiRouter::with_openapi(Description::openapi());
	site(routes, (), Arc::new(Pages(verifier)), &Limits::default())
}

/// Returns the description of a verifier's pages, as OpenAPI.
pub fn openapi() -> serde_json::Value {
	describe(OpenApiRouter::<()>::with_openapi(Description::openapi()))
}

/// Returns what a verifier counts, for the reference.
pub fn metrics() -> Vec<Metric> {
	Metrics::new().map(|metrics| metrics.describe()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_figure_and_page_is_described() {
		assert_eq!(metrics().len(), 9);
		assert!(openapi()["paths"]["/metrics"].is_object());
	}
}
