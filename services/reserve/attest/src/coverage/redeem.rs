//! Redemption of AICP for service credit.

use crate::amounts::millionths;
use futures::future::BoxFuture;
use gridproof_chain::{
	Chain, ChainError, Patience,
	pallets::coverage_policy::{call, event, query},
};
use gridproof_keys::{AccountKey, account::address};
use gridproof_support::text::Amount;
use serde::Serialize;

/// A redemption in a final block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Redeemed {
	/// Address of the account that redeemed.
	pub who: String,
	/// Amount burned, in AICP.
	pub amount: String,
	/// The same in units of 10⁻⁶ AICP.
	pub amount_units: Amount,
	/// Credit for it, in EUR.
	pub credit_eur: String,
	/// The same in units of 10⁻⁶ EUR.
	pub credit_eur_units: Amount,
	/// Number of the ticket, if the credit has to wait.
	pub ticket: Option<u64>,
	/// Hash of the block.
	pub block: String,
}

/// Burns `amount` micro-tokens for service credit of `min_credit` micro-EUR at least, by default
/// what it is worth now, and waits until it is final.
///
/// # Errors
/// [`ChainError`]; nothing is burned then, unless it is [`ChainError::Undecided`].
pub fn redeem<'a>(
	chain: &'a Chain,
	holder: &'a AccountKey,
	amount: u128,
	min_credit: Option<u128>,
	patience: &'a Patience,
) -> BoxFuture<'a, Result<Redeemed, ChainError>> {
	Box::pin(async move {
		let min_credit = match min_credit {
			Some(credit) => credit,
			None => chain.read(&query::redeem_quote(amount)).await?.credit,
		};
		let included = chain.submit(holder, &call::redeem(amount, min_credit), patience).await?;
		let event::Redeemed { who, amount, credit, ticket } = included.first()?;
		Ok(Redeemed {
			who: address(&who),
			amount: millionths(amount),
			amount_units: Amount(amount),
			credit_eur: millionths(credit),
			credit_eur_units: Amount(credit),
			ticket,
			block: format!("{:#x}", included.block),
		})
	})
}
