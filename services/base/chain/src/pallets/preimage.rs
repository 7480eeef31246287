//! Calls that proposals name by their hash.

/// The pallet's name.
pub(crate) const PALLET: &str = "Preimage";

/// The entry with the bytes of a call, by its hash and length.
pub(crate) const PREIMAGES: &str = "PreimageFor";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::Call;

	/// Shows a call, in SCALE, that a proposal names by its hash. It takes a deposit, which returns.
	pub fn note_preimage(bytes: &[u8]) -> Call {
		Call::new(PALLET, "note_preimage", &bytes)
	}
}
