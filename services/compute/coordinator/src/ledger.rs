//! The chain, as a coordinator sees it.

use futures::future::BoxFuture;
use gridproof_chain::ChainError;
use gridproof_primitives::{
	H256,
	compute::{
		Class, ReceiptRefusal, SignedAssignment, SignedQuote, SignedReceipt,
		channels::{
			BatchKind, BatchRefusal, Channel, ChannelId, ChannelReceipt, DemandView, HeaderChain,
			Lists, MinerSums, Placed, SettlementBatch, SettlementHeader,
		},
		checks::{BatchId, CheckId, CheckView, OpeningRequest},
		registry::ModelView,
	},
	crypto::ed25519::{PublicKey, Signature},
};

/// A job as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Escrow {
	/// It is open, and what its quote says is held.
	Open {
		/// `true` if the client has asked to cancel it: the money goes back soon, unless the chain is
		/// shown that the work has begun.
		cancelling: bool,
	},
	/// This receipt has settled it.
	Settled(H256),
	/// The money went back.
	Returned(Return),
}

/// How a job ended without a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
	/// The client cancelled it, or the coordinator let it go.
	Cancelled,
	/// Its deadline passed.
	Expired,
}

impl Return {
	/// Its name in the database and in JSON.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Cancelled => "cancelled",
			Self::Expired => "expired",
		}
	}
}

/// A miner as the chain has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
	/// The class of its hardware.
	pub class: Class,
	/// `true` if it may work now: bonded, and not banned.
	pub is_able: bool,
	/// Its score, 0 to 10,000.
	pub score: u32,
}

/// What became of submitted receipts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
	/// Hash of the final block that they are in.
	pub block: H256,
	/// What that block says is settled: ids of jobs, each with the id of the receipt that settled it.
	pub settled: Vec<(H256, H256)>,
}

/// What became of a submitted batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
	/// It is settled, in this final block.
	Settled(H256),
	/// The chain refuses it.
	Refused(BatchRefusal),
}

/// What a coordinator needs of the chain for channels. All answers are of final blocks.
pub trait ChannelChain: Send + Sync + 'static {
	/// Length of a day of the daily limits, in milliseconds.
	fn day_ms(&self) -> BoxFuture<'_, Result<u64, ChainError>>;

	/// The channel of a number; `None` if there is none (any more).
	fn channel(&self, channel: ChannelId) -> BoxFuture<'_, Result<Option<Channel>, ChainError>>;

	/// The account that opened a channel; `None` if there is none (any more).
	fn client(&self, channel: ChannelId) -> BoxFuture<'_, Result<Option<[u8; 32]>, ChainError>>;

	/// Begins the notice of a channel whose plan is over, and follows it until it is final.
	fn close_channel(&self, channel: ChannelId) -> BoxFuture<'_, Result<(), ChainError>>;

	/// Has what is left of channels that have ended returned to their clients, free of charge, and
	/// follows it until it is final.
	fn return_rests(&self, channels: Vec<ChannelId>) -> BoxFuture<'_, Result<(), ChainError>>;

	/// What the chain keeps of a coordinator's batches.
	fn header_chain(
		&self,
		coordinator: PublicKey,
	) -> BoxFuture<'_, Result<HeaderChain, ChainError>>;

	/// Sums up to which a miner is settled at a coordinator in a kind; those of receipts without an
	/// answer for `None`.
	fn miner_sums(
		&self,
		coordinator: PublicKey,
		kind: BatchKind,
		miner: Option<PublicKey>,
	) -> BoxFuture<'_, Result<MinerSums, ChainError>>;

	/// Submits a batch and follows it until it is final. An error says nothing about it: the header
	/// chain does.
	fn settle_batch(&self, batch: SettlementBatch) -> BoxFuture<'_, Result<Submitted, ChainError>>;

	/// Open demands to a coordinator, at most `limit`, in no order.
	fn demands(
		&self,
		coordinator: PublicKey,
		limit: u32,
	) -> BoxFuture<'_, Result<Vec<DemandView>, ChainError>>;

	/// Shows a receipt that was demanded, in its batch, and follows it until it is final. The headers
	/// lead to the batch's, the newest first.
	fn answer_demand(
		&self,
		coordinator: PublicKey,
		answer: Placed<ChannelReceipt>,
		headers: Vec<SettlementHeader>,
	) -> BoxFuture<'_, Result<(), ChainError>>;
}

/// A verifier that asks to see what a receipt was made of, and why. Its signature is good, and the receipt
/// is the one of that index in that batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seer {
	/// What it asks for, and its duty.
	pub request: OpeningRequest,
	/// The receipt, with its running sums.
	pub receipt: ChannelReceipt,
	/// The header of the batch that settles it.
	pub header: SettlementHeader,
	/// The lines of that batch.
	pub lists: Lists,
}

/// A demand on chain of an opening that names no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unnamed {
	/// Which check it is about.
	pub check: CheckId,
	/// Key of the receipt's miner.
	pub miner: PublicKey,
	/// The place in that miner's running sum of prices that is meant, in the smallest unit of the batch's asset.
	pub place: u128,
}

/// What a coordinator needs of the chain for checks. All answers are of final blocks.
pub trait CheckChain: Send + Sync + 'static {
	/// Why a verifier may not see what a receipt was made of; `None` if it may: it is admitted, and the
	/// receipt falls on it, or its opening is demanded, or a dispute is about it.
	fn refusal(&self, seer: Seer) -> BoxFuture<'_, Result<Option<String>, ChainError>>;

	/// Reports of checks of a receipt of a batch that waits.
	fn reports(
		&self,
		batch: BatchId,
		receipt: ChannelReceipt,
	) -> BoxFuture<'_, Result<Vec<CheckView>, ChainError>>;

	/// Demands without a name of openings of a coordinator's batches.
	fn unnamed(&self, coordinator: PublicKey) -> BoxFuture<'_, Result<Vec<Unnamed>, ChainError>>;

	/// Names the receipt that a demand means without a name, free of fees, and follows that until it is final.
	fn name(
		&self,
		check: CheckId,
		receipt: Placed<ChannelReceipt>,
	) -> BoxFuture<'_, Result<(), ChainError>>;

	/// How long after a batch is settled its receipts may be checked and disputed at the longest, in
	/// milliseconds.
	fn longest_ms(&self) -> BoxFuture<'_, Result<u64, ChainError>>;
}

/// What a coordinator needs of the chain. All answers are of final blocks.
pub trait Ledger: Send + Sync + 'static {
	/// Hash of its first block.
	fn genesis(&self) -> H256;

	/// Time of the last final block, UTC milliseconds.
	fn time(&self) -> BoxFuture<'_, Result<u64, ChainError>>;

	/// Notice of a cancellation, in milliseconds: for so long a receipt still settles a job that its client
	/// has cancelled.
	fn cancel_notice_ms(&self) -> BoxFuture<'_, Result<u64, ChainError>>;

	/// The job of an id; `None` if it has not been opened.
	fn escrow(&self, job: H256) -> BoxFuture<'_, Result<Option<Escrow>, ChainError>>;

	/// The miner of a key; `None` if it is not registered.
	fn miner(&self, key: [u8; 32]) -> BoxFuture<'_, Result<Option<Registered>, ChainError>>;

	/// All models of the chain's registry.
	fn models(&self) -> BoxFuture<'_, Result<Vec<ModelView>, ChainError>>;

	/// Whether each of these receipts would settle its job now, or why not.
	fn preview(
		&self,
		receipts: Vec<SignedReceipt>,
	) -> BoxFuture<'_, Result<Vec<Result<(), ReceiptRefusal>>, ChainError>>;

	/// Submits receipts in one transaction and follows it until it is final: free of charge, or, with
	/// `pays`, from the front's account, before whatever is free.
	fn claim(
		&self,
		receipts: Vec<SignedReceipt>,
		pays: bool,
	) -> BoxFuture<'_, Result<Claimed, ChainError>>;

	/// Shows the chain that a miner has begun: the client can no longer cancel.
	fn assign(&self, assignment: SignedAssignment) -> BoxFuture<'_, Result<(), ChainError>>;

	/// Lets a job go, with the coordinator's signature of
	/// [`release_payload`](gridproof_primitives::compute::release_payload): the client has its
	/// money back at once.
	fn release(&self, job: H256, signature: Signature) -> BoxFuture<'_, Result<(), ChainError>>;

	/// Has paid out, free of charge, what a coordinator has earned of the emission; the amount, in units
	/// of 10⁻¹⁸ AIT, and zero if nothing was due.
	fn collect(&self, coordinator: [u8; 32]) -> BoxFuture<'_, Result<u128, ChainError>>;

	/// The account that the front pays from, if there is one.
	fn purse(&self) -> Option<[u8; 32]>;

	/// Opens jobs from the front's own account, follows them until they are final, and gives each
	/// one's outcome.
	fn open(
		&self,
		quotes: Vec<SignedQuote>,
	) -> BoxFuture<'_, Result<Vec<Result<(), ChainError>>, ChainError>>;

	/// The chain's channels; `None` if it has none.
	fn channels(&self) -> Option<&dyn ChannelChain> {
		None
	}

	/// The chain's checks; `None` if it has none, and nobody draws receipts.
	fn checks(&self) -> Option<&dyn CheckChain> {
		None
	}
}
