//! What clients ask for: quotes, jobs, receipts.

use super::{App, Body, bearer, miners::job_id};
use crate::{
	coordinator::{
		Refused,
		rows::{self, Filter, Job, ReceiptRow},
		state::{JobState, Settlement},
	},
	protocol::{Amount, ClassName, Fault, FaultCode, Hex32, Hex64, HexBytes, JobSpec, Output},
};
use axum::{
	Json,
	extract::{Path, Query, State},
	http::{HeaderMap, StatusCode},
};
use codec::{DecodeAll, Encode};
use gridproof_primitives::{
	H256,
	compute::{PriceAsset, Receipt, SignedReceipt, release_payload},
};
use serde::{Deserialize, Serialize};
use sp_crypto_hashing::sha2_256;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Jobs on a page, unless asked otherwise, and at most.
const PAGE: u32 = 50;
const LONGEST_PAGE: u32 = 500;

/// What a coordinator is and takes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CoordinatorInfo {
	/// The coordinator's key.
	pub coordinator: Hex32,
	/// The chain's genesis hash.
	pub genesis: Hex32,
	/// Models on offer.
	pub models: Vec<ModelInfo>,
	/// Price of one compute unit, by asset.
	pub unit_price: BTreeMap<String, Amount>,
	/// Miners that are there.
	pub miners: Vec<MinerInfo>,
	/// Jobs by state.
	pub jobs: BTreeMap<String, u64>,
	/// Receipts by settlement.
	pub receipts: BTreeMap<String, u64>,
	/// Does it have a front for OpenAI's clients?
	pub front: bool,
}

/// A model on offer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ModelInfo {
	/// Its name.
	pub name: String,
	/// Compute units of a thousand tokens.
	pub model_factor: u32,
	/// Most tokens of an answer.
	pub max_tokens: u32,
}

/// A miner that is there.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MinerInfo {
	/// Its key.
	pub miner: Hex32,
	/// Its class.
	pub class: ClassName,
	/// What it serves.
	pub models: Vec<String>,
	/// How many jobs it takes at a time.
	pub slots: u32,
	/// How many it has.
	pub busy: u32,
	/// Its score on chain, when it said hello.
	pub score: u32,
	/// When it was last heard of, UTC milliseconds.
	pub seen_ms: u64,
}

/// What the coordinator is, offers and takes.
#[utoipa::path(get, path = "/api/v1/info", tag = "jobs",
	responses((status = 200, body = CoordinatorInfo)))]
pub async fn info(State(app): State<App>) -> Result<Json<CoordinatorInfo>, Refused> {
	let coordinator = &app.coordinator;
	let settings = &coordinator.settings;
	let (states, settlements) =
		coordinator.read(|db| Ok((rows::counts(db)?, rows::settlements(db)?))).await?;
	let models = coordinator.models().into_iter().filter_map(|name| {
		let offer = settings.model(&name)?;
		let max_tokens = offer.max_tokens.unwrap_or(settings.max_tokens);
		Some(ModelInfo { name, model_factor: offer.factor(), max_tokens })
	});
	let prices = settings.unit_price.iter();
	let miners = coordinator.sessions.all(coordinator.now()).into_iter().map(|session| {
		let busy = coordinator.sessions.held_by(&session.miner).len();
		MinerInfo {
			miner: Hex32(session.miner),
			class: session.class,
			models: session.models,
			slots: session.slots,
			busy: u32::try_from(busy).unwrap_or(u32::MAX),
			score: session.score,
			seen_ms: session.seen_ms,
		}
	});
	Ok(Json(CoordinatorInfo {
		coordinator: Hex32(coordinator.public()),
		genesis: coordinator.genesis().into(),
		models: models.collect(),
		unit_price: prices.map(|(asset, price)| (asset.as_str().to_string(), *price)).collect(),
		miners: miners.collect(),
		jobs: states.into_iter().map(|(state, n)| (state.to_string(), n)).collect(),
		receipts: settlements.into_iter().map(|(s, n, _)| (s.as_str().to_string(), n)).collect(),
		front: app.front.is_some(),
	}))
}

/// Asks for a quote.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteRequest {
	/// The account that will pay.
	pub client: Hex32,
	/// What is to be done.
	pub spec: JobSpec,
	/// `ait`, `aicp` or `service_credit`.
	#[schema(value_type = String)]
	pub asset: PriceAsset,
}

/// A quote. Open it on chain with `ComputeReceipts.open_job(quote, signature)`, then submit the
/// job.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct QuoteAnswer {
	/// The id that the job will have.
	pub job: Hex32,
	/// SCALE of the quote.
	pub quote: HexBytes,
	/// The coordinator's signature over it.
	pub signature: Hex64,
	/// Hash of the specification.
	pub spec_hash: Hex32,
	/// The most that it costs; all of it is held, the rest comes back.
	pub price: Amount,
	/// Price of a compute unit.
	pub unit_price: Amount,
	/// Most compute units.
	pub max_units: u64,
	/// It can be opened before this, UTC milliseconds.
	pub expiry_ms: u64,
	/// The money comes back by itself after this, UTC milliseconds.
	pub deadline_ms: u64,
	/// Secret: submits the job and opens its output, as `Authorization: Bearer …`.
	pub access: String,
}

/// Have a job priced.
#[utoipa::path(post, path = "/api/v1/quotes", tag = "jobs", request_body = QuoteRequest,
	responses((status = 200, body = QuoteAnswer), (status = "4XX", body = Fault)))]
pub async fn quote(
	State(app): State<App>,
	Body(request): Body<QuoteRequest>,
) -> Result<Json<QuoteAnswer>, Refused> {
	let QuoteRequest { client, spec, asset } = request;
	let quoted = app.coordinator.quote(&spec, client.0, asset).await?;
	Ok(Json(QuoteAnswer {
		job: quoted.row.job.into(),
		quote: HexBytes(quoted.row.quote),
		signature: Hex64(quoted.row.signature),
		spec_hash: quoted.quote.spec_hash.into(),
		price: Amount(quoted.quote.price),
		unit_price: Amount(quoted.row.unit_price),
		max_units: quoted.quote.max_units,
		expiry_ms: quoted.quote.expiry_ms,
		deadline_ms: quoted.quote.deadline_ms,
		access: quoted.access,
	}))
}

/// Submits a job that was opened on chain.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
	/// The job's id.
	pub job: Hex32,
}

/// Where a job's receipt stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptBrief {
	/// Its id.
	pub receipt_id: Hex32,
	/// Compute units.
	pub compute_units: u64,
	/// What the client pays.
	pub price: Amount,
	/// Where the money stands.
	pub settlement: Settlement,
	/// Why the chain refused it, or what happened at the last try.
	pub reason: Option<String>,
	/// The final block that settled it, if this coordinator's submission did.
	pub block: Option<Hex32>,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobShown {
	/// Its id on chain.
	pub job: Hex32,
	/// Its number here.
	pub number: u64,
	/// Where it stands.
	pub state: JobState,
	/// The account that pays.
	pub client: Hex32,
	/// The model.
	pub model: String,
	/// What it is paid in.
	pub asset: String,
	/// The most that it costs.
	pub price: Amount,
	/// Most compute units.
	pub max_units: u64,
	/// Does the chain hold the price?
	pub funded: bool,
	/// How often it was given to a miner.
	pub attempt: u32,
	/// The miner that has it, or did it.
	pub miner: Option<Hex32>,
	/// Why it failed, or last came back.
	pub reason: Option<String>,
	/// When it was accepted, UTC milliseconds.
	pub created_ms: u64,
	/// When it last changed, UTC milliseconds.
	pub updated_ms: u64,
	/// Until when it must be done, UTC milliseconds.
	pub deadline_ms: u64,
	/// Its receipt, once it is done.
	pub receipt: Option<ReceiptBrief>,
	/// What came out: only for those who have the job's access key.
	pub output: Option<Output>,
}

impl JobShown {
	/// A job as others may see it; with its output for those who may.
	///
	/// # Errors
	/// [`FaultCode::Internal`].
	pub fn of(job: Job, receipt: Option<ReceiptRow>, with_output: bool) -> Result<Self, Refused> {
		let output = job.output.as_deref().filter(|_| with_output);
		Ok(Self {
			job: job.job.into(),
			number: job.number,
			state: job.state,
			client: Hex32(job.client),
			model: job.model,
			asset: job.asset,
			price: Amount(job.price),
			max_units: job.max_units,
			funded: job.funded,
			attempt: job.attempt,
			miner: job.miner.map(Hex32),
			reason: job.reason,
			created_ms: job.created_ms,
			updated_ms: job.updated_ms,
			deadline_ms: job.deadline_ms,
			receipt: receipt.map(|row| ReceiptBrief {
				receipt_id: row.id.into(),
				compute_units: row.units,
				price: Amount(row.price),
				settlement: row.settlement,
				reason: row.reason,
				block: row.block.map(Hex32::from),
			}),
			output: output.map(serde_json::from_str).transpose()?,
		})
	}
}

/// Submit a job that was opened on chain.
#[utoipa::path(post, path = "/api/v1/jobs", tag = "jobs", request_body = JobRequest,
	responses((status = 201, body = JobShown), (status = 402, body = Fault,
		description = "The chain holds no escrow yet, in a final block"),
		(status = "4XX", body = Fault)))]
pub async fn submit(
	State(app): State<App>,
	headers: HeaderMap,
	Body(JobRequest { job }): Body<JobRequest>,
) -> Result<(StatusCode, Json<JobShown>), Refused> {
	let job = app.coordinator.accept(job.into(), bearer(&headers), false).await?;
	Ok((StatusCode::CREATED, Json(JobShown::of(job, None, false)?)))
}

/// Which jobs.
#[derive(Deserialize, IntoParams)]
pub struct JobQuery {
	/// Only in this state.
	state: Option<String>,
	/// Only of this account: 0x and 64 digits.
	client: Option<String>,
	/// Only numbers below this: the `next` of the page before.
	before: Option<u64>,
	/// At most so many, up to 500.
	limit: Option<u32>,
}

/// Jobs, the youngest first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobPage {
	/// The jobs.
	pub jobs: Vec<JobShown>,
	/// `before` of the next page, if there is one.
	pub next: Option<u64>,
}

/// List jobs.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(JobQuery),
	responses((status = 200, body = JobPage), (status = 400, body = Fault)))]
pub async fn list(
	State(app): State<App>,
	Query(query): Query<JobQuery>,
) -> Result<Json<JobPage>, Refused> {
	let bad = |reason: String| Refused::new(FaultCode::BadRequest, reason);
	let client = query.client.map(|text| text.parse::<Hex32>()).transpose().map_err(bad)?;
	let limit = query.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
	let filter = Filter {
		state: query.state.map(|text| text.parse()).transpose().map_err(bad)?,
		client: client.map(|client| client.0),
		customer: None,
		before: query.before,
		limit,
	};
	let found = app
		.coordinator
		.read(move |db| {
			let jobs = rows::jobs(db, &filter)?.into_iter();
			let with = jobs.map(|job| Ok((rows::receipt(db, job.job)?, job)));
			with.collect::<Result<Vec<_>, Refused>>()
		})
		.await?;
	let is_full = u32::try_from(found.len()).is_ok_and(|length| length == limit);
	let next = found.last().filter(|_| is_full).map(|(_, job)| job.number);
	let jobs = found.into_iter().map(|(receipt, job)| JobShown::of(job, receipt, false));
	Ok(Json(JobPage { jobs: jobs.collect::<Result<_, _>>()?, next }))
}

/// Show a job; its output to those who have its access key.
#[utoipa::path(get, path = "/api/v1/jobs/{job}", tag = "jobs",
	params(("job" = String, Path, description = "The job's id")),
	responses((status = 200, body = JobShown), (status = 404, body = Fault)))]
pub async fn show(
	State(app): State<App>,
	headers: HeaderMap,
	Path(job): Path<String>,
) -> Result<Json<JobShown>, Refused> {
	let id = job_id(&job)?;
	let found =
		app.coordinator.read(move |db| Ok((rows::job(db, id)?, rows::receipt(db, id)?))).await?;
	let (Some(job), receipt) = found else {
		return Refused::err(FaultCode::UnknownJob, "no such job");
	};
	let token = bearer(&headers);
	let is_customer = app.front.as_ref().is_some_and(|front| {
		let customer = front.customer(token);
		customer.is_some_and(|customer| Some(customer.name) == job.customer)
	});
	let may_read = is_customer || job.access == sha2_256(token.as_bytes());
	Ok(Json(JobShown::of(job, receipt, may_read)?))
}

/// A cancelled job.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CancelAnswer {
	/// The job.
	pub job: JobShown,
	/// The coordinator's signature that lets the job go. The coordinator brings it to the chain
	/// itself; anybody else may.
	pub release: Hex64,
}

/// Take a job back that no miner has.
#[utoipa::path(post, path = "/api/v1/jobs/{job}/cancel", tag = "jobs",
	params(("job" = String, Path, description = "The job's id")),
	responses((status = 200, body = CancelAnswer), (status = "4XX", body = Fault)))]
pub async fn cancel(
	State(app): State<App>,
	headers: HeaderMap,
	Path(job): Path<String>,
) -> Result<Json<CancelAnswer>, Refused> {
	let id = job_id(&job)?;
	let job = app.coordinator.cancel(id, bearer(&headers)).await?;
	let payload = release_payload(&app.coordinator.genesis(), &id);
	let release = Hex64(app.coordinator.key.sign(&payload));
	Ok(Json(CancelAnswer { job: JobShown::of(job, None, false)?, release }))
}

/// Which receipt.
#[derive(Deserialize, IntoParams)]
pub struct ReceiptQuery {
	/// The job's id.
	job: Option<String>,
	/// Or the receipt's id.
	id: Option<String>,
}

/// A receipt with both signatures. `signed` is what `ComputeReceipts.claim_receipts` takes:
/// anybody can claim it, and anybody can check it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReceiptShown {
	/// The chain's genesis hash, which is part of what was signed.
	pub genesis: Hex32,
	/// The receipt's id.
	pub receipt_id: Hex32,
	/// The job.
	pub job: Hex32,
	/// The coordinator's key.
	pub coordinator: Hex32,
	/// The miner's key.
	pub miner: Hex32,
	/// Hash of the output's canonical JSON.
	pub output_hash: Hex32,
	/// Compute units.
	pub compute_units: u64,
	/// What the client pays.
	pub price: Amount,
	/// What it is paid in.
	pub asset: String,
	/// Nonce.
	pub nonce: u64,
	/// What was measured.
	pub telemetry: TelemetryShown,
	/// The miner's signature.
	pub miner_signature: Hex64,
	/// The coordinator's signature.
	pub coordinator_signature: Hex64,
	/// SCALE of the receipt.
	pub receipt: HexBytes,
	/// SCALE of the receipt with both signatures.
	pub signed: HexBytes,
	/// Where the money stands.
	pub settlement: Settlement,
	/// Why the chain refused it, or what happened at the last try.
	pub reason: Option<String>,
	/// The final block that settled it, if this coordinator's submission did.
	pub block: Option<Hex32>,
	/// When it was signed, UTC milliseconds.
	pub signed_ms: u64,
	/// When its fate was known here, UTC milliseconds.
	pub settled_ms: Option<u64>,
}

/// What was measured.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TelemetryShown {
	/// Tokens read.
	pub input_tokens: u32,
	/// Tokens made.
	pub output_tokens: u32,
	/// Milliseconds.
	pub duration_ms: u64,
	/// Megabytes of 10⁶ bytes.
	pub memory_mb: u32,
}

/// Show a signed receipt.
#[utoipa::path(get, path = "/attest/receipt", tag = "receipts", params(ReceiptQuery),
	responses((status = 200, body = ReceiptShown), (status = "4XX", body = Fault)))]
pub async fn receipt(
	State(app): State<App>,
	Query(query): Query<ReceiptQuery>,
) -> Result<Json<ReceiptShown>, Refused> {
	let (by_job, id) = match (query.job, query.id) {
		(Some(job), None) => (true, job_id(&job)?),
		(None, Some(id)) => (false, job_id(&id)?),
		_ => return Refused::err(FaultCode::BadRequest, "give ?job= or ?id="),
	};
	let found = app
		.coordinator
		.read(move |db| {
			let row = if by_job { rows::receipt(db, id)? } else { rows::receipt_by_id(db, id)? };
			let Some(row) = row else { return Ok(None) };
			let asset = rows::job(db, row.job)?.map(|job| job.asset).unwrap_or_default();
			Ok(Some((row, asset)))
		})
		.await?;
	let Some((row, asset)) = found else {
		return Refused::err(FaultCode::UnknownJob, "there is no receipt of that (yet)");
	};
	let broken = |_| Refused::new(FaultCode::Internal, "the receipt in the database is broken");
	let receipt = Receipt::decode_all(&mut &row.receipt[..]).map_err(broken)?;
	let ReceiptRow { miner_signature, coordinator_signature, .. } = row;
	let signed = SignedReceipt { receipt: receipt.clone(), miner_signature, coordinator_signature };
	let telemetry = receipt.telemetry;
	Ok(Json(ReceiptShown {
		genesis: app.coordinator.genesis().into(),
		receipt_id: row.id.into(),
		job: row.job.into(),
		coordinator: Hex32(app.coordinator.public()),
		miner: Hex32(receipt.miner),
		output_hash: receipt.output_hash.into(),
		compute_units: receipt.compute_units,
		price: Amount(receipt.price),
		asset,
		nonce: receipt.nonce,
		telemetry: TelemetryShown {
			input_tokens: telemetry.input_tokens,
			output_tokens: telemetry.output_tokens,
			duration_ms: telemetry.duration_ms,
			memory_mb: telemetry.memory_mb,
		},
		miner_signature: Hex64(miner_signature),
		coordinator_signature: Hex64(coordinator_signature),
		receipt: HexBytes(row.receipt),
		signed: HexBytes(signed.encode()),
		settlement: row.settlement,
		reason: row.reason,
		block: row.block.map(|block: H256| block.into()),
		signed_ms: row.signed_ms,
		settled_ms: row.settled_ms,
	}))
}
