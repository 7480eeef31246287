//! Compute receipts: what is quoted, delivered, signed and refused.
//!
//! A coordinator signs a [`Quote`]; its client opens a job with it. The miner that did the work and
//! the coordinator that checked it both sign a [`Receipt`], which settles the job. Every signature
//! is Ed25519 over the SCALE encoding of a tuple that begins with a tag and the genesis hash,
//! verified by [`crate::crypto::ed25519::verify`], so a statement is valid for one purpose on one
//! chain.
//!
//! | statement | payload |
//! |---|---|
//! | quote | `("gridproof/quote/v2", genesis, quote)`; one that names no model: `("gridproof/quote/v1", genesis, …)` |
//! | receipt | `("gridproof/receipt/v1", genesis, signer, receipt)` |
//! | registration | `("gridproof/registration/v1", genesis, role, account)` |
//! | heartbeat | `("gridproof/heartbeat/v1", genesis, heartbeat)` |
//! | assignment | `("gridproof/assignment/v1", genesis, signer, assignment)` |
//! | release | `("gridproof/release/v1", genesis, job_id)` |
//!
//! [`channels`] has the other way to pay: vouchers, receipts with running sums, settlement batches.
//! [`registry`] has the models that count, by hash. [`checks`] has what waits until it could be checked.

pub mod channels;
pub mod checks;
pub mod emission;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod evidence;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod job_model;
mod model;
mod parameters;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod party;
mod quote;
mod rate;
mod receipt;
mod refusal;
pub mod registry;
pub mod score;
pub mod settlement;
mod statements;
mod views;

pub use evidence::{Evidence, EvidenceError, OffenceKind, Proven, SignedBy};
pub use job_model::JobModel;
pub use model::{DEFAULT_MODEL_FACTOR, MAX_MODEL_FACTOR, compute_units, model_factor};
pub use parameters::{ComputeParameterError, ComputeParameters, MIN_NOTICE_MS};
pub use party::PartyRole;
pub use quote::{Quote, QuoteError, SignedQuote};
pub use rate::{AitPerAicp, ReferenceRate, counted, drawn_worth};
pub use receipt::{
	MAX_MADE_PER_MS, MAX_MEMORY_MB, MAX_READ_PER_MS, Receipt, SignedReceipt, Signer, Telemetry,
	receipt_payload,
};
pub use refusal::{JobTerms, ReceiptRefusal, check_receipt};
pub use statements::{
	Assignment, Heartbeat, Registration, SignedAssignment, SignedHeartbeat, may_replace,
	release_payload,
};
pub use views::{
	Breaker, CoordinatorView, Earnings, JobState, JobView, MinerView, Overview, PartyView, Preview,
	ReceiptView, StepView,
};

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Highest number of receipts in one `claim_receipts`.
pub const MAX_RECEIPTS_PER_CALL: u32 = 256;
/// Number of assignments of a job that can be recorded free of charge; one that answers a
/// cancellation always can.
pub const FREE_ASSIGNMENTS: u32 = 3;
/// Shortest time between two assignments of a job that are free of charge, in milliseconds.
pub const ASSIGNMENT_GAP_MS: u64 = 10_000;
/// Time between the wish to exchange a party's key and the exchange, in which its account can keep
/// the old one, in milliseconds: a day.
pub const KEY_EXCHANGE_MS: u64 = 86_400_000;
/// Highest number of heartbeats in one `heartbeats`.
pub const MAX_HEARTBEATS_PER_CALL: u32 = 128;
/// Highest number of miners and coordinators that one `claim_emission` pays.
pub const MAX_PAYOUTS_PER_CALL: u32 = 128;
/// Highest number of jobs that one `expire_jobs` closes or removes.
pub const MAX_EXPIRIES_PER_CALL: u32 = 256;
/// Highest difference between a clock and the chain's time, in milliseconds; heartbeats and working
/// times allow for it.
pub const MAX_CLOCK_SKEW_MS: u64 = 60_000;

/// Hardware that a miner computes with. It weighs the miner's part of the emission.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
	/// A graphics processor or another accelerator.
	#[codec(index = 0)]
	Gpu,
	/// An ordinary processor.
	#[codec(index = 1)]
	Cpu,
}

impl Class {
	/// Returns `gpu` or `cpu`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Gpu => "gpu",
			Self::Cpu => "cpu",
		}
	}
}

/// Asset in which a job is paid, and so the unit of its price.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceAsset {
	/// AIT, in units of 10⁻¹⁸ AIT.
	#[codec(index = 0)]
	Ait,
	/// AICP, in micro-tokens (10⁻⁶ AICP).
	#[codec(index = 1)]
	Aicp,
	/// Service credit, in micro-EUR: what redeemed AICP is worth. Settling spends it: nobody
	/// receives it, and it mints nothing.
	#[codec(index = 2)]
	ServiceCredit,
}

impl PriceAsset {
	/// Returns `ait`, `aicp` or `service_credit`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Ait => "ait",
			Self::Aicp => "aicp",
			Self::ServiceCredit => "service_credit",
		}
	}
}

#[cfg(test)]
mod coalitions;
#[cfg(test)]
mod tests;
