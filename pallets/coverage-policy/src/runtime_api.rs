//! Runtime API: coverage, allowance, history, quotes, credit.

use alloc::vec::Vec;
use codec::Codec;
use gridproof_primitives::num::decimal::SignedRatio;
use gridproof_primitives::reserve::parameters::PolicyParameters;
use gridproof_primitives::reserve::state::{
	CreditAccount, DayRecord, Outlook, Quote, RedemptionQuote, Status, Ticket, WhatIf,
};
use gridproof_primitives::time::day::Day;
use sp_runtime::DispatchError;

sp_api::decl_runtime_apis! {
	/// Queries of the coverage policy.
	pub trait CoverageApi<AccountId, Balance> where AccountId: Codec, Balance: Codec {
		/// Returns the present state of the policy, with the figures it follows from.
		fn status() -> Status;

		/// Returns the amount that can be minted now, in micro-tokens.
		fn allowance() -> u128;

		/// Returns the parameters that governance has set.
		fn parameters() -> PolicyParameters;

		/// Returns at most `limit` stated days, latest first.
		fn history(limit: u32) -> Vec<DayRecord>;

		/// Returns the figures that other inputs would give; what `what_if` leaves out stays as it
		/// is.
		fn quote(what_if: WhatIf) -> Result<Quote, DispatchError>;

		/// Returns what would follow from a price in EUR/MWh, stated about `day`.
		fn outlook(day: Day, price: SignedRatio) -> Outlook;

		/// Returns the credit for redeeming `amount` micro-tokens now, and how long it would wait.
		fn redeem_quote(amount: u128) -> Result<RedemptionQuote, DispatchError>;

		/// Returns an account's credit account, `None` if it has none.
		fn account(who: AccountId) -> Option<CreditAccount<Balance>>;

		/// Returns at most `limit` waiting tickets with their numbers, in order, after skipping
		/// `skip`.
		fn queue(skip: u32, limit: u32) -> Vec<(u64, Ticket<AccountId, Balance>)>;
	}
}
