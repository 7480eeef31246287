//! Who makes blocks and votes.

/// The pallet's name.
pub(crate) const PALLET: &str = "Authorities";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::{Call, pallets::AccountId};

	/// Lets a banned authority in again. For governance.
	pub fn let_in(who: AccountId) -> Call {
		Call::new(PALLET, "let_in", &who)
	}
}
