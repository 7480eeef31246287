//! What miners ask for.

use super::callers::{Api, ForMiner, JobId};
use axum::{
	Json,
	extract::State,
	http::StatusCode,
	response::{IntoResponse, Response},
};
use gridproof_compute_api::protocol::{
	About, Accepted, CoordinatorError, Heartbeat, HeartbeatAnswer, Hello, JobResult, Lease,
	LinesToSign, MAX_WAIT_SECONDS, Progress, Refusal, SignedLine, Welcome, Work,
};
use gridproof_http::{ApiError, Body, Params, Whole};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use utoipa::IntoParams;

/// Who the coordinator is, for which chain.
#[utoipa::path(get, path = "/miner/v1/about", tag = "miners",
	responses((status = 200, body = About)))]
pub(super) async fn about(State(api): State<Arc<Api>>) -> Json<About> {
	Json(api.public.about())
}

/// Begin a session.
#[utoipa::path(post, path = "/miner/v1/hello", tag = "miners", request_body = Hello,
	responses((status = 200, body = Welcome), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn hello(
	State(api): State<Arc<Api>>,
	Body(hello): Body<Hello>,
) -> Result<Json<Welcome>, ApiError> {
	Ok(Json(api.public.hello(&hello).await?))
}

/// How long to wait for work.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wait {
	/// Seconds, at most 30.
	#[serde(default)]
	#[param(inline, required = false)]
	wait: Whole,
}

/// Wait for a job.
#[utoipa::path(post, path = "/miner/v1/work", tag = "miners", security(("session" = [])), params(Wait),
	responses((status = 200, body = Work), (status = 204, description = "No work now"),
		(status = 401, body = CoordinatorError)))]
pub(super) async fn work(
	miner: ForMiner,
	Params(Wait { wait }): Params<Wait>,
) -> Result<Response, ApiError> {
	let wait = Duration::from_secs(wait.0.min(MAX_WAIT_SECONDS));
	Ok(match miner.take(&miner.caller.0, wait).await? {
		Some(assignment) => Json(assignment).into_response(),
		None => StatusCode::NO_CONTENT.into_response(),
	})
}

/// Report that work has begun, or hand over more of the text.
#[utoipa::path(post, path = "/miner/v1/jobs/{job}/progress", tag = "miners", security(("session" = [])),
	params(("job" = String, Path, description = "The job's id", pattern = "^0x[0-9a-fA-F]{64}$")), request_body = Progress,
	responses((status = 200, body = Lease), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn progress(
	miner: ForMiner,
	job: JobId,
	Body(progress): Body<Progress>,
) -> Result<Json<Lease>, ApiError> {
	Ok(Json(miner.progress(&miner.caller.0, *job, &progress).await?))
}

/// Hand over the result with the signed receipt.
#[utoipa::path(post, path = "/miner/v1/jobs/{job}/result", tag = "miners", security(("session" = [])),
	params(("job" = String, Path, description = "The job's id", pattern = "^0x[0-9a-fA-F]{64}$")), request_body = JobResult,
	responses((status = 200, body = Accepted), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn result(
	miner: ForMiner,
	job: JobId,
	Body(result): Body<JobResult>,
) -> Result<Json<Accepted>, ApiError> {
	// To the end, even if the miner's connection breaks: a half-checked result is of no use.
	let (caller, coordinator) = miner.into_parts();
	let checking = tokio::spawn(async move { coordinator.result(&caller.0, *job, &result).await });
	Ok(Json(checking.await.map_err(ApiError::internal)??))
}

/// Give a job back.
#[utoipa::path(post, path = "/miner/v1/jobs/{job}/refuse", tag = "miners", security(("session" = [])),
	params(("job" = String, Path, description = "The job's id", pattern = "^0x[0-9a-fA-F]{64}$")), request_body = Refusal,
	responses((status = 204), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn refuse(
	miner: ForMiner,
	job: JobId,
	Body(refusal): Body<Refusal>,
) -> Result<StatusCode, ApiError> {
	miner.refuse(&miner.caller.0, *job, &refusal).await?;
	Ok(StatusCode::NO_CONTENT)
}

/// Report that the miner is alive, and what it works on.
#[utoipa::path(post, path = "/miner/v1/heartbeat", tag = "miners", security(("session" = [])), request_body = Heartbeat,
	responses((status = 200, body = HeartbeatAnswer), (status = 401, body = CoordinatorError)))]
pub(super) async fn heartbeat(
	miner: ForMiner,
	Body(heartbeat): Body<Heartbeat>,
) -> Result<Json<HeartbeatAnswer>, ApiError> {
	Ok(Json(miner.heartbeat(&miner.caller.0, &heartbeat).await?))
}

/// Wait for lines of batches that this miner is to sign.
#[utoipa::path(get, path = "/miner/v1/lines", tag = "miners", security(("session" = [])), params(Wait),
	responses((status = 200, body = LinesToSign), (status = 401, body = CoordinatorError)))]
pub(super) async fn lines(
	miner: ForMiner,
	Params(Wait { wait: Whole(wait) }): Params<Wait>,
) -> Json<LinesToSign> {
	let wait = Duration::from_secs(wait.min(MAX_WAIT_SECONDS));
	Json(miner.lines(miner.caller.0.miner(), wait).await)
}

/// Sign a line: it mints then, and is paid in any case.
#[utoipa::path(post, path = "/miner/v1/lines", tag = "miners", security(("session" = [])), request_body = SignedLine,
	responses((status = 204), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn sign_line(
	miner: ForMiner,
	Body(signed): Body<SignedLine>,
) -> Result<StatusCode, ApiError> {
	miner.sign_line(miner.caller.0.miner(), &signed)?;
	Ok(StatusCode::NO_CONTENT)
}

/// Leave: what the miner holds goes to others.
#[utoipa::path(post, path = "/miner/v1/goodbye", tag = "miners", security(("session" = [])),
	responses((status = 204), (status = 401, body = CoordinatorError)))]
pub(super) async fn goodbye(miner: ForMiner) -> Result<StatusCode, ApiError> {
	miner.goodbye(&miner.caller.0).await?;
	Ok(StatusCode::NO_CONTENT)
}
