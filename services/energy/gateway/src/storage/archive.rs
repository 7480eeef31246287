//! What is settled moves from the database into archive files, and is found there.
//!
//! A file is written whole, and read back, before any row goes; rows go in small pieces, each only if
//! it is still what the file says. So a crash at any moment loses nothing: a file that the database
//! does not know is found at the next start, and rows that are in a file and still here are only
//! there twice.

use super::{
	archive_file::{self, ArchiveFile, Found, Key, Summary, Writer},
	batches::{self, NEVER_MS},
	query::{self, int, unsigned},
	readings,
	rows::{Batch, BatchRow, Reading, ReadingRow},
};
use gridproof_primitives::{
	codec::cid::Cid,
	crypto::merkle,
	energy::emlog::{EnergyLog, format_utc},
};
use gridproof_store::{
	StoreError,
	rusqlite::{Connection, OptionalExtension, Row, params},
};
use std::{io, path::PathBuf};

/// Batches that are looked at together.
const PAGE: u32 = 64;
/// Batches that are deleted together, and readings after which there are no more of them.
const PIECE: (u64, usize) = (16, 2_000);
/// Rows of batches that were given up that are deleted together.
const GIVEN_UP: u32 = 1_000;
/// How a file's name ends.
const ENDING: &str = ".jsonl";

/// The archive files beside a database.
#[derive(Clone, Debug)]
pub(super) struct Archive {
	folder: PathBuf,
	/// Bytes after which a file takes no more batches.
	max_bytes: u64,
}

/// A file that was just written.
pub(super) struct Written {
	file: String,
	summary: Summary,
	is_full: bool,
}

/// A piece of what is in a file and still here.
pub(super) struct Piece {
	archive: i64,
	taken: u64,
	found: Vec<(Batch, Vec<Reading>)>,
}

/// What is settled: local batches at once, those for the chain when it has accepted them and a later one
/// of their meter, on which the next follows. What is before it of its meter and open may still need it.
/// An anchor that is under way, and a file that is to be pinned, are waited for.
const SETTLED: &str = "created_ms < ?1 AND (created_ms, id) > (?2, ?3) \
	AND anchor_status <> 'broadcast' AND (NOT ?4 OR pin IS 'pinned' OR pin_next_ms = ?5) \
	AND (state = 'not_certified' OR (state = 'accepted' \
	AND EXISTS (SELECT 1 FROM batches AS later WHERE later.meter = batches.meter \
	AND later.sequence > batches.sequence AND later.state = 'accepted') \
	AND NOT EXISTS (SELECT 1 FROM batches AS open WHERE open.meter = batches.meter \
	AND open.sequence < batches.sequence AND open.state IN ('unsigned', 'signed', 'parked'))))";

impl Archive {
	/// The files in a folder.
	pub(super) const fn new(folder: PathBuf, max_bytes: u64) -> Self {
		Self { folder, max_bytes }
	}

	/// The same, with another size of files.
	pub(super) fn with_bytes(self, max_bytes: u64) -> Self {
		Self { max_bytes, ..self }
	}

	fn failed(&self, file: &str, error: &io::Error) -> StoreError {
		StoreError::Disk(format!("{}: {error}", self.folder.join(file).display()))
	}

	/// Writes what is settled and was made before `before_ms` into a file, and reads it back. `None` if
	/// there is nothing, or this time had its last file. With `pinned`, what a service still has to pin
	/// stays.
	pub(super) fn write(
		&self,
		db: &Connection,
		before_ms: u64,
		pinned: bool,
	) -> Result<Option<Written>, StoreError> {
		let is_over = "SELECT 1 FROM archives WHERE before_ms >= ?1 AND is_full = 0";
		let is_over =
			db.prepare_cached(is_over)?.query_row([int(before_ms)], |_| Ok(())).optional()?;
		if is_over.is_some() {
			return Ok(None);
		}
		let day = format_utc(before_ms);
		let day = day.get(..10).unwrap_or(&day).to_string();
		let failed = |error: io::Error| self.failed(&day, &error);
		let mut writer = Writer::new(before_ms).map_err(failed)?;
		let names = query::meters(db)?;
		let name = |row: i64| {
			let place = names.binary_search_by_key(&row, |(row, _)| *row).ok()?;
			names.get(place).map(|(_, name)| name.clone())
		};
		let mut after = (0, 0);
		'pages: loop {
			let page = settled(db, before_ms, after, pinned)?;
			let Some(last) = page.last() else { break };
			after = (int(last.created_ms), last.row);
			for batch in &page {
				let readings = readings::of_batch(db, batch.row)?;
				let meter = batch.meter.and_then(name);
				writer.add(batch, meter, &readings).map_err(failed)?;
				if writer.bytes() >= self.max_bytes {
					break 'pages;
				}
			}
		}
		if writer.is_empty() {
			return Ok(None);
		}
		let is_full = writer.bytes() >= self.max_bytes;
		let bytes = writer.finish().map_err(failed)?;
		let file = self.unused(&day);
		let path = self.folder.join(&file);
		archive_file::write(&path, &bytes).map_err(|error| self.failed(&file, &error))?;
		let summary = archive_file::check(&path).map_err(|error| self.failed(&file, &error))?;
		Ok(Some(Written { file, summary, is_full }))
	}

	/// A name that no file has: an older copy of the database may not know all of them.
	fn unused(&self, day: &str) -> String {
		let mut number = 1u32;
		loop {
			let file = format!("{day}-{number:04}{ENDING}");
			if !self.folder.join(&file).exists() {
				return file;
			}
			number = number.saturating_add(1);
		}
	}

	/// The files that the database does not know: of before a crash, or of a database that was lost.
	pub(super) fn unknown(&self, db: &Connection) -> Result<Vec<Written>, StoreError> {
		let entries = match std::fs::read_dir(&self.folder) {
			Ok(entries) => entries,
			Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
			Err(error) => return Err(self.failed("", &error)),
		};
		let mut unknown = Vec::new();
		for entry in entries {
			let entry = entry.map_err(|error| self.failed("", &error))?;
			let Ok(file) = entry.file_name().into_string() else { continue };
			let known = "SELECT 1 FROM archives WHERE file = ?1";
			let known = db.prepare_cached(known)?.query_row([&file], |_| Ok(())).optional()?;
			if known.is_some() || !file.ends_with(ENDING) {
				continue;
			}
			match archive_file::check(&entry.path()) {
				Ok(summary) => unknown.push(Written { file, summary, is_full: false }),
				Err(error) => tracing::error!(%file, %error, "an archive file is not used"),
			}
		}
		Ok(unknown)
	}

	/// The next piece of what is in a file and may still be here; `None` if all files are done.
	pub(super) fn piece(&self, db: &Connection) -> Result<Option<Piece>, StoreError> {
		let next =
			"SELECT id, file, pruned FROM archives WHERE pruned < batches ORDER BY id LIMIT 1";
		let read = |row: &Row<'_>| {
			Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, unsigned(row, 2)?))
		};
		let Some((archive, file, pruned)) =
			db.prepare_cached(next)?.query_row([], read).optional()?
		else {
			return Ok(None);
		};
		let failed = |error: io::Error| self.failed(&file, &error);
		let open = ArchiveFile::open(&self.folder.join(&file)).map_err(failed)?;
		let (mut found, mut taken, mut inside) = (Vec::new(), 0u64, 0usize);
		while taken < PIECE.0 && inside < PIECE.1 {
			let Some(one) = open.some(pruned.saturating_add(taken), 1).map_err(failed)?.pop()
			else {
				break;
			};
			taken = taken.saturating_add(1);
			inside = inside.saturating_add(one.readings.len());
			found.push(shown(db, one)?);
		}
		Ok(Some(Piece { archive, taken, found }))
	}

	/// A batch that is in a file, with its readings; the newest file that has it.
	pub(super) fn find(
		&self,
		db: &Connection,
		key: Key,
	) -> Result<Option<(Batch, Vec<Reading>)>, StoreError> {
		let (files, row) = match key {
			Key::Reading(row) => ("WHERE first_reading <= ?1 AND last_reading >= ?1", Some(row)),
			Key::Batch(row) => ("WHERE first_batch <= ?1 AND last_batch >= ?1", Some(row)),
			Key::Cid(_) => ("WHERE ?1 IS NULL", None),
		};
		let select = format!("SELECT file FROM archives {files} ORDER BY id DESC");
		let mut statement = db.prepare_cached(&select)?;
		let files = statement.query_map([row], |row| row.get::<_, String>(0))?;
		let files = files.collect::<Result<Vec<_>, _>>()?;
		for file in files {
			let failed = |error: io::Error| self.failed(&file, &error);
			let open = ArchiveFile::open(&self.folder.join(&file)).map_err(failed)?;
			if let Some(found) = open.find(&key).map_err(failed)? {
				return shown(db, found).map(Some);
			}
		}
		Ok(None)
	}

	/// As [`Archive::find`], the batch of a row.
	pub(super) fn batch(
		&self,
		db: &Connection,
		row: BatchRow,
	) -> Result<Option<(Batch, Vec<Reading>)>, StoreError> {
		self.find(db, Key::Batch(row))
	}

	/// As [`Archive::find`], the batch of a CID.
	pub(super) fn by_cid(&self, db: &Connection, cid: Cid) -> Result<Option<Batch>, StoreError> {
		Ok(self.find(db, Key::Cid(cid))?.map(|(batch, _)| batch))
	}

	/// A reading that is in a file.
	pub(super) fn reading(
		&self,
		db: &Connection,
		row: ReadingRow,
	) -> Result<Option<Reading>, StoreError> {
		let found = self.find(db, Key::Reading(row))?;
		Ok(found.and_then(|(_, readings)| readings.into_iter().find(|reading| reading.row == row)))
	}
}

fn settled(
	db: &Connection,
	before_ms: u64,
	after: (i64, i64),
	pinned: bool,
) -> Result<Vec<Batch>, StoreError> {
	// Else it would look at everything for each page.
	let select = format!(
		"SELECT id FROM batches INDEXED BY batches_by_age WHERE {SETTLED} \
		ORDER BY created_ms, id LIMIT ?6"
	);
	let mut statement = db.prepare_cached(&select)?;
	let rows = statement
		.query_map(params![int(before_ms), after.0, after.1, pinned, NEVER_MS, PAGE], |row| {
			row.get(0)
		})?;
	let rows = rows.collect::<Result<Vec<BatchRow>, _>>()?;
	let batches = rows.into_iter().map(|row| batches::batch(db, row));
	Ok(batches.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// What was found, with the rows of its meters here.
fn shown(db: &Connection, found: Found) -> Result<(Batch, Vec<Reading>), StoreError> {
	let Found { batch, meter, readings } = found;
	let meter = meter.map(|name| query::known_meter(db, &name)).transpose()?.flatten();
	let batch = Batch { meter, ..batch };
	let mut shown = Vec::with_capacity(readings.len());
	for (place, (row, received_ms, body)) in (0u32..).zip(readings) {
		let says = EnergyLog::parse(body.as_bytes())
			.map_err(|error| StoreError::Disk(format!("a reading in an archive file: {error}")))?;
		shown.push(Reading {
			row,
			// Every meter that ever sent a reading has a row, but not in a database that was lost.
			meter: query::known_meter(db, &says.name)?.unwrap_or_default(),
			start_ms: says.start_ms,
			end_ms: says.end_ms,
			received_ms,
			leaf: says.leaf_hash(),
			body,
			batch: Some(batch.row),
			place: Some(place),
		});
	}
	Ok((batch, shown))
}

/// Notes a file. Rows that it has are never given again.
pub(super) fn register(db: &Connection, written: &Written) -> Result<(), StoreError> {
	let Written { file, summary, is_full } = written;
	let insert = "INSERT INTO archives (file, sha256, before_ms, bytes, batches, readings, \
		first_batch, last_batch, first_reading, last_reading, is_full) \
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
	db.prepare_cached(insert)?.execute(params![
		file,
		summary.sha256,
		int(summary.before_ms),
		int(summary.bytes),
		int(summary.batches),
		int(summary.readings),
		summary.batch_rows.0,
		summary.batch_rows.1,
		summary.reading_rows.0,
		summary.reading_rows.1,
		is_full,
	])?;
	for (table, last) in [("batches", summary.batch_rows.1), ("readings", summary.reading_rows.1)] {
		let update = "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1";
		if db.prepare_cached(update)?.execute(params![table, last])? == 0 {
			let insert = "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)";
			db.prepare_cached(insert)?.execute(params![table, last])?;
		}
	}
	Ok(())
}

/// Deletes a piece of what is in a file: each batch only if it is still what the file says. The answer
/// is the number of batches that were looked at.
pub(super) fn prune(db: &Connection, piece: Piece) -> Result<u64, StoreError> {
	let mut left = false;
	for (filed, filed_readings) in piece.found {
		let Some(here) = batches::batch(db, filed.row)? else { continue };
		let readings = readings::of_batch(db, filed.row)?;
		let leaves: Vec<_> = filed_readings.iter().map(|reading| reading.leaf).collect();
		let is_whole = leaves.is_empty() || merkle::root(&leaves) == filed.root;
		if here == filed && readings == filed_readings && is_whole {
			drop_batch(db, filed.row)?;
		} else {
			// It has changed meanwhile: it goes into another file.
			left = true;
		}
	}
	let update = "UPDATE archives SET pruned = pruned + ?2, \
		is_full = CASE WHEN ?3 THEN 0 ELSE is_full END WHERE id = ?1";
	db.prepare_cached(update)?.execute(params![piece.archive, int(piece.taken), left])?;
	Ok(piece.taken)
}

/// Deletes a batch with its readings. Their time stays taken.
fn drop_batch(db: &Connection, row: BatchRow) -> Result<(), StoreError> {
	for (column, trusted) in [("archived_ms", true), ("archived_open_ms", false)] {
		let update = format!(
			"UPDATE meters SET {column} = max({column}, last.end_ms) FROM (SELECT meter, \
			max(end_ms) AS end_ms FROM readings WHERE batch = ?1 AND trusted = ?2 GROUP BY meter) \
			AS last WHERE meters.id = last.meter"
		);
		db.prepare_cached(&update)?.execute(params![row, trusted])?;
	}
	db.prepare_cached("DELETE FROM readings WHERE batch = ?1")?.execute([row])?;
	db.prepare_cached("DELETE FROM batches WHERE id = ?1")?.execute([row])?;
	Ok(())
}

/// Deletes rows of batches that were given up before `before_ms`: their readings went elsewhere.
pub(super) fn drop_given_up(db: &Connection, before_ms: u64) -> Result<u64, StoreError> {
	let delete = "DELETE FROM batches WHERE id IN (SELECT id FROM batches \
		WHERE state = 'dissolved' AND created_ms < ?1 ORDER BY id LIMIT ?2)";
	let gone = db.prepare_cached(delete)?.execute(params![int(before_ms), GIVEN_UP])?;
	Ok(u64::try_from(gone).unwrap_or(u64::MAX))
}

/// How many batches and readings are in all files.
pub(super) fn totals(db: &Connection) -> Result<(u64, u64), StoreError> {
	let select = "SELECT coalesce(sum(batches), 0), coalesce(sum(readings), 0) FROM archives";
	let read = |row: &Row<'_>| Ok((unsigned(row, 0)?, unsigned(row, 1)?));
	Ok(db.prepare_cached(select)?.query_row([], read)?)
}
