//! The chain, as far as the gateway needs it.

use futures::future::BoxFuture;
pub use gridproof_chain::{ChainError, pallets::AccountId};
use gridproof_chain::{
	Included, Link, Patience,
	pallets::meter_readings::{Limits, call, event::BatchAccepted, query},
};
use gridproof_primitives::{
	H256,
	energy::{
		Accepted, BatchRecord, BatchRefusal, MeterIndex, MeterInfo, MeterName, MeterPage,
		SignedBatch,
	},
};

/// The answer of the chain, some time later.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, ChainError>>;
/// What would become of each batch.
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
	/// Its meters from this index on, at most `limit`.
	fn meters(&self, from: MeterIndex, limit: u32) -> Reply<'_, MeterPage<AccountId>>;
	/// A batch that it has accepted, if it still keeps it.
	fn batch(&self, meter: MeterIndex, sequence: u64) -> Reply<'_, Option<BatchRecord>>;
	/// What governance has decided for batches.
	fn limits(&self) -> Reply<'_, Limits>;
	/// What would become of these batches, in this order, now.
	fn preview<'a>(&'a self, batches: &'a [SignedBatch]) -> Reply<'a, Preview>;
	/// Submits batches to a finalized block.
	fn submit<'a>(&'a self, batches: &'a [SignedBatch]) -> Reply<'a, Inclusion>;
}

/// A chain behind a node.
pub struct Node {
	link: Link,
	patience: Patience,
}

impl Node {
	/// The node at `url`; nothing is connected yet.
	pub fn new(url: String, patience: Patience) -> Self {
		Self { link: Link::new(url), patience }
	}
}

impl Ledger for Node {
	fn genesis(&self) -> Reply<'_, H256> {
		Box::pin(self.link.genesis())
	}

	fn meter<'a>(&'a self, name: &'a MeterName) -> Reply<'a, Option<MeterInfo<AccountId>>> {
		Box::pin(async {
			let found = self.link.read(&query::meter_by_name(name)).await?;
			Ok(found.map(|(_, info)| info))
		})
	}

	fn meters(&self, from: MeterIndex, limit: u32) -> Reply<'_, MeterPage<AccountId>> {
		Box::pin(async move { self.link.read(&query::meters(from, limit)).await })
	}

	fn batch(&self, meter: MeterIndex, sequence: u64) -> Reply<'_, Option<BatchRecord>> {
		Box::pin(async move { self.link.read(&query::batch(meter, sequence)).await })
	}

	fn limits(&self) -> Reply<'_, Limits> {
		Box::pin(async { Ok(self.link.read(&query::limits()).await?.0) })
	}

	fn preview<'a>(&'a self, batches: &'a [SignedBatch]) -> Reply<'a, Preview> {
		Box::pin(async { self.link.read(&query::preview_batches(batches)).await })
	}

	fn submit<'a>(&'a self, batches: &'a [SignedBatch]) -> Reply<'a, Inclusion> {
		Box::pin(async {
			let call = call::submit_batches(batches);
			inclusion(&self.link.submit_authorized(&call, &self.patience).await?)
		})
	}
}

/// Reads which batches were accepted from the events.
fn inclusion(included: &Included) -> Result<Inclusion, ChainError> {
	let accepted = included.all::<BatchAccepted>()?;
	let accepted = accepted.into_iter().map(|batch| (batch.meter, batch.sequence)).collect();
	Ok(Inclusion { block: included.block, accepted })
}
