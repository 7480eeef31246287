//! What clients ask for: quotes and jobs.

use super::{
	callers::{Api, ForClient, JobId, Reader},
	views,
};
use crate::rows::Filter;
use axum::{Json, extract::State, http::StatusCode};
use gridproof_compute_api::protocol::{
	CancelAnswer, CoordinatorError, CoordinatorInfo, JobInfo, JobPage, JobRequest, JobStage,
	QuoteAnswer, QuoteRequest,
};
use gridproof_http::{ApiError, Body, Params, Whole, page_limit};
use gridproof_primitives::compute::release_payload;
use gridproof_support::text::{Amount, Hex32, Hex64, HexBytes};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// Jobs on a page, unless asked otherwise, and at most.
const PAGE: u32 = 50;
const LONGEST_PAGE: u32 = 500;

/// What the coordinator is, offers and takes.
#[utoipa::path(get, path = "/api/v1/info", tag = "jobs",
	responses((status = 200, body = CoordinatorInfo)))]
pub(super) async fn info(State(api): State<Arc<Api>>) -> Result<Json<CoordinatorInfo>, ApiError> {
	Ok(Json(api.public.info().await?))
}

/// Have a job priced.
#[utoipa::path(post, path = "/api/v1/quotes", tag = "jobs", request_body = QuoteRequest,
	responses((status = 200, body = QuoteAnswer), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn quote(
	State(api): State<Arc<Api>>,
	Body(request): Body<QuoteRequest>,
) -> Result<Json<QuoteAnswer>, ApiError> {
	let QuoteRequest { client, spec, asset } = request;
	let quoted = api.public.quote(&spec, client.0, asset)?;
	Ok(Json(QuoteAnswer {
		job: quoted.row.job.into(),
		quote: HexBytes(quoted.row.quote),
		signature: Hex64(quoted.row.signature),
		spec_hash: quoted.quote.spec_hash.into(),
		price: Amount(quoted.quote.price),
		unit_price: Amount(quoted.row.unit_price),
		max_units: quoted.quote.max_units,
		context: api.public.context(&spec.model),
		expiry_ms: quoted.quote.expiry_ms,
		deadline_ms: quoted.quote.deadline_ms,
		access: quoted.access.reveal().to_string(),
	}))
}

/// Submit a job that was opened on chain, with its quote.
#[utoipa::path(post, path = "/api/v1/jobs", tag = "jobs", security(("access" = [])), request_body = JobRequest,
	responses((status = 201, body = JobInfo), (status = 402, body = CoordinatorError,
		description = "The chain holds no escrow yet, in a final block"),
		(status = "4XX", body = CoordinatorError)))]
pub(super) async fn submit(
	client: ForClient,
	Body(request): Body<JobRequest>,
) -> Result<(StatusCode, Json<JobInfo>), ApiError> {
	let job = client.accept(&request, &client.caller.0, false).await?;
	Ok((StatusCode::CREATED, Json(views::job(job, None, false)?)))
}

/// Which jobs to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct JobQuery {
	/// Only jobs in this state.
	#[param(value_type = Option<JobStage>)]
	state: Option<String>,
	/// Only jobs that this account pays for: 0x and 64 digits.
	#[param(pattern = "^0x[0-9a-fA-F]{64}$")]
	client: Option<String>,
	/// Only numbers below this: the `next` of the page before.
	#[param(inline)]
	before: Option<Whole>,
	/// Most jobs on the page, up to 500; 50 if it is left out.
	#[param(minimum = 1, maximum = 500)]
	limit: Option<u32>,
}

/// List jobs, the youngest first.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(JobQuery),
	responses((status = 200, body = JobPage), (status = 400, body = CoordinatorError)))]
pub(super) async fn list(
	State(api): State<Arc<Api>>,
	Params(query): Params<JobQuery>,
) -> Result<Json<JobPage>, ApiError> {
	let bad = |reason: String| ApiError::bad_request(format!("state or client: {reason}"));
	let client = query.client.map(|text| text.parse::<Hex32>()).transpose().map_err(bad)?;
	let limit = page_limit(query.limit, PAGE, LONGEST_PAGE)?;
	let filter = Filter {
		state: query.state.map(|text| text.parse()).transpose().map_err(bad)?,
		client: client.map(|client| client.0),
		customer: None,
		before: query.before.map(|Whole(number)| number),
		limit,
	};
	Ok(Json(api.public.jobs(filter).await?))
}

/// Show a job; its output to those who have its access key.
#[utoipa::path(get, path = "/api/v1/jobs/{job}", tag = "jobs", security((), ("access" = []), ("api_key" = [])),
	params(("job" = String, Path, description = "The job's id", pattern = "^0x[0-9a-fA-F]{64}$")),
	responses((status = 200, body = JobInfo), (status = 404, body = CoordinatorError)))]
pub(super) async fn show(
	State(api): State<Arc<Api>>,
	reader: Reader,
	id: JobId,
) -> Result<Json<JobInfo>, ApiError> {
	let (job, receipt) = api.public.job(*id).await?;
	let may_read = reader.may_read(&job);
	if may_read {
		api.public.check_hand_out(&job, receipt.as_ref()).await?;
	}
	Ok(Json(views::job(job, receipt, may_read)?))
}

/// Take a job back that no miner has.
#[utoipa::path(post, path = "/api/v1/jobs/{job}/cancel", tag = "jobs", security(("access" = [])),
	params(("job" = String, Path, description = "The job's id", pattern = "^0x[0-9a-fA-F]{64}$")),
	responses((status = 200, body = CancelAnswer), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn cancel(client: ForClient, id: JobId) -> Result<Json<CancelAnswer>, ApiError> {
	let job = client.cancel(*id, &client.caller.0).await?;
	let payload = release_payload(&client.genesis(), &id);
	let release = Hex64(client.key.sign(&payload));
	Ok(Json(CancelAnswer { job: views::job(job, None, false)?, release }))
}
