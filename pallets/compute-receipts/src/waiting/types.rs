//! Types of what waits.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, pallet_prelude::ConstU32};
use gridproof_primitives::{
	H256,
	compute::{
		PriceAsset,
		channels::{
			BatchKind, BatchSums, GivenUp, MAX_LINES, MinerLine, MinerSums, SettlementHeader,
		},
		checks::{BatchId, MAX_HOLD_MS, MAX_RELEASES, PaidByChannel, Part},
		settlement::{Shares, Split},
	},
	crypto::ed25519::PublicKey,
};
use scale_info::TypeInfo;

/// Parts that one call releases.
pub type Parts = BoundedVec<Part, ConstU32<MAX_RELEASES>>;

/// Disputes that hold a part.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Hold {
	/// Number of them.
	pub open: u32,
	/// Time until which they hold it, in milliseconds of the clock that stands still while settlement
	/// is stopped.
	pub until_ms: u64,
}

/// Holds of a party's bond by disputes.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BondHold {
	/// Number of holds of the party's parts.
	pub open: u32,
	/// Time until which they hold the bond at most, in UTC milliseconds.
	pub until_ms: u64,
}

/// What is taken of a party: everything of batches before these numbers.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Taken {
	/// Number of the first batch whose pay is not taken.
	pub pay_before: u64,
	/// Number of the first batch whose claims are not taken.
	pub mint_before: u64,
}

/// How far the clocks of both windows have come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Clocks {
	/// Time without that in which settlement was stopped, in milliseconds.
	pub(crate) pay: u64,
	/// Time without that in which settlement was stopped or verifiers were missing, in milliseconds.
	pub(crate) mint: u64,
}

/// A settled batch of which something waits.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingBatch<AccountId> {
	/// Hash of its header.
	pub header_hash: H256,
	/// Root of the tree of its receipts.
	pub receipts: H256,
	/// Asset and mode.
	pub kind: BatchKind,
	/// Sums over all of its receipts.
	pub sums: BatchSums,
	/// How prices were divided when it was settled.
	pub split: Split,
	/// What its price is worth to who draws, in 10⁻¹⁸ AIT.
	pub worth: u128,
	/// What its lines can claim together, in 10⁻¹⁸ AIT.
	pub bound: u128,
	/// Key under which the coordinator was registered.
	pub key: PublicKey,
	/// The coordinator's account.
	pub account: AccountId,
	/// The coordinator's pay that waits, in the smallest unit of the asset.
	pub pay: u128,
	/// The coordinator's claims that wait, those of its lines' rows together, in 10⁻¹⁸ AIT.
	pub claims: u128,
	/// Number of lines whose rows are in the state.
	pub lines: u32,
	/// What goes back to the clients, each by what it paid, in the smallest unit of the asset.
	pub back: u128,
	/// What of it has gone back.
	pub returned: u128,
	/// Number of the batch among all that were settled, from 0.
	pub number: u64,
	/// Number of the block that settled it.
	pub block: u32,
	/// Time at which it was settled, in UTC milliseconds.
	pub settled_ms: u64,
	/// Its window, in milliseconds.
	pub window_ms: u64,
	/// When it was settled by the clock of pay, in milliseconds.
	pub pay_from_ms: u64,
	/// The same by that of the mint.
	pub mint_from_ms: u64,
	/// Disputes that hold the coordinator's part.
	pub hold: Hold,
}

impl<AccountId> WaitingBatch<AccountId> {
	/// Returns `true` once the window of pay is over.
	pub(crate) const fn is_pay_over(&self, clocks: &Clocks) -> bool {
		clocks.pay.saturating_sub(self.pay_from_ms) >= self.window_ms
	}

	/// Returns `true` once the window of the mint is over.
	pub(crate) const fn is_mint_over(&self, clocks: &Clocks) -> bool {
		clocks.mint.saturating_sub(self.mint_from_ms) >= self.window_ms
	}

	/// Returns the end of the window of pay, in UTC milliseconds, as it is at `now`.
	pub(crate) const fn pay_due_ms(&self, now: u64, clocks: &Clocks) -> u64 {
		let end = self.pay_from_ms.saturating_add(self.window_ms);
		end.saturating_add(now.saturating_sub(clocks.pay))
	}

	/// Returns the end of the window of the mint, in UTC milliseconds, as it is at `now`.
	pub(crate) const fn mint_due_ms(&self, now: u64, clocks: &Clocks) -> u64 {
		let end = self.mint_from_ms.saturating_add(self.window_ms);
		end.saturating_add(now.saturating_sub(clocks.mint))
	}

	/// Returns `true` while a dispute holds pay.
	pub(crate) const fn holds_pay(&self, hold: &Hold, clocks: &Clocks) -> bool {
		let end = self.pay_from_ms.saturating_add(self.window_ms).saturating_add(MAX_HOLD_MS);
		holds(hold, clocks) && clocks.pay < end
	}

	/// Returns the shares of a price that waited, by the division at settlement.
	pub(crate) fn shares(&self, price: u128) -> Shares {
		self.split.divide(price)
	}

	/// Returns `true` if nothing of it waits, except what goes back to clients.
	pub(crate) const fn is_done(&self) -> bool {
		self.lines == 0 && self.pay == 0
	}
}

/// Returns `true` while a dispute holds the mint.
pub(crate) const fn holds(hold: &Hold, clocks: &Clocks) -> bool {
	hold.open > 0 && clocks.pay < hold.until_ms
}

/// A miner's line of which something waits.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingLine<AccountId> {
	/// The line as it was settled.
	pub line: MinerLine,
	/// Receipts, price and weight that are paid: the line's without what was given up of it.
	pub paid: MinerSums,
	/// Sum of the prices of the batch's lines before this one.
	pub before: u128,
	/// Key under which the miner was registered.
	pub key: PublicKey,
	/// The miner's account.
	pub account: AccountId,
	/// The miner's pay that waits, in the smallest unit of the asset.
	pub pay: u128,
	/// Most that the line can claim, by price, weight and score at settlement, in 10⁻¹⁸ AIT.
	pub bound: u128,
	/// Part of `bound` that was lost with receipts before the miner signed, in 10⁻¹⁸ AIT.
	pub lost: u128,
	/// `true` if the miner has signed it.
	pub is_signed: bool,
	/// Step in which it claims.
	pub step: u64,
	/// What it claimed when it was signed, in 10⁻¹⁸ AIT.
	pub claimed: u128,
	/// The miner's claim that waits, in 10⁻¹⁸ AIT.
	pub claim: u128,
	/// The coordinator's claim that waits, in 10⁻¹⁸ AIT.
	pub coordinator_claim: u128,
	/// Disputes that hold the miner's part.
	pub hold: Hold,
}

impl<AccountId> WaitingLine<AccountId> {
	/// Returns the line without what was given up of it, for what depends on differences alone.
	pub(crate) fn paid_line(&self) -> MinerLine {
		MinerLine { miner: self.line.miner, from: MinerSums::default(), to: self.paid }
	}
}

/// What is read of a batch only if something of it was taken or is looked for.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WaitingList {
	/// What each channel paid, by rising number.
	pub channels: BoundedVec<PaidByChannel, ConstU32<MAX_LINES>>,
	/// What the batch gave up.
	pub given_up: BoundedVec<GivenUp, ConstU32<MAX_LINES>>,
}

/// What waits, all rows together.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WaitingSums {
	/// In AIT, in 10⁻¹⁸ AIT.
	pub ait: u128,
	/// In AICP, in micro-tokens.
	pub aicp: u128,
}

impl WaitingSums {
	/// Returns what waits in an asset, for changing; `None` for service credit.
	pub const fn of_mut(&mut self, asset: PriceAsset) -> Option<&mut u128> {
		match asset {
			PriceAsset::Ait => Some(&mut self.ait),
			PriceAsset::Aicp => Some(&mut self.aicp),
			PriceAsset::ServiceCredit => None,
		}
	}
}

/// What the treasury received of prices on one day, and what of it was paid for checks of that day.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FundDay {
	/// Day, counted from 1970.
	pub day: u64,
	/// Received, in 10⁻¹⁸ AIT.
	pub received: u128,
	/// Paid, in 10⁻¹⁸ AIT.
	pub paid: u128,
}

/// Returns how a batch is named.
pub(crate) const fn batch_id(header: &SettlementHeader) -> BatchId {
	BatchId { coordinator: header.coordinator, sequence: header.sequence }
}
