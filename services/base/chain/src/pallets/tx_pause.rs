//! Calls that are paused.

/// The pallet's name.
pub(crate) const PALLET: &str = "TxPause";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::Call;

	/// Pauses a call, by the names of its pallet and its own in the metadata. For governance, also in
	/// an emergency.
	pub fn pause(pallet: &str, call: &str) -> Call {
		Call::new(PALLET, "pause", &(pallet.as_bytes(), call.as_bytes()))
	}

	/// Lets a paused call be made again. For governance.
	pub fn unpause(pallet: &str, call: &str) -> Call {
		Call::new(PALLET, "unpause", &(pallet.as_bytes(), call.as_bytes()))
	}
}
