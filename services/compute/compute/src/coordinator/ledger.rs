//! What a coordinator needs of the chain.

use futures::future::BoxFuture;
use gridproof_chain::Failure;
use gridproof_primitives::{
	H256,
	compute::{Class, SignedAssignment, SignedQuote, SignedReceipt},
	ed25519::Signature,
};

/// A job as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Escrow {
	/// It is open, and what its quote says is held.
	Open {
		/// Has the client asked to cancel it? Then the money goes back soon, unless the chain is
		/// shown that the work has begun.
		cancelling: bool,
	},
	/// This receipt has settled it.
	Settled(H256),
	/// The money went back: cancelled, let go or expired.
	Returned(String),
}

/// A miner as the chain has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
	/// What it computes with.
	pub class: Class,
	/// May it work now: bonded, and not banned?
	pub is_able: bool,
	/// 0 to 10,000.
	pub score: u32,
}

/// What became of submitted receipts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
	/// The final block that they are in.
	pub block: H256,
	/// What that block says is settled: jobs with the receipts that settled them.
	pub settled: Vec<(H256, H256)>,
}

/// The chain. All that it says is of final blocks.
pub trait Ledger: Send + Sync + 'static {
	/// Hash of its first block.
	fn genesis(&self) -> H256;

	/// The job of an id; `None` if it has not been opened.
	fn escrow(&self, job: H256) -> BoxFuture<'_, Result<Option<Escrow>, Failure>>;

	/// The miner of a key; `None` if it is not registered.
	fn miner(&self, key: [u8; 32]) -> BoxFuture<'_, Result<Option<Registered>, Failure>>;

	/// What each of these receipts would meet now: nothing, or the reason why not.
	fn preview(
		&self,
		receipts: Vec<SignedReceipt>,
	) -> BoxFuture<'_, Result<Vec<Result<(), String>>, Failure>>;

	/// Submits receipts in one transaction and follows it until it is final.
	fn claim(&self, receipts: Vec<SignedReceipt>) -> BoxFuture<'_, Result<Claimed, Failure>>;

	/// Shows the chain that a miner has begun: the client can no longer cancel.
	fn assign(&self, assignment: SignedAssignment) -> BoxFuture<'_, Result<(), Failure>>;

	/// Lets a job go, with the coordinator's signature of
	/// [`release_payload`](gridproof_primitives::compute::release_payload): the client has its
	/// money back at once.
	fn release(&self, job: H256, signature: Signature) -> BoxFuture<'_, Result<(), Failure>>;

	/// The front's own account, if it has one.
	fn purse(&self) -> Option<[u8; 32]>;

	/// Opens jobs from the front's own account, follows them until they are final, and gives each
	/// one's outcome.
	fn open(
		&self,
		quotes: Vec<SignedQuote>,
	) -> BoxFuture<'_, Result<Vec<Result<(), Failure>>, Failure>>;
}
