//! Which receipts settle a job: every rule except the signatures, as a pure function.

use super::{JobState, MAX_CLOCK_SKEW_MS, Quote, Receipt, compute_units};
use crate::crypto::ed25519::PublicKey;
use codec::{Decode, DecodeAll, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// Reason why a receipt is refused, one for each rule. Variants are only ever added at the end.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReceiptRefusal {
	/// The breaker has stopped settlement.
	#[codec(index = 0)]
	Stopped,
	/// No job with this id is in the state.
	#[codec(index = 1)]
	UnknownJob,
	/// The job is already settled.
	#[codec(index = 2)]
	AlreadySettled,
	/// The job was cancelled or released.
	#[codec(index = 3)]
	Cancelled,
	/// The job's deadline has passed.
	#[codec(index = 4)]
	Expired,
	/// Another receipt of the same call is about the same job.
	#[codec(index = 5)]
	Repeated,
	/// The job's quote or assignment names another miner.
	#[codec(index = 6)]
	NotAssigned,
	/// The receipt states no compute units.
	#[codec(index = 7)]
	ZeroUnits,
	/// The receipt states more compute units than the quote allows.
	#[codec(index = 8)]
	UnitsAboveQuote,
	/// The receipt states more compute units than its tokens amount to.
	#[codec(index = 9)]
	UnitsAboveTokens,
	/// The receipt's price is above the amount held.
	#[codec(index = 10)]
	PriceAboveEscrow,
	/// The work took no time, or longer than the job has been open.
	#[codec(index = 11)]
	ImplausibleDuration,
	/// The miner is not registered.
	#[codec(index = 12)]
	UnknownMiner,
	/// The miner is banned.
	#[codec(index = 13)]
	MinerBanned,
	/// The miner's bond is below half of the required amount.
	#[codec(index = 14)]
	MinerUnderbonded,
	/// The coordinator is not registered.
	#[codec(index = 15)]
	UnknownCoordinator,
	/// The coordinator is banned.
	#[codec(index = 16)]
	CoordinatorBanned,
	/// The coordinator's bond is below half of the required amount.
	#[codec(index = 17)]
	CoordinatorUnderbonded,
	/// The signature is not the miner's of this receipt for this chain.
	#[codec(index = 18)]
	BadMinerSignature,
	/// The signature is not the coordinator's of this receipt for this chain.
	#[codec(index = 19)]
	BadCoordinatorSignature,
	/// The miner was leaving when the job was opened.
	#[codec(index = 20)]
	MinerLeaving,
}

impl ReceiptRefusal {
	/// Returns the refusal's number, which a refused transaction carries.
	pub fn code(&self) -> u8 {
		self.using_encoded(|bytes| bytes.first().copied().unwrap_or(u8::MAX))
	}

	/// Returns the refusal with that number.
	pub fn from_code(code: u8) -> Option<Self> {
		Self::decode_all(&mut &[code][..]).ok()
	}

	/// Returns `true` if the very same receipt can settle its job later, when only time and the
	/// chain's state change. That holds for what governance, a bond or the end of a ban can change,
	/// and for a job that a recent block does not have yet. Programs that submit receipts ask this
	/// and nothing else: a receipt that is refused permanently is never paid.
	pub const fn is_temporary(self) -> bool {
		match self {
			Self::Stopped
			| Self::UnknownJob
			| Self::MinerBanned
			| Self::MinerUnderbonded
			| Self::MinerLeaving
			| Self::CoordinatorBanned
			| Self::CoordinatorUnderbonded => true,
			Self::AlreadySettled
			| Self::Cancelled
			| Self::Expired
			| Self::Repeated
			| Self::NotAssigned
			| Self::ZeroUnits
			| Self::UnitsAboveQuote
			| Self::UnitsAboveTokens
			| Self::PriceAboveEscrow
			| Self::ImplausibleDuration
			| Self::UnknownMiner
			| Self::UnknownCoordinator
			| Self::BadMinerSignature
			| Self::BadCoordinatorSignature => false,
		}
	}

	/// Returns the refusal's name in error codes, such as `already_settled`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Stopped => "stopped",
			Self::UnknownJob => "unknown_job",
			Self::AlreadySettled => "already_settled",
			Self::Cancelled => "cancelled",
			Self::Expired => "expired",
			Self::Repeated => "repeated",
			Self::NotAssigned => "not_assigned",
			Self::ZeroUnits => "zero_units",
			Self::UnitsAboveQuote => "units_above_quote",
			Self::UnitsAboveTokens => "units_above_tokens",
			Self::PriceAboveEscrow => "price_above_escrow",
			Self::ImplausibleDuration => "implausible_duration",
			Self::UnknownMiner => "unknown_miner",
			Self::MinerBanned => "miner_banned",
			Self::MinerUnderbonded => "miner_underbonded",
			Self::UnknownCoordinator => "unknown_coordinator",
			Self::CoordinatorBanned => "coordinator_banned",
			Self::CoordinatorUnderbonded => "coordinator_underbonded",
			Self::BadMinerSignature => "bad_miner_signature",
			Self::BadCoordinatorSignature => "bad_coordinator_signature",
			Self::MinerLeaving => "miner_leaving",
		}
	}
}

impl fmt::Display for ReceiptRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Stopped => "settlement is stopped: wait until governance resumes it",
			Self::UnknownJob => "no such job: open it first",
			Self::AlreadySettled => "the job is already settled",
			Self::Cancelled => "the job was cancelled",
			Self::Expired => "the job's deadline has passed",
			Self::Repeated => "another receipt of this call is about the same job",
			Self::NotAssigned => "another miner is assigned to the job",
			Self::ZeroUnits => "the receipt states no compute units",
			Self::UnitsAboveQuote => "the receipt states more compute units than the quote allows",
			Self::UnitsAboveTokens => {
				"the receipt states more compute units than its tokens amount to"
			},
			Self::PriceAboveEscrow => "the price is above the amount held for the job",
			Self::ImplausibleDuration => "the work cannot have taken that long, or no time at all",
			Self::UnknownMiner => "the miner is not registered",
			Self::MinerBanned => "the miner is banned",
			Self::MinerUnderbonded => "the miner's bond is too small: raise it",
			Self::MinerLeaving => {
				"the miner was leaving when the job was opened: it may take that back"
			},
			Self::UnknownCoordinator => "the coordinator is not registered",
			Self::CoordinatorBanned => "the coordinator is banned",
			Self::CoordinatorUnderbonded => "the coordinator's bond is too small: raise it",
			Self::BadMinerSignature => "not the miner's signature of this receipt on this chain",
			Self::BadCoordinatorSignature => {
				"not the coordinator's signature of this receipt on this chain"
			},
		})
	}
}

impl core::error::Error for ReceiptRefusal {}

/// Terms that a job's receipt must keep.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobTerms {
	/// Amount held of the client's, in the smallest unit of the job's asset.
	pub price: u128,
	/// Highest number of compute units.
	pub max_units: u64,
	/// Factor of the model, in thousandths.
	pub model_factor: u32,
	/// Time at which the job was opened, in UTC milliseconds.
	pub opened_ms: u64,
	/// Time before which the receipt must be claimed, in UTC milliseconds.
	pub deadline_ms: u64,
	/// Key of the only miner that can be paid; `None` if any can.
	pub miner: Option<PublicKey>,
}

impl JobTerms {
	/// Returns the terms of a job opened with `quote` at `now`, in UTC milliseconds.
	pub const fn of(quote: &Quote, now: u64) -> Self {
		Self {
			price: quote.price,
			max_units: quote.max_units,
			model_factor: quote.model_factor,
			opened_ms: now,
			deadline_ms: quote.deadline_ms,
			miner: quote.miner,
		}
	}
}

/// Checks a receipt against its job: all rules except registration and signatures.
///
/// `now` is the chain's time in UTC milliseconds.
///
/// # Errors
/// The refusal of the first rule that the receipt breaks.
pub fn check_receipt(
	state: JobState,
	terms: &JobTerms,
	receipt: &Receipt,
	now: u64,
) -> Result<(), ReceiptRefusal> {
	use ReceiptRefusal as Refusal;
	let require = |holds: bool, refusal| if holds { Ok(()) } else { Err(refusal) };
	match state {
		JobState::Open => {},
		JobState::Settled => return Err(Refusal::AlreadySettled),
		JobState::Cancelled => return Err(Refusal::Cancelled),
		JobState::Expired => return Err(Refusal::Expired),
	}
	require(now < terms.deadline_ms, Refusal::Expired)?;
	require(terms.miner.is_none_or(|miner| miner == receipt.miner), Refusal::NotAssigned)?;
	require(receipt.compute_units > 0, Refusal::ZeroUnits)?;
	require(receipt.compute_units <= terms.max_units, Refusal::UnitsAboveQuote)?;
	let made = compute_units(receipt.telemetry.tokens(), terms.model_factor);
	require(receipt.compute_units <= made, Refusal::UnitsAboveTokens)?;
	require(receipt.price <= terms.price, Refusal::PriceAboveEscrow)?;
	let longest = now.saturating_sub(terms.opened_ms).saturating_add(MAX_CLOCK_SKEW_MS);
	let duration = receipt.telemetry.duration_ms;
	require(duration > 0 && duration <= longest, Refusal::ImplausibleDuration)
}
