//! What a verifier needs of the chain. All answers are of final blocks.

use crate::statements::Statement;
use futures::future::BoxFuture;
use gridproof_chain::ChainError;
use gridproof_primitives::{
	H256,
	compute::{
		channels::{Channel, ChannelId, ChannelReceipt, Placed},
		checks::{
			AskedReceipt, BatchChecks, BatchId, CheckId, CheckParameters, CheckView,
			DemandOfOpening, DisputeView, ModelLine, VerifierKey, VerifierView,
		},
	},
	crypto::ed25519::PublicKey,
};

/// A settled batch of which pay and mint wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingBatch {
	/// Hash of its header.
	pub hash: H256,
	/// Key of its coordinator.
	pub coordinator: PublicKey,
	/// Sequence number of its header.
	pub sequence: u64,
	/// End of its window, UTC milliseconds.
	pub due_ms: u64,
	/// What is drawn of it; `None` before its first touch.
	pub checks: Option<BatchChecks>,
	/// `true` if it can be touched now.
	pub is_ripe: bool,
}

impl WaitingBatch {
	/// Returns the name by which statements are about it.
	pub const fn id(&self) -> BatchId {
		BatchId { coordinator: self.coordinator, sequence: self.sequence }
	}
}

/// What anybody may close whose time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
	/// A demand of an opening.
	Demand(CheckId),
	/// A report that was looked at twice.
	Reopening(CheckId),
	/// A dispute whose jury has spoken, or had its time.
	Dispute(H256),
	/// Checks of a batch of which nothing waits any more: they are counted, and their rows removed.
	Checks(BatchId),
}

/// What a verifier needs of the chain.
pub trait CheckedChain: Send + Sync + 'static {
	/// Hash of its first block.
	fn genesis(&self) -> H256;

	/// The verifier that draws with a key; `None` if there is none.
	fn verifier(&self, key: VerifierKey)
	-> BoxFuture<'_, Result<Option<VerifierView>, ChainError>>;

	/// What governance decided.
	fn parameters(&self) -> BoxFuture<'_, Result<CheckParameters, ChainError>>;

	/// The line of a model; `None` if governance has set none.
	fn line(&self, model: H256) -> BoxFuture<'_, Result<Option<ModelLine>, ChainError>>;

	/// A channel; `None` if there is none (any more).
	fn channel(&self, channel: ChannelId) -> BoxFuture<'_, Result<Option<Channel>, ChainError>>;

	/// Batches that wait and are not private.
	fn waiting(&self) -> BoxFuture<'_, Result<Vec<WaitingBatch>, ChainError>>;

	/// Reports of a batch, those of every verifier, until its checks are counted.
	fn reports(&self, batch: BatchId) -> BoxFuture<'_, Result<Vec<CheckView>, ChainError>>;

	/// Demands of openings that are open.
	fn demands(&self) -> BoxFuture<'_, Result<Vec<DemandOfOpening>, ChainError>>;

	/// Place in the miner's running sum of prices that a demand without a receipt means, in the smallest unit of
	/// the batch's asset; `None` if its receipt is named, or nothing is demanded.
	fn place(&self, check: CheckId) -> BoxFuture<'_, Result<Option<u128>, ChainError>>;

	/// Disputes that are open.
	fn disputes(&self) -> BoxFuture<'_, Result<Vec<DisputeView>, ChainError>>;

	/// Checks whose reports are looked at twice and wait for figures.
	fn reopenings(&self) -> BoxFuture<'_, Result<Vec<CheckId>, ChainError>>;

	/// What is drawn of a batch; `None` before its first touch, and once its checks are counted.
	fn drawn(&self, batch: BatchId) -> BoxFuture<'_, Result<Option<BatchChecks>, ChainError>>;

	/// Receipts of a batch that clients want checked, each by a verifier whose turn it is.
	fn asked(&self, batch: BatchId) -> BoxFuture<'_, Result<Vec<AskedReceipt>, ChainError>>;

	/// Pays to clients what was taken from miners and coordinators, as far as it waits.
	fn give_back(&self) -> BoxFuture<'_, Result<(), ChainError>>;

	/// Touches a batch, so that it can be drawn from.
	fn touch(&self, batch: BatchId) -> BoxFuture<'_, Result<(), ChainError>>;

	/// Names the receipt that a demand means without a name.
	fn name(
		&self,
		check: CheckId,
		receipt: Placed<ChannelReceipt>,
	) -> BoxFuture<'_, Result<(), ChainError>>;

	/// Closes something whose time is over.
	fn close(&self, closing: Closing) -> BoxFuture<'_, Result<(), ChainError>>;

	/// Submits a statement, and follows it until it is final.
	fn submit(&self, statement: Statement) -> BoxFuture<'_, Result<(), ChainError>>;
}
