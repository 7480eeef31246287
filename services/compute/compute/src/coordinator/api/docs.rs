//! The service's own pages: health, figures, and the description of all requests.

use super::App;
use crate::coordinator::Refused;
use axum::{
	Json,
	extract::State,
	http::header,
	response::{Html, IntoResponse, Response},
};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The service is there.
#[derive(Serialize, ToSchema)]
pub struct Health {
	/// `ok`.
	status: &'static str,
	/// The coordinator's time, UTC milliseconds.
	time: u64,
}

/// Is the service there?
#[utoipa::path(get, path = "/health", tag = "service", responses((status = 200, body = Health)))]
pub async fn health(State(app): State<App>) -> Result<Json<Health>, Refused> {
	// A database that does not answer is no health.
	app.coordinator.read(|db| Ok(super::super::rows::queued(db)?)).await?;
	Ok(Json(Health { status: "ok", time: app.coordinator.now() }))
}

/// Figures for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "service",
	responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn metrics(State(app): State<App>) -> Result<Response, Refused> {
	let text = app.coordinator.metrics_text().await?;
	Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

pub(super) async fn openapi(json: Arc<String>) -> Response {
	([(header::CONTENT_TYPE, "application/json")], json.to_string()).into_response()
}

/// A page that reads the description and shows it; it needs nothing from elsewhere.
pub(super) async fn page() -> Html<&'static str> {
	Html(include_str!("docs.html"))
}
