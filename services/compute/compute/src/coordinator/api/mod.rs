//! The coordinator's REST, with its OpenAPI description.

mod clients;
mod docs;
mod limits;
mod miners;

pub use clients::{
	CancelAnswer, CoordinatorInfo, JobPage, JobRequest, JobShown, QuoteAnswer, QuoteRequest,
	ReceiptBrief, ReceiptShown,
};
pub use limits::Buckets;

use super::{Coordinator, Refused};
use crate::{
	front::Front,
	protocol::{Fault, FaultCode},
};
use axum::{
	Json, Router,
	extract::{ConnectInfo, DefaultBodyLimit, Request, State},
	http::{HeaderMap, StatusCode, header},
	middleware::{self, Next},
	response::{IntoResponse, Response},
};
use std::{net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What requests are answered with.
#[derive(Clone)]
pub struct App {
	/// The coordinator.
	pub coordinator: Arc<Coordinator>,
	/// The front for OpenAI's clients, if there is one.
	pub front: Option<Arc<Front>>,
	buckets: Arc<Buckets>,
}

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
		(name = "openai", description = "For OpenAI's client libraries; needs an API key"),
		(name = "miners", description = "For miners; needs a session"),
		(name = "service", description = "The service itself")
	)
)]
struct Description;

impl App {
	/// Answers requests for a coordinator and its front.
	pub fn new(coordinator: Arc<Coordinator>, front: Option<Arc<Front>>) -> Self {
		let buckets = Arc::new(Buckets::new(coordinator.settings.requests_per_minute));
		Self { coordinator, front, buckets }
	}

	/// Takes one of the requests that a name may make in a minute.
	pub(crate) fn take(&self, name: &str, own: Option<u32>) -> bool {
		self.buckets.take(name, own, self.coordinator.now())
	}

	/// The longest answer that a model is offered with.
	pub(crate) fn most_tokens(&self, model: &str) -> u32 {
		let settings = &self.coordinator.settings;
		let own = settings.model(model).and_then(|offer| offer.max_tokens);
		own.unwrap_or(settings.max_tokens)
	}

	fn routes() -> OpenApiRouter<Self> {
		OpenApiRouter::with_openapi(Description::openapi())
			.routes(routes!(clients::info))
			.routes(routes!(clients::quote))
			.routes(routes!(clients::submit))
			.routes(routes!(clients::list))
			.routes(routes!(clients::show))
			.routes(routes!(clients::cancel))
			.routes(routes!(clients::receipt))
			.routes(routes!(miners::about))
			.routes(routes!(miners::hello))
			.routes(routes!(miners::work))
			.routes(routes!(miners::progress))
			.routes(routes!(miners::result))
			.routes(routes!(miners::refuse))
			.routes(routes!(miners::heartbeat))
			.routes(routes!(miners::goodbye))
			.routes(routes!(docs::health))
			.routes(routes!(docs::metrics))
			.merge(crate::front::routes())
	}

	/// The description of all requests, as OpenAPI.
	pub fn openapi() -> utoipa::openapi::OpenApi {
		Self::routes().into_openapi()
	}

	/// All routes.
	pub fn router(self) -> Router {
		let most = self.coordinator.settings.max_body_bytes;
		let (router, openapi) = Self::routes().split_for_parts();
		let openapi = Arc::new(openapi.to_json().unwrap_or_default());
		router
			.route("/openapi.json", axum::routing::get(move || docs::openapi(openapi.clone())))
			.route("/docs", axum::routing::get(docs::page))
			.fallback(|| async {
				Refused::new(FaultCode::BadRequest, "no such path; see /docs").at(404)
			})
			.layer(middleware::from_fn_with_state(self.clone(), limit))
			.layer(DefaultBodyLimit::max(most))
			.with_state(self)
	}

	/// Serves until `stop` is done, then lets running requests end.
	///
	/// # Errors
	/// What the listener reports.
	pub async fn serve(
		self,
		listener: TcpListener,
		stop: impl Future<Output = ()> + Send + 'static,
	) -> std::io::Result<()> {
		let service = self.router().into_make_service_with_connect_info::<SocketAddr>();
		axum::serve(listener, service).with_graceful_shutdown(stop).await
	}
}

/// Keeps one address from asking too often. Miners with a session may ask as they like.
async fn limit(State(app): State<App>, request: Request, next: Next) -> Response {
	let path = request.uri().path();
	let is_free = ["/health", "/metrics", "/docs", "/openapi.json"].contains(&path)
		|| (path.starts_with("/miner/") && path != "/miner/v1/hello")
		|| path.starts_with("/v1/");
	if !is_free {
		let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
		let name = peer.map_or(String::new(), |ConnectInfo(address)| address.ip().to_string());
		if !app.take(&name, None) {
			let refused = Refused::new(FaultCode::RateLimited, "too many requests; wait a little");
			return refused.into_response();
		}
	}
	next.run(request).await
}

/// The token of an `Authorization: Bearer` header; empty if there is none.
pub(crate) fn bearer(headers: &HeaderMap) -> &str {
	headers
		.get(header::AUTHORIZATION)
		.and_then(|value| value.to_str().ok())
		.and_then(|value| value.strip_prefix("Bearer "))
		.unwrap_or_default()
		.trim()
}

impl Refused {
	/// The status that its reason has.
	pub fn status(&self) -> StatusCode {
		use FaultCode as Code;
		match self.code {
			Code::BadRequest | Code::Mismatch | Code::Implausible | Code::BadQuote => {
				StatusCode::BAD_REQUEST
			},
			Code::BadSignature | Code::UnknownSession | Code::Unauthorized | Code::ClockSkew => {
				StatusCode::UNAUTHORIZED
			},
			Code::NotFunded => StatusCode::PAYMENT_REQUIRED,
			Code::NotRegistered | Code::Banned => StatusCode::FORBIDDEN,
			Code::UnknownJob | Code::UnknownModel => StatusCode::NOT_FOUND,
			Code::NotAssigned
			| Code::AlreadyCompleted
			| Code::WrongState
			| Code::NotReproduced
			| Code::Expired => StatusCode::CONFLICT,
			Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
			Code::ChainUnavailable => StatusCode::SERVICE_UNAVAILABLE,
			Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
		}
	}

	fn at(self, status: u16) -> Response {
		let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
		(status, Json(Fault { error: self.code, message: self.message })).into_response()
	}
}

impl IntoResponse for Refused {
	fn into_response(self) -> Response {
		let status = self.status().as_u16();
		self.at(status)
	}
}

/// JSON in a request, whose mistakes are told in our form.
pub(crate) struct Body<T>(pub T);

impl<T, S> axum::extract::FromRequest<S> for Body<T>
where
	T: serde::de::DeserializeOwned,
	S: Send + Sync,
{
	type Rejection = Refused;

	async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
		match Json::<T>::from_request(request, state).await {
			Ok(Json(value)) => Ok(Self(value)),
			Err(rejection) => Refused::err(FaultCode::BadRequest, rejection.body_text()),
		}
	}
}
