//! What demands and offences around channels leave in the state.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, pallet_prelude::ConstU32};
pub use gridproof_primitives::compute::channels::HEADERS_PER_MARK;
use gridproof_primitives::{
	H256,
	compute::channels::{
		BatchKind, ChannelId, ChannelOffence, ChannelReceipt, ChannelSums, Demanded,
		SettlementHeader, Wronged,
	},
	crypto::ed25519::PublicKey,
};
use scale_info::TypeInfo;

/// Highest number of open demands of one account to one coordinator.
pub const MAX_DEMANDS: u32 = 32;
/// Highest number of open demands to one coordinator of accounts that are neither the client nor the
/// miner of the receipt, all together.
pub const MAX_DEMANDS_OF_STRANGERS: u32 = 64;
/// Time after a receipt's own in which it can be demanded although its count is settled, in
/// milliseconds: a week. The coordinator proves it with a header that the chain still knows.
pub const DEMAND_WINDOW_MS: u64 = 7 * 86_400_000;
/// Time for which the chain remembers a header, in milliseconds: three weeks. A coordinator that settles a
/// receipt at most a week before its own time can answer for as long as it can be demanded.
pub const MARK_MEMORY_MS: u64 = 21 * 86_400_000;
/// Number of kinds of offences around channels.
pub const CHANNEL_OFFENCES: u32 = 10;

/// Headers that lead from one that the chain knows to that of a batch, the newest first.
pub type HeaderPath = BoundedVec<SettlementHeader, ConstU32<HEADERS_PER_MARK>>;

/// A receipt that somebody asks for.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Demand<AccountId> {
	/// Receipt with the running sums that the coordinator signed.
	pub receipt: ChannelReceipt,
	/// Account that asks, and paid the deposits.
	pub who: AccountId,
	/// Account of the coordinator.
	pub coordinator: AccountId,
	/// `true` if it counts among those of strangers.
	pub is_stranger: bool,
	/// What the coordinator has to show.
	pub demanded: Demanded,
	/// Deposit that pays the answer, in 10⁻¹⁸ AIT.
	pub deposit: u128,
	/// Deposit for the row, and for that of the offence if there is no answer, in 10⁻¹⁸ AIT.
	pub row_deposit: u128,
	/// Time at which it was made, in UTC milliseconds.
	pub made_ms: u64,
	/// Time until which it can be answered, in UTC milliseconds, unless settlement is stopped
	/// meanwhile.
	pub due_ms: u64,
	/// Time for which settlement had been stopped in all when it was made, in milliseconds.
	pub stopped_ms: u64,
}

impl<AccountId> Demand<AccountId> {
	/// Returns the time until which it can be answered, in UTC milliseconds: it moves by as long as
	/// settlement has been stopped since it was made. `stopped_ms` is for how long it has been
	/// stopped in all.
	pub const fn due(&self, stopped_ms: u64) -> u64 {
		self.due_ms.saturating_add(stopped_ms.saturating_sub(self.stopped_ms))
	}
}

/// Demands to one coordinator.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DemandCounts {
	/// Number that are open.
	pub open: u32,
	/// Number that are open of strangers.
	pub strangers: u32,
	/// Time at which one without an answer last counted as an offence, in UTC milliseconds; 0 if none
	/// did. Others that were open then are part of the same absence.
	pub absent_ms: u64,
	/// Most that miners still get back for that absence, in 10⁻¹⁸ AIT.
	pub absence_left: u128,
}

/// Kinds of offences that were proven about one voucher or header.
pub type KindsOf = BoundedVec<ChannelOffence, ConstU32<CHANNEL_OFFENCES>>;

/// What was proven about one voucher or header.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact<AccountId> {
	/// Kinds of the offences, each once.
	pub kinds: KindsOf,
	/// Given back to the client, in the smallest unit of the channel's asset.
	pub to_client: u128,
	/// Given back to the miner, in the same unit.
	pub to_miner: u128,
	/// Account that proved the first of them, and gets the deposit back.
	pub reporter: AccountId,
	/// Deposit for the row, in 10⁻¹⁸ AIT.
	pub deposit: u128,
}

impl<AccountId> Fact<AccountId> {
	/// Adds what was given back for it.
	pub(crate) fn add(&mut self, wronged: &Wronged, amount: u128) {
		let sum = match wronged {
			Wronged::Client(_) => &mut self.to_client,
			Wronged::Miner(_) => &mut self.to_miner,
			Wronged::Nobody => return,
		};
		*sum = sum.saturating_add(amount);
	}

	/// Returns what was given back for it to the wronged party, in the smallest unit of the asset.
	pub(crate) const fn given(&self, wronged: &Wronged) -> u128 {
		match wronged {
			Wronged::Client(_) => self.to_client,
			Wronged::Miner(_) => self.to_miner,
			Wronged::Nobody => 0,
		}
	}
}

/// What offences need to know of a channel, also once it has ended.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndedChannel<AccountId> {
	/// Account that opened it.
	pub client: AccountId,
	/// Key of its coordinator.
	pub coordinator: PublicKey,
	/// Asset and mode.
	pub kind: BatchKind,
	/// Sums up to which it was settled.
	pub settled: ChannelSums,
	/// Time at which it was opened, in UTC milliseconds.
	pub opened_ms: u64,
}

/// What is forgotten once its time has come.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forgotten {
	/// A channel that has ended, and what was proven about its vouchers.
	#[codec(index = 0)]
	Channel(ChannelId),
	/// What was proven about a header of this coordinator's key and sequence number.
	#[codec(index = 1)]
	Header(PublicKey, u64),
}

/// First and next number of a queue: equal if it is empty.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Queue {
	/// Number of the oldest entry.
	pub first: u64,
	/// Number of the next entry.
	pub next: u64,
}

/// A header that the chain remembers.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
	/// Hash of the header.
	pub hash: H256,
	/// Time of the block that took it, in UTC milliseconds.
	pub taken_ms: u64,
}
