//! `/health`, `/metrics`, `/openapi.json`, `/docs`: the same pages on every server.

use crate::{ApiError, Limits, error::ErrorBody, schemas};
use axum::{
	Json, Router,
	extract::{Request, State},
	http::{StatusCode, header},
	response::{Html, IntoResponse, Redirect, Response},
	routing::get,
};
use futures::future::BoxFuture;
use gridproof_primitives::energy::emlog::format_utc;
use gridproof_support::Clock;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
	collections::{BTreeMap, BTreeSet},
	sync::Arc,
};
use tower::ServiceExt;
use utoipa::{
	PartialSchema, ToSchema,
	openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder, Server},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The page that shows an OpenAPI document; it loads nothing from elsewhere.
const PAGE: &str = include_str!("docs.html");
/// What the page may load.
const POLICY: &str = "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; \
	style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the pages ask a server.
pub trait Service: Send + Sync + 'static {
	/// Succeeds if the server can do its work: its database answers, its loops run.
	fn health(&self) -> BoxFuture<'_, Result<(), ApiError>>;

	/// Returns the figures in Prometheus' text form.
	fn metrics(&self) -> BoxFuture<'_, Result<String, ApiError>>;

	/// Returns the seconds since the last turn of each of the server's loops; none if it has none.
	fn loops(&self) -> BTreeMap<String, u64> {
		BTreeMap::new()
	}

	/// Returns where the server takes the time from.
	fn clock(&self) -> Clock {
		Clock::system()
	}
}

/// The answer of `GET /health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
	/// `ok`; a server that cannot work answers an error instead.
	pub status: String,
	/// Version of the program.
	pub version: String,
	/// The server's time, RFC 3339 in UTC.
	pub time: String,
	/// The server's time, in milliseconds since the Unix epoch (UTC).
	pub time_ms: u64,
	/// Seconds since the last turn of each of the server's loops, if it has any.
	#[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
	pub loops: BTreeMap<String, u64>,
}

/// Reports whether the server can do its work.
#[utoipa::path(get, path = "/health", tag = "service",
	responses((status = 200, body = Health), (status = "5XX", body = ErrorBody)))]
async fn health(State(service): State<Arc<dyn Service>>) -> Result<Json<Health>, ApiError> {
	service.health().await?;
	let time_ms = service.clock().now_ms();
	Ok(Json(Health {
		status: "ok".to_string(),
		version: env!("CARGO_PKG_VERSION").to_string(),
		time: format_utc(time_ms),
		time_ms,
		loops: service.loops(),
	}))
}

/// Returns the figures for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "service",
	responses((status = 200, body = String, content_type = "text/plain")))]
async fn metrics(State(service): State<Arc<dyn Service>>) -> Result<Response, ApiError> {
	let text = service.metrics().await?;
	Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

async fn docs() -> Response {
	([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE)).into_response()
}

fn routes() -> OpenApiRouter<Arc<dyn Service>> {
	OpenApiRouter::new().routes(routes!(health)).routes(routes!(metrics))
}

/// Returns `/health` and `/metrics` alone, for a server whose other pages are its own.
pub fn watched(service: Arc<dyn Service>) -> Router {
	let pages: OpenApiRouter = routes().with_state(service);
	pages.split_for_parts().0
}

/// Returns the OpenAPI document of all requests of a server, the pages' included, as it is served.
pub fn describe<S: Clone + Send + Sync + 'static>(server: OpenApiRouter<S>) -> Value {
	describe_document(server.into_openapi())
}

/// The same of a server whose requests are described in several places.
pub fn describe_document(mut document: OpenApi) -> Value {
	document.merge(routes().into_openapi());
	complete(&mut document);
	schemas::complete(&document)
}

/// Adds what OpenAPI demands of every document: names of operations that are not used twice, sentences
/// about answers, a server, a decision who may ask, and the errors that every request can have.
fn complete(document: &mut OpenApi) {
	let mut names = BTreeSet::new();
	let paths = std::mem::take(&mut document.paths.paths);
	for (path, mut item) in paths {
		// `{*rest}` is how the router writes it, and no template.
		let path = path.replace("{*", "{");
		for operation in [
			&mut item.get,
			&mut item.put,
			&mut item.post,
			&mut item.delete,
			&mut item.options,
			&mut item.head,
			&mut item.patch,
			&mut item.trace,
		]
		.into_iter()
		.flatten()
		{
			let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
			let own = operation.operation_id.take().unwrap_or_default();
			let mut name = own.clone();
			if !names.insert(name.clone()) {
				name = format!("{tag}_{own}");
				let mut number = 2;
				while !names.insert(name.clone()) {
					name = format!("{tag}_{own}_{number}");
					number += 1;
				}
			}
			operation.operation_id = Some(name);
			operation.security.get_or_insert_default();
			let responses = &mut operation.responses.responses;
			let error = || {
				let body = Ref::from_schema_name("ErrorBody");
				let content = ContentBuilder::new().schema(Some(body)).build();
				ResponseBuilder::new().content("application/json", content).build()
			};
			responses.entry("default".to_string()).or_insert_with(|| error().into());
			for (status, response) in responses {
				if let RefOr::T(response) = response
					&& response.description.is_empty()
				{
					response.description = sentence(status).to_string();
				}
			}
		}
		document.paths.paths.insert(path, item);
	}
	if document.servers.is_none() {
		document.servers = Some(vec![Server::new("/")]);
	}
	let components = document.components.get_or_insert_default();
	components.schemas.entry("ErrorBody".to_string()).or_insert_with(ErrorBody::schema);
}

/// What an answer of this status says.
fn sentence(status: &str) -> &str {
	let code = status.parse::<u16>().ok().and_then(|code| StatusCode::from_u16(code).ok());
	match code.and_then(|code| code.canonical_reason()) {
		Some(reason) => reason,
		None => "An error, with its word and a sentence that says what to do",
	}
}

/// Returns a whole server: its routes, the pages, and the limits around all of them.
pub fn site<S: Clone + Send + Sync + 'static>(
	server: OpenApiRouter<S>,
	state: S,
	service: Arc<dyn Service>,
	limits: &Limits,
) -> Router {
	site_with_page(server, state, service, limits, None)
}

/// As [`site`], with a web page for its readers: `page` is asked for whatever no route is for, `/` included, but for
/// what begins with `/api/`. Without a page, `/` leads to `/docs`.
pub fn site_with_page<S: Clone + Send + Sync + 'static>(
	server: OpenApiRouter<S>,
	state: S,
	service: Arc<dyn Service>,
	limits: &Limits,
	page: Option<Router>,
) -> Router {
	let pages: OpenApiRouter = routes().with_state(service);
	let server: OpenApiRouter = server.with_state(state);
	let (router, mut document) = server.merge(pages).split_for_parts();
	complete(&mut document);
	let document: Arc<str> = schemas::complete(&document).to_string().into();
	let openapi = move || {
		let document = document.to_string();
		async move { json_text(StatusCode::OK, document) }
	};
	let router = router.route("/docs", get(docs)).route("/openapi.json", get(openapi));
	let router = match page {
		Some(page) => router.fallback(move |request: Request| of_page(page.clone(), request)),
		None => router
			.route("/", get(|| async { Redirect::temporary("/docs") }))
			.fallback(|| async { ApiError::not_found("Page") }),
	};
	limits.apply(router)
}

/// A program that asks for what the server has not gets an error, and not a page.
async fn of_page(page: Router, request: Request) -> Response {
	if request.uri().path().starts_with("/api/") {
		return ApiError::not_found("Page").into_response();
	}
	match page.oneshot(request).await {
		Ok(answer) => answer,
		Err(never) => match never {},
	}
}

/// Returns a response of text that is JSON already.
pub fn json_text(status: StatusCode, text: String) -> Response {
	(status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}
