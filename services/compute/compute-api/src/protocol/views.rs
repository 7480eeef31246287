//! What clients ask a coordinator for, and what it answers.

use super::{
	job::{JobSpec, Output},
	stage::{JobStage, Settlement},
	work::ClassName,
};
use gridproof_primitives::compute::PriceAsset;
use gridproof_support::text::{Amount, Hex32, Hex64, HexBytes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a coordinator is, offers and takes: `GET /api/v1/info`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CoordinatorInfo {
	/// The coordinator's key.
	pub coordinator: Hex32,
	/// The chain's genesis hash.
	pub genesis: Hex32,
	/// Models on offer.
	pub models: Vec<OfferedModel>,
	/// Price of one compute unit, by asset.
	pub unit_price: BTreeMap<String, Amount>,
	/// Miners that have a session.
	pub miners: Vec<MinerInfo>,
	/// Jobs by state.
	pub jobs: BTreeMap<String, u64>,
	/// Receipts by settlement.
	pub receipts: BTreeMap<String, u64>,
	/// `true` if it has a front for OpenAI's clients.
	pub front: bool,
	/// A batch of receipts of channels that the chain has refused permanently: until its operator has looked
	/// at it, no receipt of a channel is settled.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub refused_batch: Option<RefusedBatch>,
}

/// A batch that the chain has refused permanently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedBatch {
	/// Its sequence number.
	pub sequence: u64,
	/// Name of the rule that it breaks.
	pub reason: Option<String>,
	/// Since when its refusal is known, UTC milliseconds.
	pub since_ms: u64,
	/// What it means, and what its operator does.
	pub message: String,
}

/// A model on offer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OfferedModel {
	/// Name of the model, as a job asks for it.
	pub name: String,
	/// Compute units of a thousand tokens.
	pub model_factor: u32,
	/// Most tokens of an answer.
	pub max_tokens: u32,
	/// Its entry in the chain's registry; none if it is not there: work on it is private.
	#[serde(default)]
	pub registry: Option<RegistryEntry>,
}

/// A model's entry in the chain's registry. Only work on a model that is counted mints; other work is
/// private.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegistryEntry {
	/// Hash by which receipts name it.
	pub hash: Hex32,
	/// Whether its tokens count now.
	pub standing: ModelStanding,
	/// Since when that holds, with this factor; of an announced model from when on. UTC milliseconds.
	pub since_ms: u64,
	/// What is announced and holds later.
	pub next: Option<NextStanding>,
	/// When it retires or has retired, UTC milliseconds; none if it is not announced.
	pub retired_ms: Option<u64>,
	/// Most tokens of prompt and answer together.
	pub context: u32,
	/// `true` if it is the chain's default model.
	pub default: bool,
}

/// Whether tokens of a model count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelStanding {
	/// They will.
	Announced,
	/// They do.
	Counted,
	/// They do not until governance resumes.
	Stopped,
	/// They do not any more.
	Retired,
}

impl ModelStanding {
	/// Its name in JSON.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Announced => "announced",
			Self::Counted => "counted",
			Self::Stopped => "stopped",
			Self::Retired => "retired",
		}
	}
}

/// The standing of a model from an announced time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextStanding {
	/// Whether its tokens count then.
	pub standing: ModelStanding,
	/// From when on, UTC milliseconds.
	pub since_ms: u64,
	/// Compute units of a thousand tokens then; none if they do not count.
	pub model_factor: Option<u32>,
}

/// A miner that has a session.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MinerInfo {
	/// The miner's key, as registered on chain.
	pub miner: Hex32,
	/// Class of its hardware, as registered on chain.
	pub class: ClassName,
	/// Names of the models it serves.
	pub models: Vec<String>,
	/// Jobs it takes at a time.
	pub slots: u32,
	/// Jobs it has now.
	pub busy: u32,
	/// Its score on chain, 0 to 10,000, when it said hello.
	pub score: u32,
	/// When it was last heard of, UTC milliseconds.
	pub seen_ms: u64,
}

/// Asks for a quote: `POST /api/v1/quotes`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteRequest {
	/// The account that will pay.
	pub client: Hex32,
	/// What is to be done.
	pub spec: JobSpec,
	/// `ait`, `aicp` or `service_credit`.
	#[schema(value_type = String, pattern = "^(ait|aicp|service_credit)$")]
	pub asset: PriceAsset,
}

/// A quote. Open it on chain with `ComputeReceipts.open_job(quote, signature)`, then submit the
/// job with the quote: the coordinator keeps none.
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
	/// Most tokens of prompt and answer together, if the chain's registry has the model: a job whose prompt
	/// turns out to be longer ends without an answer, and its money comes back.
	#[serde(default)]
	pub context: Option<u32>,
	/// Until when it can be opened, UTC milliseconds.
	pub expiry_ms: u64,
	/// When the money comes back if there is no receipt, UTC milliseconds.
	pub deadline_ms: u64,
	/// Secret: submits the job and opens its output, as `Authorization: Bearer …`.
	pub access: String,
}

/// Submits a job that was opened on chain: `POST /api/v1/jobs`. The coordinator keeps no quotes, so
/// the one that it gave comes back with the job.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
	/// The job's id.
	pub job: Hex32,
	/// SCALE of the quote that it was opened with.
	pub quote: HexBytes,
	/// The coordinator's signature over the quote.
	pub signature: Hex64,
	/// What is to be done, as it was quoted.
	pub spec: JobSpec,
}

/// Where a job's receipt stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptBrief {
	/// The receipt's id.
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

/// A job as a coordinator shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobInfo {
	/// Its id on chain.
	pub job: Hex32,
	/// Its number at this coordinator.
	pub number: u64,
	/// Where it stands.
	pub state: JobStage,
	/// The account that pays.
	pub client: Hex32,
	/// Name of the model.
	pub model: String,
	/// What it is paid in: `ait`, `aicp` or `service_credit`.
	pub asset: String,
	/// The most that it costs.
	pub price: Amount,
	/// Most compute units.
	pub max_units: u64,
	/// `true` if the chain holds the price.
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

/// Jobs, the youngest first: `GET /api/v1/jobs`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobPage {
	/// The jobs of this page.
	pub jobs: Vec<JobInfo>,
	/// `before` of the next page, if there is one.
	pub next: Option<u64>,
}

/// A cancelled job.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CancelAnswer {
	/// The job as it is now.
	pub job: JobInfo,
	/// The coordinator's signature that lets the job go. The coordinator submits it to the chain;
	/// anybody else may.
	pub release: Hex64,
}

/// A receipt with both signatures: `GET /attest/receipt`. `signed` is what
/// `ComputeReceipts.claim_receipts` takes: anybody can claim it, and anybody can check it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReceiptInfo {
	/// The chain's genesis hash, which is part of what was signed.
	pub genesis: Hex32,
	/// The receipt's id.
	pub receipt_id: Hex32,
	/// The job's id.
	pub job: Hex32,
	/// The coordinator's key.
	pub coordinator: Hex32,
	/// The miner's key.
	pub miner: Hex32,
	/// SHA-256 of the output's canonical JSON.
	pub output_hash: Hex32,
	/// Compute units.
	pub compute_units: u64,
	/// What the client pays.
	pub price: Amount,
	/// What it is paid in: `ait`, `aicp` or `service_credit`.
	pub asset: String,
	/// The quote's nonce.
	pub nonce: u64,
	/// What was measured.
	pub telemetry: TelemetryInfo,
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
	/// When its fate was known to the coordinator, UTC milliseconds.
	pub settled_ms: Option<u64>,
}

/// What the miner measured.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TelemetryInfo {
	/// Tokens read.
	pub input_tokens: u32,
	/// Tokens made.
	pub output_tokens: u32,
	/// Time the work took, milliseconds.
	pub duration_ms: u64,
	/// Memory in use at its highest, megabytes of 10⁶ bytes.
	pub memory_mb: u32,
}
