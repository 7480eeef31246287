//! Readings, batches and dead letters as they are kept.

use crate::message::Source;
use gridproof_gateway_api::{AnchorStatus, BatchState};
use gridproof_primitives::{
	H256,
	codec::cid::Cid,
	crypto::ed25519::PublicKey,
	energy::{BatchHeader, emlog::RunningRegisters},
};

/// The row of a meter.
pub type MeterRow = i64;
/// The row of a reading; `ids` makes its name.
pub type ReadingRow = i64;
/// The row of a batch; `ids` makes its name.
pub type BatchRow = i64;

/// A reading to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReading {
	/// Its meter.
	pub meter: MeterRow,
	/// Begin of its interval, UTC milliseconds.
	pub start_ms: u64,
	/// End of its interval, UTC milliseconds.
	pub end_ms: u64,
	/// When it came, UTC milliseconds.
	pub received_ms: u64,
	/// The direction of its energy.
	pub flow: Flow,
	/// Whether its sender has proved to be the device.
	pub trusted: bool,
	/// The time before which the chain takes nothing of its meter, UTC milliseconds; 0 if none.
	pub earliest_ms: u64,
	/// Its leaf hash.
	pub leaf: H256,
	/// Its canonical JSON.
	pub body: String,
}

/// The direction of a reading's energy. Readings of one meter never share time, but for one of
/// import and one of export; and those of a sender that has proved to be the device take no notice of
/// others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
	/// From the grid.
	Import,
	/// To the grid.
	Export,
	/// Neither tagged nor known from a certificate.
	Unknown,
}

/// What became of a reading to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
	/// It is kept.
	New(ReadingRow),
	/// The same had been kept already.
	Again(ReadingRow),
	/// Another reading has some of its time.
	Overlap(ReadingRow),
	/// A batch for the chain was closed after its begin.
	Late {
		/// The end of that batch, UTC milliseconds.
		sealed_ms: u64,
	},
}

/// A reading as it is kept.
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

/// Something refused, to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDeadLetter {
	/// When it came, UTC milliseconds.
	pub at_ms: u64,
	/// The way it came.
	pub source: Source,
	/// The topic or path.
	pub topic: String,
	/// The reason in one word.
	pub reason: String,
	/// The reason in a sentence.
	pub detail: String,
	/// The message itself, at most 64 KiB of it.
	pub payload: Vec<u8>,
}

/// Readings of one meter that are in no batch: the trusted ones, or the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
	/// The meter.
	pub meter: MeterRow,
	/// Whether these are the trusted ones.
	pub trusted: bool,
	/// Their number.
	pub count: u64,
	/// When the first of them came, UTC milliseconds.
	pub oldest_ms: u64,
	/// Begin of the first, UTC milliseconds.
	pub start_ms: u64,
	/// End of the last, UTC milliseconds.
	pub end_ms: u64,
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
	/// Its readings, in order.
	pub rows: Vec<ReadingRow>,
	/// Root over their leaves.
	pub root: H256,
	/// CID of its file.
	pub cid: Cid,
	/// Begin of the first reading, UTC milliseconds.
	pub start_ms: u64,
	/// End of the last reading, UTC milliseconds.
	pub end_ms: u64,
	/// What is for the chain.
	pub on_chain: Option<OnChain>,
	/// Key of the device that it is made for, if it is for the chain.
	pub device: Option<PublicKey>,
	/// Whether it ends where readings that are left begin earlier: they come too late then.
	pub forced: bool,
}

/// A batch as it is kept, without its readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
	/// Its row.
	pub row: BatchRow,
	/// When it was made, UTC milliseconds.
	pub created_ms: u64,
	/// The one meter of a batch for the chain.
	pub meter: Option<MeterRow>,
	/// Number of its readings.
	pub count: u32,
	/// Root over their leaves.
	pub root: H256,
	/// CID of its file.
	pub cid: Cid,
	/// Begin of the first reading, UTC milliseconds.
	pub start_ms: u64,
	/// End of the last reading, UTC milliseconds.
	pub end_ms: u64,
	/// What is for the chain.
	pub on_chain: Option<OnChain>,
	/// Key of the device that it was made for; `None` if it is not for the chain, or of an earlier
	/// version of this program.
	pub device: Option<PublicKey>,
	/// How far it has come.
	pub state: BatchState,
	/// The reason why it is parked.
	pub reason: Option<String>,
	/// The finalized block it is in.
	pub block: Option<H256>,
	/// Its Bitcoin anchor.
	pub anchor: BatchAnchor,
	/// The last word of the pinning service.
	pub pin: Option<String>,
}

/// The Bitcoin anchor of a batch, as its operator stated it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchAnchor {
	/// How far it is.
	pub status: AnchorStatus,
	/// Id of the transaction.
	pub txid: Option<String>,
	/// Hash of the transaction's block.
	pub block_hash: Option<String>,
	/// Height of that block.
	pub block_height: Option<u64>,
	/// Time of that block, RFC 3339.
	pub block_time: Option<String>,
}

/// What became of a batch on its way to the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
	/// It is in a finalized block.
	Accepted {
		/// The batch.
		row: BatchRow,
		/// The block, if known.
		block: Option<H256>,
	},
	/// It is refused.
	Parked {
		/// The batch.
		row: BatchRow,
		/// The reason.
		reason: String,
	},
	/// It is tried again from the start: from parked to signed, or to unsigned without a signature.
	Retried {
		/// The batch.
		row: BatchRow,
	},
}

/// The device of a meter, as far as the gateway has seen one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
	/// Public key that its batches are signed with.
	pub key: PublicKey,
	/// When it took the place of another, UTC milliseconds; 0 if it is the first.
	pub since_ms: u64,
}

/// A batch of a meter that was not made here, or is not here any more: it was signed before the
/// database was restored or lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCopy {
	/// When it is kept here, UTC milliseconds.
	pub created_ms: u64,
	/// Row of its meter.
	pub meter: MeterRow,
	/// Its header, and its signature if that is known.
	pub part: OnChain,
	/// Key of the device that has signed it.
	pub device: PublicKey,
	/// Whether the chain has accepted it.
	pub is_accepted: bool,
}

/// How far a file is, with the service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PinProgress {
	/// The last word of the service: `queued`, `pinning`, `pinned`, `failed`, or why it refuses.
	pub status: String,
	/// The request that is under way.
	pub request: Option<String>,
	/// How often the service was asked.
	pub attempts: u32,
	/// When it is asked again, UTC milliseconds.
	pub next_ms: u64,
}
