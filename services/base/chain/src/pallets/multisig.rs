//! Accounts of several signers.

use crate::pallets::AccountId;
use codec::{Decode, Encode};
use sp_runtime::traits::{BlakeTwo256, Hash};

/// The pallet's name.
pub(crate) const PALLET: &str = "Multisig";

/// The entry with what waits for signers, by account and hash of the call.
pub(crate) const MULTISIGS: &str = "Multisigs";

/// When something was proposed: those who approve it name that.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timepoint {
	/// Height of the block.
	pub height: u32,
	/// Place of the transaction in it.
	pub index: u32,
}

/// A call that waits for signers.
#[derive(Encode, Decode)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
	/// When it was proposed.
	pub when: Timepoint,
	/// What is held of the account that proposed it, in units of 10⁻¹⁸ AIT.
	pub deposit: u128,
	/// The account that proposed it.
	pub depositor: AccountId,
	/// The accounts that approve it, the one that proposed it among them.
	pub approvals: Vec<AccountId>,
}

/// Returns the account of which `threshold` of these signers decide. The order of `signers` does not
/// matter.
pub fn account(signers: &[AccountId], threshold: u16) -> AccountId {
	let mut sorted = signers.to_vec();
	sorted.sort_unstable();
	BlakeTwo256::hash(&(b"modlpy/utilisuba", sorted, threshold).encode()).0
}

/// Returns the hash by which a call, in SCALE, waits.
pub fn hash(call: &[u8]) -> [u8; 32] {
	BlakeTwo256::hash(call).0
}

/// Calls.
pub mod call {
	use super::{PALLET, Timepoint};
	use crate::{Call, pallets::AccountId, takes::What};
	use codec::Compact;

	/// Makes a call from the 1-of-2 account of the signer and `partner`.
	pub fn as_multi_threshold_1(partner: AccountId, call: Call) -> Call {
		as_one_of(&[partner], call)
	}

	/// Makes a call from the account of the signer and `others`, of whom each decides alone. `others`
	/// are sorted.
	pub fn as_one_of(others: &[AccountId], call: Call) -> Call {
		Call::new(PALLET, "as_multi_threshold_1", &others).with(call)
	}

	/// Proposes a call from the account of which `threshold` of the signer and `others` decide,
	/// approves it if it was proposed at a time, and makes it with the last approval that it needs.
	/// `others` are sorted. `weight` is what it may take: time in picoseconds, and bytes of proof.
	pub fn as_multi(
		threshold: u16,
		others: &[AccountId],
		proposed: Option<Timepoint>,
		call: Call,
		(time, proof): (u64, u64),
	) -> Call {
		let multi = Call::new(PALLET, "as_multi", &(threshold, others, proposed))
			.with(call)
			.then(&(Compact(time), Compact(proof)));
		if proposed.is_some() {
			return multi;
		}
		let once = What::Constant { pallet: PALLET, name: "DepositBase", times: 1 };
		let each =
			What::Constant { pallet: PALLET, name: "DepositFactor", times: threshold.into() };
		multi
			.taking(once, "the deposit for a proposal, which returns")
			.taking(each, "the deposit for its approvals, which returns")
	}

	/// Withdraws a call that waits. For the account that proposed it.
	pub fn cancel_as_multi(
		threshold: u16,
		others: &[AccountId],
		proposed: Timepoint,
		hash: [u8; 32],
	) -> Call {
		Call::new(PALLET, "cancel_as_multi", &(threshold, others, proposed, hash))
	}
}

/// Events.
pub mod event {
	use crate::pallets::AccountId;
	use sp_runtime::DispatchError;

	events! {
		"Multisig" {
			/// A call was made from an account of several signers.
			MultisigExecuted {
				/// Account from which it was made.
				multisig: AccountId,
				/// What came of it.
				result: Result<(), DispatchError>,
			}
		}
	}
}
