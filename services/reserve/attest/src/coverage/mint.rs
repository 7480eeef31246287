//! Minting of the day's allowance, as the issuer.

use super::status::mint_refusal;
use crate::amounts::millionths;
use futures::future::BoxFuture;
use gridproof_chain::{
	Chain, ChainError, Included, Patience,
	pallets::coverage_policy::{Refusal, call, event, query},
};
use gridproof_keys::AccountKey;
use gridproof_primitives::{H256, time::day::Day};
use gridproof_support::text::Amount;
use serde::Serialize;

/// What to mint, to the treasury.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintOrder {
	/// Amount, in micro-tokens; all that is allowed if `None`.
	pub amount: Option<u128>,
	/// Statement whose allowance is used; the one that counts if `None`.
	pub statement: Option<H256>,
}

/// A mint in a final block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Minted {
	/// Amount, in AICP.
	pub amount: String,
	/// The same in units of 10⁻⁶ AICP.
	pub amount_units: Amount,
	/// Day whose statement allowed it.
	pub day: Day,
	/// Hash of that statement.
	pub statement: String,
	/// Amount that can still be minted today, in AICP.
	pub allowance: String,
	/// The same in units of 10⁻⁶ AICP.
	pub allowance_units: Amount,
	/// Hash of the block.
	pub block: String,
}

impl Minted {
	pub(crate) fn of(included: &Included, statement: H256) -> Result<Self, ChainError> {
		let event::Minted { amount, day, allowance } = included.first()?;
		Ok(Self {
			amount: millionths(amount),
			amount_units: Amount(amount),
			day,
			statement: format!("{statement:#x}"),
			allowance: millionths(allowance),
			allowance_units: Amount(allowance),
			block: format!("{:#x}", included.block),
		})
	}
}

/// Why nothing was minted.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
	/// Nothing can be minted now; nothing was sent.
	#[error("nothing can be minted now, the chain would say {0}")]
	NothingToMint(Refusal),
	/// The chain refuses, or does not answer.
	#[error(transparent)]
	Chain(#[from] ChainError),
}

/// Mints of the day's allowance and waits until it is final.
///
/// # Errors
/// [`MintError`]; nothing is minted then, unless it is [`ChainError::Undecided`].
pub fn mint<'a>(
	chain: &'a Chain,
	issuer: &'a AccountKey,
	order: &'a MintOrder,
	patience: &'a Patience,
) -> BoxFuture<'a, Result<Minted, MintError>> {
	Box::pin(async move {
		let status = chain.read(&query::status()).await?;
		let Some(counting) = &status.statement else {
			return Err(MintError::NothingToMint(Refusal::Stale));
		};
		let amount = match (order.amount, mint_refusal(&status)) {
			(Some(amount), _) => amount,
			(None, Some(refusal)) => return Err(MintError::NothingToMint(refusal)),
			(None, None) => status.allowance,
		};
		let statement = order.statement.unwrap_or(counting.hash);
		let included = chain.submit(issuer, &call::mint(amount, statement), patience).await?;
		Ok(Minted::of(&included, statement)?)
	})
}
