//! Pay and mint that wait for the check window, as who checks them sees them.
//!
//! While a check window is set, a settled batch pays the treasury's share alone. The shares of miners
//! and coordinator stay in the account of the pallet that settles, and the claims of its lines count
//! in their step without being paid. [`Waiting`] shows what can still be checked and takes from it;
//! [`Fund`] pays who checks. Both are implemented by the pallet that settles (`compute-receipts`), and
//! used by the one that checks.
//!
//! # Parts
//!
//! Of each batch the [`Part`] of the coordinator and that of each miner wait, and are held and taken
//! apart from each other:
//!
//! | part | pay | mint |
//! |---|---|---|
//! | a miner's | its share of its line's price | its line's claim |
//! | the coordinator's | its share of all lines' prices | the claims of all lines |
//!
//! # Clocks
//!
//! The window of pay stands still while settlement is stopped, and that of the mint besides while
//! [`Waiting::set_mint_still`] says so. Times with `due` in their name are those of now: they move on
//! as long as a window stands still.
//!
//! # Draw
//!
//! A point in 0 … [`Checkable::sums`]`.price` leads to one receipt: to the line with
//! `before <= point < before + price`, and in it to the receipt whose running sum of prices is the
//! first above [`CheckableLine::place`]. Ranges that the batch gave up are places without a receipt
//! that could be opened: [`Waiting::given_up`].

use crate::{
	H256,
	compute::{
		PriceAsset,
		channels::{BatchKind, BatchSums, ChannelId, MinerLine},
	},
	crypto::ed25519::PublicKey,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

const DAY_MS: u64 = 86_400_000;
/// Check window of a chain with real days, in milliseconds: six hours.
pub const DEFAULT_WINDOW_MS: u64 = DAY_MS / 4;
/// Longest check window, in milliseconds: a week.
pub const MAX_WINDOW_MS: u64 = 7 * DAY_MS;
/// Longest time after the end of its window for which a part can be held, in milliseconds: five days.
pub const MAX_HOLD_MS: u64 = 5 * DAY_MS;

/// Highest number of parts that one `release_waiting` releases.
pub const MAX_RELEASES: u32 = 128;

/// Names a settled batch. No two batches have the same.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchId {
	/// Key of the coordinator that signed its header.
	pub coordinator: PublicKey,
	/// Sequence number of its header.
	pub sequence: u64,
}

/// What waits of one party from one batch.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
	/// The coordinator's.
	#[codec(index = 0)]
	Coordinator(BatchId),
	/// That of the miner whose line names this key.
	#[codec(index = 1)]
	Miner(BatchId, PublicKey),
}

impl Part {
	/// Returns the batch.
	pub const fn batch(&self) -> &BatchId {
		match self {
			Self::Coordinator(batch) | Self::Miner(batch, _) => batch,
		}
	}
}

/// A settled batch of which something still waits.
#[derive(Encode, Decode, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkable {
	/// Hash of its header.
	pub header_hash: H256,
	/// Root of the tree of its receipts.
	pub receipts: H256,
	/// Asset and mode of every receipt. Private ones are never opened, and have no claim.
	pub kind: BatchKind,
	/// Number of receipts, sum of their prices in the smallest unit of the asset, and of their
	/// weights: with what the batch gave up.
	pub sums: BatchSums,
	/// What the price is worth to who draws, in units of 10⁻¹⁸ AIT: AICP by the whole of the rate that
	/// governance stated last before the settlement, see
	/// [`drawn_worth`](crate::compute::drawn_worth).
	pub worth: u128,
	/// Sum of what its lines can claim, in units of 10⁻¹⁸ AIT, as if every miner had signed: a
	/// signature that comes later does not change it, so a draw can rely on it.
	pub claim: u128,
	/// Number of lines of miners that still wait.
	pub lines: u32,
	/// Key under which the coordinator was registered at settlement.
	pub registered: PublicKey,
	/// Number of the block that settled it.
	pub block: u32,
	/// Time at which it was settled, in UTC milliseconds.
	pub settled_ms: u64,
	/// End of the window of its pay, in UTC milliseconds.
	pub pay_due_ms: u64,
	/// End of the window of its mint, in UTC milliseconds: no earlier than that of its pay.
	pub mint_due_ms: u64,
}

/// A miner's line of which something still waits. It names no model: each receipt does.
#[derive(Encode, Decode, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct CheckableLine {
	/// The line as it was settled, with what the batch gave up of it.
	pub line: MinerLine,
	/// Sum of the prices of the batch's lines before this one, in their order.
	pub before: u128,
	/// Key under which the miner was registered at settlement.
	pub registered: PublicKey,
	/// `true` if the miner has signed it, so that it claims.
	pub is_signed: bool,
	/// The miner's pay that waits, in the smallest unit of the asset.
	pub pay: u128,
	/// The miner's claim that waits, in units of 10⁻¹⁸ AIT.
	pub claim: u128,
	/// `true` while a dispute holds the miner's part.
	pub is_held: bool,
}

impl CheckableLine {
	/// Returns the place in the miner's running sum of prices to which a point of the batch leads, in
	/// the smallest unit of the asset; `None` if the point is in another line. Its receipt is the one
	/// with the sum `s` and the price `p` for which `s - p <= place < s`.
	pub fn place(&self, point: u128) -> Option<u128> {
		let within = point.checked_sub(self.before)?;
		let is_here = within < self.line.price()?;
		self.line.from.price.checked_add(within).filter(|_| is_here)
	}
}

/// What one channel paid in a batch.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PaidByChannel {
	/// Number of the channel.
	pub channel: ChannelId,
	/// Price of its receipts, in the smallest unit of the asset.
	pub price: u128,
	/// What went back to its client of what the batch's miners and coordinator lost, in the same unit.
	pub returned: u128,
}

/// A part that waits, as it is shown to whom it belongs: what, until when and why.
#[derive(Encode, Decode, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitingView {
	/// The batch, and whose part of it.
	pub part: Part,
	/// Asset of the pay.
	pub asset: PriceAsset,
	/// Pay that waits, in the smallest unit of the asset.
	pub pay: u128,
	/// Claim that waits, in units of 10⁻¹⁸ AIT: the most that it mints.
	pub claim: u128,
	/// `false` if the miner can still sign its line, and claims nothing without it.
	pub is_signed: bool,
	/// Time at which the batch was settled, in UTC milliseconds.
	pub settled_ms: u64,
	/// End of the window of pay, in UTC milliseconds.
	pub pay_due_ms: u64,
	/// End of the window of the mint, in UTC milliseconds.
	pub mint_due_ms: u64,
	/// Time until which disputes hold it at most, in UTC milliseconds; `None` if none does.
	pub held_until_ms: Option<u64>,
	/// `true` if it was taken from its party and goes back to the clients.
	pub is_taken: bool,
}

impl WaitingView {
	/// Returns `true` if something of it can be released at `now`, in UTC milliseconds: it was taken, or
	/// a window is over and no dispute holds it. Claims of a coordinator are released with the lines that
	/// they are of.
	pub fn is_due(&self, now: u64) -> bool {
		let held = self.held_until_ms.is_some_and(|until| now < until);
		let over = |due_ms: u64| self.is_taken || !held && due_ms <= now;
		let pay = self.pay > 0 && over(self.pay_due_ms);
		let mint = match self.part {
			Part::Coordinator(_) => false,
			Part::Miner(..) => (self.claim > 0 || !self.is_signed) && over(self.mint_due_ms),
		};
		pay || mint
	}
}

/// What a forfeited receipt gave back.
#[derive(Encode, Decode, TypeInfo, Clone, PartialEq, Eq, Debug)]
pub struct Returned<AccountId> {
	/// Client that received the pay; the treasury if nothing is known of the channel any more.
	pub to: AccountId,
	/// Amount, in the smallest unit of the batch's asset; the treasury's share does not wait and stays.
	pub pay: u128,
	/// Claim that the miner lost, in units of 10⁻¹⁸ AIT; the coordinator's is at most as much.
	pub claim: u128,
}

/// What an offence cost.
#[derive(Encode, Decode, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Punished {
	/// Number of the party's offences that count now.
	pub offences: u32,
	/// Time until which it is banned, in UTC milliseconds; 0 if it is not banned.
	pub banned_until_ms: u64,
	/// Amount that will be slashed of its bond after the grace, in units of 10⁻¹⁸ AIT; 0 if slashing
	/// is off.
	pub slash: u128,
}

/// Reason why nothing is done.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitingError {
	/// Nothing waits of this batch or part: it never did, or it was paid or taken.
	#[codec(index = 0)]
	NotWaiting,
	/// No party with this key is registered.
	#[codec(index = 1)]
	UnknownParty,
	/// The time is not after now, or more than [`MAX_HOLD_MS`] after the end of the window.
	#[codec(index = 2)]
	Time,
	/// No dispute holds this part.
	#[codec(index = 3)]
	NotHeld,
	/// The account cannot receive what would be paid to it, and neither can the treasury.
	#[codec(index = 4)]
	Unpayable,
}

impl fmt::Display for WaitingError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::NotWaiting => "nothing of this waits any more: it was paid or taken",
			Self::UnknownParty => "no party with this key is registered",
			Self::Time => {
				"a part is held for some time, and at most five days beyond the end of its window"
			},
			Self::NotHeld => "no dispute holds this part",
			Self::Unpayable => "the account cannot receive the amount",
		})
	}
}

impl core::error::Error for WaitingError {}

/// A miner's line that waits, out of which a jury's places are drawn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OtherLine {
	/// The batch that the line is of, by coordinator and sequence number.
	pub batch: BatchId,
	/// What it pays, without what the batch gave up, in the smallest unit of its asset.
	pub price: u128,
	/// What that is worth, in units of 10⁻¹⁸ AIT, as draws count it: assets have units of their own.
	pub worth: u128,
}

/// Shows what waits for the check window, and takes from it.
///
/// Nothing here checks who asks: the caller does. An error means that nothing has changed.
pub trait Waiting<AccountId> {
	/// Returns a batch of which something still waits; `None` if there is nothing.
	fn batch(id: &BatchId) -> Option<Checkable>;

	/// Returns the line of a batch that names this miner's key, as long as something of it waits.
	fn line(id: &BatchId, miner: &PublicKey) -> Option<CheckableLine>;

	/// Returns the ranges that a batch gave up, by miner and count. Draws leave them out: their price costs
	/// nobody anything, and could be stated as high as to take every check of the batch.
	fn given_up(id: &BatchId) -> Vec<MinerLine>;

	/// Returns lines that wait of the miner whose lines name this key, out of at most `most` that are looked
	/// at: of ordinary batches that pay something. Private ones are never opened.
	fn lines_of(miner: &PublicKey, most: u32) -> Vec<OtherLine>;

	/// Forfeits pay and mint of one receipt: what miner and coordinator would receive of its price
	/// goes back to the client of its channel, at most what of both waits; its share of the line's
	/// claim returns to the reserve. Also while a dispute holds them. The caller has proven that the
	/// receipt is in the batch, and does so once for each.
	///
	/// # Errors
	/// [`WaitingError::NotWaiting`] if nothing of the line waits; [`WaitingError::Unpayable`].
	fn forfeit_receipt(
		id: &BatchId,
		miner: &PublicKey,
		channel: ChannelId,
		price: u128,
	) -> Result<Returned<AccountId>, WaitingError>;

	/// Forfeits so much of the price of a line, of which nobody can say what receipts it is of: what miner and
	/// coordinator would receive of it goes back to the clients of the batch, pro rata of what each paid in it,
	/// and its share of the line's claim returns to the reserve. At most what waits, also while a dispute
	/// holds it.
	///
	/// # Errors
	/// [`WaitingError::NotWaiting`] if nothing of the line waits; [`WaitingError::Unpayable`].
	fn forfeit_price(id: &BatchId, miner: &PublicKey, price: u128) -> Result<u128, WaitingError>;

	/// Takes everything that waits of a party, of all batches that were settled until now: the pay goes
	/// back to the clients of those batches, pro rata of what each paid in them, and the claims return
	/// to the reserve. It takes effect at once, also for what is held; rows are moved by the calls that
	/// release what waits, which anybody sends. `key` is that of a line or header, or the present one.
	///
	/// # Errors
	/// [`WaitingError::UnknownParty`].
	fn forfeit_all(key: &PublicKey) -> Result<(), WaitingError>;

	/// Records an offence of a party: it costs part of its score, part of its bond after the grace,
	/// and from the third on a ban, as any other. `key` as in [`Self::forfeit_all`].
	///
	/// # Errors
	/// [`WaitingError::UnknownParty`].
	fn punish(key: &PublicKey) -> Result<Punished, WaitingError>;

	/// Holds one part until a time, for a dispute. Several can hold one part: it is held until the last
	/// of them frees it, or the latest time has passed. That time stands still while settlement is
	/// stopped; the party's bond is held as long, but for no time in which settlement was stopped.
	///
	/// # Errors
	/// [`WaitingError::NotWaiting`] if nothing of the part waits; [`WaitingError::Time`].
	fn hold(part: &Part, until_ms: u64) -> Result<(), WaitingError>;

	/// Ends one hold of a part.
	///
	/// # Errors
	/// [`WaitingError::NotWaiting`] if nothing of the part waits; [`WaitingError::NotHeld`].
	fn free(part: &Part) -> Result<(), WaitingError>;

	/// Says from now on whether the window of the mint stands still, because too few verifiers report.
	/// To say the same again changes nothing. It never holds pay, and never a bond.
	fn set_mint_still(still: bool);
}

/// Reason why nobody is paid.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FundError {
	/// The payments of the day would be above what the treasury received of prices on it, or what is
	/// known of the day is forgotten.
	#[codec(index = 0)]
	OverBudget,
	/// The treasury's account has too little.
	#[codec(index = 1)]
	Poor,
	/// The account cannot receive the amount: it would stay below the existential deposit.
	#[codec(index = 2)]
	Unpayable,
}

/// Pays who checks, from the treasury's account.
pub trait Fund<AccountId> {
	/// Returns what the treasury received of the prices of lines on a day counted from 1970, in units
	/// of 10⁻¹⁸ AIT: in AIT, and in AICP at the rate at which they counted. 0 for days other than today
	/// and the one before.
	fn received(day: u64) -> u128;

	/// Pays an account for its checks of a day, in units of 10⁻¹⁸ AIT. All payments for a day are at
	/// most what [`Self::received`] says of it; how much less a budget is, is the caller's.
	///
	/// # Errors
	/// The reason of [`FundError`] that applies.
	fn pay(day: u64, to: &AccountId, amount: u128) -> Result<(), FundError>;
}

#[cfg(test)]
mod tests {
	use super::*;

	const BATCH: BatchId = BatchId { coordinator: [1; 32], sequence: 0 };

	fn view(part: Part) -> WaitingView {
		WaitingView {
			part,
			asset: PriceAsset::Ait,
			pay: 5,
			claim: 7,
			is_signed: true,
			settled_ms: 0,
			pay_due_ms: 10,
			mint_due_ms: 20,
			held_until_ms: None,
			is_taken: false,
		}
	}

	#[test]
	fn a_part_is_due_when_a_window_of_what_waits_is_over_and_nothing_holds_it() {
		let line = view(Part::Miner(BATCH, [2; 32]));
		assert!(!line.is_due(9) && line.is_due(10));
		let paid = WaitingView { pay: 0, ..line };
		assert!(!paid.is_due(19) && paid.is_due(20));
		let held = WaitingView { held_until_ms: Some(30), ..line };
		assert!(!held.is_due(29) && held.is_due(30));
		let taken = WaitingView { is_taken: true, ..held };
		assert!(taken.is_due(0));
		// A line that was never signed leaves with its window, one of which nothing is left does not.
		let done = WaitingView { pay: 0, claim: 0, ..line };
		assert!(!done.is_due(100));
		let unsigned = WaitingView { is_signed: false, ..done };
		assert!(!unsigned.is_due(19) && unsigned.is_due(20));
	}

	#[test]
	fn a_coordinators_claims_are_due_with_their_lines() {
		let own = view(Part::Coordinator(BATCH));
		assert!(!own.is_due(9) && own.is_due(10));
		assert!(!WaitingView { pay: 0, ..own }.is_due(100));
	}

	#[test]
	fn a_point_of_a_batch_is_a_place_in_one_line() {
		let sums = |price| crate::compute::channels::MinerSums {
			count: price,
			price: price.into(),
			weight: 0,
		};
		let line = CheckableLine {
			line: MinerLine { miner: Some([2; 32]), from: sums(100), to: sums(130) },
			before: 50,
			registered: [2; 32],
			is_signed: true,
			pay: 0,
			claim: 0,
			is_held: false,
		};
		let places = [49, 50, 79, 80].map(|point| line.place(point));
		assert_eq!(places, [None, Some(100), Some(129), None]);
	}
}
