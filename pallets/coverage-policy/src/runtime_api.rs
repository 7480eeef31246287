//! Runtime API: coverage, allowance, history, quotes, credit.

use alloc::vec::Vec;
use codec::Codec;
use gridproof_primitives::reserve::parameters::PolicyParameters;
use gridproof_primitives::reserve::state::{
	CreditAccount, DayRecord, Quote, Status, Ticket, WhatIf,
};
use sp_runtime::DispatchError;

sp_api::decl_runtime_apis! {
	/// Queries of the coverage policy.
	pub trait CoverageApi<AccountId, Balance> where AccountId: Codec, Balance: Codec {
		/// How things stand.
		fn status() -> Status;

		/// What can be minted now, in micro-tokens.
		fn allowance() -> u128;

		/// What governance decided.
		fn parameters() -> PolicyParameters;

		/// The latest stated days, latest first, at most `limit`.
		fn history(limit: u32) -> Vec<DayRecord>;

		/// What would be, with other inputs.
		fn quote(what_if: WhatIf) -> Result<Quote, DispatchError>;

		/// What redeeming `amount` micro-tokens is worth now, in micro-EUR.
		fn redeem_quote(amount: u128) -> Result<u128, DispatchError>;

		/// What an account has redeemed and not used up.
		fn account(who: AccountId) -> Option<CreditAccount<Balance>>;

		/// The tickets that wait, with their numbers, from the `skip`-th on, at most `limit`.
		fn queue(skip: u32, limit: u32) -> Vec<(u64, Ticket<AccountId, Balance>)>;
	}
}
