//! Tariffs: what is sold as a plan. A price for a period, and a limit of tokens for each day.

use crate::{
	compute::{PriceAsset, emission::share_of},
	num::units::AIT,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Longest period of a tariff, in days.
pub const MAX_TARIFF_DAYS: u32 = 366;

/// Tiers that AICoin promises: name, price of a period in units of 10⁻¹⁸ AIT, tokens a day. The
/// length of the period is the coordinator's offer.
pub const TIERS: [(&str, u128, u64); 3] =
	[("basic", AIT, 10_000), ("standard", 5 * AIT, 100_000), ("premium", 20 * AIT, 1_000_000)];

/// Price and daily limit of a channel for a period. A token costs the period's price divided by its
/// tokens; what is not used goes back at the end, or on into the next period.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tariff {
	/// Asset in which the period is paid.
	pub asset: PriceAsset,
	/// Price of all tokens of the period, in the asset's smallest unit, at least 1.
	pub price: u128,
	/// Number of tokens for each day, at least 1.
	pub tokens_per_day: u64,
	/// Length of the period in days, 1 to [`MAX_TARIFF_DAYS`].
	pub days: u32,
}

/// Reason why a tariff is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TariffRefusal {
	/// Price, tokens or days are zero, or there are too many of them.
	Terms,
}

impl fmt::Display for TariffRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Terms => write!(
				f,
				"a tariff needs a price, tokens for each day, and 1 to {MAX_TARIFF_DAYS} days"
			),
		}
	}
}

impl core::error::Error for TariffRefusal {}

impl Tariff {
	/// Checks price, tokens and days.
	///
	/// # Errors
	/// [`TariffRefusal::Terms`].
	pub fn check(&self) -> Result<(), TariffRefusal> {
		let days = (1..=MAX_TARIFF_DAYS).contains(&self.days);
		let fits = self.tokens_per_day.checked_mul(self.days.into()).is_some_and(|all| all > 0);
		if self.price > 0 && days && fits { Ok(()) } else { Err(TariffRefusal::Terms) }
	}

	/// Returns the number of tokens of the period.
	pub fn tokens(&self) -> u64 {
		self.tokens_per_day.saturating_mul(self.days.into())
	}

	/// Returns what the first `used` tokens of the period cost together, in the asset's smallest
	/// unit: ⌈price · used / tokens⌉, at most the price of the period.
	pub fn price_of(&self, used: u64) -> u128 {
		let tokens = self.tokens();
		let left = tokens.saturating_sub(used);
		self.price.saturating_sub(share_of(self.price, left.into(), tokens.into()))
	}

	/// Returns the price of `tokens` more after the first `used` ones. The prices of any division
	/// into requests add up to what all of them cost together.
	pub fn price_between(&self, used: u64, tokens: u64) -> u128 {
		self.price_of(used.saturating_add(tokens)).saturating_sub(self.price_of(used))
	}
}

/// One period of a tariff.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TariffPeriod {
	/// Terms.
	pub tariff: Tariff,
	/// Begin of the period, in UTC milliseconds.
	pub start_ms: u64,
	/// Length of a day, in milliseconds; 86,400,000 except on chains for demonstrations.
	pub day_ms: u64,
}

impl TariffPeriod {
	/// Returns the end of the period, in UTC milliseconds.
	pub fn end_ms(&self) -> u64 {
		let length = self.day_ms.saturating_mul(self.tariff.days.into());
		self.start_ms.saturating_add(length)
	}
}
