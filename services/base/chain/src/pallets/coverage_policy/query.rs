//! Questions.

use crate::{Query, pallets::AccountId};
use gridproof_primitives::reserve::{
	parameters::PolicyParameters,
	state::{CreditAccount, DayRecord, Outlook, Quote, RedemptionQuote, Status, Ticket, WhatIf},
};
use gridproof_primitives::{num::decimal::SignedRatio, time::day::Day};

/// How things stand.
pub fn status() -> Query<Status> {
	Query::new("CoverageApi_status", &())
}

/// What can be minted now, in micro-tokens.
pub fn allowance() -> Query<u128> {
	Query::new("CoverageApi_allowance", &())
}

/// What governance decided.
pub fn parameters() -> Query<PolicyParameters> {
	Query::new("CoverageApi_parameters", &())
}

/// The latest stated days, latest first, at most `limit`.
pub fn history(limit: u32) -> Query<Vec<DayRecord>> {
	Query::new("CoverageApi_history", &limit)
}

/// What would be, with other inputs.
pub fn quote(what_if: &WhatIf) -> Query<Quote> {
	Query::new("CoverageApi_quote", what_if).or_refused()
}

/// What would follow from a price in EUR/MWh, stated about `day`.
pub fn outlook(day: Day, price: SignedRatio) -> Query<Outlook> {
	Query::new("CoverageApi_outlook", &(day, price))
}

/// What redeeming `amount` micro-tokens is worth now, and how long it would wait.
pub fn redeem_quote(amount: u128) -> Query<RedemptionQuote> {
	Query::new("CoverageApi_redeem_quote", &amount).or_refused()
}

/// What an account has redeemed and not used up.
pub fn account(who: AccountId) -> Query<Option<CreditAccount<u128>>> {
	Query::new("CoverageApi_account", &who)
}

/// The tickets that wait, with their numbers, from the `skip`-th on, at most `limit`.
pub fn queue(skip: u32, limit: u32) -> Query<Vec<(u64, Ticket<AccountId, u128>)>> {
	Query::new("CoverageApi_queue", &(skip, limit))
}
