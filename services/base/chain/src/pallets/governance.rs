//! The doors through which an emergency goes.

/// The pallet's name.
pub(crate) const PALLET: &str = "Governance";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::Call;

	/// Makes a call that stops something, for 14 days at the most. For the emergency committee and the
	/// account that governance named for it.
	pub fn stop(call: Call) -> Call {
		Call::new(PALLET, "stop", &()).with(call)
	}

	/// Makes a call that ends a stop or excludes somebody. For a referendum of the emergency track.
	pub fn lift(call: Call) -> Call {
		Call::new(PALLET, "lift", &()).with(call)
	}
}
