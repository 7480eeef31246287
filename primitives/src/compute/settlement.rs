//! Division of what is paid or minted among miner, coordinator and treasury.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::Weight;

use crate::{compute::emission::share_of, crypto::ed25519::PublicKey};

/// One, in parts per million.
pub(crate) const MILLION: u32 = 1_000_000;

/// Division of a price or a mint: treasury and coordinator receive their parts, the miner the rest.
/// Coordinator and miner together are the node.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Split {
	/// Part of the treasury, in parts per million.
	pub treasury: u32,
	/// Part of the coordinator, in parts per million.
	pub coordinator: u32,
}

impl Split {
	/// Default for prices and for what is minted: treasury 20 %, coordinator 5 %, miner 75 %.
	pub const DEFAULT: Self = Self { treasury: 200_000, coordinator: 50_000 };
	/// Everything goes to the miner.
	pub const NOTHING: Self = Self { treasury: 0, coordinator: 0 };

	/// Returns `true` if the parts add up to at most the whole.
	pub const fn is_valid(&self) -> bool {
		self.treasury.saturating_add(self.coordinator) <= MILLION
	}

	/// Divides an amount: the treasury receives its part rounded up, the coordinator its part
	/// rounded down, the miner what is left, so that the three always add up to the amount.
	///
	/// Parts above the whole, which [`Self::is_valid`] refuses, are cut, the coordinator's first.
	pub fn divide(&self, amount: u128) -> Shares {
		let part = |parts: u32| share_of(amount, parts.into(), MILLION.into());
		let rest = part(MILLION.saturating_sub(self.treasury));
		let treasury = amount.saturating_sub(rest);
		let coordinator = part(self.coordinator).min(rest);
		Shares { treasury, coordinator, miner: rest.saturating_sub(coordinator) }
	}
}

/// Shares of an amount, all in its unit.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Shares {
	/// Share of the treasury.
	pub treasury: u128,
	/// Share of the coordinator.
	pub coordinator: u128,
	/// Share of the miner.
	pub miner: u128,
}

impl Shares {
	/// Returns the sum of all shares.
	pub const fn total(&self) -> u128 {
		self.treasury.saturating_add(self.coordinator).saturating_add(self.miner)
	}

	/// Returns the shares of a claim among all claims: each ⌊share · part / whole⌋.
	pub fn pro_rata(&self, part: u128, whole: u128) -> Self {
		let of = |share: u128| share_of(share, part.min(whole), whole);
		Self {
			treasury: of(self.treasury),
			coordinator: of(self.coordinator),
			miner: of(self.miner),
		}
	}
}

/// Receives a note of settled work, to choose miners or coordinators by it.
pub trait WorkRecorder {
	/// Records that a miner delivered that many compute units in a job of a coordinator.
	fn record(miner: &PublicKey, coordinator: &PublicKey, compute_units: u64);

	/// Returns the weight of one [`Self::record`].
	fn weight() -> Weight;
}

/// Records nothing.
impl WorkRecorder for () {
	fn record(_: &PublicKey, _: &PublicKey, _: u64) {}

	fn weight() -> Weight {
		Weight::zero()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn the_treasury_gets_a_fifth_the_coordinator_a_twentieth_the_miner_the_rest() {
		let shares = Split::DEFAULT.divide(1_000);
		assert_eq!(shares, Shares { treasury: 200, coordinator: 50, miner: 750 });
		// What cannot be divided rounds up for the treasury and down for the coordinator.
		let shares = Split::DEFAULT.divide(99);
		assert_eq!(shares, Shares { treasury: 20, coordinator: 4, miner: 75 });
		let shares = Split::DEFAULT.divide(1);
		assert_eq!(shares, Shares { treasury: 1, ..Default::default() });
		assert_eq!(Split::DEFAULT.divide(0), Shares::default());
		assert_eq!(Split::NOTHING.divide(7), Shares { miner: 7, ..Default::default() });
	}

	#[test]
	fn a_split_above_the_whole_is_not_valid_and_gives_no_more_than_the_whole() {
		assert!(Split { treasury: 1_000_000, coordinator: 0 }.is_valid());
		assert!(Split { treasury: 0, coordinator: 1_000_000 }.is_valid());
		assert!(!Split { treasury: 1_000_000, coordinator: 1 }.is_valid());
		assert!(!Split { treasury: u32::MAX, coordinator: u32::MAX }.is_valid());
		let shares = Split { treasury: 600_000, coordinator: 600_000 }.divide(100);
		assert_eq!(shares, Shares { treasury: 60, coordinator: 40, miner: 0 });
	}

	proptest! {
		#[test]
		fn the_shares_add_up_to_the_amount(
			treasury in any::<u32>(),
			coordinator in any::<u32>(),
			amount in any::<u128>(),
		) {
			let shares = Split { treasury, coordinator }.divide(amount);
			let sum = shares.treasury.checked_add(shares.coordinator);
			prop_assert_eq!(sum.and_then(|sum| sum.checked_add(shares.miner)), Some(amount));
		}

		#[test]
		fn only_the_treasurys_part_rounds_up(amount in 0u128..1 << 100) {
			let shares = Split::DEFAULT.divide(amount);
			prop_assert!(shares.treasury * 5 >= amount && shares.treasury * 5 < amount + 5);
			prop_assert!(shares.coordinator * 20 <= amount);
			prop_assert!((shares.miner + shares.coordinator) * 5 <= amount * 4);
		}
	}
}
