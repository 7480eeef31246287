//! Transactions and their outcome.

/// The pallet's name.
pub(crate) const PALLET: &str = "System";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::Call;

	/// Does nothing, with some bytes.
	pub fn remark(bytes: &[u8]) -> Call {
		Call::new(PALLET, "remark", &bytes)
	}
}

/// Events.
pub mod event {
	use sp_runtime::DispatchError;

	events! {
		"System" {
			/// A transaction failed.
			ExtrinsicFailed {
				/// The runtime's error.
				dispatch_error: DispatchError,
			}
			/// The runtime's code was replaced.
			CodeUpdated {}
		}
	}
}
