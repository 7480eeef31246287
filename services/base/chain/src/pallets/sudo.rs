//! The key that governs a development chain.

/// The pallet's name.
pub(crate) const PALLET: &str = "Sudo";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::Call;

	/// Makes a call as root. Whether it succeeded is in the event, not in the transaction's outcome.
	pub fn sudo(call: Call) -> Call {
		Call::new(PALLET, "sudo", &()).with(call)
	}
}
