//! What an account holds and has redeemed.

use crate::amounts::millionths;
use futures::future::BoxFuture;
use gridproof_chain::{Chain, ChainError, pallets::coverage_policy::query};
use gridproof_keys::account::address;
use gridproof_primitives::{num::units::AICP_ASSET_ID, reserve::state::CreditAccount};
use gridproof_support::text::Amount;
use serde::Serialize;

/// An account's AICP and credit. Amounts are decimals: AICP, or EUR where the name says so; beside
/// each stands `…_units`, the same in units of 10⁻⁶.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownAccount {
	/// Its address.
	pub account: String,
	/// Its balance, in AICP.
	pub aicp: String,
	/// In units of 10⁻⁶ AICP.
	pub aicp_units: Amount,
	/// Credit that it can spend, in EUR.
	pub available_eur: String,
	/// In units of 10⁻⁶ EUR.
	pub available_eur_units: Amount,
	/// Credit that is held for something that is not done yet, in EUR.
	pub held_eur: String,
	/// In units of 10⁻⁶ EUR.
	pub held_eur_units: Amount,
	/// Credit that waits in the queue, in EUR.
	pub waiting_eur: String,
	/// In units of 10⁻⁶ EUR.
	pub waiting_eur_units: Amount,
	/// Number of its tickets in the queue.
	pub tickets: u32,
	/// Amount redeemed today, in AICP.
	pub redeemed_today: String,
	/// In units of 10⁻⁶ AICP.
	pub redeemed_today_units: Amount,
}

/// Reads an account's AICP and credit.
///
/// # Errors
/// [`ChainError`].
pub fn coverage_account<'a>(
	chain: &'a Chain,
	account: &'a [u8; 32],
) -> BoxFuture<'a, Result<ShownAccount, ChainError>> {
	Box::pin(async move {
		let aicp = chain.balance(AICP_ASSET_ID, account).await?;
		let credit = chain.read(&query::account(*account)).await?;
		let today = chain.read(&query::status()).await?.today;
		let of = |part: fn(&CreditAccount<u128>) -> u128| credit.as_ref().map_or(0, part);
		let (available, held, waiting) = (of(|c| c.available), of(|c| c.held), of(|c| c.pending));
		let redeemed = credit.as_ref().filter(|credit| credit.redeemed_on == today);
		let redeemed = redeemed.map_or(0, |credit| credit.redeemed);
		Ok(ShownAccount {
			account: address(account),
			aicp: millionths(aicp),
			aicp_units: Amount(aicp),
			available_eur: millionths(available),
			available_eur_units: Amount(available),
			held_eur: millionths(held),
			held_eur_units: Amount(held),
			waiting_eur: millionths(waiting),
			waiting_eur_units: Amount(waiting),
			tickets: credit.as_ref().map_or(0, |credit| credit.tickets),
			redeemed_today: millionths(redeemed),
			redeemed_today_units: Amount(redeemed),
		})
	})
}
