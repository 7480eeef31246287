//! Referenda: what holders of AIT decide.

use crate::pallets::AccountId;
use codec::{Decode, Encode};

/// The pallet's name.
pub(crate) const PALLET: &str = "Referenda";

/// The entry with the number of referenda so far.
pub(crate) const COUNT: &str = "ReferendumCount";

/// The entry with what is known of each, by its index.
pub(crate) const INFO: &str = "ReferendumInfoFor";

/// Most bytes of a call that a proposal holds itself; of a longer one it holds the hash.
pub(crate) const MAX_INLINE: usize = 128;

/// What a referendum may decide, and how long that takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
	/// Whatever the pallets call governance. Seven days.
	Standard,
	/// As root: upgrades. Seven days, and three more until it is done.
	Root,
	/// Ends a stop, or excludes somebody. A day.
	Emergency,
}

impl Track {
	/// All of them, by their numbers.
	pub const ALL: [Self; 3] = [Self::Standard, Self::Root, Self::Emergency];

	/// Number by which the chain knows it.
	pub const fn number(self) -> u16 {
		match self {
			Self::Standard => 0,
			Self::Root => 1,
			Self::Emergency => 2,
		}
	}

	/// Its name, as the chain has it.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Standard => "standard",
			Self::Root => "root",
			Self::Emergency => "emergency",
		}
	}

	/// The one with this number.
	pub fn numbered(number: u16) -> Option<Self> {
		Self::ALL.into_iter().find(|track| track.number() == number)
	}

	/// What its calls are made as.
	const fn origin(self) -> Origin {
		match self {
			Self::Standard => Origin::Governance(Governance::Standard),
			Self::Root => Origin::System(System::Root),
			Self::Emergency => Origin::Governance(Governance::Emergency),
		}
	}
}

/// What a proposal is made as: `OriginCaller` of the runtime, as far as it has a track. Its numbers are
/// those of the pallets.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
	/// As an origin of the SDK.
	#[codec(index = 0)]
	System(System),
	/// As an origin of governance.
	#[codec(index = 47)]
	Governance(Governance),
}

/// Origins of the SDK that have a track.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
	/// May do everything.
	#[codec(index = 0)]
	Root,
}

/// Origins of governance that have a track.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Governance {
	/// What the standard track decides.
	#[codec(index = 0)]
	Standard,
	/// What the emergency track decides.
	#[codec(index = 1)]
	Emergency,
}

/// What is proposed: `Bounded` of the SDK.
#[derive(Encode, Decode)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposal {
	/// A call by its hash alone; nobody proposes one like this any more.
	#[codec(index = 0)]
	Hash([u8; 32]),
	/// A call in SCALE.
	#[codec(index = 1)]
	Call(Vec<u8>),
	/// A call by its hash and length: its bytes are a preimage.
	#[codec(index = 2)]
	Preimage {
		/// Blake2-256 of the call in SCALE.
		hash: [u8; 32],
		/// Number of its bytes.
		length: u32,
	},
}

/// Block in which an approved call is made, if its track permits it so early.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enactment {
	/// In this block.
	#[codec(index = 0)]
	At(u32),
	/// So many blocks after the approval.
	#[codec(index = 1)]
	After(u32),
}

/// A deposit, which is held.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit {
	/// The account that pays it.
	pub who: AccountId,
	/// How much it is, in units of 10⁻¹⁸ AIT.
	pub amount: u128,
}

/// How far a decision is.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deciding {
	/// Block in which it began.
	pub since: u32,
	/// It passes, and is approved in this block if it passes until then.
	pub confirming: Option<u32>,
}

/// Votes, in units of 10⁻¹⁸ AIT.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
	/// Votes for it.
	pub ayes: u128,
	/// Votes against it.
	pub nays: u128,
	/// AIT for it: a tenth of all that can vote is needed.
	pub support: u128,
}

/// A referendum that is not over.
#[derive(Encode, Decode)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ongoing {
	/// Number of its track.
	pub track: u16,
	/// What its call would be made as.
	pub origin: Origin,
	/// What is proposed.
	pub proposal: Proposal,
	/// When its call would be made at the earliest.
	pub enactment: Enactment,
	/// Block in which it was proposed.
	pub submitted: u32,
	/// What is held of who proposes it.
	pub submission_deposit: Deposit,
	/// The deposit without which it is not decided.
	pub decision_deposit: Option<Deposit>,
	/// How far its decision is; none if that has not begun.
	pub deciding: Option<Deciding>,
	/// Votes that count now.
	pub tally: Tally,
	/// It waits until others of its track are decided.
	pub in_queue: bool,
	/// Block in which the chain looks at it next, and the place of that task.
	pub alarm: Option<(u32, (u32, u32))>,
}

/// A referendum. Those that are over have their block, and the deposits of who proposed it and for its
/// decision as long as nobody has fetched them.
#[derive(Encode, Decode)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Referendum {
	/// It is not over.
	#[codec(index = 0)]
	Ongoing(Ongoing),
	/// Its call is made, or will be.
	#[codec(index = 1)]
	Approved(u32, Option<Deposit>, Option<Deposit>),
	/// Too few were for it.
	#[codec(index = 2)]
	Rejected(u32, Option<Deposit>, Option<Deposit>),
	/// Root has ended it.
	#[codec(index = 3)]
	Cancelled(u32, Option<Deposit>, Option<Deposit>),
	/// Nobody paid the deposit for its decision.
	#[codec(index = 4)]
	TimedOut(u32, Option<Deposit>, Option<Deposit>),
	/// Root has ended it and taken its deposits.
	#[codec(index = 5)]
	Killed(u32),
}

impl Referendum {
	/// What has become of it, as documents have it.
	pub const fn as_str(&self) -> &'static str {
		match self {
			Self::Ongoing(_) => "ongoing",
			Self::Approved(..) => "approved",
			Self::Rejected(..) => "rejected",
			Self::Cancelled(..) => "cancelled",
			Self::TimedOut(..) => "timed_out",
			Self::Killed(_) => "killed",
		}
	}

	/// Block in which it ended.
	pub const fn ended(&self) -> Option<u32> {
		match self {
			Self::Ongoing(_) => None,
			Self::Approved(block, ..)
			| Self::Rejected(block, ..)
			| Self::Cancelled(block, ..)
			| Self::TimedOut(block, ..)
			| Self::Killed(block) => Some(*block),
		}
	}
}

/// Calls.
pub mod call {
	use super::{Enactment, PALLET, Proposal, Track};
	use crate::{Call, takes::What};

	/// Proposes a call on a track; it is made as soon as the track permits.
	pub fn submit(track: Track, proposal: &Proposal) -> Call {
		let deposit = What::Constant { pallet: PALLET, name: "SubmissionDeposit", times: 1 };
		Call::new(PALLET, "submit", &(track.origin(), proposal, Enactment::After(0)))
			.taking(deposit, "the deposit of who proposes, which returns if it is approved")
	}

	/// Pays the deposit without which a referendum is not decided. For anybody; it returns.
	pub fn place_decision_deposit(index: u32) -> Call {
		Call::new(PALLET, "place_decision_deposit", &index)
	}

	/// Returns the deposit for the decision of a referendum that is over. For anybody.
	pub fn refund_decision_deposit(index: u32) -> Call {
		Call::new(PALLET, "refund_decision_deposit", &index)
	}

	/// Returns the deposit of who proposed what was approved. For anybody.
	pub fn refund_submission_deposit(index: u32) -> Call {
		Call::new(PALLET, "refund_submission_deposit", &index)
	}
}

/// Events.
pub mod event {
	events! {
		"Referenda" {
			/// A call was proposed.
			Submitted {
				/// Number of the referendum.
				index: u32,
				/// Number of its track.
				track: u16,
			}
		}
	}
}
