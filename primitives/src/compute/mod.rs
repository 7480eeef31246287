//! Compute receipts: what is quoted, delivered, signed and refused.
//!
//! A coordinator signs a [`Quote`]; its client opens a job with it. The miner that did the work and
//! the coordinator that checked it both sign a [`Receipt`], which settles the job. Everything that
//! is signed is Ed25519 over SCALE of a tuple that begins with a tag and the genesis hash, checked
//! by [`crate::crypto::ed25519::verify`], so that a statement holds for one purpose on one chain.
//!
//! | statement | payload |
//! |---|---|
//! | quote | `("gridproof/quote/v1", genesis, quote)` |
//! | receipt | `("gridproof/receipt/v1", genesis, signer, receipt)` |
//! | registration | `("gridproof/registration/v1", genesis, role, account)` |
//! | heartbeat | `("gridproof/heartbeat/v1", genesis, heartbeat)` |
//! | assignment | `("gridproof/assignment/v1", genesis, signer, assignment)` |
//! | release | `("gridproof/release/v1", genesis, job_id)` |

pub mod emission;
// `as` is what the derived encoding of an enum with fields writes.
#[allow(clippy::cast_possible_truncation)]
mod evidence;
mod model;
mod parameters;
// `as` is what the derived encoding of an enum with fields writes.
#[allow(clippy::cast_possible_truncation)]
mod party;
mod quote;
mod receipt;
mod refusal;
pub mod score;
pub mod settlement;
mod statements;
mod views;

pub use evidence::{Evidence, EvidenceFault, OffenceKind, Proven, SignedBy};
pub use model::{DEFAULT_MODEL_FACTOR, MAX_MODEL_FACTOR, compute_units, model_factor};
pub use parameters::{ComputeParameterFault, ComputeParameters};
pub use party::PartyRole;
pub use quote::{Quote, QuoteFault, SignedQuote};
pub use receipt::{Receipt, SignedReceipt, Signer, Telemetry, receipt_payload};
pub use refusal::{JobTerms, ReceiptRefusal, check_receipt};
pub use statements::{
	Assignment, Heartbeat, Registration, SignedAssignment, SignedHeartbeat, release_payload,
};
pub use views::{
	Breaker, CoordinatorView, Earnings, JobState, JobView, MinerView, Overview, PartyView, Preview,
	ReceiptView, StepView,
};

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Most receipts that one `claim_receipts` carries.
pub const MAX_RECEIPTS_PER_CALL: u32 = 256;
/// Most heartbeats that one `heartbeats` carries.
pub const MAX_HEARTBEATS_PER_CALL: u32 = 128;
/// Most miners and coordinators that one `claim_emission` pays.
pub const MAX_PAYOUTS_PER_CALL: u32 = 128;
/// Most jobs that one `expire_jobs` closes or clears away.
pub const MAX_EXPIRIES_PER_CALL: u32 = 256;
/// How far a clock may be off, in milliseconds: heartbeats and working times allow for it.
pub const MAX_CLOCK_SKEW_MS: u64 = 60_000;

/// What a miner computes with. It weighs what the miner earns of the emission.
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
	/// `gpu` or `cpu`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Gpu => "gpu",
			Self::Cpu => "cpu",
		}
	}
}

/// What a job is paid in.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceAsset {
	/// The native token, in units of 10⁻¹⁸ AIT.
	#[codec(index = 0)]
	Ait,
	/// The stable token, in units of 10⁻⁶ AICP.
	#[codec(index = 1)]
	Aicp,
	/// What redeemed AICP is worth, in micro-EUR. Settling uses it up: nobody receives it, and
	/// miner and coordinator earn the emission only.
	#[codec(index = 2)]
	ServiceCredit,
}

impl PriceAsset {
	/// `ait`, `aicp` or `service_credit`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Ait => "ait",
			Self::Aicp => "aicp",
			Self::ServiceCredit => "service_credit",
		}
	}
}

#[cfg(test)]
mod tests;
