//! What the chain says about itself after a block.

use gridproof_chain::{HoldReason, pallets::AccountId};
use gridproof_primitives::{H256, time::day::Day};
use gridproof_primitives::{
	compute::{
		Overview as Work, PriceAsset,
		channels::{ChannelId, ChannelSums, HeaderChain},
	},
	crypto::ed25519::PublicKey,
	energy::Overview as Energy,
	reserve::state::Status,
};
use std::collections::BTreeMap;

/// What is on hold of accounts, in units of 10⁻¹⁸ AIT.
pub type Holds = BTreeMap<(AccountId, HoldReason), u128>;
/// Channels by their numbers; none for one that is gone.
pub type Channels = BTreeMap<ChannelId, Option<ChannelState>>;
/// What the chain keeps of coordinators' batches.
pub type Headers = BTreeMap<PublicKey, HeaderChain>;

/// What a channel has and has paid, in its asset's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelState {
	/// Everything that was ever deposited.
	pub deposited: u128,
	/// Sums of all settled receipts.
	pub settled: ChannelSums,
}

/// Figures of the reserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserve {
	/// Today, by the chain's calendar.
	pub today: Day,
	/// What can be minted now, in micro-tokens.
	pub allowance: u128,
	/// Minted today, in micro-tokens.
	pub minted_today: u128,
	/// `true` while something stops the mint.
	pub is_stopped: bool,
	/// Credit that waits in the queue, in micro-EUR.
	pub waiting: u128,
	/// Issuance at genesis, in micro-tokens.
	pub genesis: u128,
	/// Minted since, in micro-tokens.
	pub minted: u128,
	/// Burned by redemptions, in micro-tokens.
	pub burned: u128,
	/// Credit promised by redemptions, in micro-EUR.
	pub credited: u128,
	/// Credit spent, in micro-EUR.
	pub spent: u128,
}

impl From<&Status> for Reserve {
	fn from(status: &Status) -> Self {
		use gridproof_primitives::reserve::state::Breaker;
		Self {
			today: status.today,
			allowance: status.allowance,
			minted_today: status.minted,
			is_stopped: status.breaker != Breaker::Closed || status.stopped_by_role,
			waiting: status.waiting,
			genesis: status.totals.genesis,
			minted: status.totals.minted,
			burned: status.totals.burned,
			credited: status.totals.credited,
			spent: status.totals.spent,
		}
	}
}

/// What the chain says after a block. What the block's events do not name of holds, channels and headers is
/// not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
	/// Height of the block.
	pub block: u64,
	/// Hash of the block.
	pub hash: H256,
	/// How much there is of AIT, AICP and KWH.
	pub supplies: [u128; 3],
	/// Totals of the work.
	pub work: Work,
	/// Totals of the energy.
	pub energy: Energy,
	/// Figures of the reserve.
	pub reserve: Reserve,
	/// What is on hold of the accounts that events name.
	pub holds: Holds,
	/// `true` if `holds` has every account's.
	pub has_all_holds: bool,
	/// The channels that events name, before the block.
	pub channels_before: Channels,
	/// The same after it.
	pub channels: Channels,
	/// What is kept of the batches of coordinators that events name.
	pub headers: Headers,
	/// What the jobs were paid in and for how much that ended in the block, in the order of events.
	pub ended: Vec<Option<(PriceAsset, u128)>>,
}
