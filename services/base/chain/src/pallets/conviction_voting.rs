//! Votes on referenda: one for each AIT.

/// The pallet's name.
pub(crate) const PALLET: &str = "ConvictionVoting";

/// The first conviction of the SDK, the only one that the chain takes.
const ONE: u8 = 1;
/// The bit of a vote that says aye.
const AYE: u8 = 0b1000_0000;

/// Calls.
pub mod call {
	use super::{AYE, ONE, PALLET};
	use crate::{
		Call,
		pallets::{AccountId, address, referenda::Track},
	};
	use codec::Compact;

	/// Votes on a referendum with so many units of 10⁻¹⁸ AIT, instead of what the signer has voted there
	/// before.
	pub fn vote(index: u32, is_aye: bool, amount: u128) -> Call {
		let vote = if is_aye { AYE | ONE } else { ONE };
		// A plain vote is the first kind.
		Call::new(PALLET, "vote", &(Compact(index), 0u8, vote, amount))
	}

	/// Takes the signer's vote on a referendum back. The track has to be named once it is over.
	pub fn remove_vote(track: Option<Track>, index: u32) -> Call {
		Call::new(PALLET, "remove_vote", &(track.map(Track::number), index))
	}

	/// Lets another account vote with so many units of 10⁻¹⁸ AIT of the signer's on a track.
	pub fn delegate(track: Track, to: AccountId, amount: u128) -> Call {
		Call::new(PALLET, "delegate", &(track.number(), address(to), ONE, amount))
	}

	/// Lets nobody else vote with the signer's AIT on a track any more.
	pub fn undelegate(track: Track) -> Call {
		Call::new(PALLET, "undelegate", &track.number())
	}

	/// Releases an account's AIT that has voted on a track, as far as its time is over. For anybody.
	pub fn unlock(track: Track, account: AccountId) -> Call {
		Call::new(PALLET, "unlock", &(track.number(), address(account)))
	}
}
