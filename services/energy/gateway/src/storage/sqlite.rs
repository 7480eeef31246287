//! The embedded store.

use super::{
	anchors,
	archive::{self, Archive},
	batches,
	contract::{Answer, ReadStorage, Storage},
	filter::{BatchFilter, Page, ReadingFilter, Selection},
	query::{self, unsigned},
	queue::Queue,
	readings,
	rows::{
		Batch, BatchAnchor, BatchRow, Device, MeterRow, NewBatch, NewCopy, NewDeadLetter,
		NewReading, Pending, PinProgress, Reading, ReadingRow, Settled, Stored,
	},
	schema::MIGRATIONS,
};
use gridproof_gateway_api::{BatchState, Counts, DeadLetter};
use gridproof_primitives::{
	H256, codec::cid::Cid, crypto::merkle::anchored::AnchorPath, energy::MeterName,
};
use gridproof_store::{Database, Options, StoreError, rusqlite::Connection};
use std::{path::Path, sync::Arc, time::Duration};

/// The folder of archive files, beside the database.
const ARCHIVE: &str = "archive";
/// What was found out about the room on the disk is said for so long.
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// Bytes after which an archive file takes no more batches: 32 MiB.
const ARCHIVE_BYTES: u64 = 32 << 20;

/// Readings, batches and dead letters in one SQLite file, and what was settled long ago in files beside
/// it.
#[derive(Clone)]
pub struct Sqlite {
	database: Database,
	places: usize,
	queue: Arc<Queue>,
	archive: Archive,
}

impl Sqlite {
	/// Opens the file. Inside a tokio runtime, on which it works from then on.
	///
	/// # Errors
	/// [`StoreError`].
	pub fn open(path: &Path, options: &Options) -> Result<Self, StoreError> {
		let database = Database::open(path, MIGRATIONS, options)?;
		let queue = Arc::new(Queue::new(database.clone(), options.queue));
		let folder = path.parent().unwrap_or(Path::new("")).join(ARCHIVE);
		let archive = Archive::new(folder, ARCHIVE_BYTES);
		Ok(Self { database, places: options.queue, queue, archive })
	}

	/// Begins another archive file after so many bytes.
	#[must_use]
	pub fn with_archive_bytes(self, max_bytes: u64) -> Self {
		let archive = self.archive.with_bytes(max_bytes);
		Self { archive, ..self }
	}

	/// Reads, with the archive at hand.
	fn look<T, F>(&self, job: F) -> Answer<'_, T>
	where
		T: Send + 'static,
		F: FnOnce(&Connection, &Archive) -> Result<T, StoreError> + Send + 'static,
	{
		let archive = self.archive.clone();
		self.read(move |db| job(db, &archive))
	}

	fn read<T, F>(&self, job: F) -> Answer<'_, T>
	where
		T: Send + 'static,
		F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
	{
		Box::pin(self.database.read(job))
	}

	fn write<T, F>(&self, job: F) -> Answer<'_, T>
	where
		T: Send + 'static,
		F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
	{
		Box::pin(self.database.write(job))
	}
}

fn counts(db: &Connection) -> Result<Counts, StoreError> {
	let one = |sql: &str| -> Result<u64, StoreError> {
		Ok(db.prepare_cached(sql)?.query_row([], |row| unsigned(row, 0))?)
	};
	let state = |state: BatchState| -> Result<u64, StoreError> {
		let sql = "SELECT count(*) FROM batches WHERE state = ?1";
		Ok(db.prepare_cached(sql)?.query_row([state.as_str()], |row| unsigned(row, 0))?)
	};
	let (archived_batches, archived_readings) = archive::totals(db)?;
	Ok(Counts {
		meters: one("SELECT count(*) FROM meters")?,
		readings: one("SELECT count(*) FROM readings")?,
		pending: one("SELECT count(*) FROM readings WHERE batch IS NULL")?,
		batches: one("SELECT count(*) FROM batches")?,
		not_certified: state(BatchState::NotCertified)?,
		unsigned: state(BatchState::Unsigned)?,
		signed: state(BatchState::Signed)?,
		accepted: state(BatchState::Accepted)?,
		parked: state(BatchState::Parked)?,
		dead_letters: one("SELECT count(*) FROM dead_letters")?,
		archived_readings,
		archived_batches,
	})
}

impl ReadStorage for Sqlite {
	fn meters(&self) -> Answer<'_, Vec<(MeterRow, MeterName)>> {
		self.read(query::meters)
	}

	fn dead_letters(&self, reason: Option<String>, page: Page) -> Answer<'_, Vec<DeadLetter>> {
		self.read(move |db| readings::dead_letters(db, reason, page))
	}

	fn readings(&self, filter: ReadingFilter, page: Page) -> Answer<'_, Vec<Reading>> {
		self.read(move |db| readings::list(db, filter, page))
	}

	fn count_readings(&self, filter: ReadingFilter) -> Answer<'_, u64> {
		self.read(move |db| readings::count(db, filter))
	}

	fn pending(&self) -> Answer<'_, Vec<Pending>> {
		self.read(readings::pending)
	}

	fn unbatched(&self, selection: Selection, limit: u32) -> Answer<'_, Vec<Reading>> {
		self.read(move |db| readings::unbatched(db, &selection, limit))
	}

	fn reading(&self, row: ReadingRow) -> Answer<'_, Option<Reading>> {
		self.look(move |db, archive| match readings::one(db, row)? {
			Some(reading) => Ok(Some(reading)),
			None => archive.reading(db, row),
		})
	}

	fn batch(&self, row: BatchRow) -> Answer<'_, Option<Batch>> {
		self.look(move |db, archive| match batches::batch(db, row)? {
			Some(batch) => Ok(Some(batch)),
			None => Ok(archive.batch(db, row)?.map(|(batch, _)| batch)),
		})
	}

	fn batch_by_cid(&self, cid: Cid) -> Answer<'_, Option<Batch>> {
		self.look(move |db, archive| match batches::by_cid(db, cid)? {
			Some(batch) => Ok(Some(batch)),
			None => archive.by_cid(db, cid),
		})
	}

	fn batches(&self, filter: BatchFilter, page: Page) -> Answer<'_, Vec<Batch>> {
		self.read(move |db| batches::list(db, filter, page))
	}

	fn count_batches(&self, filter: BatchFilter) -> Answer<'_, u64> {
		self.read(move |db| batches::count(db, filter))
	}

	fn batch_readings(&self, row: BatchRow) -> Answer<'_, Vec<Reading>> {
		self.look(move |db, archive| {
			if batches::batch(db, row)?.is_some() {
				return readings::of_batch(db, row);
			}
			Ok(archive.batch(db, row)?.map(|(_, readings)| readings).unwrap_or_default())
		})
	}

	fn leaves(&self, row: BatchRow) -> Answer<'_, Vec<H256>> {
		self.look(move |db, archive| {
			if batches::batch(db, row)?.is_some() {
				return readings::leaves(db, row);
			}
			let readings = archive.batch(db, row)?.map(|(_, readings)| readings);
			Ok(readings.into_iter().flatten().map(|reading| reading.leaf).collect())
		})
	}

	fn anchor_path(&self, row: BatchRow) -> Answer<'_, Option<AnchorPath>> {
		self.read(move |db| anchors::path(db, row))
	}

	fn last_batch(&self, meter: MeterRow) -> Answer<'_, Option<Batch>> {
		self.read(move |db| batches::last(db, meter))
	}

	fn in_state(&self, state: BatchState, after: BatchRow, limit: u32) -> Answer<'_, Vec<Batch>> {
		self.read(move |db| batches::in_state(db, state, after, limit))
	}

	fn to_pin(&self, now_ms: u64, limit: u32) -> Answer<'_, Vec<(Batch, PinProgress)>> {
		self.read(move |db| batches::to_pin(db, now_ms, limit))
	}

	fn device(&self, meter: MeterRow) -> Answer<'_, Option<Device>> {
		self.read(move |db| query::device(db, meter))
	}

	fn is_buried(&self, letter: NewDeadLetter) -> Answer<'_, bool> {
		self.read(move |db| readings::is_buried(db, &letter))
	}

	fn refusals(&self) -> Answer<'_, Vec<(String, String, u64)>> {
		self.read(readings::refusals)
	}

	fn alive(&self) -> Answer<'_, ()> {
		Box::pin(self.database.probe(PROBE_EVERY))
	}

	fn waiting(&self) -> usize {
		self.places.saturating_sub(self.database.room()).saturating_add(self.queue.waiting())
	}

	fn counts(&self) -> Answer<'_, Counts> {
		self.read(counts)
	}
}

impl Storage for Sqlite {
	fn meter<'a>(&'a self, name: &'a MeterName) -> Answer<'a, MeterRow> {
		let parts = [name.site(), name.device(), name.meter()].map(str::to_string);
		self.write(move |db| query::meter(db, parts))
	}

	fn store(&self, reading: NewReading, wait: bool) -> Answer<'_, Stored> {
		Box::pin(self.queue.store(reading, wait))
	}

	fn bury(&self, letter: NewDeadLetter) -> Answer<'_, ()> {
		self.write(move |db| readings::bury(db, &letter))
	}

	fn condemn(&self, rows: Vec<(ReadingRow, NewDeadLetter)>) -> Answer<'_, ()> {
		self.write(move |db| readings::condemn(db, &rows))
	}

	fn set_device(&self, meter: MeterRow, device: Device) -> Answer<'_, ()> {
		self.write(move |db| query::set_device(db, meter, device))
	}

	fn retire(&self, meter: MeterRow, before_ms: u64, letter: NewDeadLetter) -> Answer<'_, u64> {
		self.write(move |db| readings::retire(db, meter, before_ms, &letter))
	}

	fn seal(&self, batch: NewBatch) -> Answer<'_, Option<BatchRow>> {
		let free = self.queue.free().clone();
		Box::pin(async move {
			let job = move |db: &Connection| {
				if let Some(meter) = batch.meter {
					free.forget(meter);
				}
				batches::seal(db, &batch)
			};
			match self.database.write(job).await {
				Ok(row) => Ok(Some(row)),
				Err(batches::SealError::Changed) => Ok(None),
				Err(batches::SealError::Store(error)) => Err(error),
			}
		})
	}

	fn sign(&self, row: BatchRow, signature: [u8; 64]) -> Answer<'_, bool> {
		self.write(move |db| batches::sign(db, row, &signature))
	}

	fn settle(&self, outcomes: Vec<Settled>) -> Answer<'_, ()> {
		self.write(move |db| batches::settle(db, &outcomes))
	}

	fn dissolve(&self, row: BatchRow) -> Answer<'_, u64> {
		self.write(move |db| batches::dissolve(db, row))
	}

	fn adopt(&self, copy: NewCopy) -> Answer<'_, bool> {
		let free = self.queue.free().clone();
		self.write(move |db| {
			free.forget(copy.meter);
			batches::adopt(db, &copy)
		})
	}

	fn archive(&self, before_ms: u64, pinned: bool) -> Answer<'_, bool> {
		Box::pin(async move {
			self.write(move |db| archive::drop_given_up(db, before_ms)).await?;
			let written =
				self.look(move |db, archive| archive.write(db, before_ms, pinned)).await?;
			let Some(written) = written else { return Ok(false) };
			self.write(move |db| archive::register(db, &written)).await?;
			Ok(true)
		})
	}

	fn prune(&self) -> Answer<'_, u64> {
		Box::pin(async move {
			match self.look(|db, archive| archive.piece(db)).await? {
				None => Ok(0),
				Some(piece) => self.write(move |db| archive::prune(db, piece)).await,
			}
		})
	}

	fn find_archives(&self) -> Answer<'_, u64> {
		Box::pin(async move {
			let unknown = self.look(|db, archive| archive.unknown(db)).await?;
			let count = u64::try_from(unknown.len()).unwrap_or(u64::MAX);
			if count > 0 {
				self.write(move |db| unknown.iter().try_for_each(|one| archive::register(db, one)))
					.await?;
			}
			Ok(count)
		})
	}

	fn anchor(
		&self,
		row: BatchRow,
		anchor: BatchAnchor,
		path: Option<AnchorPath>,
	) -> Answer<'_, bool> {
		self.write(move |db| {
			let is_there = batches::anchor(db, row, &anchor)?;
			if is_there {
				anchors::set_path(db, row, path.as_ref())?;
			}
			Ok(is_there)
		})
	}

	fn pinned(&self, row: BatchRow, progress: PinProgress) -> Answer<'_, ()> {
		self.write(move |db| batches::pinned(db, row, &progress))
	}
}
