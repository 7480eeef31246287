//! Calls.

use super::PALLET;
use crate::{Call, pallets::AccountId};
use codec::Compact;
use gridproof_primitives::{
	H256,
	reserve::{parameters::PolicyParameters, state::Breaker},
};

/// Mints `amount` micro-tokens of the day's allowance to the treasury. For the issuer. `statement`
/// is the hash of the fields of the statement whose allowance is used.
pub fn mint(amount: u128, statement: H256) -> Call {
	Call::new(PALLET, "mint", &(Compact(amount), statement))
}

/// Burns `amount` micro-tokens for service credit of `min_credit` micro-EUR at least.
pub fn redeem(amount: u128, min_credit: u128) -> Call {
	Call::new(PALLET, "redeem", &(Compact(amount), Compact(min_credit)))
}

/// Serves at most `tickets` of the queue.
pub fn serve(tickets: u32) -> Call {
	Call::new(PALLET, "serve", &tickets)
}

/// Removes an empty credit account and returns its deposit to its owner.
pub fn close_account(who: AccountId) -> Call {
	Call::new(PALLET, "close_account", &who)
}

/// Sets all parameters. For governance.
pub fn set_parameters(new: &PolicyParameters) -> Call {
	Call::new(PALLET, "set_parameters", new)
}

/// Names who may mint, or nobody. For governance.
pub fn set_issuer(new: Option<AccountId>) -> Call {
	Call::new(PALLET, "set_issuer", &new)
}

/// Stops more or less. For governance; to stop more, also in an emergency.
pub fn set_breaker(new: Breaker) -> Call {
	Call::new(PALLET, "set_breaker", &new)
}
