//! The chain, as far as the gateway needs it.

use codec::Encode;
use futures::future::BoxFuture;
pub use gridproof_chain::Failure;
use gridproof_chain::{Chain, Included, Patience};
use gridproof_primitives::{
	H256,
	meter::{Accepted, BatchRecord, BatchRefusal, MeterIndex, MeterInfo, MeterName, SignedBatch},
};
use tokio::sync::Mutex;

/// An account on chain.
pub type AccountId = [u8; 32];
/// What the chain answers, some time later.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, Failure>>;
/// What a preview says of each batch.
pub type Preview = Vec<Result<Accepted, BatchRefusal>>;

/// What became of a transaction with batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
	/// The finalized block.
	pub block: H256,
	/// Meter and sequence number of the batches that were accepted. What is missing was refused.
	pub accepted: Vec<(MeterIndex, u64)>,
}

/// A chain with meters.
pub trait Ledger: Send + Sync + 'static {
	/// The hash of its first block.
	fn genesis(&self) -> Reply<'_, H256>;
	/// A meter by its name.
	fn meter<'a>(&'a self, name: &'a MeterName) -> Reply<'a, Option<MeterInfo<AccountId>>>;
	/// Its meters from this index on, at most so many.
	fn meters(&self, from: MeterIndex, limit: u32) -> Reply<'_, Vec<MeterInfo<AccountId>>>;
	/// A batch it has accepted.
	fn batch(&self, meter: MeterIndex, sequence: u64) -> Reply<'_, Option<BatchRecord>>;
	/// Would these batches, in this order, be accepted now?
	fn preview<'a>(&'a self, batches: &'a [SignedBatch]) -> Reply<'a, Preview>;
	/// Brings batches into a finalized block.
	fn submit<'a>(&'a self, batches: &'a [SignedBatch]) -> Reply<'a, Inclusion>;
}

/// A node, connected when it is needed and again when the connection breaks.
pub struct Node {
	url: String,
	patience: Patience,
	chain: Mutex<Option<Chain>>,
}

impl Node {
	/// The node at `url`; nothing is connected yet.
	pub fn new(url: String, patience: Patience) -> Self {
		Self { url, patience, chain: Mutex::new(None) }
	}

	async fn chain(&self) -> Result<Chain, Failure> {
		let mut chain = self.chain.lock().await;
		if let Some(chain) = chain.as_ref() {
			return Ok(chain.clone());
		}
		Ok(chain.insert(Chain::connect(&self.url).await?).clone())
	}

	/// Forgets a connection that failed.
	async fn checked<T>(&self, outcome: Result<T, Failure>) -> Result<T, Failure> {
		if outcome.as_ref().is_err_and(Failure::is_temporary) {
			*self.chain.lock().await = None;
		}
		outcome
	}

	async fn call<T: codec::Decode>(
		&self,
		function: &str,
		arguments: Vec<u8>,
	) -> Result<T, Failure> {
		let outcome = self.chain().await?.call(function, &arguments).await;
		self.checked(outcome).await
	}
}

impl Ledger for Node {
	fn genesis(&self) -> Reply<'_, H256> {
		Box::pin(async { Ok(self.chain().await?.genesis()) })
	}

	fn meter<'a>(&'a self, name: &'a MeterName) -> Reply<'a, Option<MeterInfo<AccountId>>> {
		Box::pin(async {
			let found: Option<(MeterIndex, MeterInfo<AccountId>)> =
				self.call("MeterReadingsApi_meter_by_name", name.encode()).await?;
			Ok(found.map(|(_, info)| info))
		})
	}

	fn meters(&self, from: MeterIndex, limit: u32) -> Reply<'_, Vec<MeterInfo<AccountId>>> {
		Box::pin(self.call("MeterReadingsApi_meters", (from, limit).encode()))
	}

	fn batch(&self, meter: MeterIndex, sequence: u64) -> Reply<'_, Option<BatchRecord>> {
		Box::pin(self.call("MeterReadingsApi_batch", (meter, sequence).encode()))
	}

	fn preview<'a>(&'a self, batches: &'a [SignedBatch]) -> Reply<'a, Preview> {
		Box::pin(self.call("MeterReadingsApi_preview_batches", batches.encode()))
	}

	fn submit<'a>(&'a self, batches: &'a [SignedBatch]) -> Reply<'a, Inclusion> {
		Box::pin(async {
			let chain = self.chain().await?;
			let outcome = chain
				.submit_authorized(
					"MeterReadings",
					"submit_batches",
					&batches.encode(),
					&self.patience,
				)
				.await;
			self.checked(outcome).await.map(|included| inclusion(&included))
		})
	}
}

/// Reads who was accepted from the events.
fn inclusion(included: &Included) -> Inclusion {
	let accepted = included
		.events
		.iter()
		.filter(|(name, _)| name == "MeterReadings.BatchAccepted")
		.filter_map(|(_, fields)| {
			let mut values = fields.values();
			let meter = values.next()?.as_u128()?;
			let sequence = values.next()?.as_u128()?;
			Some((u32::try_from(meter).ok()?, u64::try_from(sequence).ok()?))
		})
		.collect();
	Inclusion { block: included.block, accepted }
}
