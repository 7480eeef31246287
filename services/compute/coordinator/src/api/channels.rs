//! Channels: what everybody may read, and closing vouchers, which only their signer can have signed.

use super::callers::{Api, job_id};
use axum::{
	Json,
	extract::{Path, State},
	http::header::CONTENT_TYPE,
	response::{IntoResponse, Response},
};
use gridproof_compute_api::protocol::{
	BatchAnswer, ChannelInfo, ClosedVouchers, CoordinatorError, OpenVouchers, Opening, OpeningAsk,
	ReceiptAnswer,
};
use gridproof_http::{ApiError, Body, Whole};
use std::sync::Arc;

/// What the coordinator holds of a channel.
#[utoipa::path(get, path = "/v1/channels/{channel}", tag = "channels",
	params(("channel" = inline(Whole), Path, description = "Number of the channel")),
	responses((status = 200, body = ChannelInfo), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn show(
	State(api): State<Arc<Api>>,
	Path(Whole(channel)): Path<Whole>,
) -> Result<Json<ChannelInfo>, ApiError> {
	Ok(Json(api.public.channel(channel).await?))
}

/// Close vouchers whose requests have no answer: each gets a receipt of price 0.
#[utoipa::path(post, path = "/v1/channels/{channel}/vouchers", tag = "channels",
	params(("channel" = inline(Whole), Path, description = "Number of the channel")),
	request_body = OpenVouchers,
	responses((status = 200, body = ClosedVouchers), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn close(
	State(api): State<Arc<Api>>,
	Path(Whole(channel)): Path<Whole>,
	Body(open): Body<OpenVouchers>,
) -> Result<Json<ClosedVouchers>, ApiError> {
	Ok(Json(api.public.close_vouchers(channel, &open).await?))
}

/// The receipt of a voucher.
#[utoipa::path(get, path = "/v1/channels/{channel}/receipts/{number}", tag = "channels",
	params(("channel" = inline(Whole), Path, description = "Number of the channel"),
		("number" = inline(Whole), Path, description = "Number of the voucher")),
	responses((status = 200, body = ReceiptAnswer), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn receipt_of(
	State(api): State<Arc<Api>>,
	Path(place): Path<(Whole, Whole)>,
) -> Result<Json<ReceiptAnswer>, ApiError> {
	let (Whole(channel), Whole(number)) = place;
	Ok(Json(api.public.receipt_of_voucher(channel, number).await?))
}

/// A receipt with its proof against the batch that settles it.
#[utoipa::path(get, path = "/v1/receipts/{id}", tag = "channels",
	params(("id" = String, Path, description = "Id of the receipt", pattern = "^0x[0-9a-fA-F]{64}$")),
	responses((status = 200, body = ReceiptAnswer), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn receipt(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
) -> Result<Json<ReceiptAnswer>, ApiError> {
	Ok(Json(api.public.channel_receipt(job_id(&id)?).await?))
}

/// What a receipt was made of, for a verifier that the chain has drawn, a witness to a demand, a juror of a
/// dispute, and the client itself; of a private channel for nobody.
#[utoipa::path(post, path = "/v1/receipts/{id}/opening", tag = "channels",
	params(("id" = String, Path, description = "Id of the receipt", pattern = "^0x[0-9a-fA-F]{64}$")),
	request_body = OpeningAsk,
	responses((status = 200, body = Opening), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn opening(
	State(api): State<Arc<Api>>,
	Path(id): Path<String>,
	Body(request): Body<OpeningAsk>,
) -> Result<Json<Opening>, ApiError> {
	Ok(Json(api.public.opening(job_id(&id)?, &request).await?))
}

/// A settlement batch: header, lines, and where it stands.
#[utoipa::path(get, path = "/v1/batches/{sequence}", tag = "channels",
	params(("sequence" = inline(Whole), Path, description = "Sequence number of the batch")),
	responses((status = 200, body = BatchAnswer), (status = "4XX", body = CoordinatorError)))]
pub(super) async fn batch(
	State(api): State<Arc<Api>>,
	Path(Whole(sequence)): Path<Whole>,
) -> Result<Json<BatchAnswer>, ApiError> {
	Ok(Json(api.public.batch(sequence).await?))
}

/// The receipts of a batch, without any text: SCALE, in the order of the tree. The header has the
/// content identifier of this file.
#[utoipa::path(get, path = "/v1/batches/{sequence}/receipts", tag = "channels",
	params(("sequence" = inline(Whole), Path, description = "Sequence number of the batch")),
	responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
		(status = "4XX", body = CoordinatorError)))]
pub(super) async fn batch_file(
	State(api): State<Arc<Api>>,
	Path(Whole(sequence)): Path<Whole>,
) -> Result<Response, ApiError> {
	let file = api.public.batch_file(sequence).await?;
	Ok(([(CONTENT_TYPE, "application/octet-stream")], file).into_response())
}
