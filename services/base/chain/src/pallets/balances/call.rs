//! Calls.

use super::PALLET;
use crate::{
	Call,
	pallets::{AccountId, address},
	takes::What,
};
use codec::Compact;

/// What a transfer takes.
const PURPOSE: &str = "the transfer";

/// Transfers `amount` units of 10⁻¹⁸ AIT; the sender's account stays in existence.
pub fn transfer_keep_alive(to: AccountId, amount: u128) -> Call {
	Call::new(PALLET, "transfer_keep_alive", &(address(to), Compact(amount)))
		.taking(What::Amount(amount), PURPOSE)
}

/// Transfers `amount` units of 10⁻¹⁸ AIT; the sender's account ends if too little is left.
pub fn transfer_allow_death(to: AccountId, amount: u128) -> Call {
	Call::new(PALLET, "transfer_allow_death", &(address(to), Compact(amount)))
}
