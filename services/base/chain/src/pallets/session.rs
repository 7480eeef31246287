//! Session keys: what an authority makes blocks and votes with.

/// The pallet's name.
pub(crate) const PALLET: &str = "Session";

/// The entry with the accounts of the present authorities.
pub(crate) const VALIDATORS: &str = "Validators";
/// The entry with the keys of an account that take effect next.
pub(crate) const NEXT_KEYS: &str = "NextKeys";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::{Call, pallets::Encoded, takes::What};

	/// The deposit of an account that sets keys for the first time.
	const DEPOSIT: What = What::Constant { pallet: PALLET, name: "KeyDeposit", times: 1 };

	/// Sets the session keys of the account that signs, with the proof that they are its own; both as
	/// its node gave them. `is_first`: the account has none so far.
	pub fn set_keys(keys: &[u8], proof: &[u8], is_first: bool) -> Call {
		let call = Call::new(PALLET, "set_keys", &(Encoded(keys), proof));
		if is_first { call.taking(DEPOSIT, "the deposit for its keys") } else { call }
	}
}
