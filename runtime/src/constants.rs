//! Units of money and time, and the limits of a block.

#![deny(missing_docs)]

use crate::{Balance, BlockNumber, Moment};
use frame_support::{
	parameter_types,
	weights::{Weight, constants::WEIGHT_REF_TIME_PER_MILLIS},
};
use frame_system::limits::{BlockLength, BlockWeights};
use sp_runtime::Perbill;

/// Units of AIT, AICP and KWH, and deposits.
pub mod currency {
	use super::Balance;

	pub use gridproof_primitives::num::units::{AIT, MICRO_AIT, MILLI_AIT};

	/// Existential deposit of an account: 10⁻⁶ AIT. The fee for creating an account, some 2,500
	/// times as much, prevents a flood of them.
	pub const EXISTENTIAL_DEPOSIT: Balance = MICRO_AIT;

	/// AIT at genesis. As many again can be minted by emission.
	pub const GENESIS_SUPPLY: Balance = 10_500_000 * AIT;

	/// Returns the deposit for `items` rows of `bytes` bytes together in the chain's state: 0.1 AIT
	/// per row and 1 milli-AIT per byte, returned when the row is removed.
	pub const fn deposit(items: u32, bytes: u32) -> Balance {
		items as Balance * 100 * MILLI_AIT + bytes as Balance * MILLI_AIT
	}
}

/// Times of the chain, in blocks of one second.
pub mod time {
	use super::{BlockNumber, Moment};

	/// Length of a slot, in milliseconds. Fixed at genesis: a chain that changes it stops.
	pub const SLOT_DURATION: Moment = 1_000;
	/// Blocks per minute.
	pub const MINUTES: BlockNumber = 60;
	/// Blocks per hour.
	pub const HOURS: BlockNumber = 60 * MINUTES;
	/// Blocks per day.
	pub const DAYS: BlockNumber = 24 * HOURS;
	/// Blocks per session: the shortest time for which a set of authorities stays the same.
	pub const SESSION: BlockNumber = 10 * MINUTES;
}

/// Half a slot of computation: the other half is for proposing, sending and importing the block.
pub const MAXIMUM_BLOCK_WEIGHT: Weight =
	Weight::from_parts(500 * WEIGHT_REF_TIME_PER_MILLIS, u64::MAX);

/// Share of a block for ordinary transactions; the rest is for operational ones.
pub const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);

/// Highest size of a block, in bytes.
pub const MAXIMUM_BLOCK_LENGTH: u32 = 5 * 1024 * 1024;

/// Number of block hashes that the chain remembers: more than an hour, which is also the longest
/// life of a mortal transaction.
pub const BLOCK_HASH_COUNT: BlockNumber = 4_096;

pub use gridproof_primitives::num::units::SS58_PREFIX;

/// Asset id of AICP.
pub const AICP: u32 = gridproof_primitives::num::units::AICP_ASSET_ID;
/// Asset id of KWH.
pub const KWH: u32 = gridproof_primitives::num::units::KWH_ASSET_ID;

parameter_types! {
	/// Limits of a block's computation.
	pub RuntimeBlockWeights: BlockWeights =
		BlockWeights::with_sensible_defaults(MAXIMUM_BLOCK_WEIGHT, NORMAL_DISPATCH_RATIO);
	/// Limits of a block's size.
	pub RuntimeBlockLength: BlockLength = BlockLength::builder()
		.max_length(MAXIMUM_BLOCK_LENGTH)
		.modify_max_length_for_class(frame_support::dispatch::DispatchClass::Normal, |max| {
			*max = NORMAL_DISPATCH_RATIO * MAXIMUM_BLOCK_LENGTH
		})
		.build();
}
