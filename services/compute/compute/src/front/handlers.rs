//! The requests of OpenAI's clients.

use super::{
	Customer, Front,
	answers::{Done, Kind, job_header},
	fault::{Body, ErrorBody, OpenAiFault},
	requests::{ChatRequest, CompletionRequest, EmbeddingRequest},
	stream,
};
use crate::{
	coordinator::{
		api::{App, bearer},
		rows::{self, Job},
	},
	protocol::{Amount, JobSpec},
};
use axum::{
	Json,
	extract::{Path, Query, State},
	http::HeaderMap,
	response::{
		IntoResponse, Response,
		sse::{KeepAlive, Sse},
	},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::watch;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes.
pub fn routes() -> OpenApiRouter<App> {
	OpenApiRouter::new()
		.routes(routes!(models))
		.routes(routes!(model))
		.routes(routes!(chat))
		.routes(routes!(completions))
		.routes(routes!(embeddings))
		.routes(routes!(usage))
}

/// Who asks, if the front is there and knows the key.
fn customer(app: &App, headers: &HeaderMap) -> Result<(Arc<Front>, Customer), OpenAiFault> {
	let front = app.front.clone().ok_or_else(OpenAiFault::no_front)?;
	let customer = front.customer(bearer(headers)).ok_or_else(OpenAiFault::key)?;
	let (name, own) = (format!("key {}", customer.name), customer.requests_per_minute);
	match app.take(&name, own) {
		true => Ok((front, customer)),
		false => Err(OpenAiFault::too_often()),
	}
}

/// Turns a request into a job of the front's.
async fn begin(
	app: &App,
	headers: &HeaderMap,
	spec: Result<JobSpec, OpenAiFault>,
	stream: bool,
) -> Result<(Job, watch::Receiver<crate::coordinator::live::Frame>), OpenAiFault> {
	let (front, customer) = customer(app, headers)?;
	let spec = spec?;
	let coordinator = &app.coordinator;
	let quoted = coordinator.price(&spec, front.purse, front.asset)?;
	if let Some(Amount(limit)) = customer.limit {
		let name = customer.name.clone();
		let usage = coordinator.read(move |db| Ok(rows::usage(db, &name, 0)?)).await?;
		let asset = front.asset.as_str();
		let of = |sums: &BTreeMap<String, u128>| sums.get(asset).copied().unwrap_or(0);
		let owed = of(&usage.prices).saturating_add(of(&usage.held));
		if owed.saturating_add(quoted.quote.price) > limit {
			return Err(OpenAiFault::quota());
		}
	}
	// Read along from before the job exists, so that no word of it is missed.
	let live = coordinator.live.follow(quoted.row.job);
	let job = coordinator.accept_for(&quoted, &customer.name, stream).await?;
	Ok((job, live))
}

/// Answers a request for text, in one piece or many.
async fn text(
	app: &App,
	headers: &HeaderMap,
	spec: Result<JobSpec, OpenAiFault>,
	kind: Kind,
	is_streamed: bool,
	wants_usage: bool,
) -> Result<Response, OpenAiFault> {
	let (job, live) = begin(app, headers, spec, is_streamed).await?;
	if is_streamed {
		let headers = job_header(&job);
		let events = stream::follow(app.coordinator.clone(), job, kind, wants_usage, live);
		let stream = Sse::new(ReceiverStream::new(events)).keep_alive(KeepAlive::default());
		return Ok((headers, stream).into_response());
	}
	let done = finish(app, &job, live).await?;
	Ok((done.headers(), Json(done.text(kind))).into_response())
}

async fn finish(
	app: &App,
	job: &Job,
	live: watch::Receiver<crate::coordinator::live::Frame>,
) -> Result<Done, OpenAiFault> {
	stream::wait(&app.coordinator, job.job, live).await
}

/// Answer a conversation.
///
/// With `stream`, the answer comes as server-sent events; the receipt's id is in the last one
/// before `[DONE]`, as `gridproof.receipt`.
#[utoipa::path(post, path = "/v1/chat/completions", tag = "openai", request_body = ChatRequest,
	responses((status = 200, body = Value, headers(
		("x-gridproof-job" = String, description = "The job's id"),
		("x-gridproof-receipt" = String, description = "The receipt's id; not when streamed"),
		("x-gridproof-price" = String, description = "What it cost, in the asset's smallest unit"),
		("x-gridproof-asset" = String, description = "What it is paid in"))),
		(status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
async fn chat(
	State(app): State<App>,
	headers: HeaderMap,
	Body(request): Body<ChatRequest>,
) -> Result<Response, OpenAiFault> {
	let spec = request.job(|model| app.most_tokens(model));
	let (streamed, usage) = (request.choice.is_streamed(), request.choice.wants_usage());
	text(&app, &headers, spec, Kind::Chat, streamed, usage).await
}

/// Go on with a text.
#[utoipa::path(post, path = "/v1/completions", tag = "openai", request_body = CompletionRequest,
	responses((status = 200, body = Value), (status = "4XX", body = ErrorBody),
		(status = "5XX", body = ErrorBody)))]
async fn completions(
	State(app): State<App>,
	headers: HeaderMap,
	Body(request): Body<CompletionRequest>,
) -> Result<Response, OpenAiFault> {
	let (streamed, usage) = (request.choice.is_streamed(), request.choice.wants_usage());
	text(&app, &headers, request.job(), Kind::Completion, streamed, usage).await
}

/// Vectors of texts.
#[utoipa::path(post, path = "/v1/embeddings", tag = "openai", request_body = EmbeddingRequest,
	responses((status = 200, body = Value), (status = "4XX", body = ErrorBody),
		(status = "5XX", body = ErrorBody)))]
async fn embeddings(
	State(app): State<App>,
	headers: HeaderMap,
	Body(request): Body<EmbeddingRequest>,
) -> Result<Response, OpenAiFault> {
	let (job, live) = begin(&app, &headers, request.job(), false).await?;
	let done = finish(&app, &job, live).await?;
	let body = done.embeddings(request.wants_base64())?;
	Ok((done.headers(), Json(body)).into_response())
}

fn shown(name: &str) -> Value {
	json!({ "id": name, "object": "model", "created": 0, "owned_by": "gridproof" })
}

/// The models on offer.
#[utoipa::path(get, path = "/v1/models", tag = "openai",
	responses((status = 200, body = Value), (status = 401, body = ErrorBody)))]
async fn models(State(app): State<App>, headers: HeaderMap) -> Result<Json<Value>, OpenAiFault> {
	customer(&app, &headers)?;
	let models: Vec<Value> = app.coordinator.models().iter().map(|name| shown(name)).collect();
	Ok(Json(json!({ "object": "list", "data": models })))
}

/// One model.
#[utoipa::path(get, path = "/v1/models/{*model}", tag = "openai",
	params(("model" = String, Path, description = "The model's name")),
	responses((status = 200, body = Value), (status = "4XX", body = ErrorBody)))]
async fn model(
	State(app): State<App>,
	headers: HeaderMap,
	Path(name): Path<String>,
) -> Result<Json<Value>, OpenAiFault> {
	customer(&app, &headers)?;
	match app.coordinator.models().contains(&name) {
		true => Ok(Json(shown(&name))),
		false => Err(OpenAiFault::model(&name)),
	}
}

/// Since when.
#[derive(Deserialize, IntoParams)]
struct UsageQuery {
	/// Receipts signed since this time, UTC milliseconds; all if it is left out.
	#[serde(default)]
	since_ms: u64,
}

/// What a customer owes. Amounts are by asset, in its smallest unit.
#[derive(Serialize, ToSchema)]
struct Bill {
	/// The customer.
	customer: String,
	/// Receipts signed since this time, UTC milliseconds.
	since_ms: u64,
	/// Jobs with a receipt.
	jobs: u64,
	/// Their compute units.
	compute_units: u64,
	/// What they cost.
	price: BTreeMap<String, Amount>,
	/// Jobs that are not over yet.
	open_jobs: u64,
	/// The most that these can cost.
	held: BTreeMap<String, Amount>,
	/// The most that may be owed altogether.
	limit: Option<Amount>,
}

/// What the API key's customer owes.
#[utoipa::path(get, path = "/v1/billing/usage", tag = "openai", params(UsageQuery),
	responses((status = 200, body = Bill), (status = 401, body = ErrorBody)))]
async fn usage(
	State(app): State<App>,
	headers: HeaderMap,
	Query(UsageQuery { since_ms }): Query<UsageQuery>,
) -> Result<Json<Bill>, OpenAiFault> {
	let (_, customer) = customer(&app, &headers)?;
	let name = customer.name.clone();
	let usage = app.coordinator.read(move |db| Ok(rows::usage(db, &name, since_ms)?)).await?;
	let amounts = |sums: BTreeMap<String, u128>| {
		sums.into_iter().map(|(asset, sum)| (asset, Amount(sum))).collect()
	};
	Ok(Json(Bill {
		customer: customer.name,
		since_ms,
		jobs: usage.jobs,
		compute_units: usage.units,
		price: amounts(usage.prices),
		open_jobs: usage.open_jobs,
		held: amounts(usage.held),
		limit: customer.limit,
	}))
}
