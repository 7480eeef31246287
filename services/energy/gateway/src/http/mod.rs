//! The HTTP API: same paths and shapes as the older gateway's, and more.

mod batches;
mod docs;
mod error;
mod logs;
mod views;

pub use batches::{AnchorUpdate, Decision};
pub use error::{ApiError, ErrorBody};
pub use views::{BatchOnChain, BatchView, MeterView};

use crate::{
	batching::Batcher,
	config::{MAX_MESSAGE_BYTES, Settings},
	credentials::Credentials,
	ingest::{Ingest, now_ms},
	metrics::Metrics,
	mqtt::Hub,
	registry::Registry,
	storage::{Counts, Page, Sqlite, Storage},
};
use axum::{
	Json, Router,
	extract::{DefaultBodyLimit, Request, State},
	http::{HeaderMap, HeaderValue, Method, StatusCode, header},
	middleware::{self, Next},
	response::{IntoResponse, Redirect, Response},
};
use gridproof_primitives::emlog::format_utc;
use serde::{Deserialize, Serialize};
use sp_core::{Blake2Hasher, Hasher};
use std::{
	net::SocketAddr,
	sync::{Arc, Mutex},
};
use tokio::{
	net::TcpListener,
	sync::{Notify, Semaphore, watch},
};
use tower_http::{cors::CorsLayer, timeout::TimeoutLayer};
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use views::PageQuery;
use zeroize::Zeroizing;

/// Entries of a page if nothing is asked for.
const DEFAULT_LIMIT: u32 = 1_000;
/// Most entries of a page.
const MAX_LIMIT: u32 = 10_000;
/// Requests at a time; more are told to come back.
const MAX_REQUESTS: usize = 512;

/// What the API works with.
pub(crate) struct Api {
	pub(crate) storage: Arc<dyn Storage>,
	pub(crate) sqlite: Sqlite,
	pub(crate) registry: Arc<Registry>,
	pub(crate) ingest: Arc<Ingest>,
	pub(crate) batcher: Arc<Batcher>,
	pub(crate) metrics: Arc<Metrics>,
	pub(crate) hub: Arc<Hub>,
	pub(crate) credentials: Credentials,
	pub(crate) anonymous: bool,
	pub(crate) admin_key: Option<Zeroizing<String>>,
	/// Told when something can be signed or sent again.
	pub(crate) wake: Vec<Arc<Notify>>,
	pub(crate) state: Arc<Mutex<RunState>>,
}

/// How the gateway's work goes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct RunState {
	/// Where MQTT is served.
	pub mqtt: Option<String>,
	/// Where MQTT over TLS is served.
	pub mqtts: Option<String>,
	/// The external broker, without its password.
	pub broker: Option<String>,
	/// Is the external broker connected?
	pub broker_connected: Option<bool>,
	/// The node.
	pub chain: Option<String>,
	/// Why the last batch could not be made or brought to the chain; `null` if it could.
	pub trouble: Option<String>,
}

/// What `GET /api/v1/status` answers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Status {
	/// Version of the program.
	pub version: String,
	/// Now, RFC 3339 in UTC.
	pub time: String,
	/// How much there is.
	#[serde(flatten)]
	pub counts: Counts,
	/// MQTT clients connected.
	pub connections: u64,
	/// Writes that wait for the disk.
	pub queue: u64,
	/// How the work goes.
	#[serde(flatten)]
	pub run: RunState,
}

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

impl utoipa::Modify for Schemes {
	fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
		use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
		let components = openapi.components.get_or_insert_default();
		let scheme = |scheme| SecurityScheme::Http(HttpBuilder::new().scheme(scheme).build());
		components.add_security_scheme("device", scheme(HttpAuthScheme::Basic));
		components.add_security_scheme("admin", scheme(HttpAuthScheme::Bearer));
	}
}

impl Api {
	/// Is this the admin key? Compares hashes, so that the time tells nothing.
	pub(crate) fn is_admin_key(&self, key: &str) -> bool {
		let Some(wanted) = &self.admin_key else { return false };
		Blake2Hasher::hash(key.trim().as_bytes()) == Blake2Hasher::hash(wanted.as_bytes())
	}

	/// Lets a request that changes something pass: everybody's if there is no admin key.
	pub(crate) fn demand_admin(&self, headers: &HeaderMap) -> Result<(), ApiError> {
		if self.admin_key.is_none() {
			return Ok(());
		}
		let bearer = headers
			.get(header::AUTHORIZATION)
			.and_then(|value| value.to_str().ok())
			.and_then(|text| text.strip_prefix("Bearer "));
		let key = bearer.or_else(|| headers.get("x-admin-key").and_then(|key| key.to_str().ok()));
		match key {
			Some(key) if self.is_admin_key(key) => Ok(()),
			Some(_) => Err(ApiError::new(
				StatusCode::FORBIDDEN,
				"wrong_admin_key",
				"this is not the gateway's admin key",
			)),
			None => Err(ApiError::new(
				StatusCode::UNAUTHORIZED,
				"admin_key_needed",
				"send the gateway's admin key: Authorization: Bearer KEY",
			)),
		}
	}
}

/// A response of JSON text.
pub(crate) fn json_text(status: StatusCode, text: String) -> Response {
	(status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// The page asked for; true if nothing was asked: the newest then, newest first.
pub(crate) fn page(query: &PageQuery) -> Result<(Page, bool), ApiError> {
	let is_default = query.limit.is_none()
		&& query.offset.is_none()
		&& query.cursor.is_none()
		&& query.order.is_none();
	let newest_first = match query.order.as_deref() {
		None => is_default,
		Some("asc") => false,
		Some("desc") => true,
		Some(_) => return Err(ApiError::bad_request("order is asc or desc")),
	};
	let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
	if limit == 0 || limit > MAX_LIMIT {
		return Err(ApiError::bad_request(format!("limit is 1 to {MAX_LIMIT}")));
	}
	let offset = query.offset.unwrap_or_default();
	Ok((Page { limit, offset, after: query.cursor, newest_first }, is_default))
}

/// A list's answer, with how much matches and where the next page begins.
pub(crate) fn paged(mut response: Response, total: u64, next: Option<i64>) -> Response {
	let headers = response.headers_mut();
	headers.insert("x-total-count", HeaderValue::from(total));
	if let Some(next) = next {
		headers.insert("x-next-cursor", HeaderValue::from(next));
	}
	response
}

/// What `GET /health` answers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Health {
	/// `ok`.
	pub status: String,
	/// Now, RFC 3339 in UTC.
	pub time: String,
}

/// Is it running?
#[utoipa::path(get, path = "/health", tag = "operation", responses((status = 200, body = Health)))]
async fn health() -> Json<Health> {
	Json(Health { status: "ok".to_string(), time: format_utc(now_ms()) })
}

/// How much there is, and how the work goes.
#[utoipa::path(get, path = "/api/v1/status", tag = "operation",
	responses((status = 200, body = Status)))]
async fn status(State(api): State<Arc<Api>>) -> Result<Json<Status>, ApiError> {
	let counts = api.storage.counts().await?;
	let run = api.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
	Ok(Json(Status {
		version: env!("CARGO_PKG_VERSION").to_string(),
		time: format_utc(now_ms()),
		counts,
		connections: u64::try_from(api.hub.connected()).unwrap_or(u64::MAX),
		queue: u64::try_from(api.sqlite.waiting()).unwrap_or(u64::MAX),
		run,
	}))
}

/// Figures for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation",
	responses((status = 200, content_type = "text/plain")))]
async fn metrics(State(api): State<Arc<Api>>) -> Result<Response, ApiError> {
	let counts = api.storage.counts().await?;
	let text = api.metrics.render(&counts, api.hub.connected(), api.sqlite.waiting());
	Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

fn router(api: Arc<Api>, settings: &Settings) -> Router {
	let (router, openapi) = OpenApiRouter::with_openapi(Document::openapi())
		.routes(routes!(health))
		.routes(routes!(status))
		.routes(routes!(metrics))
		.routes(routes!(logs::post, logs::list))
		.routes(routes!(logs::get))
		.routes(routes!(logs::proof))
		.routes(routes!(logs::dead_letters))
		.routes(routes!(logs::meters))
		.routes(routes!(batches::flush))
		.routes(routes!(batches::list))
		.routes(routes!(batches::get))
		.routes(routes!(batches::export))
		.routes(routes!(batches::anchor))
		.routes(routes!(batches::simulate))
		.routes(routes!(batches::retry))
		.routes(routes!(batches::rebuild))
		.routes(routes!(batches::file))
		.split_for_parts();
	let document = serde_json::to_string(&openapi).unwrap_or_default();
	let openapi_json = move || async move { json_text(StatusCode::OK, document) };
	let limit = usize::try_from(MAX_MESSAGE_BYTES).unwrap_or(usize::MAX);
	let places = Arc::new(Semaphore::new(MAX_REQUESTS));
	router
		.route("/", axum::routing::get(|| async { Redirect::temporary("/docs") }))
		.route("/docs", axum::routing::get(docs::page))
		.route("/openapi.json", axum::routing::get(openapi_json))
		.fallback(|| async { ApiError::not_found("Page") })
		.layer(DefaultBodyLimit::max(limit))
		.layer(TimeoutLayer::with_status_code(
			StatusCode::SERVICE_UNAVAILABLE,
			settings.request_timeout,
		))
		.layer(middleware::from_fn(move |request, next| admit(places.clone(), request, next)))
		.layer(cors(&settings.origins))
		.with_state(api)
}

/// Lets so many requests in at a time.
async fn admit(places: Arc<Semaphore>, request: Request, next: Next) -> Response {
	let Ok(_place) = places.try_acquire() else {
		return ApiError::new(
			StatusCode::SERVICE_UNAVAILABLE,
			"overloaded",
			"too many requests at a time; try again in a moment",
		)
		.into_response();
	};
	in_our_words(next.run(request).await).await
}

/// Errors of the framework, such as a body that is too long, in the form of ours.
async fn in_our_words(response: Response) -> Response {
	let status = response.status();
	let is_ours = response
		.headers()
		.get(header::CONTENT_TYPE)
		.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
	if is_ours || !(status.is_client_error() || status.is_server_error()) {
		return response;
	}
	let text = axum::body::to_bytes(response.into_body(), 4_096).await.unwrap_or_default();
	let text = String::from_utf8_lossy(&text);
	let reason = status.canonical_reason().unwrap_or("error");
	let error = reason.to_lowercase().replace([' ', '-'], "_");
	let detail = if text.is_empty() { reason } else { text.as_ref() };
	ApiError::new(status, &error, detail).into_response()
}

fn cors(origins: &[String]) -> CorsLayer {
	let origins: Vec<HeaderValue> =
		origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
	CorsLayer::new()
		.allow_origin(origins)
		.allow_methods([Method::GET, Method::POST, Method::PUT])
		.allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION])
		.expose_headers(["x-total-count", "x-next-cursor"].map(axum::http::HeaderName::from_static))
}

/// Serves the API until `stop` changes; answers where.
pub(crate) async fn serve(
	api: Arc<Api>,
	settings: &Settings,
	address: SocketAddr,
	mut stop: watch::Receiver<bool>,
) -> std::io::Result<(SocketAddr, tokio::task::JoinHandle<()>)> {
	let listener = TcpListener::bind(address).await?;
	let bound = listener.local_addr()?;
	let router = router(api, settings);
	let served = tokio::spawn(async move {
		let stopped = async move {
			let _ = stop.wait_for(|stop| *stop).await;
		};
		if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
			tracing::error!(%error, "the HTTP server has ended");
		}
	});
	Ok((bound, served))
}
