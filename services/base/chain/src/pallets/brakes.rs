//! Who may stop, and loosen nothing.

/// The pallet's name.
pub(crate) const PALLET: &str = "Brakes";

/// The entry with the account that may stop.
pub(crate) const EMERGENCY_ACCOUNT: &str = "EmergencyAccount";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::{Call, pallets::AccountId};

	/// Names the account that may stop, or nobody but governance. For governance.
	pub fn set_emergency_account(new: Option<AccountId>) -> Call {
		Call::new(PALLET, "set_emergency_account", &new)
	}
}
