//! What the rest of the gateway asks of its store.

use super::{
	filter::{BatchFilter, Page, ReadingFilter, Selection},
	rows::{
		Batch, BatchAnchor, BatchRow, Device, MeterRow, NewBatch, NewCopy, NewDeadLetter,
		NewReading, Pending, PinProgress, Reading, ReadingRow, Settled, Stored,
	},
};
use futures::future::BoxFuture;
use gridproof_gateway_api::{BatchState, Counts, DeadLetter};
use gridproof_primitives::{
	H256, codec::cid::Cid, crypto::merkle::anchored::AnchorPath, energy::MeterName,
};
use gridproof_store::StoreError;

/// The answer of a call, some time later.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Looks at readings, batches and dead letters, and changes nothing.
pub trait ReadStorage: Send + Sync + 'static {
	/// All meters, in order of their rows.
	fn meters(&self) -> Answer<'_, Vec<(MeterRow, MeterName)>>;
	/// Dead letters, of one reason or of all.
	fn dead_letters(&self, reason: Option<String>, page: Page) -> Answer<'_, Vec<DeadLetter>>;
	/// Readings.
	fn readings(&self, filter: ReadingFilter, page: Page) -> Answer<'_, Vec<Reading>>;
	/// The number of readings.
	fn count_readings(&self, filter: ReadingFilter) -> Answer<'_, u64>;
	/// Meters that have readings in no batch.
	fn pending(&self) -> Answer<'_, Vec<Pending>>;
	/// Readings in no batch, at most `limit`: of one meter in order of their time, of several in
	/// order of arrival.
	fn unbatched(&self, selection: Selection, limit: u32) -> Answer<'_, Vec<Reading>>;
	/// One reading; from the archive if it is there.
	fn reading(&self, row: ReadingRow) -> Answer<'_, Option<Reading>>;
	/// One batch; from the archive if it is there.
	fn batch(&self, row: BatchRow) -> Answer<'_, Option<Batch>>;
	/// The batch whose file has this CID; from the archive if it is there.
	fn batch_by_cid(&self, cid: Cid) -> Answer<'_, Option<Batch>>;
	/// Batches.
	fn batches(&self, filter: BatchFilter, page: Page) -> Answer<'_, Vec<Batch>>;
	/// The number of batches.
	fn count_batches(&self, filter: BatchFilter) -> Answer<'_, u64>;
	/// The readings of a batch, in order; from the archive if they are there.
	fn batch_readings(&self, row: BatchRow) -> Answer<'_, Vec<Reading>>;
	/// The leaves of a batch, in order; from the archive if they are there.
	fn leaves(&self, row: BatchRow) -> Answer<'_, Vec<H256>>;
	/// The way from a batch's root to the root in the transaction that anchors it, if that is not its
	/// own.
	fn anchor_path(&self, row: BatchRow) -> Answer<'_, Option<AnchorPath>>;
	/// The last batch of a meter for the chain that was not given up.
	fn last_batch(&self, meter: MeterRow) -> Answer<'_, Option<Batch>>;
	/// Batches in a state, in order of their rows, after a row.
	fn in_state(&self, state: BatchState, after: BatchRow, limit: u32) -> Answer<'_, Vec<Batch>>;
	/// Batches whose files are due for a question to the pinning service, at most `limit`.
	fn to_pin(&self, now_ms: u64, limit: u32) -> Answer<'_, Vec<(Batch, PinProgress)>>;
	/// The device of a meter, if one was ever seen.
	fn device(&self, meter: MeterRow) -> Answer<'_, Option<Device>>;
	/// Whether such a message, of this source, topic, reason and payload, is among the dead letters.
	fn is_buried(&self, letter: NewDeadLetter) -> Answer<'_, bool>;
	/// Refused messages by source and reason, those that are not kept any more included.
	fn refusals(&self) -> Answer<'_, Vec<(String, String, u64)>>;
	/// Whether writes are done: the answer waits for the writer, and is the reason why the last
	/// readings could not be kept, if they could not.
	fn alive(&self) -> Answer<'_, ()>;
	/// The number of writes that wait for the disk.
	fn waiting(&self) -> usize;
	/// How many of everything there are.
	fn counts(&self) -> Answer<'_, Counts>;
}

/// Keeps readings, batches and dead letters. A change is durable when it is answered.
pub trait Storage: ReadStorage {
	/// The row of a meter; a new one if it has none.
	fn meter<'a>(&'a self, name: &'a MeterName) -> Answer<'a, MeterRow>;
	/// Keeps a reading. With `wait`, waits while too much is to be written; without, that is
	/// [`StoreError::Overloaded`].
	fn store(&self, reading: NewReading, wait: bool) -> Answer<'_, Stored>;
	/// Keeps something refused.
	fn bury(&self, letter: NewDeadLetter) -> Answer<'_, ()>;
	/// Moves readings that turned out to be refused to the dead letters.
	fn condemn(&self, rows: Vec<(ReadingRow, NewDeadLetter)>) -> Answer<'_, ()>;
	/// Notes the device of a meter.
	fn set_device(&self, meter: MeterRow, device: Device) -> Answer<'_, ()>;
	/// Moves what the device before has left at a meter, of before `before_ms`, to the dead letters:
	/// as `letter`, each with its own payload. The answer is the number of readings.
	fn retire(&self, meter: MeterRow, before_ms: u64, letter: NewDeadLetter) -> Answer<'_, u64>;
	/// Keeps a batch and puts its readings in it. `None` if they are not exactly the first readings
	/// of the meter any more, or are in a batch already: then nothing has changed.
	fn seal(&self, batch: NewBatch) -> Answer<'_, Option<BatchRow>>;
	/// Signs an unsigned batch. `false` if it was not unsigned.
	fn sign(&self, row: BatchRow, signature: [u8; 64]) -> Answer<'_, bool>;
	/// Accepts, parks or retries batches.
	fn settle(&self, outcomes: Vec<Settled>) -> Answer<'_, ()>;
	/// Gives up a batch of a meter and all later ones of it: their readings are in no batch again.
	/// The answer is the number of batches.
	fn dissolve(&self, row: BatchRow) -> Answer<'_, u64>;
	/// Keeps a batch that was signed and is not here, in place of what has its number. `false` if nothing
	/// has changed: it is here as it is, or something signed has its number.
	fn adopt(&self, copy: NewCopy) -> Answer<'_, bool>;
	/// Writes what is settled and was made before a time, UTC milliseconds, into an archive file. Rows stay
	/// until [`Storage::prune`]. With `pinned`, what a service still has to pin stays. `false` if there is
	/// nothing, or this time had its last file.
	fn archive(&self, before_ms: u64, pinned: bool) -> Answer<'_, bool>;
	/// Deletes a small piece of what is in archive files. The answer is the number of batches that were
	/// looked at: 0 when nothing is left.
	fn prune(&self) -> Answer<'_, u64>;
	/// Looks for archive files that the database does not know. The answer is their number.
	fn find_archives(&self) -> Answer<'_, u64>;
	/// Sets the anchor of a batch, with the way to the root in the transaction if that is not the
	/// batch's own. `false` if there is no such batch, or it is in the archive.
	fn anchor(
		&self,
		row: BatchRow,
		anchor: BatchAnchor,
		path: Option<AnchorPath>,
	) -> Answer<'_, bool>;
	/// Notes the word of the pinning service.
	fn pinned(&self, row: BatchRow, progress: PinProgress) -> Answer<'_, ()>;
}
