//! The chain, as the client of a channel sees it.

use futures::{FutureExt, future::BoxFuture};
use gridproof_chain::{
	Call, ChainError, Link, Patience,
	pallets::compute_receipts::{call, query},
};
use gridproof_keys::AccountKey;
use gridproof_primitives::{
	H256,
	compute::channels::{Channel, ChannelEvidence, ChannelId, ChannelReceipt, DemandView},
	crypto::ed25519::{PublicKey, Signature},
};
use std::time::Duration;

/// How long a transaction is followed, and how often it is sent.
const PATIENCE: Patience =
	Patience { per_attempt: Duration::from_secs(30), attempts: 3, pause: Duration::from_secs(1) };

/// Most demands that are read: as many as the chain lists.
const MOST_DEMANDS: u32 = 1_000;

/// What a front needs of the chain. All answers are of final blocks.
pub trait ClientChain: Send + Sync + 'static {
	/// Hash of its first block.
	fn genesis(&self) -> BoxFuture<'_, Result<H256, ChainError>>;

	/// A channel; `None` if there is none (any more).
	fn channel(&self, channel: ChannelId) -> BoxFuture<'_, Result<Option<Channel>, ChainError>>;

	/// Adds to a channel's deposit, in the asset's smallest unit, and follows it until it is final.
	fn top_up(&self, channel: ChannelId, amount: u128) -> BoxFuture<'_, Result<(), ChainError>>;

	/// Returns `true` if there is an account that demands and reports are sent from.
	fn has_account(&self) -> bool;

	/// Open demands to a coordinator.
	fn demands(&self, coordinator: PublicKey)
	-> BoxFuture<'_, Result<Vec<DemandView>, ChainError>>;

	/// The deposit of a demand that pays the answer, in units of 10⁻¹⁸ AIT.
	fn demand_deposit(&self) -> BoxFuture<'_, Result<u128, ChainError>>;

	/// Demands a receipt, with the coordinator's signature, and follows it until it is final.
	fn demand(
		&self,
		receipt: ChannelReceipt,
		signature: Signature,
	) -> BoxFuture<'_, Result<(), ChainError>>;

	/// Closes a demand that got no answer, and follows it until it is final.
	fn lapse(&self, coordinator: PublicKey, id: H256) -> BoxFuture<'_, Result<(), ChainError>>;

	/// Reports what a coordinator must not have signed, and follows it until it is final.
	fn report(
		&self,
		coordinator: PublicKey,
		evidence: ChannelEvidence,
	) -> BoxFuture<'_, Result<(), ChainError>>;
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

	/// Sends a call from the client's account.
	async fn send(&self, call: Call) -> Result<(), ChainError> {
		let lacking = || ChainError::Unsupported("an account of the channel's client".into());
		let account = self.account.as_ref().ok_or_else(lacking)?;
		self.link.submit_one(account, &call, &PATIENCE).await.map(drop)
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
		self.send(call::top_up(channel, amount)).boxed()
	}

	fn has_account(&self) -> bool {
		self.account.is_some()
	}

	fn demands(
		&self,
		coordinator: PublicKey,
	) -> BoxFuture<'_, Result<Vec<DemandView>, ChainError>> {
		async move { self.link.read(&query::demands(&coordinator, MOST_DEMANDS)).await }.boxed()
	}

	fn demand_deposit(&self) -> BoxFuture<'_, Result<u128, ChainError>> {
		async move { Ok(self.link.read(&query::channel_parameters()).await?.demand_deposit) }
			.boxed()
	}

	fn demand(
		&self,
		receipt: ChannelReceipt,
		signature: Signature,
	) -> BoxFuture<'_, Result<(), ChainError>> {
		self.send(call::demand_receipt(&receipt, &signature)).boxed()
	}

	fn lapse(&self, coordinator: PublicKey, id: H256) -> BoxFuture<'_, Result<(), ChainError>> {
		self.send(call::lapse_demand(&coordinator, id)).boxed()
	}

	fn report(
		&self,
		coordinator: PublicKey,
		evidence: ChannelEvidence,
	) -> BoxFuture<'_, Result<(), ChainError>> {
		self.send(call::report_channel_offence(&coordinator, &evidence)).boxed()
	}
}
