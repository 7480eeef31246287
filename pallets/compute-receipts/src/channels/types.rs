//! Types of channels that the pallet stores.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, pallet_prelude::ConstU32};
use gridproof_primitives::compute::{
	MAX_EXPIRIES_PER_CALL, PriceAsset,
	channels::{Channel, ChannelId},
};
use scale_info::TypeInfo;

/// Numbers of the channels whose rests one call returns.
pub type ChannelIds = BoundedVec<ChannelId, ConstU32<MAX_EXPIRIES_PER_CALL>>;

/// A channel with what is the chain's own.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChannelRow<AccountId> {
	/// Account that opened it, and to which the rest goes.
	pub client: AccountId,
	/// State by the rules of channels.
	pub channel: Channel,
	/// Deposit for the row, in 10⁻¹⁸ AIT.
	pub deposit: u128,
	/// What its daily limit counts for against the coordinator's bond, in 10⁻¹⁸ AIT; zero unless
	/// the coordinator keeps its key.
	pub kept_limit: u128,
	/// Time at which it was opened, in UTC milliseconds.
	pub opened_ms: u64,
	/// Time for which settlement had been stopped in all when its notice was last set, in
	/// milliseconds: what came since moves its end.
	pub stopped_ms: u64,
}

impl<AccountId> ChannelRow<AccountId> {
	/// Moves the end of a notice by as long as settlement has been stopped since it was set.
	/// `stopped_ms` is for how long it has been stopped in all.
	pub fn stand_still(&mut self, stopped_ms: u64) {
		let more = stopped_ms.saturating_sub(self.stopped_ms);
		self.channel = self.channel.stand_still(more);
		self.stopped_ms = stopped_ms;
	}
}

/// Number of channels, and what lies in them.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ChannelCounters {
	/// Number of channels ever opened, and the number of the newest one: they are counted from 1.
	pub opened: ChannelId,
	/// Number of channels in the state.
	pub open: u64,
	/// What is left of the deposits in AIT, in 10⁻¹⁸ AIT.
	pub left_ait: u128,
	/// What is left of the deposits in AICP, in micro-tokens.
	pub left_aicp: u128,
	/// Number of batches settled.
	pub batches: u64,
	/// Number of receipts settled by batches, or given up.
	pub receipts: u64,
}

impl ChannelCounters {
	/// Returns what is left of the deposits in an asset, for changing; `None` for service credit,
	/// in which there are no channels.
	pub const fn left_mut(&mut self, asset: PriceAsset) -> Option<&mut u128> {
		match asset {
			PriceAsset::Ait => Some(&mut self.left_ait),
			PriceAsset::Aicp => Some(&mut self.left_aicp),
			PriceAsset::ServiceCredit => None,
		}
	}
}
