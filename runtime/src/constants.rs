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

	/// The least an account must hold to exist: 10⁻⁶ AIT. What stops a flood of accounts is the
	/// fee of creating one, some 2,500 times as much.
	pub const EXISTENTIAL_DEPOSIT: Balance = MICRO_AIT;

	/// AIT that exist from genesis. As many again can be mined.
	pub const GENESIS_SUPPLY: Balance = 10_500_000 * AIT;

	/// The deposit for `items` rows of `bytes` bytes together in the chain's state: 0.1 AIT a row
	/// and 1 milli-AIT a byte, returned when the row goes.
	pub const fn deposit(items: u32, bytes: u32) -> Balance {
		items as Balance * 100 * MILLI_AIT + bytes as Balance * MILLI_AIT
	}
}

/// The rhythm of the chain.
pub mod time {
	use super::{BlockNumber, Moment};

	/// Milliseconds a slot. Chosen at genesis: a chain that changes it stops.
	pub const SLOT_DURATION: Moment = 1_000;
	/// Blocks a minute.
	pub const MINUTES: BlockNumber = 60;
	/// Blocks an hour.
	pub const HOURS: BlockNumber = 60 * MINUTES;
	/// Blocks a day.
	pub const DAYS: BlockNumber = 24 * HOURS;
	/// Blocks a session: how long a set of authorities stays as it is at the least.
	pub const SESSION: BlockNumber = 10 * MINUTES;
}

/// Half a slot of computation: the rest is for proposing, sending and importing the block.
pub const MAXIMUM_BLOCK_WEIGHT: Weight =
	Weight::from_parts(500 * WEIGHT_REF_TIME_PER_MILLIS, u64::MAX);

/// The share of a block for ordinary transactions; what remains is for operational ones.
pub const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);

/// The size of a block in bytes.
pub const MAXIMUM_BLOCK_LENGTH: u32 = 5 * 1024 * 1024;

/// How many block hashes the chain remembers: more than an hour, which is also the longest life
/// of a mortal transaction.
pub const BLOCK_HASH_COUNT: BlockNumber = 4_096;

pub use gridproof_primitives::num::units::SS58_PREFIX;

/// The asset id of AICP.
pub const AICP: u32 = gridproof_primitives::num::units::AICP_ASSET_ID;
/// The asset id of KWH.
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
