//! Answers of the chain about jobs, receipts, miners, coordinators and steps.

use super::{Class, JobModel, PartyRole, PriceAsset};
use crate::{
	H256,
	compute::score::{Score, ScoreInputs},
	compute::settlement::Shares,
	crypto::ed25519::PublicKey,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// State of a job. Only an open job can be settled, and it leaves that state once.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
	/// The client's money is held; a receipt can settle the job.
	#[codec(index = 0)]
	Open,
	/// A receipt has settled the job.
	#[codec(index = 1)]
	Settled,
	/// The client cancelled the job, or the coordinator released it. Everything was returned.
	#[codec(index = 2)]
	Cancelled,
	/// The deadline has passed. Everything was returned.
	#[codec(index = 3)]
	Expired,
}

/// Levels of the emergency breaker: each stops what the one before stops, and more. Refunds never
/// stop; while settlement is stopped, the deadlines of jobs stand still.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breaker {
	/// Nothing is stopped.
	#[default]
	#[codec(index = 0)]
	Closed,
	/// Nothing is minted, and receipts earn nothing of the emission; what was earned before is paid
	/// later.
	#[codec(index = 1)]
	MintStopped,
	/// Nothing is minted, and no job is opened or settled.
	#[codec(index = 2)]
	AllStopped,
}

/// A receipt that settled a job.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReceiptView {
	/// Id of the receipt: hash of what the miner signed.
	pub receipt_id: H256,
	/// Key of the miner.
	pub miner: PublicKey,
	/// Compute units delivered.
	pub compute_units: u64,
	/// Price that the client paid, in the smallest unit of the job's asset.
	pub price: u128,
	/// Claim on the emission step, in units of 10⁻¹⁸ AIT: the most that the receipt mints.
	pub claim: u128,
	/// Number of the emission step.
	pub step: u64,
	/// Time at which it was claimed, in UTC milliseconds.
	pub claimed_ms: u64,
}

/// A job, as the chain stores it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct JobView {
	/// Id of the job: hash of the coordinator's quote for this chain.
	pub job_id: H256,
	/// Account that pays for it.
	pub client: [u8; 32],
	/// Key of its coordinator.
	pub coordinator: PublicKey,
	/// Asset in which it is paid.
	pub asset: PriceAsset,
	/// Price that is, or was, held for it, in the asset's smallest unit.
	pub price: u128,
	/// Highest number of compute units.
	pub max_units: u64,
	/// Factor of the model, in thousandths.
	pub model_factor: u32,
	/// What decides whether its receipt mints.
	pub model: JobModel,
	/// `true` if it would by what the registry remembers.
	pub counts: bool,
	/// Time at which it was opened, in UTC milliseconds.
	pub opened_ms: u64,
	/// Time before which the receipt must be claimed, in UTC milliseconds; a cancellation moves it
	/// forward.
	pub deadline_ms: u64,
	/// `true` if the client is cancelling it.
	pub cancelling: bool,
	/// Key of the only miner that can be paid; `None` if any can.
	pub miner: Option<PublicKey>,
	/// Number of the assignment on chain; 0 if there is none.
	pub attempt: u32,
	/// State of the job. An open job whose deadline has passed is shown as expired.
	pub state: JobState,
	/// Receipt that settled it.
	pub receipt: Option<ReceiptView>,
}

/// Facts about a miner or a coordinator.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct PartyView {
	/// Ed25519 public key.
	pub key: PublicKey,
	/// Role of the key: coordinator, or miner of a class.
	pub role: PartyRole,
	/// Account that pays the bond and is paid.
	pub account: [u8; 32],
	/// Bond held, in units of 10⁻¹⁸ AIT.
	pub bond: u128,
	/// Time of its registration, in UTC milliseconds.
	pub since_ms: u64,
	/// Time from which the bond can be withdrawn, in UTC milliseconds; `None` if it is not leaving.
	pub leaving_ms: Option<u64>,
	/// Time until which it is banned, in UTC milliseconds; `None` if it is not.
	pub banned_until_ms: Option<u64>,
	/// Number of its offences that count now.
	pub offences: u32,
	/// Amount that will be slashed of its bond, in units of 10⁻¹⁸ AIT.
	pub pending_slash: u128,
	/// Number of jobs settled.
	pub settled: u64,
	/// Compute units delivered.
	pub compute_units: u64,
	/// AIT that can be claimed now, in units of 10⁻¹⁸ AIT.
	pub claimable: u128,
	/// Number of the running step, and the sum of the claims of the party's receipts in it, in
	/// units of 10⁻¹⁸ AIT.
	pub pending: (u64, u128),
	/// AIT minted to it so far, in units of 10⁻¹⁸ AIT.
	pub minted: u128,
	/// Service credit that its jobs have spent, in micro-EUR.
	pub credit: u128,
}

/// A miner with its score and the measurements behind it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct MinerView {
	/// Facts that coordinators have too.
	pub party: PartyView,
	/// Class of its hardware.
	pub class: Class,
	/// Present score with its four parts, before offences.
	pub score: Score,
	/// Score after offences, 0 … 10,000: it weighs the miner's receipts in a step in which it has
	/// earned nothing yet.
	pub effective_score: u32,
	/// Measurements from which the score is computed.
	pub inputs: ScoreInputs,
	/// Number of jobs delivered within 24 hours.
	pub successes: u32,
	/// Number of jobs accepted and not delivered within 24 hours.
	pub failures: u32,
	/// Time online within 30 days, in milliseconds.
	pub online_ms: u64,
	/// Time of its last heartbeat, in UTC milliseconds; 0 if there was none.
	pub heartbeat_ms: u64,
}

/// A coordinator, as the chain stores it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct CoordinatorView {
	/// Facts that miners have too.
	pub party: PartyView,
	/// `true` if governance has admitted it: only then can jobs be opened with its quotes.
	pub admitted: bool,
}

/// An emission step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct StepView {
	/// Number of the step, from 0.
	pub step: u64,
	/// Begin of the step, in UTC milliseconds.
	pub start_ms: u64,
	/// End of the step, in UTC milliseconds.
	pub end_ms: u64,
	/// Highest amount that it may mint by the schedule, in units of 10⁻¹⁸ AIT.
	pub budget: u128,
	/// Sum of the claims of its receipts, in units of 10⁻¹⁸ AIT.
	pub claims: u128,
	/// Amount that it mints, or would if it ended now, in units of 10⁻¹⁸ AIT: the lowest of budget,
	/// claims and reserve.
	pub pool: u128,
	/// `true` if it has ended and its pool is fixed.
	pub closed: bool,
}

/// What a receipt would pay and earn if it were claimed now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Preview {
	/// Id of the receipt: hash of what the miner signed.
	pub receipt_id: H256,
	/// Asset of the price.
	pub asset: PriceAsset,
	/// Shares of the price, in the asset's smallest unit.
	pub shares: Shares,
	/// Amount that the client gets back, in the asset's smallest unit.
	pub refund: u128,
	/// What the receipt earns of the emission.
	pub earnings: Earnings,
}

/// What work earns of the emission if the step ended now with only this work added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Earnings {
	/// Number of the emission step.
	pub step: u64,
	/// Claim that the work adds to it, in units of 10⁻¹⁸ AIT: the most that it mints.
	pub claim: u128,
	/// Parts of the emission, in units of 10⁻¹⁸ AIT.
	pub minted: Shares,
}

/// Totals of the network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Overview {
	/// Time of the chain, in UTC milliseconds.
	pub now_ms: u64,
	/// Level of the breaker.
	pub breaker: Breaker,
	/// The running emission step.
	pub step: StepView,
	/// Number of coordinators registered.
	pub coordinators: u32,
	/// Number of miners registered.
	pub miners: u32,
	/// Number of jobs opened since genesis.
	pub jobs_opened: u64,
	/// Number of jobs open now.
	pub jobs_open: u64,
	/// Number of jobs settled, each by one receipt.
	pub jobs_settled: u64,
	/// Number of jobs cancelled or released.
	pub jobs_cancelled: u64,
	/// Number of jobs expired.
	pub jobs_expired: u64,
	/// Prices held for open jobs in AIT, in units of 10⁻¹⁸ AIT.
	pub escrow_ait: u128,
	/// Prices held for open jobs in AICP, in micro-tokens.
	pub escrow_aicp: u128,
	/// Prices held for open jobs in service credit, in micro-EUR.
	pub escrow_credit: u128,
	/// Compute units delivered since genesis.
	pub compute_units: u64,
	/// AIT minted, in units of 10⁻¹⁸ AIT.
	pub minted: u128,
	/// AIT earned and not paid out yet, in units of 10⁻¹⁸ AIT.
	pub promised: u128,
	/// AIT that can still be minted, in units of 10⁻¹⁸ AIT.
	pub reserve: u128,
}
