//! Spends of the treasury's AICP, as governance of a chain whose root is a key.

use crate::amounts::millionths;
use futures::future::BoxFuture;
use gridproof_chain::{
	Chain, Patience,
	governance::{GovernanceError, Power},
	pallets::{AccountId, treasury},
};
use gridproof_keys::{AccountKey, account::address};
use gridproof_primitives::num::units::AICP_ASSET_ID;
use gridproof_support::text::Amount;
use serde::Serialize;

/// A spend that was paid out in a final block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spent {
	/// Number of the spend.
	pub spend: u32,
	/// Address of the account that received it.
	pub to: String,
	/// Amount, in AICP.
	pub amount: String,
	/// The same in units of 10⁻⁶ AICP.
	pub amount_units: Amount,
	/// Hash of the block.
	pub block: String,
}

/// Approves a spend of `amount` micro-tokens of the treasury to `to` with the key of root, pays it
/// out, and waits until both are final.
///
/// # Errors
/// [`GovernanceError`]. If the approval is final already, anybody can pay the spend out within 30 days.
pub fn spend<'a>(
	chain: &'a Chain,
	root: &'a AccountKey,
	amount: u128,
	to: AccountId,
	patience: &'a Patience,
) -> BoxFuture<'a, Result<Spent, GovernanceError>> {
	Box::pin(async move {
		let spend = treasury::call::spend(AICP_ASSET_ID, amount, to);
		let approved = chain.govern(root, None, Power::Root, &spend, patience).await?;
		let treasury::event::AssetSpendApproved { index } = approved.included.first()?;
		let paid = chain.submit(root, &treasury::call::payout(index), patience).await?;
		let treasury::event::Paid { index } = paid.first()?;
		Ok(Spent {
			spend: index,
			to: address(&to),
			amount: millionths(amount),
			amount_units: Amount(amount),
			block: format!("{:#x}", paid.block),
		})
	})
}
