//! What miners ask for.

use super::{App, Body, bearer};
use crate::{
	coordinator::Refused,
	protocol::{
		About, Accepted, Assignment, Fault, FaultCode, Heartbeat, HeartbeatAnswer, Hello, Hex32,
		JobResult, Lease, MAX_WAIT_SECONDS, Progress, Refusal, Welcome,
	},
};
use axum::{
	Json,
	extract::{Path, Query, State},
	http::{HeaderMap, StatusCode},
	response::{IntoResponse, Response},
};
use gridproof_primitives::H256;
use serde::Deserialize;
use std::time::Duration;
use utoipa::IntoParams;

/// A job's id in a path.
///
/// # Errors
/// [`FaultCode::BadRequest`].
pub(super) fn job_id(text: &str) -> Result<H256, Refused> {
	match text.parse::<Hex32>() {
		Ok(id) => Ok(id.into()),
		Err(reason) => Refused::err(FaultCode::BadRequest, format!("a job's id: {reason}")),
	}
}

/// Who the coordinator is, for which chain.
#[utoipa::path(get, path = "/miner/v1/about", tag = "miners",
	responses((status = 200, body = About)))]
pub async fn about(State(app): State<App>) -> Json<About> {
	let coordinator = &app.coordinator;
	Json(About {
		genesis: coordinator.genesis().into(),
		coordinator: Hex32(coordinator.public()),
		time_ms: coordinator.now(),
	})
}

/// Begin a session.
#[utoipa::path(post, path = "/miner/v1/hello", tag = "miners", request_body = Hello,
	responses((status = 200, body = Welcome), (status = "4XX", body = Fault)))]
pub async fn hello(
	State(app): State<App>,
	Body(hello): Body<Hello>,
) -> Result<Json<Welcome>, Refused> {
	Ok(Json(app.coordinator.hello(&hello).await?))
}

/// How long to wait.
#[derive(Deserialize, IntoParams)]
pub struct Wait {
	/// Seconds, at most 30.
	#[serde(default)]
	wait: u64,
}

/// Wait for a job.
#[utoipa::path(post, path = "/miner/v1/work", tag = "miners", params(Wait),
	responses((status = 200, body = Assignment), (status = 204, description = "No work now"),
		(status = 401, body = Fault)))]
pub async fn work(
	State(app): State<App>,
	headers: HeaderMap,
	Query(Wait { wait }): Query<Wait>,
) -> Result<Response, Refused> {
	let session = app.coordinator.session(bearer(&headers))?;
	let wait = Duration::from_secs(wait.min(MAX_WAIT_SECONDS));
	Ok(match app.coordinator.take(&session, wait).await? {
		Some(assignment) => Json(assignment).into_response(),
		None => StatusCode::NO_CONTENT.into_response(),
	})
}

/// Tell that work has begun, or hand over more of the text.
#[utoipa::path(post, path = "/miner/v1/jobs/{job}/progress", tag = "miners",
	params(("job" = String, Path, description = "The job's id")), request_body = Progress,
	responses((status = 200, body = Lease), (status = "4XX", body = Fault)))]
pub async fn progress(
	State(app): State<App>,
	headers: HeaderMap,
	Path(job): Path<String>,
	Body(progress): Body<Progress>,
) -> Result<Json<Lease>, Refused> {
	let session = app.coordinator.session(bearer(&headers))?;
	Ok(Json(app.coordinator.progress(&session, job_id(&job)?, &progress).await?))
}

/// Hand over the result with the signed receipt.
#[utoipa::path(post, path = "/miner/v1/jobs/{job}/result", tag = "miners",
	params(("job" = String, Path, description = "The job's id")), request_body = JobResult,
	responses((status = 200, body = Accepted), (status = "4XX", body = Fault)))]
pub async fn result(
	State(app): State<App>,
	headers: HeaderMap,
	Path(job): Path<String>,
	Body(result): Body<JobResult>,
) -> Result<Json<Accepted>, Refused> {
	let session = app.coordinator.session(bearer(&headers))?;
	let id = job_id(&job)?;
	// To the end, even if the miner's connection breaks: a half-checked result is of no use.
	let coordinator = app.coordinator.clone();
	let done = tokio::spawn(async move { coordinator.result(&session, id, &result).await }).await;
	let broken = |_| Refused::new(FaultCode::Internal, "checking the result broke off; try again");
	Ok(Json(done.map_err(broken)??))
}

/// Give a job back.
#[utoipa::path(post, path = "/miner/v1/jobs/{job}/refuse", tag = "miners",
	params(("job" = String, Path, description = "The job's id")), request_body = Refusal,
	responses((status = 204), (status = "4XX", body = Fault)))]
pub async fn refuse(
	State(app): State<App>,
	headers: HeaderMap,
	Path(job): Path<String>,
	Body(refusal): Body<Refusal>,
) -> Result<StatusCode, Refused> {
	let session = app.coordinator.session(bearer(&headers))?;
	app.coordinator.refuse(&session, job_id(&job)?, &refusal).await?;
	Ok(StatusCode::NO_CONTENT)
}

/// Stay there.
#[utoipa::path(post, path = "/miner/v1/heartbeat", tag = "miners", request_body = Heartbeat,
	responses((status = 200, body = HeartbeatAnswer), (status = 401, body = Fault)))]
pub async fn heartbeat(
	State(app): State<App>,
	headers: HeaderMap,
	Body(heartbeat): Body<Heartbeat>,
) -> Result<Json<HeartbeatAnswer>, Refused> {
	let session = app.coordinator.session(bearer(&headers))?;
	Ok(Json(app.coordinator.heartbeat(&session, &heartbeat).await?))
}

/// Leave: what the miner holds goes to others.
#[utoipa::path(post, path = "/miner/v1/goodbye", tag = "miners",
	responses((status = 204), (status = 401, body = Fault)))]
pub async fn goodbye(State(app): State<App>, headers: HeaderMap) -> Result<StatusCode, Refused> {
	let session = app.coordinator.session(bearer(&headers))?;
	app.coordinator.goodbye(&session).await?;
	Ok(StatusCode::NO_CONTENT)
}
