//! The chain, as the client of a channel sees it.

use futures::{FutureExt, future::BoxFuture};
use gridproof_chain::{
	ChainError, Link, Patience,
	pallets::compute_receipts::{call, query},
};
use gridproof_keys::AccountKey;
use gridproof_primitives::{
	H256,
	compute::channels::{Channel, ChannelId},
};
use std::time::Duration;

/// How long a transaction is followed, and how often it is sent.
const PATIENCE: Patience =
	Patience { per_attempt: Duration::from_secs(30), attempts: 3, pause: Duration::from_secs(1) };

/// What a front needs of the chain. All answers are of final blocks.
pub trait ClientChain: Send + Sync + 'static {
	/// Hash of its first block.
	fn genesis(&self) -> BoxFuture<'_, Result<H256, ChainError>>;

	/// A channel; `None` if there is none (any more).
	fn channel(&self, channel: ChannelId) -> BoxFuture<'_, Result<Option<Channel>, ChainError>>;

	/// Adds to a channel's deposit, in the asset's smallest unit, and follows it until it is final.
	fn top_up(&self, channel: ChannelId, amount: u128) -> BoxFuture<'_, Result<(), ChainError>>;
}

/// The chain behind a node.
pub struct NodeChain {
	link: Link,
	account: Option<AccountKey>,
}

impl NodeChain {
	/// The chain behind the node at `url`; `account` is the channel's client, which tops it up.
	pub fn new(url: &str, account: Option<AccountKey>) -> Self {
		Self { link: Link::new(url), account }
	}
}

impl ClientChain for NodeChain {
	fn genesis(&self) -> BoxFuture<'_, Result<H256, ChainError>> {
		self.link.genesis().boxed()
	}

	fn channel(&self, channel: ChannelId) -> BoxFuture<'_, Result<Option<Channel>, ChainError>> {
		async move {
			let view = self.link.read(&query::channel(channel)).await?;
			Ok(view.map(|view| view.channel))
		}
		.boxed()
	}

	fn top_up(&self, channel: ChannelId, amount: u128) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			let lacking = || ChainError::Unsupported("an account that tops the channel up".into());
			let account = self.account.as_ref().ok_or_else(lacking)?;
			self.link.submit_one(account, &call::top_up(channel, amount), &PATIENCE).await.map(drop)
		}
		.boxed()
	}
}
