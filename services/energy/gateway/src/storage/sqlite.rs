//! The embedded store.

use super::{
	Anchor, Answer, Batch, BatchFilter, BatchRow, BatchState, BuriedLetter, Counts, DeadLetter,
	LogFilter, MIGRATIONS, MeterRow, NewBatch, NewReading, Page, Pending, Reading, ReadingRow,
	Selection, Settled, Storage, StoreFault, Stored, batches, intake::Intake, readings,
};
use gridproof_primitives::{H256, cid::Cid, meter::MeterName};
use gridproof_store::{
	Database, Options,
	rusqlite::{Connection, OptionalExtension, Row, params, types::ToSql},
};
use std::{path::Path, sync::Arc};

/// Logs, batches and dead letters in one SQLite file.
#[derive(Clone)]
pub struct Sqlite {
	database: Database,
	queue: usize,
	intake: Arc<Intake>,
}

/// A whole number as SQLite has them; times and counts stay far below its bound.
pub(super) fn int(value: u64) -> i64 {
	i64::try_from(value).unwrap_or(i64::MAX)
}

/// A whole number that is never negative.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> gridproof_store::rusqlite::Result<u64> {
	row.get::<_, i64>(column).map(|value| u64::try_from(value).unwrap_or(0))
}

/// The parts of a meter's name as text.
pub(crate) fn texts(name: &MeterName) -> [String; 3] {
	[name.site(), name.device(), name.meter()].map(str::to_string)
}

/// Conditions of a query with their values.
#[derive(Default)]
pub(super) struct Conditions {
	sql: String,
	values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
	/// Adds a condition; its `?` stands for `value`.
	pub(super) fn add<T: ToSql + 'static>(&mut self, condition: &str, value: Option<T>) {
		if let Some(value) = value {
			self.sql.push_str(if self.sql.is_empty() { " WHERE " } else { " AND " });
			self.sql.push_str(condition);
			self.values.push(Box::new(value));
		}
	}

	/// Rows of `select`, of one page.
	pub(super) fn page<T>(
		mut self,
		db: &Connection,
		select: &str,
		id: &str,
		page: Page,
		read: impl FnMut(&Row<'_>) -> gridproof_store::rusqlite::Result<T>,
	) -> Result<Vec<T>, StoreFault> {
		let (beyond, order) = if page.newest_first { ("<", "DESC") } else { (">", "ASC") };
		self.add(&format!("{id} {beyond} ?"), page.after);
		self.values.push(Box::new(page.limit));
		self.values.push(Box::new(int(page.offset)));
		let sql = format!("{select}{} ORDER BY {id} {order} LIMIT ? OFFSET ?", self.sql);
		let mut statement = db.prepare_cached(&sql)?;
		let values: Vec<&dyn ToSql> = self.values.iter().map(AsRef::as_ref).collect();
		let rows = statement.query_map(&values[..], read)?;
		Ok(rows.collect::<Result<_, _>>()?)
	}

	/// The number that `select` answers.
	pub(super) fn count(self, db: &Connection, select: &str) -> Result<u64, StoreFault> {
		let mut statement = db.prepare_cached(&format!("{select}{}", self.sql))?;
		let values: Vec<&dyn ToSql> = self.values.iter().map(AsRef::as_ref).collect();
		Ok(statement.query_row(&values[..], |row| unsigned(row, 0))?)
	}
}

impl Sqlite {
	/// Opens the file. Inside a tokio runtime, on which it works from then on.
	///
	/// # Errors
	/// [`StoreFault`].
	pub fn open(path: &Path, options: &Options) -> Result<Self, StoreFault> {
		let database = Database::open(path, MIGRATIONS, options)?;
		let intake = Arc::new(Intake::new(database.clone(), options.queue));
		Ok(Self { database, queue: options.queue, intake })
	}

	/// How many writes wait.
	pub fn waiting(&self) -> usize {
		self.queue.saturating_sub(self.database.room()).saturating_add(self.intake.waiting())
	}

	fn read<T, F>(&self, job: F) -> Answer<'_, T>
	where
		T: Send + 'static,
		F: FnOnce(&Connection) -> Result<T, StoreFault> + Send + 'static,
	{
		Box::pin(self.database.read(job))
	}

	fn write<T, F>(&self, job: F) -> Answer<'_, T>
	where
		T: Send + 'static,
		F: FnOnce(&Connection) -> Result<T, StoreFault> + Send + 'static,
	{
		Box::pin(self.database.write(job))
	}
}

fn meter(db: &Connection, [site, device, meter]: [String; 3]) -> Result<MeterRow, StoreFault> {
	let find = "SELECT id FROM meters WHERE site = ?1 AND device = ?2 AND meter = ?3";
	let found = db
		.prepare_cached(find)?
		.query_row(params![site, device, meter], |row| row.get(0))
		.optional()?;
	if let Some(row) = found {
		return Ok(row);
	}
	db.prepare_cached("INSERT INTO meters (site, device, meter) VALUES (?1, ?2, ?3)")?
		.execute(params![site, device, meter])?;
	Ok(db.last_insert_rowid())
}

fn meters(db: &Connection) -> Result<Vec<(MeterRow, MeterName)>, StoreFault> {
	let mut statement =
		db.prepare_cached("SELECT id, site, device, meter FROM meters ORDER BY id")?;
	let rows = statement.query_map([], |row| {
		let parts: [String; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
		Ok((row.get(0)?, parts))
	})?;
	let mut meters = Vec::new();
	for row in rows {
		let (row, [site, device, meter]) = row?;
		let name = MeterName::new(&site, &device, &meter);
		let name = name.map_err(|_| StoreFault::Sql("a meter without a name".to_string()))?;
		meters.push((row, name));
	}
	Ok(meters)
}

fn counts(db: &Connection) -> Result<Counts, StoreFault> {
	let one = |sql: &str| -> Result<u64, StoreFault> {
		Ok(db.prepare_cached(sql)?.query_row([], |row| unsigned(row, 0))?)
	};
	let state = |state: BatchState| -> Result<u64, StoreFault> {
		let sql = "SELECT count(*) FROM batches WHERE state = ?1";
		Ok(db.prepare_cached(sql)?.query_row([state.as_str()], |row| unsigned(row, 0))?)
	};
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
	})
}

impl Storage for Sqlite {
	fn meter<'a>(&'a self, name: &'a MeterName) -> Answer<'a, MeterRow> {
		let parts = texts(name);
		self.write(move |db| meter(db, parts))
	}

	fn meters(&self) -> Answer<'_, Vec<(MeterRow, MeterName)>> {
		self.read(meters)
	}

	fn store(&self, reading: NewReading, wait: bool) -> Answer<'_, Stored> {
		Box::pin(self.intake.store(reading, wait))
	}

	fn bury(&self, letter: DeadLetter) -> Answer<'_, ()> {
		self.write(move |db| readings::bury(db, &letter))
	}

	fn condemn(&self, rows: Vec<(ReadingRow, DeadLetter)>) -> Answer<'_, ()> {
		self.write(move |db| readings::condemn(db, &rows))
	}

	fn dead_letters(&self, reason: Option<String>, page: Page) -> Answer<'_, Vec<BuriedLetter>> {
		self.read(move |db| readings::dead_letters(db, reason, page))
	}

	fn logs(&self, filter: LogFilter, page: Page) -> Answer<'_, Vec<Reading>> {
		self.read(move |db| readings::logs(db, filter, page))
	}

	fn count_logs(&self, filter: LogFilter) -> Answer<'_, u64> {
		self.read(move |db| readings::count(db, filter))
	}

	fn pending(&self) -> Answer<'_, Vec<Pending>> {
		self.read(readings::pending)
	}

	fn unbatched(&self, selection: Selection, limit: u32) -> Answer<'_, Vec<Reading>> {
		self.read(move |db| readings::unbatched(db, &selection, limit))
	}

	fn seal(&self, batch: NewBatch) -> Answer<'_, Option<BatchRow>> {
		let free = self.intake.free().clone();
		Box::pin(async move {
			let job = move |db: &Connection| {
				if let Some(meter) = batch.meter {
					free.forget(meter);
				}
				batches::seal(db, &batch)
			};
			match self.database.write(job).await {
				Ok(row) => Ok(Some(row)),
				Err(batches::SealFault::Changed) => Ok(None),
				Err(batches::SealFault::Store(fault)) => Err(fault),
			}
		})
	}

	fn batch(&self, row: BatchRow) -> Answer<'_, Option<Batch>> {
		self.read(move |db| batches::batch(db, row))
	}

	fn batch_by_cid(&self, cid: Cid) -> Answer<'_, Option<Batch>> {
		self.read(move |db| batches::by_cid(db, cid))
	}

	fn batches(&self, filter: BatchFilter, page: Page) -> Answer<'_, Vec<Batch>> {
		self.read(move |db| batches::list(db, filter, page))
	}

	fn count_batches(&self, filter: BatchFilter) -> Answer<'_, u64> {
		self.read(move |db| batches::count(db, filter))
	}

	fn batch_logs(&self, row: BatchRow) -> Answer<'_, Vec<Reading>> {
		self.read(move |db| readings::of_batch(db, row))
	}

	fn leaves(&self, row: BatchRow) -> Answer<'_, Vec<H256>> {
		self.read(move |db| readings::leaves(db, row))
	}

	fn last_batch(&self, meter: MeterRow) -> Answer<'_, Option<Batch>> {
		self.read(move |db| batches::last(db, meter))
	}

	fn in_state(&self, state: BatchState, after: BatchRow, limit: u32) -> Answer<'_, Vec<Batch>> {
		self.read(move |db| batches::in_state(db, state, after, limit))
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

	fn anchor(&self, row: BatchRow, anchor: Anchor) -> Answer<'_, bool> {
		self.write(move |db| batches::anchor(db, row, &anchor))
	}

	fn unpinned(&self, limit: u32) -> Answer<'_, Vec<Batch>> {
		self.read(move |db| batches::unpinned(db, limit))
	}

	fn pinned(&self, row: BatchRow, status: String) -> Answer<'_, ()> {
		self.write(move |db| {
			db.prepare_cached("UPDATE batches SET pin = ?2 WHERE id = ?1")?
				.execute(params![row, status])?;
			Ok(())
		})
	}

	fn counts(&self) -> Answer<'_, Counts> {
		self.read(counts)
	}
}
