//! The coordinator's server: its REST, its front, and the pages that every server has.

use crate::{
	api::{self, Api, Pages},
	channel_desk::ChannelDesk,
	coordinator::Coordinator,
	desk::FrontDesk,
	front::{self, Front},
	kept_desk::KeptDesks,
	metrics::Metrics,
};
use axum::{
	Router,
	extract::Request,
	http::HeaderValue,
	middleware::{self, Next},
	response::Response,
};
use futures::future::BoxFuture;
use gridproof_compute_api::ApiKeys;
use gridproof_http::{Ended, Limits, Metric, Rate, describe_document, serve_on, site};
use gridproof_primitives::compute::PriceAsset;
use gridproof_support::{Stop, supervision};
use rand::{Rng, rngs::OsRng};
use std::{convert::Infallible, io, sync::Arc};
use tokio::net::TcpListener;
use utoipa::{
	Modify, OpenApi, openapi,
	openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::router::OpenApiRouter;

/// Requests at a time: every slot of every miner waits in one for work.
const MAX_REQUESTS: usize = 16_384;

#[derive(OpenApi)]
#[openapi(
	info(
		title = "Gridproof coordinator",
		description = "Quotes compute jobs, gives them to miners, and settles them on chain. \
			Amounts are decimal strings in the asset's smallest unit; bytes are 0x and hexadecimal digits."
	),
	tags(
		(name = "jobs", description = "For clients that pay on chain themselves"),
		(name = "receipts", description = "What was delivered, and where its money stands"),
		(name = "channels", description = "For clients that pay with vouchers of a channel; what a batch settles"),
		(name = "plans", description = "A price for a period, tokens for each day; and the API key of a channel"),
		(name = "openai", description = "For OpenAI's client libraries; needs an API key"),
		(name = "miners", description = "For miners; needs a session"),
		(name = "service", description = "The service itself")
	),
	modifiers(&Schemes)
)]
struct Description;

/// Ways to say who asks, all of them as `Authorization: Bearer …`.
struct Schemes;

impl Modify for Schemes {
	fn modify(&self, document: &mut openapi::OpenApi) {
		let components = document.components.get_or_insert_default();
		for (name, said) in [
			("access", "The access key that came with a job's quote"),
			("session", "The session that a miner has for its hello"),
			("api_key", "The API key of a customer of the front, or of a channel"),
		] {
			let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(said));
			components.add_security_scheme(name, SecurityScheme::Http(bearer.build()));
		}
	}
}

/// Returns the description of all requests, as OpenAPI.
pub fn openapi() -> serde_json::Value {
	let base = OpenApiRouter::with_openapi(Description::openapi());
	let mut document = base.merge(api::routes(None)).into_openapi();
	document.merge(front::routes().into_openapi());
	describe_document(document)
}

/// Returns what a coordinator counts, for the reference.
pub fn metrics() -> Vec<Metric> {
	Metrics::new().map(|metrics| metrics.describe()).unwrap_or_default()
}

/// Why a coordinator ends that was started.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
	/// The system does not say where it listens.
	#[error(transparent)]
	Listen(#[from] io::Error),
	/// A part of its work has ended.
	#[error(transparent)]
	Ended(#[from] Ended),
}

/// A coordinator's server.
pub struct Server {
	coordinator: Arc<Coordinator>,
	keys: Option<Arc<ApiKeys>>,
	front: Front,
}

impl Server {
	/// Returns the server of a coordinator, without a front for customers with API keys.
	pub fn new(coordinator: Arc<Coordinator>) -> Self {
		let vouchers = Arc::new(ChannelDesk::new(coordinator.clone()));
		let keys = Arc::new(KeptDesks::new(coordinator.clone()));
		let per_minute = coordinator.settings.requests_per_minute.get();
		let front = Front::of_channels(vouchers, keys, per_minute);
		Self { coordinator, keys: None, front }
	}

	/// Adds a front for OpenAI's clients, which serves these customers and pays in `asset` from the
	/// account `purse`.
	#[must_use]
	pub fn with_front(mut self, keys: ApiKeys, asset: PriceAsset, purse: [u8; 32]) -> Self {
		let keys = Arc::new(keys);
		let per_minute = self.coordinator.settings.requests_per_minute.get();
		let desk = Arc::new(FrontDesk::new(self.coordinator.clone(), asset, purse));
		self.front = self.front.with_customers(keys.clone(), desk, per_minute);
		self.keys = Some(keys);
		self
	}

	/// Serves requests and does the coordinator's work until the program stops; running requests
	/// then have 10 s to end, and those that wait for work are answered at once.
	///
	/// # Errors
	/// [`ServeError`]; among it that a part of the work has ended, which none should before the program
	/// does.
	pub fn serve(
		self,
		listener: TcpListener,
		stop: Stop,
	) -> BoxFuture<'static, Result<(), ServeError>> {
		Box::pin(async move {
			let coordinator = self.coordinator.clone();
			let serving = serve_on(self.router(), listener, stop.clone())?;
			let watched = coordinator.clone();
			tokio::spawn(supervision::report(stop.clone(), move || watched.loops.standstill()));
			let closing = async {
				stop.stopped().await;
				coordinator.close();
				std::future::pending::<Infallible>().await
			};
			let outcome = tokio::select! {
				() = serving.ended() => {
					if stop.is_stopped() {
						Ok(())
					} else {
						Err(Ended { part: "http", broke_off: true }.into())
					}
				},
				ended = coordinator.run() => Err(ended.into()),
				never = closing => match never {},
			};
			// The last connection may have ended before those that wait were answered.
			coordinator.close();
			outcome
		})
	}

	/// Returns all routes. They have to be served with the address of the peer, as
	/// [`gridproof_http::serve_on`] does.
	pub fn router(self) -> Router {
		let Self { coordinator, keys, front } = self;
		let settings = &coordinator.settings;
		let rate = Rate {
			per_minute: settings.requests_per_minute,
			proxies: settings.trusted_proxies.clone(),
		};
		// Answers take as long as the model needs.
		let limits = Limits {
			max_body: settings.max_body_bytes,
			max_requests: MAX_REQUESTS,
			timeout: None,
			origins: settings.origins.clone(),
		};
		let pages = Arc::new(Pages(coordinator.clone()));
		let api = api::routes(Some(&rate)).with_state(Api::new(coordinator, keys));
		let front: OpenApiRouter = front::routes().with_state(front);
		let routes = OpenApiRouter::with_openapi(Description::openapi()).merge(api).merge(front);
		site(routes, (), pages, &limits)
			.layer(middleware::from_fn(front::in_openai_form))
			.layer(middleware::from_fn(numbered))
	}
}

/// Gives each answer a number of its own, by which its receiver can ask about it.
async fn numbered(request: Request, next: Next) -> Response {
	let mut response = next.run(request).await;
	let number = format!("req_{:032x}", OsRng.r#gen::<u128>());
	if let Ok(number) = HeaderValue::from_str(&number) {
		response.headers_mut().insert("x-request-id", number);
	}
	response
}
