//! What the chain shows of jobs, receipts, miners, coordinators and steps.

use super::{Class, PartyRole, PriceAsset};
use crate::{
	H256,
	compute::score::{Score, ScoreInputs},
	compute::settlement::Shares,
	crypto::ed25519::PublicKey,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Where a job stands. Only an open job can be settled, and it leaves that state once.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
	/// The client's price is held; a receipt can settle it.
	#[codec(index = 0)]
	Open,
	/// A receipt settled it.
	#[codec(index = 1)]
	Settled,
	/// The client cancelled it, or the coordinator let it go. All was returned.
	#[codec(index = 2)]
	Cancelled,
	/// Its deadline passed. All was returned.
	#[codec(index = 3)]
	Expired,
}

/// Emergency levels: each stops what the one before stops, and more. Refunds never stop.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breaker {
	/// Nothing is stopped.
	#[default]
	#[codec(index = 0)]
	Closed,
	/// Nothing is minted; what was earned stays and is paid later.
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
	/// The receipt's id.
	pub receipt_id: H256,
	/// The miner's key.
	pub miner: PublicKey,
	/// Compute units delivered.
	pub compute_units: u64,
	/// What the client paid, in the unit of the job's asset.
	pub price: u128,
	/// Weight in the emission step: units · class · score.
	pub weight: u128,
	/// The emission step.
	pub step: u64,
	/// When it was claimed, in UTC milliseconds.
	pub claimed_ms: u64,
}

/// A job.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct JobView {
	/// Its id.
	pub job_id: H256,
	/// The account that pays.
	pub client: [u8; 32],
	/// The coordinator's key.
	pub coordinator: PublicKey,
	/// What it is paid in.
	pub asset: PriceAsset,
	/// What is, or was, held for it.
	pub price: u128,
	/// The most compute units.
	pub max_units: u64,
	/// Factor of the model, in thousandths.
	pub model_factor: u32,
	/// When it was opened, in UTC milliseconds.
	pub opened_ms: u64,
	/// The receipt must be claimed before; a cancellation brings it forward.
	pub deadline_ms: u64,
	/// Has the client asked to cancel it?
	pub cancelling: bool,
	/// The one miner that can be paid, if there is one.
	pub miner: Option<PublicKey>,
	/// Number of the assignment on chain; 0 if there is none.
	pub attempt: u32,
	/// Where it stands. An open job whose deadline has passed is shown as expired.
	pub state: JobState,
	/// What settled it.
	pub receipt: Option<ReceiptView>,
}

/// What miners and coordinators have in common.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct PartyView {
	/// The key.
	pub key: PublicKey,
	/// What it is registered as.
	pub role: PartyRole,
	/// The account that bonds and is paid.
	pub account: [u8; 32],
	/// Its bond, in units of 10⁻¹⁸ AIT.
	pub bond: u128,
	/// When it was registered, in UTC milliseconds.
	pub since_ms: u64,
	/// From when on it can take its bond back, if it is leaving.
	pub leaving_ms: Option<u64>,
	/// Until when it is banned, if it is.
	pub banned_until_ms: Option<u64>,
	/// Its offences that count.
	pub offences: u32,
	/// What is to be slashed of its bond, in units of 10⁻¹⁸ AIT.
	pub pending_slash: u128,
	/// Jobs settled.
	pub settled: u64,
	/// Compute units delivered.
	pub compute_units: u64,
	/// AIT that can be paid out now, in units of 10⁻¹⁸ AIT.
	pub claimable: u128,
	/// Weight in steps that have not ended, and the step.
	pub pending: (u64, u128),
	/// AIT minted to it so far, in units of 10⁻¹⁸ AIT.
	pub minted: u128,
	/// Service credit that its jobs used up, in micro-EUR.
	pub credit: u128,
}

/// A miner.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct MinerView {
	/// What it has in common with coordinators.
	pub party: PartyView,
	/// Its class.
	pub class: Class,
	/// Its score as it is now, with the four parts, before offences.
	pub score: Score,
	/// What is left of the score after offences: this weighs its receipts in a step it has
	/// earned nothing in yet.
	pub effective_score: u32,
	/// What the score follows from.
	pub inputs: ScoreInputs,
	/// Jobs delivered within 24 hours.
	pub successes: u32,
	/// Jobs accepted and not delivered within 24 hours.
	pub failures: u32,
	/// Time online within 30 days, in milliseconds.
	pub online_ms: u64,
	/// Its last heartbeat, in UTC milliseconds; 0 if there was none.
	pub heartbeat_ms: u64,
}

/// A coordinator.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct CoordinatorView {
	/// What it has in common with miners.
	pub party: PartyView,
}

/// An emission step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct StepView {
	/// Its number.
	pub step: u64,
	/// When it begins, in UTC milliseconds.
	pub start_ms: u64,
	/// When it ends, in UTC milliseconds.
	pub end_ms: u64,
	/// The most that it may mint by the schedule, in units of 10⁻¹⁸ AIT.
	pub budget: u128,
	/// Σ units · class · score of its receipts.
	pub weight: u128,
	/// What that asks for, in units of 10⁻¹⁸ AIT.
	pub demand: u128,
	/// What it mints, or would if it ended now: the least of budget, demand and reserve.
	pub pool: u128,
	/// Has it ended, and been settled?
	pub closed: bool,
}

/// What a receipt pays.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Preview {
	/// The receipt's id.
	pub receipt_id: H256,
	/// What the price is in.
	pub asset: PriceAsset,
	/// Who gets what of the price.
	pub shares: Shares,
	/// What the client gets back.
	pub refund: u128,
	/// What it earns of the emission.
	pub earnings: Earnings,
}

/// What work earns of the emission, were the step to end now with nothing but this added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Earnings {
	/// The emission step.
	pub step: u64,
	/// Weight in it: units · class · score.
	pub weight: u128,
	/// Who would get what of it, in units of 10⁻¹⁸ AIT.
	pub minted: Shares,
}

/// How things stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Overview {
	/// The chain's time, in UTC milliseconds.
	pub now_ms: u64,
	/// What is stopped.
	pub breaker: Breaker,
	/// The running step.
	pub step: StepView,
	/// Coordinators registered.
	pub coordinators: u32,
	/// Miners registered.
	pub miners: u32,
	/// Jobs opened.
	pub jobs_opened: u64,
	/// Jobs open now.
	pub jobs_open: u64,
	/// Jobs settled: receipts.
	pub jobs_settled: u64,
	/// Jobs cancelled or let go.
	pub jobs_cancelled: u64,
	/// Jobs expired.
	pub jobs_expired: u64,
	/// Held for open jobs, in units of 10⁻¹⁸ AIT.
	pub escrow_ait: u128,
	/// Held for open jobs, in units of 10⁻⁶ AICP.
	pub escrow_aicp: u128,
	/// Held for open jobs, in micro-EUR of service credit.
	pub escrow_credit: u128,
	/// Compute units delivered.
	pub compute_units: u64,
	/// AIT minted, in units of 10⁻¹⁸ AIT.
	pub minted: u128,
	/// AIT earned and not paid out yet, in units of 10⁻¹⁸ AIT.
	pub promised: u128,
	/// AIT that can still be minted, in units of 10⁻¹⁸ AIT.
	pub reserve: u128,
}
