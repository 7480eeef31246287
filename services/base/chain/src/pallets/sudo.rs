//! The key that governs.

/// The pallet's name.
pub(crate) const PALLET: &str = "Sudo";

/// The entry with the account that governs.
pub(crate) const KEY: &str = "Key";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::{
		Call,
		pallets::{AccountId, address},
	};

	/// Makes a call as root. Whether it succeeded is in the event, not in the transaction's outcome.
	pub fn sudo(call: Call) -> Call {
		Call::new(PALLET, "sudo", &()).with(call)
	}

	/// Hands governance over to another account. For governance.
	pub fn set_key(new: AccountId) -> Call {
		Call::new(PALLET, "set_key", &address(new))
	}
}

/// Events.
pub mod event {
	use sp_runtime::DispatchError;

	events! {
		"Sudo" {
			/// A call was made as root.
			Sudid {
				/// What came of it.
				sudo_result: Result<(), DispatchError>,
			}
		}
	}
}
