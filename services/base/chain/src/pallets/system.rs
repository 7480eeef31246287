//! Transactions and their outcome.

/// The pallet's name.
pub(crate) const PALLET: &str = "System";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::Call;

	/// Authorizes the code with this blake2-256 hash as the next runtime, which anybody can bring then.
	/// For governance.
	pub fn authorize_upgrade(code_hash: gridproof_primitives::H256) -> Call {
		Call::new(PALLET, "authorize_upgrade", &code_hash)
	}

	/// Brings the code of an upgrade that was authorized. Anybody may; the fee is returned if it is that code.
	pub fn apply_authorized_upgrade(code: &[u8]) -> Call {
		Call::new(PALLET, "apply_authorized_upgrade", &code)
	}

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
			/// The code was the one that was authorized, and is not one that can replace this one.
			RejectedInvalidAuthorizedUpgrade {
				/// Blake2-256 of the code.
				code_hash: gridproof_primitives::H256,
				/// Why not.
				error: DispatchError,
			}
		}
	}
}
