//! A state in which only ways out work.

/// The pallet's name.
pub(crate) const PALLET: &str = "SafeMode";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::Call;

	/// Enters it: for a day as governance, for 14 days in an emergency.
	pub fn force_enter() -> Call {
		Call::new(PALLET, "force_enter", &())
	}

	/// Leaves it. For governance.
	pub fn force_exit() -> Call {
		Call::new(PALLET, "force_exit", &())
	}
}
