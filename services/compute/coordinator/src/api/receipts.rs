//! Receipts with both signatures, for everybody.

use super::{
	callers::{Api, job_id},
	public::ReceiptOf,
};
use axum::{Json, extract::State, http::StatusCode};
use gridproof_compute_api::protocol::{CoordinatorError, ReceiptInfo};
use gridproof_http::{ApiError, Params};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// Which receipt to show.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReceiptQuery {
	/// The job's id: 0x and 64 digits.
	#[param(pattern = "^0x[0-9a-fA-F]{64}$")]
	job: Option<String>,
	/// Or the receipt's id: 0x and 64 digits.
	#[param(pattern = "^0x[0-9a-fA-F]{64}$")]
	id: Option<String>,
}

/// Show a signed receipt.
#[utoipa::path(get, path = "/attest/receipt", tag = "receipts", params(ReceiptQuery),
	responses((status = 200, body = ReceiptInfo), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn receipt(
	State(api): State<Arc<Api>>,
	Params(query): Params<ReceiptQuery>,
) -> Result<Json<ReceiptInfo>, ApiError> {
	let of = match (query.job, query.id) {
		(Some(job), None) => ReceiptOf::Job(job_id(&job)?),
		(None, Some(id)) => ReceiptOf::Id(job_id(&id)?),
		_ => {
			let sentence = "write either ?job= with the job's id or ?id= with the receipt's";
			return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_request", sentence));
		},
	};
	Ok(Json(api.public.receipt(of).await?))
}
