//! What an issuer asks of a chain.

use super::offer::Offer;
use crate::coverage::Minted;
use gridproof_chain::{
	ChainError, Link, Patience,
	pallets::coverage_policy::{call, query},
};
use gridproof_keys::AccountKey;
use gridproof_primitives::reserve::state::Status;

/// A chain as an issuer sees it.
#[allow(async_fn_in_trait)]
pub trait MintDesk {
	/// Returns the state of coverage at the last final block.
	async fn status(&mut self) -> Result<Status, ChainError>;

	/// Mints an offer, and waits until it is final.
	async fn mint(&mut self, offer: &Offer) -> Result<Minted, ChainError>;
}

/// A chain behind a node.
pub struct ChainDesk {
	link: Link,
	issuer: AccountKey,
	patience: Patience,
}

impl ChainDesk {
	/// Returns a desk that mints with the issuer's key.
	pub const fn new(link: Link, issuer: AccountKey, patience: Patience) -> Self {
		Self { link, issuer, patience }
	}
}

impl MintDesk for ChainDesk {
	async fn status(&mut self) -> Result<Status, ChainError> {
		self.link.read(&query::status()).await
	}

	async fn mint(&mut self, offer: &Offer) -> Result<Minted, ChainError> {
		let call = call::mint(offer.amount, offer.statement);
		let included = self.link.submit_one(&self.issuer, &call, &self.patience).await?;
		Minted::of(&included, offer.statement)
	}
}
