//! What an account holds and has redeemed.

use crate::amounts::millionths;
use gridproof_chain::{Chain, ChainError, pallets::coverage_policy::query};
use gridproof_keys::account::address;
use gridproof_primitives::{num::units::AICP_ASSET_ID, reserve::state::CreditAccount};
use serde::Serialize;

/// An account's AICP and credit. Amounts are decimals: AICP, or EUR where the name says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownAccount {
	/// Its address.
	pub account: String,
	/// Its balance, in AICP.
	pub aicp: String,
	/// Credit that it can spend, in EUR.
	pub available_eur: String,
	/// Credit that is held for something that is not done yet, in EUR.
	pub held_eur: String,
	/// Credit that waits in the queue, in EUR.
	pub waiting_eur: String,
	/// Number of its tickets in the queue.
	pub tickets: u32,
	/// Amount redeemed today, in AICP.
	pub redeemed_today: String,
}

/// Reads an account's AICP and credit.
///
/// # Errors
/// [`ChainError`].
pub async fn coverage_account(
	chain: &Chain,
	account: &[u8; 32],
) -> Result<ShownAccount, ChainError> {
	let aicp = chain.balance(AICP_ASSET_ID, account).await?;
	let credit = chain.read(&query::account(*account)).await?;
	let today = chain.read(&query::status()).await?.today;
	let of = |part: fn(&CreditAccount<u128>) -> u128| millionths(credit.as_ref().map_or(0, part));
	let redeemed_today = credit.as_ref().filter(|credit| credit.redeemed_on == today);
	Ok(ShownAccount {
		account: address(account),
		aicp: millionths(aicp),
		available_eur: of(|credit| credit.available),
		held_eur: of(|credit| credit.held),
		waiting_eur: of(|credit| credit.pending),
		tickets: credit.as_ref().map_or(0, |credit| credit.tickets),
		redeemed_today: millionths(redeemed_today.map_or(0, |credit| credit.redeemed)),
	})
}
