//! What a price in AICP counts for in the emission.

use super::PriceAsset;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use primitive_types::U256;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Units of 10⁻¹⁸ AIT in a millionth of an AIT, the power of ten between the units of AIT and AICP.
const AIT_OVER_AICP: u64 = 1_000_000_000_000;

/// Rate between two tokens, as an exact fraction: so many AIT for so many AICP.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AitPerAicp {
	/// Number of AIT, at least 1.
	pub ait: u64,
	/// Number of AICP, at least 1.
	pub aicp: u64,
}

impl AitPerAicp {
	/// Returns `true` if both numbers are at least 1.
	pub const fn is_valid(&self) -> bool {
		self.ait > 0 && self.aicp > 0
	}

	/// Returns `true` if an AICP is worth less by this rate than by the other.
	pub fn is_below(&self, other: &Self) -> bool {
		let product = |a: u64, b: u64| u128::from(a).saturating_mul(b.into());
		product(self.ait, other.aicp) < product(other.ait, self.aicp)
	}

	/// Returns what an amount in micro-tokens of AICP is worth by this rate, in units of 10⁻¹⁸ AIT, rounded
	/// down: what draws count.
	pub fn worth(&self, amount: u128) -> u128 {
		// 128 + 40 + 64 bits.
		let worth =
			U256::from(amount).saturating_mul(AIT_OVER_AICP.into()).saturating_mul(self.ait.into());
		let worth = worth.checked_div(self.aicp.into());
		u128::try_from(worth.unwrap_or_default()).unwrap_or(u128::MAX)
	}

	/// Returns half of what an amount in micro-tokens of AICP is worth by this rate, in units of
	/// 10⁻¹⁸ AIT, rounded down. It is a cap and no price: a rate up to twice the true one counts
	/// for no more than the AICP are worth.
	pub fn counted(&self, amount: u128) -> u128 {
		// 128 + 40 + 64 bits.
		let worth =
			U256::from(amount).saturating_mul(AIT_OVER_AICP.into()).saturating_mul(self.ait.into());
		let half = worth.checked_div(U256::from(self.aicp).saturating_mul(2u8.into()));
		u128::try_from(half.unwrap_or_default()).unwrap_or(u128::MAX)
	}
}

/// A rate that governance has stated.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReferenceRate {
	/// Rate that was stated.
	pub rate: AitPerAicp,
	/// Time at which governance stated it, in UTC milliseconds; lowering it in an emergency does
	/// not change it.
	pub stated_ms: u64,
}

impl ReferenceRate {
	/// Returns the rate if it still counts at `now`, in UTC milliseconds, for rates that count for
	/// `valid_ms` milliseconds.
	pub const fn at(&self, now: u64, valid_ms: u64) -> Option<AitPerAicp> {
		if now.saturating_sub(self.stated_ms) < valid_ms { Some(self.rate) } else { None }
	}
}

/// Returns what an amount that the treasury received in an asset counts for, in units of 10⁻¹⁸ AIT:
/// AIT in full, AICP at half of the rate that governance stated, service credit nothing, because
/// nobody receives it.
pub fn counted(asset: PriceAsset, amount: u128, rate: Option<&AitPerAicp>) -> u128 {
	match asset {
		PriceAsset::Ait => amount,
		PriceAsset::Aicp => rate.map_or(0, |rate| rate.counted(amount)),
		PriceAsset::ServiceCredit => 0,
	}
}

/// Returns what an amount in an asset is worth to who draws checks, in units of 10⁻¹⁸ AIT: AIT in full, AICP
/// by the whole of the rate that governance stated last, whether or not it still counts for the mint, and one
/// to one where none ever was stated. Pay in AICP is real without a rate, so it is checked without one; and
/// what halves or lowers a mint must not thin its checks.
pub fn drawn_worth(asset: PriceAsset, amount: u128, stated: Option<&AitPerAicp>) -> u128 {
	const EVEN: AitPerAicp = AitPerAicp { ait: 1, aicp: 1 };
	match asset {
		PriceAsset::Ait => amount,
		PriceAsset::Aicp => stated.unwrap_or(&EVEN).worth(amount),
		PriceAsset::ServiceCredit => 0,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::num::units::{AICP, AIT};

	/// 3 AIT for 2 AICP.
	const RATE: AitPerAicp = AitPerAicp { ait: 3, aicp: 2 };

	#[test]
	fn an_aicp_counts_for_half_of_the_stated_rate() {
		assert_eq!(RATE.counted(4 * AICP), 3 * AIT);
		assert_eq!(RATE.counted(1), 750_000_000_000);
		assert_eq!(AitPerAicp { ait: 1, aicp: u64::MAX }.counted(10), 0);
		assert_eq!(RATE.counted(u128::MAX), u128::MAX);
		assert_eq!(AitPerAicp { ait: u64::MAX, aicp: 1 }.counted(u128::MAX), u128::MAX);
		assert_eq!(AitPerAicp { ait: 1, aicp: 0 }.counted(1), 0);
	}

	#[test]
	fn draws_count_aicp_by_the_whole_of_a_rate_and_without_one() {
		assert_eq!(drawn_worth(PriceAsset::Ait, 7, None), 7);
		assert_eq!(drawn_worth(PriceAsset::Aicp, 4 * AICP, Some(&RATE)), 6 * AIT);
		assert_eq!(drawn_worth(PriceAsset::Aicp, 4 * AICP, None), 4 * AIT);
		assert_eq!(drawn_worth(PriceAsset::ServiceCredit, 7, Some(&RATE)), 0);
		let least = AitPerAicp { ait: 1, aicp: u64::MAX };
		assert_eq!(drawn_worth(PriceAsset::Aicp, u128::MAX, Some(&RATE)), u128::MAX);
		assert_eq!(drawn_worth(PriceAsset::Aicp, 10, Some(&least)), 0);
	}

	#[test]
	fn ait_counts_in_full_and_credit_not_at_all() {
		assert_eq!(counted(PriceAsset::Ait, 7, None), 7);
		assert_eq!(counted(PriceAsset::Aicp, 7, None), 0);
		assert_eq!(counted(PriceAsset::Aicp, 4, Some(&RATE)), 3_000_000_000_000);
		assert_eq!(counted(PriceAsset::ServiceCredit, 7, Some(&RATE)), 0);
	}

	#[test]
	fn a_rate_counts_until_the_last_millisecond_of_its_time() {
		let stated = ReferenceRate { rate: RATE, stated_ms: 1_000 };
		assert_eq!(stated.at(1_000, 500), Some(RATE));
		assert_eq!(stated.at(1_499, 500), Some(RATE));
		assert_eq!(stated.at(1_500, 500), None);
	}

	#[test]
	fn rates_compare_as_fractions() {
		let other = |ait, aicp| AitPerAicp { ait, aicp };
		assert!(other(4, 3).is_below(&RATE));
		assert!(!other(6, 4).is_below(&RATE));
		assert!(!other(5, 3).is_below(&RATE));
		assert!(other(1, u64::MAX).is_below(&other(u64::MAX, 1)));
		assert!(!other(0, 1).is_valid() && !other(1, 0).is_valid() && RATE.is_valid());
	}
}
