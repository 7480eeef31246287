//! What the gateway keeps, behind a narrow trait. [`Sqlite`] is the embedded store.

mod batches;
mod intake;
mod readings;
mod schema;
mod sqlite;

pub use schema::MIGRATIONS;
pub use sqlite::Sqlite;

use futures::future::BoxFuture;
use gridproof_primitives::{
	H256,
	cid::Cid,
	emlog::RunningRegisters,
	meter::{BatchHeader, MeterName},
};
pub use gridproof_store::StoreFault;

/// What a storage call answers, some time later.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreFault>>;
/// The row of a meter.
pub type MeterRow = i64;
/// The row of a log; [`crate::ids`] makes its name.
pub type ReadingRow = i64;
/// The row of a batch; [`crate::ids`] makes its name.
pub type BatchRow = i64;

/// A log to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReading {
	/// Whose.
	pub meter: MeterRow,
	/// Begin of its interval, UTC milliseconds.
	pub start_ms: u64,
	/// End of its interval, UTC milliseconds.
	pub end_ms: u64,
	/// When it came, UTC milliseconds.
	pub received_ms: u64,
	/// Which way its energy went.
	pub flow: Flow,
	/// Did its sender prove to be the device?
	pub trusted: bool,
	/// Its leaf hash.
	pub leaf: H256,
	/// Its canonical JSON.
	pub body: String,
}

/// Which way the energy of a log went. Logs of one meter never share time, but for one of import
/// and one of export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
	/// From the grid.
	Import,
	/// To the grid.
	Export,
	/// Neither tagged nor known from a certificate.
	Unknown,
}

/// What became of a log to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
	/// It is kept.
	New(ReadingRow),
	/// The same had been kept already.
	Again(ReadingRow),
	/// Another log has some of its time.
	Overlap(ReadingRow),
	/// A batch for the chain was closed after its begin.
	Late {
		/// The end of that batch, UTC milliseconds.
		sealed_ms: u64,
	},
}

/// A log as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
	/// Its row.
	pub row: ReadingRow,
	/// Its meter.
	pub meter: MeterRow,
	/// Begin of its interval, UTC milliseconds.
	pub start_ms: u64,
	/// End of its interval, UTC milliseconds.
	pub end_ms: u64,
	/// When it came, UTC milliseconds.
	pub received_ms: u64,
	/// Its leaf hash.
	pub leaf: H256,
	/// Its canonical JSON.
	pub body: String,
	/// The batch it is in.
	pub batch: Option<BatchRow>,
	/// Its place in the batch, from zero.
	pub place: Option<u32>,
}

/// Something refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
	/// When, UTC milliseconds.
	pub at_ms: u64,
	/// Over what it came: `mqtt`, `broker`, `http`, `batching`.
	pub source: &'static str,
	/// The topic or path.
	pub topic: String,
	/// One word.
	pub reason: String,
	/// One sentence.
	pub detail: String,
	/// What came, at most 64 KiB of it.
	pub payload: Vec<u8>,
}

/// Something refused, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct BuriedLetter {
	/// Number, in order of first arrival.
	pub id: i64,
	/// When it first came, UTC milliseconds.
	pub first_ms: u64,
	/// When it last came, UTC milliseconds.
	pub last_ms: u64,
	/// How often it came.
	pub count: u64,
	/// Over what it came: `mqtt`, `broker`, `http`, `batching`.
	pub source: String,
	/// The topic or path.
	pub topic: String,
	/// Why, in one word.
	pub reason: String,
	/// Why, in a sentence.
	pub detail: String,
	/// What came; bytes that are no UTF-8 are shown as U+FFFD.
	pub payload: String,
}

/// Logs of one meter that are in no batch: the trusted ones, or the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
	/// The meter.
	pub meter: MeterRow,
	/// Are these the trusted ones?
	pub trusted: bool,
	/// How many.
	pub count: u64,
	/// When the first of them came, UTC milliseconds.
	pub oldest_ms: u64,
	/// Begin of the first, UTC milliseconds.
	pub start_ms: u64,
	/// End of the last, UTC milliseconds.
	pub end_ms: u64,
}

/// How far a batch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BatchState {
	/// Its meters are not certified: it stays here.
	NotCertified,
	/// Waits for the signature.
	Unsigned,
	/// Signed; waits for the chain.
	Signed,
	/// In a finalized block.
	Accepted,
	/// Refused, by the device or by the chain; waits for somebody to decide.
	Parked,
	/// Given up: its logs go into other batches.
	Dissolved,
}

impl BatchState {
	/// As it is stored and shown.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::NotCertified => "not_certified",
			Self::Unsigned => "unsigned",
			Self::Signed => "signed",
			Self::Accepted => "accepted",
			Self::Parked => "parked",
			Self::Dissolved => "dissolved",
		}
	}

	/// From how it is stored.
	pub fn parse(text: &str) -> Option<Self> {
		let all = [
			Self::NotCertified,
			Self::Unsigned,
			Self::Signed,
			Self::Accepted,
			Self::Parked,
			Self::Dissolved,
		];
		all.into_iter().find(|state| state.as_str() == text)
	}
}

/// The part of a batch that is for the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnChain {
	/// What is signed.
	pub header: BatchHeader,
	/// The exact running sums at its end, of which the header has the floors.
	pub closing: RunningRegisters,
	/// The signature, when there is one.
	pub signature: Option<[u8; 64]>,
}

/// A batch to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBatch {
	/// When it is made, UTC milliseconds.
	pub created_ms: u64,
	/// The one meter of a batch for the chain.
	pub meter: Option<MeterRow>,
	/// Its logs, in order.
	pub rows: Vec<ReadingRow>,
	/// Root over their leaves.
	pub root: H256,
	/// CID of its file.
	pub cid: Cid,
	/// Begin of the first log, UTC milliseconds.
	pub start_ms: u64,
	/// End of the last log, UTC milliseconds.
	pub end_ms: u64,
	/// What is for the chain.
	pub on_chain: Option<OnChain>,
}

/// A batch as it is kept, without its logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
	/// Its row.
	pub row: BatchRow,
	/// When it was made, UTC milliseconds.
	pub created_ms: u64,
	/// The one meter of a batch for the chain.
	pub meter: Option<MeterRow>,
	/// How many logs.
	pub count: u32,
	/// Root over their leaves.
	pub root: H256,
	/// CID of its file.
	pub cid: Cid,
	/// Begin of the first log, UTC milliseconds.
	pub start_ms: u64,
	/// End of the last log, UTC milliseconds.
	pub end_ms: u64,
	/// What is for the chain.
	pub on_chain: Option<OnChain>,
	/// How far it has come.
	pub state: BatchState,
	/// Why it is parked.
	pub reason: Option<String>,
	/// The finalized block it is in.
	pub block: Option<H256>,
	/// Its Bitcoin anchor.
	pub anchor: Anchor,
	/// What the pinning service said last.
	pub pin: Option<String>,
}

/// How far a Bitcoin anchor is; none is ever shown as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnchorStatus {
	/// Not anchored.
	Pending,
	/// Its transaction was sent, and has fewer than six confirmations.
	Broadcast,
	/// Six or more confirmations.
	Confirmed,
	/// A trial that touched no blockchain.
	Simulated,
}

impl AnchorStatus {
	/// As it is stored and shown.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Pending => "pending",
			Self::Broadcast => "broadcast",
			Self::Confirmed => "confirmed",
			Self::Simulated => "simulated",
		}
	}

	/// From how it is stored.
	pub fn parse(text: &str) -> Option<Self> {
		let all = [Self::Pending, Self::Broadcast, Self::Confirmed, Self::Simulated];
		all.into_iter().find(|status| status.as_str() == text)
	}
}

/// The Bitcoin anchor of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
	/// How far it is.
	pub status: AnchorStatus,
	/// Transaction.
	pub txid: Option<String>,
	/// Hash of the transaction's block.
	pub block_hash: Option<String>,
	/// Height of that block.
	pub block_height: Option<u64>,
	/// Time of that block, RFC 3339.
	pub block_time: Option<String>,
}

/// Which logs are asked for. Everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
	/// Of this site.
	pub site: Option<String>,
	/// Of this device.
	pub device: Option<String>,
	/// Of this meter.
	pub meter: Option<String>,
	/// With this status, such as `ok`.
	pub status: Option<String>,
	/// In a batch, or in none.
	pub batched: Option<bool>,
	/// In this batch.
	pub batch: Option<BatchRow>,
	/// That end after this, UTC milliseconds.
	pub from_ms: Option<u64>,
	/// That begin before this, UTC milliseconds.
	pub to_ms: Option<u64>,
}

/// Which batches are asked for. Everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchFilter {
	/// Of this site.
	pub site: Option<String>,
	/// Of this device.
	pub device: Option<String>,
	/// Of this meter.
	pub meter: Option<String>,
	/// In this state.
	pub state: Option<BatchState>,
	/// With this state of the anchor.
	pub anchor: Option<AnchorStatus>,
	/// That end after this, UTC milliseconds.
	pub from_ms: Option<u64>,
	/// That begin before this, UTC milliseconds.
	pub to_ms: Option<u64>,
}

/// A part of a list, in order of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
	/// At most so many.
	pub limit: u32,
	/// After leaving out so many.
	pub offset: u64,
	/// After this row.
	pub after: Option<i64>,
	/// The last ones first.
	pub newest_first: bool,
}

/// How much there is.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	serde::Serialize,
	serde::Deserialize,
	utoipa::ToSchema,
)]
pub struct Counts {
	/// Meters that ever sent a log.
	pub meters: u64,
	/// Logs.
	pub readings: u64,
	/// Logs in no batch.
	pub pending: u64,
	/// Batches.
	pub batches: u64,
	/// Batches of meters that are not certified.
	pub not_certified: u64,
	/// Batches waiting for a signature.
	pub unsigned: u64,
	/// Signed batches waiting for the chain.
	pub signed: u64,
	/// Batches in finalized blocks.
	pub accepted: u64,
	/// Refused batches.
	pub parked: u64,
	/// Different dead letters.
	pub dead_letters: u64,
}

/// Keeps logs, batches and dead letters. Whatever is answered to a change is durable.
pub trait Storage: Send + Sync + 'static {
	/// The row of a meter; a new one if it has none.
	fn meter<'a>(&'a self, name: &'a MeterName) -> Answer<'a, MeterRow>;
	/// All meters, in order of their rows.
	fn meters(&self) -> Answer<'_, Vec<(MeterRow, MeterName)>>;
	/// Keeps a log. With `wait`, waits while too much is to be written; else
	/// [`StoreFault::Overloaded`].
	fn store(&self, reading: NewReading, wait: bool) -> Answer<'_, Stored>;
	/// Keeps something refused.
	fn bury(&self, letter: DeadLetter) -> Answer<'_, ()>;
	/// Moves logs that turned out to be refused to the dead letters.
	fn condemn(&self, rows: Vec<(ReadingRow, DeadLetter)>) -> Answer<'_, ()>;
	/// Dead letters.
	fn dead_letters(&self, reason: Option<String>, page: Page) -> Answer<'_, Vec<BuriedLetter>>;
	/// Logs.
	fn logs(&self, filter: LogFilter, page: Page) -> Answer<'_, Vec<Reading>>;
	/// How many logs there are.
	fn count_logs(&self, filter: LogFilter) -> Answer<'_, u64>;
	/// Which meters have logs in no batch.
	fn pending(&self) -> Answer<'_, Vec<Pending>>;
	/// Logs in no batch, in order of their time: of one meter those that are trusted, or, of all
	/// these meters together, all or only those that are not trusted.
	fn unbatched(&self, selection: Selection, limit: u32) -> Answer<'_, Vec<Reading>>;
	/// Keeps a batch and puts its logs in it. `None` if they are not exactly the first logs of the
	/// meter any more, or are in a batch already: then nothing has changed.
	fn seal(&self, batch: NewBatch) -> Answer<'_, Option<BatchRow>>;
	/// One batch.
	fn batch(&self, row: BatchRow) -> Answer<'_, Option<Batch>>;
	/// The batch whose file has this CID.
	fn batch_by_cid(&self, cid: Cid) -> Answer<'_, Option<Batch>>;
	/// Batches.
	fn batches(&self, filter: BatchFilter, page: Page) -> Answer<'_, Vec<Batch>>;
	/// How many batches there are.
	fn count_batches(&self, filter: BatchFilter) -> Answer<'_, u64>;
	/// The logs of a batch, in order.
	fn batch_logs(&self, row: BatchRow) -> Answer<'_, Vec<Reading>>;
	/// The leaves of a batch, in order.
	fn leaves(&self, row: BatchRow) -> Answer<'_, Vec<H256>>;
	/// The last batch of a meter for the chain that was not given up.
	fn last_batch(&self, meter: MeterRow) -> Answer<'_, Option<Batch>>;
	/// Batches in a state, in order of their rows, after a row.
	fn in_state(&self, state: BatchState, after: BatchRow, limit: u32) -> Answer<'_, Vec<Batch>>;
	/// An unsigned batch is signed. False if it was not unsigned.
	fn sign(&self, row: BatchRow, signature: [u8; 64]) -> Answer<'_, bool>;
	/// A batch is accepted or parked.
	fn settle(&self, outcomes: Vec<Settled>) -> Answer<'_, ()>;
	/// Gives up a batch of a meter and all later ones of it: their logs are in no batch again.
	/// Answers how many batches.
	fn dissolve(&self, row: BatchRow) -> Answer<'_, u64>;
	/// Sets the anchor of a batch. False if there is no such batch.
	fn anchor(&self, row: BatchRow, anchor: Anchor) -> Answer<'_, bool>;
	/// Batches that the pinning service has not taken yet.
	fn unpinned(&self, limit: u32) -> Answer<'_, Vec<Batch>>;
	/// Notes what the pinning service said.
	fn pinned(&self, row: BatchRow, status: String) -> Answer<'_, ()>;
	/// How much there is.
	fn counts(&self) -> Answer<'_, Counts>;
}

/// Which logs in no batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
	/// Trusted ones of a meter.
	Certified(MeterRow),
	/// All those of meters that are not among these, and those of these that are not trusted.
	Others(Vec<MeterRow>),
}

/// What became of a batch on its way to the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
	/// In a finalized block.
	Accepted {
		/// Which batch.
		row: BatchRow,
		/// The block, if known.
		block: Option<H256>,
	},
	/// Refused.
	Parked {
		/// Which batch.
		row: BatchRow,
		/// Why.
		reason: String,
	},
	/// Tried again from the start: from parked to signed, or to unsigned if it has no signature.
	Retried {
		/// Which batch.
		row: BatchRow,
	},
}
