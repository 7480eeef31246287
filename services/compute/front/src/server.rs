//! The front's server: OpenAI's requests, and what its operator asks.

use crate::{
	demands,
	error::FrontError,
	ledger::{Spent, Totals},
	payer::{Flight, Payer},
	watch,
};
use axum::{
	Json, Router,
	body::{Body, Bytes},
	extract::{Path, State},
	http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
	response::{IntoResponse, Response},
};
use futures::{FutureExt, future::BoxFuture};
use gridproof_compute_api::{
	ApiKeys, ClientError, Customer,
	protocol::{RECEIPT_HEADER, RequestKind},
};
use gridproof_http::{ApiError, Limits, Rates, Service, Token, describe, serve_on, site};
use gridproof_support::{
	Stop, http_client,
	text::{Amount, Hex32},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::{io, sync::Arc};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The longest answer in one piece, in bytes: vectors of 256 texts have a few million.
const MAX_ANSWER: usize = 32 << 20;
/// The longest line of a stream, in bytes.
const MAX_LINE: usize = 1 << 20;
/// Pieces of a stream that may wait for a slow reader.
const BUFFER: usize = 64;
/// What every line with a receipt has.
const ISSUED: &[u8] = b"\"issued\"";
/// Says to OpenAI's clients whether trying again is of use.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
/// Seconds after which a coordinator that is away is worth asking again.
const RETRY_SECONDS: &str = "2";
/// Headers of the coordinator's answers that are passed on, beside its own.
const PASSED_ON: [HeaderName; 3] = [header::CONTENT_TYPE, header::RETRY_AFTER, SHOULD_RETRY];

#[derive(OpenApi)]
#[openapi(info(
	title = "Gridproof front",
	description = "OpenAI's interface at the client's side: each request is paid from a channel."
))]
struct Description;

#[derive(Clone)]
struct Front {
	payer: Arc<Payer>,
	/// The API keys; without them everybody who reaches the front is one customer.
	keys: Option<Arc<ApiKeys>>,
	/// Counts requests of the keys that have a number of requests a minute.
	rates: Arc<Rates>,
}

/// An error in OpenAI's form.
struct OpenAiError(StatusCode, &'static str, Option<&'static str>, String, Option<HeaderValue>);

impl IntoResponse for OpenAiError {
	fn into_response(self) -> Response {
		let mut response = (self.0, Json(self.body())).into_response();
		let headers = response.headers_mut();
		if self.0 == StatusCode::SERVICE_UNAVAILABLE {
			headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
		}
		if let Some(wait) = self.4 {
			headers.insert(header::RETRY_AFTER, wait);
		} else if self.0 == StatusCode::TOO_MANY_REQUESTS {
			// A limit that is used up: OpenAI's clients try a 429 again unless this keeps them from it.
			headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
		}
		response
	}
}

impl OpenAiError {
	/// Returns an error without a time after which to try again.
	const fn new(
		status: StatusCode,
		kind: &'static str,
		code: Option<&'static str>,
		message: String,
	) -> Self {
		Self(status, kind, code, message, None)
	}

	/// The key's requests of this minute are used up; `limit` says how long to wait.
	fn too_often(limit: ApiError) -> Self {
		let message =
			"Rate limit reached for this API key; wait as long as Retry-After says and try again";
		let wait = limit.into_response().headers_mut().remove(header::RETRY_AFTER);
		let wait = wait.unwrap_or_else(|| HeaderValue::from_static(RETRY_SECONDS));
		let (kind, code) = ("rate_limit_error", Some("rate_limit_exceeded"));
		Self(StatusCode::TOO_MANY_REQUESTS, kind, code, message.to_string(), Some(wait))
	}

	fn body(&self) -> Value {
		let Self(_, kind, code, message, _) = self;
		json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
	}
}

impl From<FrontError> for OpenAiError {
	fn from(error: FrontError) -> Self {
		const INVALID: &str = "invalid_request_error";
		const SERVER: &str = "server_error";
		let (status, kind, code) = match &error {
			FrontError::UnknownModel(_) => {
				(StatusCode::NOT_FOUND, INVALID, Some("model_not_found"))
			},
			FrontError::BadRequest(_) => (StatusCode::BAD_REQUEST, INVALID, None),
			FrontError::MaxSpend(..) | FrontError::KeyLimit => {
				let quota = "insufficient_quota";
				(StatusCode::TOO_MANY_REQUESTS, quota, Some(quota))
			},
			FrontError::Dishonest(_) | FrontError::Distrusted => {
				(StatusCode::BAD_GATEWAY, SERVER, Some("dishonest_coordinator"))
			},
			FrontError::Client(ClientError::Unreachable { .. }) => {
				(StatusCode::SERVICE_UNAVAILABLE, SERVER, Some("coordinator_unreachable"))
			},
			FrontError::Client(_) => (StatusCode::BAD_GATEWAY, SERVER, None),
			_ => (StatusCode::INTERNAL_SERVER_ERROR, SERVER, None),
		};
		Self::new(status, kind, code, error.to_string())
	}
}

impl Front {
	/// Returns whose key came with a request that costs something, and counts the request.
	fn counted(&self, headers: &HeaderMap) -> Result<Customer, OpenAiError> {
		let customer = self.customer(headers)?;
		if let Some(per_minute) = customer.requests_per_minute {
			self.rates.count(&customer.name, per_minute).map_err(OpenAiError::too_often)?;
		}
		Ok(customer)
	}

	/// Returns whose key came with a request.
	fn customer(&self, headers: &HeaderMap) -> Result<Customer, OpenAiError> {
		let Some(keys) = &self.keys else {
			return Ok(Customer {
				name: "local".to_string(),
				sha256: Hex32([0; 32]),
				requests_per_minute: None,
				limit: None,
			});
		};
		let found = Token::of(headers).and_then(|token| keys.find(&token));
		found.ok_or_else(|| {
			let message = "Incorrect API key provided; send yours as Authorization: Bearer …";
			let (kind, code) = ("invalid_request_error", Some("invalid_api_key"));
			OpenAiError::new(StatusCode::UNAUTHORIZED, kind, code, message.to_string())
		})
	}

	/// Has a request answered, and checks the receipt before the answer's end is passed on.
	async fn answer(
		&self,
		kind: RequestKind,
		headers: &HeaderMap,
		body: Bytes,
	) -> Result<Response, OpenAiError> {
		let customer = self.counted(headers)?;
		let (answer, mut flight) = self.payer.request(&customer, kind, body.to_vec()).await?;
		let (status, passed) = (answer.status(), passed_on(answer.headers()));
		let is_stream = passed
			.get(header::CONTENT_TYPE)
			.and_then(|value| value.to_str().ok())
			.is_some_and(|kind| kind.starts_with("text/event-stream"));
		if status.is_success() && is_stream {
			return Ok((status, passed, Body::from_stream(follow(answer, flight))).into_response());
		}
		let issued = passed.get(RECEIPT_HEADER).and_then(|value| value.to_str().ok());
		let issued = issued.map(str::to_string);
		let body = http_client::body(answer, MAX_ANSWER).await.map_err(|error| {
			let code = Some("coordinator_unreachable");
			OpenAiError::new(StatusCode::BAD_GATEWAY, "server_error", code, error.to_string())
		})?;
		// Without a receipt it is asked for once the flight is over.
		if let Some(issued) = issued {
			flight.lands(&issued).await?;
		}
		Ok((status, passed, body).into_response())
	}
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
	let is_ours = |name: &HeaderName| {
		name.as_str().starts_with("x-gridproof-")
			|| name.as_str() == RECEIPT_HEADER
			|| PASSED_ON.contains(name)
	};
	let passed = headers.iter().filter(|(name, _)| is_ours(name));
	passed.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Passes a stream on as it comes, in whole lines. The line with the receipt is passed on if that holds,
/// an error else.
fn follow(
	mut answer: reqwest::Response,
	mut flight: Flight,
) -> ReceiverStream<Result<Bytes, io::Error>> {
	let (sender, pieces) = mpsc::channel(BUFFER);
	tokio::spawn(async move {
		let mut rest: Vec<u8> = Vec::new();
		while let Ok(Some(piece)) = answer.chunk().await {
			rest.extend_from_slice(&piece);
			let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else {
				if rest.len() > MAX_LINE {
					return;
				}
				continue;
			};
			let after = rest.split_off(end + 1);
			let lines = std::mem::replace(&mut rest, after);
			match checked(lines, &mut flight).await {
				Ok(lines) => {
					if sender.send(Ok(lines.into())).await.is_err() {
						return;
					}
				},
				Err(last) => {
					let _ = sender.send(Ok(last.into())).await;
					return;
				},
			}
		}
		if !rest.is_empty() {
			let _ = sender.send(Ok(rest.into())).await;
		}
	});
	ReceiverStream::new(pieces)
}

/// Returns lines of a stream to be passed on.
///
/// # Errors
/// The last lines there are, with an error in the place of a receipt that does not hold.
async fn checked(lines: Vec<u8>, flight: &mut Flight) -> Result<Vec<u8>, Vec<u8>> {
	if !lines.windows(ISSUED.len()).any(|window| window == ISSUED) {
		return Ok(lines);
	}
	let mut good = Vec::with_capacity(lines.len());
	for line in lines.split_inclusive(|byte| *byte == b'\n') {
		if let Some(issued) = issued_in(line)
			&& let Err(error) = flight.lands(&issued).await
		{
			let body = OpenAiError::from(error).body();
			good.extend_from_slice(format!("data: {body}\n\n").as_bytes());
			return Err(good);
		}
		good.extend_from_slice(line);
	}
	Ok(good)
}

/// Returns the receipt in a line of a stream, if there is one.
fn issued_in(line: &[u8]) -> Option<String> {
	let json = line.strip_prefix(b"data: {")?;
	let json = [b"{", json].concat();
	let value: Value = serde_json::from_slice(&json).ok()?;
	value["gridproof"]["issued"].as_str().map(str::to_string)
}

/// Answer a conversation.
#[utoipa::path(post, path = "/v1/chat/completions", tag = "openai", request_body = Value,
	responses((status = 200, body = Value)))]
async fn chat(
	State(front): State<Front>,
	headers: HeaderMap,
	body: Bytes,
) -> Result<Response, Response> {
	let answer = front.answer(RequestKind::Chat, &headers, body).await;
	answer.map_err(IntoResponse::into_response)
}

/// Continue a text.
#[utoipa::path(post, path = "/v1/completions", tag = "openai", request_body = Value,
	responses((status = 200, body = Value)))]
async fn completions(
	State(front): State<Front>,
	headers: HeaderMap,
	body: Bytes,
) -> Result<Response, Response> {
	let answer = front.answer(RequestKind::Completion, &headers, body).await;
	answer.map_err(IntoResponse::into_response)
}

/// Vectors of texts.
#[utoipa::path(post, path = "/v1/embeddings", tag = "openai", request_body = Value,
	responses((status = 200, body = Value)))]
async fn embeddings(
	State(front): State<Front>,
	headers: HeaderMap,
	body: Bytes,
) -> Result<Response, Response> {
	let answer = front.answer(RequestKind::Embedding, &headers, body).await;
	answer.map_err(IntoResponse::into_response)
}

/// The models on offer, each with its price in the channel's asset.
#[utoipa::path(get, path = "/v1/models", tag = "openai", responses((status = 200, body = Value)))]
async fn models(State(front): State<Front>, headers: HeaderMap) -> Result<Json<Value>, Response> {
	let shown = shown(&front, &headers).await.map_err(IntoResponse::into_response)?;
	Ok(Json(json!({ "object": "list", "data": shown })))
}

/// One model.
#[utoipa::path(get, path = "/v1/models/{*model}", tag = "openai",
	params(("model" = String, Path, description = "The model's name")),
	responses((status = 200, body = Value)))]
async fn model(
	State(front): State<Front>,
	headers: HeaderMap,
	Path(name): Path<String>,
) -> Result<Json<Value>, Response> {
	let shown = shown(&front, &headers).await.map_err(IntoResponse::into_response)?;
	let found = shown.into_iter().find(|model| model["id"] == name);
	let unknown = || OpenAiError::from(FrontError::UnknownModel(name)).into_response();
	found.map(Json).ok_or_else(unknown)
}

/// The models on offer, as they are listed.
async fn shown(front: &Front, headers: &HeaderMap) -> Result<Vec<Value>, OpenAiError> {
	front.customer(headers)?;
	let (models, price) = front.payer.models().await?;
	let asset = front.payer.kind().asset.as_str();
	let shown = models.iter().map(|model| {
		json!({ "id": model.name, "object": "model", "created": 0, "owned_by": "gridproof",
			"gridproof": { "model_factor": model.model_factor, "max_tokens": model.max_tokens,
				"unit_price": price.map(Amount), "asset": asset, "registry": model.registry } })
	});
	Ok(shown.collect())
}

/// What the API key has spent. Amounts are in the smallest unit of the channel's asset.
#[utoipa::path(get, path = "/v1/billing/usage", tag = "openai",
	responses((status = 200, body = Spent)))]
async fn usage(State(front): State<Front>, headers: HeaderMap) -> Result<Json<Spent>, Response> {
	let customer = front.customer(&headers).map_err(IntoResponse::into_response)?;
	let all = front.payer.spent().await;
	let all = all.map_err(|error| OpenAiError::from(error).into_response())?;
	let own = all.into_iter().find(|spent| spent.customer == customer.name);
	let nothing = Spent { customer: customer.name, requests: 0, spent: Amount(0), open: Amount(0) };
	Ok(Json(own.unwrap_or(nothing)))
}

/// Where the channel stands. Amounts are in the smallest unit of its asset.
#[derive(Serialize, ToSchema)]
struct Status {
	/// Number of the channel.
	channel: u64,
	/// Key of the coordinator that it pays.
	coordinator: Hex32,
	/// What it is paid in: `ait` or `aicp`.
	asset: String,
	/// Everything that was ever deposited, as it was read last.
	deposited: Amount,
	/// Sum of the prices of all receipts.
	spent: Amount,
	/// Sum of the highest prices of the requests that are open.
	open: Amount,
	/// What is left after both.
	left: Amount,
	/// End of its plan's period, UTC milliseconds, if it has a plan.
	plan_ends_ms: Option<u64>,
	/// Why the channel will soon pay no more, and what to do.
	warning: Option<String>,
	/// What each API key has spent.
	keys: Vec<Spent>,
	/// Why the coordinator gets no further request.
	distrust: Option<String>,
}

/// Where the channel stands, and what each API key has spent. Needs one of the keys, if there are any.
#[utoipa::path(get, path = "/api/v1/front", tag = "service",
	responses((status = 200, body = Status)))]
async fn status(State(front): State<Front>, headers: HeaderMap) -> Result<Json<Status>, Response> {
	front.customer(&headers).map_err(IntoResponse::into_response)?;
	let found = async {
		let payer = &front.payer;
		let Totals { spent, open, .. } = payer.totals().await?;
		Ok::<_, FrontError>(Status {
			channel: payer.settings.channel,
			coordinator: Hex32(*payer.coordinator()),
			asset: payer.kind().asset.as_str().to_string(),
			deposited: Amount(payer.channel().deposited),
			spent: Amount(spent),
			open: Amount(open),
			left: Amount(payer.left().await?),
			plan_ends_ms: payer.channel().plan_ends_ms,
			warning: payer.warning().await?,
			keys: payer.spent().await?,
			distrust: payer.distrust(),
		})
	};
	found.await.map(Json).map_err(|error| OpenAiError::from(error).into_response())
}

struct Pages(Arc<Payer>);

impl Service for Pages {
	fn health(&self) -> BoxFuture<'_, Result<(), ApiError>> {
		async {
			match self.0.distrust() {
				None => Ok(()),
				Some(reason) => Err(ApiError::internal(reason)),
			}
		}
		.boxed()
	}

	fn metrics(&self) -> BoxFuture<'_, Result<String, ApiError>> {
		async {
			let totals = self.0.totals().await.map_err(ApiError::internal)?;
			let left = self.0.left().await.map_err(ApiError::internal)?;
			Ok(format!(
				"gridproof_front_requests_total {}\ngridproof_front_spent_units {}\n\
				 gridproof_front_open_units {}\ngridproof_front_left_units {left}\n",
				totals.requests, totals.spent, totals.open
			))
		}
		.boxed()
	}
}

fn routes() -> OpenApiRouter<Front> {
	OpenApiRouter::with_openapi(Description::openapi())
		.routes(routes!(chat))
		.routes(routes!(completions))
		.routes(routes!(embeddings))
		.routes(routes!(models))
		.routes(routes!(model))
		.routes(routes!(usage))
		.routes(routes!(status))
}

/// Returns what a front lets through; web pages of these origins may ask it. Answers take as long as the
/// model needs.
pub fn limits(origins: Vec<String>) -> Limits {
	Limits { timeout: None, origins, ..Limits::default() }
}

/// Returns all routes of a front. Without API keys, everybody who reaches it is one customer.
pub fn router(payer: Arc<Payer>, keys: Option<ApiKeys>, limits: &Limits) -> Router {
	let front = Front { payer: payer.clone(), keys: keys.map(Arc::new), rates: Arc::default() };
	site(routes(), front, Arc::new(Pages(payer)), limits)
}

/// Returns the description of all requests, as OpenAPI.
pub fn openapi() -> serde_json::Value {
	describe(routes())
}

/// Serves requests, closes vouchers without an answer and follows the channel until the program stops.
///
/// # Errors
/// [`FrontError::Listen`].
pub fn serve(
	payer: Arc<Payer>,
	keys: Option<ApiKeys>,
	listener: TcpListener,
	limits: &Limits,
	stop: Stop,
) -> BoxFuture<'_, Result<(), FrontError>> {
	Box::pin(async move {
		let serving = serve_on(router(payer.clone(), keys, limits), listener, stop)?;
		tokio::select! {
			() = serving.ended() => (),
			() = watch::reconcile(&payer) => (),
			() = watch::follow(&payer) => (),
			() = demands::watch(&payer) => (),
		}
		payer.ledger.written().await;
		Ok(())
	})
}
