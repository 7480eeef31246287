//! The requests of OpenAI's clients.

use super::{
	answers::{Kind, job_header, mark_repeated},
	asked::Asked,
	attended::Attended,
	callers::{Caller, Front},
	desk::{Desk, Offer, Once, Order, Paid},
	error::{OpenAiError, OpenAiErrorBody},
	requests::{ChatRequest, CompletionRequest, EmbeddingRequest},
	stream,
};
use axum::{
	Json,
	body::Bytes,
	extract::Path,
	response::{
		IntoResponse, Response,
		sse::{KeepAlive, Sse},
	},
};
use gridproof_compute_api::protocol::JobSpec;
use gridproof_http::{Params, Whole};
use gridproof_primitives::compute::compute_units;
use gridproof_support::text::Amount;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// What the header says that makes a request known again.
const AGAIN: &str = "A key of the request, new for each: the same key with the same body within a day \
	is the same job, with the same answer; with another body it is refused (422)";

/// Tokens that a price is shown for.
const MILLION: u64 = 1_000_000;

/// Returns the routes.
pub(crate) fn routes() -> OpenApiRouter<Front> {
	OpenApiRouter::new()
		.routes(routes!(models))
		.routes(routes!(model))
		.routes(routes!(chat))
		.routes(routes!(completions))
		.routes(routes!(embeddings))
		.routes(routes!(usage))
}

/// By what a request is known.
struct Marks {
	once: Option<Once>,
	body: Bytes,
}

/// Turns a request into a job of the front's.
async fn begin(
	caller: &Caller,
	spec: JobSpec,
	stream: bool,
	asked: Marks,
) -> Result<Attended, OpenAiError> {
	let customer = caller.customer.name.clone();
	let limit = caller.customer.limit.map(|Amount(limit)| limit);
	let Marks { once, body } = asked;
	let paid = caller.payment.map(|(voucher, secret)| Paid { voucher, secret });
	let stream = stream && spec.is_read_along();
	let order = Order { spec, customer, limit, stream, once, paid, body };
	Ok(Attended::order(caller.desk(), order).await?)
}

/// How a text is to be answered.
struct Manner {
	kind: Kind,
	is_streamed: bool,
	wants_usage: bool,
	marks: Marks,
}

/// Answers a request for text, in one piece or many.
async fn text(caller: &Caller, spec: JobSpec, manner: Manner) -> Result<Response, OpenAiError> {
	let Manner { kind, is_streamed, wants_usage, marks } = manner;
	let mut attended = begin(caller, spec, is_streamed, marks).await?;
	if is_streamed {
		let mut headers = job_header(&attended.job);
		mark_repeated(&mut headers, attended.is_repeated);
		let events = stream::follow(attended, kind, wants_usage);
		let stream = Sse::new(ReceiverStream::new(events)).keep_alive(KeepAlive::default());
		return Ok((headers, stream).into_response());
	}
	let done = stream::wait(&mut attended).await;
	let done = done.map_err(|error| error.with_prompt(kind.prompt()))?;
	let mut headers = done.headers();
	mark_repeated(&mut headers, attended.is_repeated);
	Ok((headers, Json(done.text(kind))).into_response())
}

/// Answer a conversation.
///
/// With `stream`, the answer comes as server-sent events; the receipt's id is in the last one
/// before `[DONE]`, as `gridproof.receipt`.
#[utoipa::path(post, path = "/v1/chat/completions", tag = "openai", security(("api_key" = [])), request_body = ChatRequest,
	params(("idempotency-key" = Option<String>, Header, description = AGAIN)),
	responses((status = 200, body = Value, headers(
		("x-gridproof-job" = String, description = "The job's id"),
		("x-gridproof-receipt" = String, description = "The receipt's id; not when streamed"),
		("x-gridproof-price" = String, description = "What it cost, in the asset's smallest unit"),
		("x-gridproof-asset" = String, description = "What it is paid in"),
		("x-ratelimit-remaining-tokens" = String, description = "Tokens of a model of factor 1 that are \
			left today, where a channel pays; not when streamed: see gridproof.left of the body"),
		("x-gridproof-warning" = String, description = "Why the channel will soon pay no more"),
		("gridproof-receipt" = String, description = "The receipt itself with its signatures, SCALE: \
			of a request that a channel pays for; not when streamed"))),
		(status = "4XX", body = OpenAiErrorBody), (status = "default", body = OpenAiErrorBody)))]
async fn chat(
	caller: Caller,
	Asked { request, once, body }: Asked<ChatRequest>,
) -> Result<Response, OpenAiError> {
	let spec = request.job(|model| caller.most_tokens(model))?;
	let (is_streamed, wants_usage) = (request.choice.is_streamed(), request.choice.wants_usage());
	let marks = Marks { once, body };
	text(&caller, spec, Manner { kind: Kind::Chat, is_streamed, wants_usage, marks }).await
}

/// Continue a text.
#[utoipa::path(post, path = "/v1/completions", tag = "openai", security(("api_key" = [])), request_body = CompletionRequest,
	params(("idempotency-key" = Option<String>, Header, description = AGAIN)),
	responses((status = 200, body = Value), (status = "4XX", body = OpenAiErrorBody),
		(status = "default", body = OpenAiErrorBody)))]
async fn completions(
	caller: Caller,
	Asked { request, once, body }: Asked<CompletionRequest>,
) -> Result<Response, OpenAiError> {
	let (is_streamed, wants_usage) = (request.choice.is_streamed(), request.choice.wants_usage());
	let marks = Marks { once, body };
	let manner = Manner { kind: Kind::Completion, is_streamed, wants_usage, marks };
	text(&caller, request.job()?, manner).await
}

/// Vectors of texts.
#[utoipa::path(post, path = "/v1/embeddings", tag = "openai", security(("api_key" = [])), request_body = EmbeddingRequest,
	params(("idempotency-key" = Option<String>, Header, description = AGAIN)),
	responses((status = 200, body = Value), (status = "4XX", body = OpenAiErrorBody),
		(status = "default", body = OpenAiErrorBody)))]
async fn embeddings(
	caller: Caller,
	Asked { request, once, body }: Asked<EmbeddingRequest>,
) -> Result<Response, OpenAiError> {
	let marks = Marks { once, body };
	let mut attended = begin(&caller, request.job()?, false, marks).await?;
	let done = stream::wait(&mut attended).await;
	let done = done.map_err(|error| error.with_prompt("input"))?;
	let body = done.embeddings(request.wants_base64())?;
	let mut headers = done.headers();
	mark_repeated(&mut headers, attended.is_repeated);
	Ok((headers, Json(body)).into_response())
}

fn shown(desk: &dyn Desk, name: &str, created: u64) -> Value {
	let mut model =
		json!({ "id": name, "object": "model", "created": created, "owned_by": "gridproof" });
	if let Some(Offer { factor, max_tokens, registry, unit_price }) = desk.offer(name) {
		let units = u128::from(compute_units(MILLION, factor));
		let prices = |units: u128| -> BTreeMap<&String, Amount> {
			let priced = unit_price.iter();
			priced.map(|(asset, price)| (asset, Amount(price.saturating_mul(units)))).collect()
		};
		model["gridproof"] = json!({
			"model_factor": factor,
			"max_tokens": max_tokens,
			"unit_price": prices(1),
			"price_per_million_tokens": prices(units),
			"registry": registry,
		});
	}
	model
}

/// The models on offer. A token costs a compute unit's price times the model's factor, which is in
/// thousandths. With the API key of a plan the prices are the plan's. `registry` says how the chain's
/// registry has it: whether its tokens count, since when, what is announced and when it retires; null of a
/// model whose work is private.
#[utoipa::path(get, path = "/v1/models", tag = "openai", security(("api_key" = [])),
	responses((status = 200, body = Value), (status = "4XX", body = OpenAiErrorBody),
		(status = "default", body = OpenAiErrorBody)))]
async fn models(caller: Caller) -> Json<Value> {
	let models: Vec<Value> =
		caller.models().iter().map(|name| shown(&*caller, name, caller.since)).collect();
	Json(json!({ "object": "list", "data": models }))
}

/// One model.
#[utoipa::path(get, path = "/v1/models/{*model}", tag = "openai", security(("api_key" = [])),
	params(("model" = String, Path, description = "The model's name")),
	responses((status = 200, body = Value), (status = "4XX", body = OpenAiErrorBody),
		(status = "default", body = OpenAiErrorBody)))]
async fn model(caller: Caller, Path(name): Path<String>) -> Result<Json<Value>, OpenAiError> {
	if caller.models().contains(&name) {
		Ok(Json(shown(&*caller, &name, caller.since)))
	} else {
		Err(OpenAiError::model(&name))
	}
}

/// From when on use is added up.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UsageQuery {
	/// Receipts signed since this time, UTC milliseconds; all if it is left out.
	#[serde(default)]
	#[param(inline, required = false)]
	since_ms: Whole,
}

/// What a customer owes. Amounts are by asset, in its smallest unit.
#[derive(Serialize, ToSchema)]
struct Bill {
	/// The customer's name.
	customer: String,
	/// Receipts signed since this time, UTC milliseconds.
	since_ms: u64,
	/// Jobs with a receipt.
	jobs: u64,
	/// Their compute units.
	compute_units: u64,
	/// What they cost.
	price: BTreeMap<String, Amount>,
	/// Jobs that have not ended.
	open_jobs: u64,
	/// The most that these can cost.
	held: BTreeMap<String, Amount>,
	/// The most that may be owed altogether.
	limit: Option<Amount>,
}

/// What the API key's customer owes.
#[utoipa::path(get, path = "/v1/billing/usage", tag = "openai", security(("api_key" = [])), params(UsageQuery),
	responses((status = 200, body = Bill), (status = "4XX", body = OpenAiErrorBody),
		(status = "default", body = OpenAiErrorBody)))]
async fn usage(
	caller: Caller,
	Params(UsageQuery { since_ms: Whole(since_ms) }): Params<UsageQuery>,
) -> Result<Json<Bill>, OpenAiError> {
	let used = caller.used(caller.customer.name.clone(), since_ms).await?;
	let amounts = |sums: BTreeMap<String, u128>| {
		sums.into_iter().map(|(asset, sum)| (asset, Amount(sum))).collect()
	};
	Ok(Json(Bill {
		customer: caller.customer.name.clone(),
		since_ms,
		jobs: used.jobs,
		compute_units: used.units,
		price: amounts(used.prices),
		open_jobs: used.open_jobs,
		held: amounts(used.held),
		limit: caller.customer.limit,
	}))
}
