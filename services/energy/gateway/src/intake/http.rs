//! Readings over HTTP: `POST /api/v1/logs`, served with the API.

use super::contract::{BoxError, Gate, Intake};
use crate::{
	config::{MAX_MESSAGE_BYTES, Settings},
	credentials::Role,
	health::{Address, Health},
	http::{
		self, Api, CHALLENGE, EnergyLogBody, Guard, NewEnergyLogBody, find, guard, reading_json,
	},
	message::{Message, Sender, Source},
	storage::Reading,
};
use axum::{
	Router,
	body::Bytes,
	extract::{FromRequestParts, State},
	http::{HeaderMap, StatusCode, header, request::Parts},
	middleware,
	response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures::future::BoxFuture;
use gridproof_http::{
	ApiError, ErrorBody, Limits, Serving, credentials, describe_document, pages::json_text, serve,
	site_with_page,
};
use gridproof_support::{Stopper, number::clamped};
use std::{net::SocketAddr, sync::Arc};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The path of the request, kept with dead letters.
const PATH: &str = "/api/v1/logs";
/// Requests at a time; more are asked to come back.
const MAX_REQUESTS: usize = 512;

/// The HTTP server: the API, and the request that takes readings.
pub(crate) struct Http {
	api: Arc<Api>,
	limits: Limits,
	address: SocketAddr,
	/// Whether everybody who reaches the API may read, and post readings that are never submitted.
	is_open: bool,
	/// What is served beside the API. It holds no readings, so that everybody may have it.
	page: Option<Router>,
	health: Health,
	stopper: Stopper,
	serving: Option<Serving>,
}

impl Http {
	/// Serves `api` at `address`, with a page if there is one, and takes readings there.
	pub(crate) fn new(
		api: Arc<Api>,
		settings: &Settings,
		address: SocketAddr,
		page: Option<Router>,
	) -> Self {
		let limits = Limits {
			max_body: clamped(MAX_MESSAGE_BYTES),
			max_requests: MAX_REQUESTS,
			timeout: Some(settings.request_timeout),
			origins: settings.origins.clone(),
		};
		let (health, stopper) = (Health::default(), Stopper::new());
		let is_open = settings.open || address.ip().is_loopback();
		Self { api, limits, address, is_open, page, health, stopper, serving: None }
	}
}

impl Intake for Http {
	fn source(&self) -> Source {
		Source::HTTP
	}

	fn start(&mut self, gate: Gate) -> BoxFuture<'_, Result<(), BoxError>> {
		Box::pin(async {
			let api = self.api.clone();
			let is_open = self.is_open;
			let protection = Arc::new(Guard {
				needs_proof: !is_open,
				is_loopback: self.address.ip().is_loopback(),
				admin: api.admin.clone(),
				credentials: gate.credentials.clone(),
				origins: self.limits.origins.clone(),
			});
			let entry = Arc::new(Entry { gate, api: api.clone(), is_open });
			let routes = http::routes().merge(routes().with_state(entry));
			let routes = routes.layer(middleware::from_fn_with_state(protection, guard));
			let page = self.page.take();
			let router = site_with_page(routes, api.clone(), api, &self.limits, page);
			let (address, stop) = (self.address, self.stopper.signal());
			let serving = serve(router, address, stop).await;
			let serving =
				serving.map_err(|reason| format!("cannot listen on {address}: {reason}"))?;
			self.serving = Some(serving);
			Ok(())
		})
	}

	fn addresses(&self) -> Vec<Address> {
		let at = |serving: &Serving| serving.address().to_string();
		self.serving.iter().map(|serving| Address { name: "http", at: at(serving) }).collect()
	}

	fn health(&self) -> Health {
		self.health.clone()
	}

	fn stop(&mut self) -> BoxFuture<'_, ()> {
		Box::pin(async {
			self.stopper.stop();
			if let Some(serving) = self.serving.take() {
				serving.ended().await;
			}
		})
	}
}

/// The description of all requests.
pub(crate) fn openapi() -> serde_json::Value {
	let mut document = http::routes().into_openapi();
	document.merge(routes().into_openapi());
	describe_document(document)
}

fn routes() -> OpenApiRouter<Arc<Entry>> {
	OpenApiRouter::new().routes(routes!(post))
}

/// What the request needs.
struct Entry {
	gate: Gate,
	api: Arc<Api>,
	is_open: bool,
}

/// The sender of a request: a device by its credentials, or the operator by the admin key.
struct From(Sender);

impl FromRequestParts<Arc<Entry>> for From {
	type Rejection = ApiError;

	async fn from_request_parts(parts: &mut Parts, entry: &Arc<Entry>) -> Result<Self, ApiError> {
		sender(entry, &parts.headers).map(Self)
	}
}

fn sender(entry: &Entry, headers: &HeaderMap) -> Result<Sender, ApiError> {
	let otherwise = if entry.gate.anonymous { Sender::Anyone } else { Sender::Nobody };
	let refused = |detail: &str| {
		ApiError::new(StatusCode::UNAUTHORIZED, "bad_credentials", detail).challenge(CHALLENGE)
	};
	let Some(value) = headers.get(header::AUTHORIZATION) else {
		return if entry.is_open || otherwise == Sender::Anyone {
			Ok(otherwise)
		} else {
			Err(refused("send Basic credentials of a device, or the admin key as Bearer"))
		};
	};
	let text = value.to_str().map_err(|_| refused("unreadable Authorization header"))?;
	if let Some(key) = credentials(text, "Bearer") {
		let is_admin = entry.api.admin.is(key);
		return if is_admin {
			Ok(Sender::Anyone)
		} else {
			Err(refused("this is not the admin key"))
		};
	}
	let pair = credentials(text, "Basic")
		.and_then(|encoded| STANDARD.decode(encoded).ok())
		.and_then(|pair| String::from_utf8(pair).ok());
	let Some(pair) = pair.as_deref().filter(|pair| pair.contains(':')) else {
		return Err(refused("send Basic credentials of a device, or the admin key as Bearer"));
	};
	// Our own user names have a colon in them, other people's passwords may.
	let role = [pair.split_once(':'), pair.rsplit_once(':')].into_iter().flatten().find_map(
		|(username, password)| entry.gate.credentials.check(username, password.as_bytes()),
	);
	match role {
		Some(Role::Device { site, device }) => Ok(Sender::Device { site, device }),
		Some(Role::Reader) => Err(refused("these are a reader's credentials")),
		None => Err(refused("unknown user or wrong password")),
	}
}

/// Takes one reading. It is on disk when this answers. The same reading again is answered alike and
/// kept once.
#[utoipa::path(post, path = PATH, tag = "logs", request_body = NewEnergyLogBody,
	security((), ("device" = [])),
	responses((status = 200, body = EnergyLogBody), (status = 400, body = ErrorBody),
		(status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
		(status = 409, body = ErrorBody), (status = 413, body = ErrorBody),
		(status = 422, body = ErrorBody), (status = 503, body = ErrorBody),
		(status = 507, body = ErrorBody)))]
async fn post(
	State(entry): State<Arc<Entry>>,
	From(sender): From,
	body: Bytes,
) -> Result<Response, ApiError> {
	let message = Message {
		source: Source::HTTP,
		place: PATH,
		is_topic: false,
		sender: &sender,
		payload: &body,
	};
	let timer = entry.gate.metrics.durable.start_timer();
	let taken = entry.gate.ingest.take(&message, false).await?;
	timer.observe_duration();
	let before = if taken.again { find(&*entry.api.storage, taken.row).await? } else { None };
	let reading = Reading {
		row: taken.row,
		meter: 0,
		start_ms: 0,
		end_ms: 0,
		received_ms: 0,
		leaf: taken.leaf,
		body: taken.body,
		batch: before.and_then(|reading| reading.batch),
		place: None,
	};
	Ok(json_text(StatusCode::OK, reading_json(&reading)))
}
