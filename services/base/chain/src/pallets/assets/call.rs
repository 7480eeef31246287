//! Calls.

use super::PALLET;
use crate::{
	Call,
	pallets::{AccountId, address},
};
use codec::Compact;

/// Transfers `amount` of an asset's smallest unit; the sender's asset account ends if too little
/// is left.
pub fn transfer(asset: u32, to: AccountId, amount: u128) -> Call {
	Call::new(PALLET, "transfer", &(Compact(asset), address(to), Compact(amount)))
}

/// Transfers `amount` of an asset's smallest unit; the sender's asset account stays in existence.
pub fn transfer_keep_alive(asset: u32, to: AccountId, amount: u128) -> Call {
	Call::new(PALLET, "transfer_keep_alive", &(Compact(asset), address(to), Compact(amount)))
}
