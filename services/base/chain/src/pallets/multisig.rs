//! Accounts of several signers.

/// The pallet's name.
pub(crate) const PALLET: &str = "Multisig";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::{Call, pallets::AccountId};

	/// Makes a call from the 1-of-2 account of the signer and `partner`.
	pub fn as_multi_threshold_1(partner: AccountId, call: Call) -> Call {
		Call::new(PALLET, "as_multi_threshold_1", &vec![partner]).with(call)
	}
}
