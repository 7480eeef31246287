//! Meters, and batches of their readings.

pub mod call;
pub mod event;
pub mod query;
mod refusal;

pub use refusal::Refusal;

use crate::pallets::AccountId;
use codec::{Decode, Encode};
use gridproof_primitives::{
	energy::{BatchLimits, BatchRefusal, MeterInfo, Organisation, meter_day_wh},
	time::day::Day,
};
use std::fmt;

/// The pallet's name.
pub(crate) const PALLET: &str = "MeterReadings";

/// A meter of this chain.
pub type Meter = MeterInfo<AccountId>;
/// An organisation of electricians of this chain.
pub type Electricians = Organisation<AccountId, u128>;

/// What governance decided.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
	/// The most that a block mints, in Wh.
	pub block_wh: u64,
	/// The most that a day of UTC mints, in Wh.
	pub day_wh: u64,
	/// The most that the meters of one organisation mint in a day of UTC, in Wh.
	pub organisation_day_wh: u64,
	/// The highest rated power of a meter that is certified, in W.
	pub max_rated_power_w: u32,
	/// How long before its certification service may begin, in milliseconds.
	pub max_backdate_ms: u64,
	/// The rules of a batch.
	pub batch: BatchLimits,
}

/// What was minted lately.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
	/// Number of the last block that minted.
	pub block: u32,
	/// What it minted, in Wh.
	pub block_wh: u64,
	/// The highest limit while it did, in Wh.
	pub block_limit_wh: u64,
	/// The last day of UTC that minted.
	pub day: Day,
	/// What it minted, in Wh.
	pub day_wh: u64,
	/// The highest limit while it did, in Wh.
	pub day_limit_wh: u64,
}

impl Limits {
	/// The most energy of one batch of a meter that can ever be minted, in Wh.
	pub fn batch_wh(&self, rated_power_w: u32) -> u64 {
		let meter_wh = meter_day_wh(rated_power_w, self.batch.tolerance_ppt);
		self.block_wh.min(self.day_wh).min(self.organisation_day_wh).min(meter_wh)
	}
}

/// The rule that a batch in a refused transaction breaks, without the figures of a
/// [`BatchRefusal`]: those are what `query::preview_batches` is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchCode(u8);

impl BatchCode {
	/// The rule of this number; `None` if there is no such rule.
	pub(crate) const fn new(code: u8) -> Option<Self> {
		match BatchRefusal::from_code(code) {
			Some(_) => Some(Self(code)),
			None => None,
		}
	}

	/// Is it the rule of this refusal?
	pub const fn is(self, refusal: &BatchRefusal) -> bool {
		self.0 == refusal.code()
	}

	/// Can the very same batch be accepted later, when nothing changes but time and the state of
	/// the chain?
	pub const fn is_temporary(self) -> bool {
		match BatchRefusal::from_code(self.0) {
			Some(refusal) => refusal.is_temporary(),
			None => false,
		}
	}
}

impl fmt::Display for BatchCode {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		write!(f, "a batch is refused: {}", BatchRefusal::name_of(self.0).unwrap_or_default())
	}
}

impl std::error::Error for BatchCode {}
