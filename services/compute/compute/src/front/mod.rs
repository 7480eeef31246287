//! OpenAI's interface: a request becomes a job, a receipt and a bill.
//!
//! The front pays the job's escrow from its own account, on behalf of the customer whose API key
//! came with the request; what the customer owes for that is between the two, and
//! `GET /v1/billing/usage` adds it up from the receipts. The escrow is real: no job is given to a
//! miner before the chain holds its price in a final block.
//!
//! Every answer names its job in `x-gridproof-job`. Answers that come in one piece also have
//! `x-gridproof-receipt`, `x-gridproof-price` and `x-gridproof-asset`. A receipt's id is a hash of
//! the receipt, which exists only when the last token does; a streamed answer therefore has it in
//! its last chunk, as `gridproof.receipt`.

mod answers;
mod customers;
mod fault;
mod handlers;
mod requests;
mod stream;

pub use customers::{ApiKeys, Customer, KeyFileFault, new_key};
pub use handlers::routes;

use gridproof_primitives::compute::PriceAsset;
use std::sync::Arc;

/// The front of a coordinator.
pub struct Front {
	keys: ApiKeys,
	asset: PriceAsset,
	purse: [u8; 32],
}

impl Front {
	/// A front that serves these customers and pays in `asset` from the account `purse`.
	pub fn new(keys: ApiKeys, asset: PriceAsset, purse: [u8; 32]) -> Arc<Self> {
		Arc::new(Self { keys, asset, purse })
	}

	/// Whose API key this is.
	pub fn customer(&self, key: &str) -> Option<Customer> {
		self.keys.find(key)
	}
}
