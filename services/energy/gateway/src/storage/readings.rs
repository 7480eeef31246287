//! Statements about readings and dead letters.

use super::{
	filter::{Page, ReadingFilter, Selection},
	query::{Conditions, int, unsigned},
	rows::{
		BatchRow, Flow, MeterRow, NewDeadLetter, NewReading, Pending, Reading, ReadingRow, Stored,
	},
};
use gridproof_gateway_api::DeadLetter;
use gridproof_primitives::H256;
use gridproof_store::{
	StoreError,
	rusqlite::{self, Connection, OptionalExtension, Row, params},
};
use sp_core::{Blake2Hasher, Hasher};

const COLUMNS: &str = "SELECT readings.id, readings.meter, start_ms, end_ms, received_ms, leaf, \
	body, batch, place FROM readings";

fn reading(row: &Row<'_>) -> rusqlite::Result<Reading> {
	Ok(Reading {
		row: row.get(0)?,
		meter: row.get(1)?,
		start_ms: unsigned(row, 2)?,
		end_ms: unsigned(row, 3)?,
		received_ms: unsigned(row, 4)?,
		leaf: H256(row.get(5)?),
		body: row.get(6)?,
		batch: row.get(7)?,
		place: row.get(8)?,
	})
}

const fn number(flow: Flow) -> u8 {
	match flow {
		Flow::Import => 0,
		Flow::Export => 1,
		Flow::Unknown => 2,
	}
}

/// Flows of readings that must not share time with one of `flow`.
const fn sharing(flow: Flow) -> &'static [Flow] {
	match flow {
		Flow::Import => &[Flow::Import, Flow::Unknown],
		Flow::Export => &[Flow::Export, Flow::Unknown],
		Flow::Unknown => &[Flow::Unknown, Flow::Import, Flow::Export],
	}
}

/// What becomes of a reading whose time is taken; `None` if its time is free.
pub(super) fn taken(db: &Connection, new: &NewReading) -> Result<Option<Stored>, StoreError> {
	for flow in sharing(new.flow) {
		// The last reading that begins before this one ends is the only one that can overlap it.
		let before = "SELECT id, end_ms, leaf FROM readings WHERE meter = ?1 AND flow = ?2 \
			AND start_ms < ?3 ORDER BY start_ms DESC LIMIT 1";
		let neighbour = db
			.prepare_cached(before)?
			.query_row(params![new.meter, number(*flow), int(new.end_ms)], |row| {
				Ok((row.get::<_, ReadingRow>(0)?, unsigned(row, 1)?, row.get::<_, [u8; 32]>(2)?))
			})
			.optional()?;
		if let Some((row, end_ms, leaf)) = neighbour
			&& end_ms > new.start_ms
		{
			return again_or_overlap(db, new, row, leaf).map(Some);
		}
	}
	let sealed_ms = sealed(db, new.meter)?;
	Ok((new.start_ms < sealed_ms).then_some(Stored::Late { sealed_ms }))
}

fn sealed(db: &Connection, meter: MeterRow) -> Result<u64, StoreError> {
	let sealed = "SELECT sealed_ms FROM meters WHERE id = ?1";
	Ok(db.prepare_cached(sealed)?.query_row([meter], |row| unsigned(row, 0))?)
}

/// The time from which on a meter has no reading and no batch, UTC milliseconds.
pub(super) fn free_from(db: &Connection, meter: MeterRow) -> Result<u64, StoreError> {
	let mut free = sealed(db, meter)?;
	for flow in sharing(Flow::Unknown) {
		let last = "SELECT end_ms FROM readings WHERE meter = ?1 AND flow = ?2 \
			ORDER BY start_ms DESC LIMIT 1";
		let end = db
			.prepare_cached(last)?
			.query_row(params![meter, number(*flow)], |row| unsigned(row, 0))
			.optional()?;
		free = free.max(end.unwrap_or(0));
	}
	Ok(free)
}

/// Columns of a new row.
const NEW: usize = 8;
/// Rows that one statement adds, where there are as many.
const MANY: usize = 32;

/// Keeps readings whose time is free. Returns their rows.
pub(super) fn insert(db: &Connection, new: &[&NewReading]) -> Result<Vec<ReadingRow>, StoreError> {
	let mut rows = Vec::with_capacity(new.len());
	let (many, few) = new.as_chunks::<MANY>();
	let parts = many.iter().map(|part| &part[..]).chain(few.chunks(1));
	for part in parts {
		let insert = "INSERT INTO readings \
			(meter, start_ms, end_ms, received_ms, flow, trusted, leaf, body) VALUES ";
		let row = "(?, ?, ?, ?, ?, ?, ?, ?)";
		let sql = format!("{insert}{}", vec![row; part.len()].join(", "));
		let mut statement = db.prepare_cached(&sql)?;
		for (new, first) in part.iter().zip((1usize..).step_by(NEW)) {
			let at = |column: usize| first.saturating_add(column);
			statement.raw_bind_parameter(at(0), new.meter)?;
			statement.raw_bind_parameter(at(1), int(new.start_ms))?;
			statement.raw_bind_parameter(at(2), int(new.end_ms))?;
			statement.raw_bind_parameter(at(3), int(new.received_ms))?;
			statement.raw_bind_parameter(at(4), number(new.flow))?;
			statement.raw_bind_parameter(at(5), new.trusted)?;
			statement.raw_bind_parameter(at(6), new.leaf.0)?;
			statement.raw_bind_parameter(at(7), &new.body)?;
		}
		statement.raw_execute()?;
		// Rows that are never given twice, by the only writer, follow each other.
		let last = db.last_insert_rowid();
		let count = i64::try_from(part.len()).unwrap_or(i64::MAX);
		rows.extend(last.saturating_sub(count).saturating_add(1)..=last);
	}
	Ok(rows)
}

fn again_or_overlap(
	db: &Connection,
	new: &NewReading,
	row: ReadingRow,
	leaf: [u8; 32],
) -> Result<Stored, StoreError> {
	if leaf != new.leaf.0 {
		return Ok(Stored::Overlap(row));
	}
	// A device that proves itself vouches for what came before under its name.
	if new.trusted {
		db.prepare_cached("UPDATE readings SET trusted = 1 WHERE id = ?1 AND trusted = 0")?
			.execute([row])?;
	}
	Ok(Stored::Again(row))
}

/// Keeps something refused; the same again only counts up.
pub(super) fn bury(db: &Connection, letter: &NewDeadLetter) -> Result<(), StoreError> {
	let mut preimage = Vec::with_capacity(letter.payload.len().saturating_add(128));
	for part in [letter.source.as_str(), &letter.topic, &letter.reason] {
		preimage.extend_from_slice(part.as_bytes());
		preimage.push(0);
	}
	preimage.extend_from_slice(&letter.payload);
	let insert = "INSERT INTO dead_letters \
		(first_ms, last_ms, count, source, topic, reason, detail, payload, hash) \
		VALUES (?1, ?1, 1, ?2, ?3, ?4, ?5, ?6, ?7) \
		ON CONFLICT (hash) DO UPDATE SET count = count + 1, last_ms = ?1, detail = ?5";
	db.prepare_cached(insert)?.execute(params![
		int(letter.at_ms),
		letter.source.as_str(),
		letter.topic,
		letter.reason,
		letter.detail,
		letter.payload,
		Blake2Hasher::hash(&preimage).0,
	])?;
	Ok(())
}

/// Moves readings in no batch to the dead letters.
pub(super) fn condemn(
	db: &Connection,
	rows: &[(ReadingRow, NewDeadLetter)],
) -> Result<(), StoreError> {
	for (row, letter) in rows {
		let delete = "DELETE FROM readings WHERE id = ?1 AND batch IS NULL";
		if db.prepare_cached(delete)?.execute([row])? == 1 {
			bury(db, letter)?;
		}
	}
	Ok(())
}

pub(super) fn dead_letters(
	db: &Connection,
	reason: Option<String>,
	page: Page,
) -> Result<Vec<DeadLetter>, StoreError> {
	let mut conditions = Conditions::default();
	conditions.add("reason = ?", reason);
	let select = "SELECT id, first_ms, last_ms, count, source, topic, reason, detail, payload \
		FROM dead_letters";
	conditions.page(db, select, "id", page, |row| {
		Ok(DeadLetter {
			id: row.get(0)?,
			first_ms: unsigned(row, 1)?,
			last_ms: unsigned(row, 2)?,
			count: unsigned(row, 3)?,
			source: row.get(4)?,
			topic: row.get(5)?,
			reason: row.get(6)?,
			detail: row.get(7)?,
			payload: String::from_utf8_lossy(&row.get::<_, Vec<u8>>(8)?).into_owned(),
		})
	})
}

fn conditions(filter: ReadingFilter) -> (Conditions, &'static str) {
	let by_name = filter.site.is_some() || filter.device.is_some() || filter.meter.is_some();
	let mut conditions = Conditions::default();
	conditions.add("meters.site = ?", filter.site);
	conditions.add("meters.device = ?", filter.device);
	conditions.add("meters.meter = ?", filter.meter);
	conditions.add("json_extract(body, '$.status') = ?", filter.status);
	conditions.add("(batch IS NOT NULL) = ?", filter.batched);
	conditions.add("batch = ?", filter.batch);
	conditions.add("end_ms > ?", filter.from_ms.map(int));
	conditions.add("start_ms < ?", filter.to_ms.map(int));
	let join = if by_name { " JOIN meters ON meters.id = readings.meter" } else { "" };
	(conditions, join)
}

pub(super) fn list(
	db: &Connection,
	filter: ReadingFilter,
	page: Page,
) -> Result<Vec<Reading>, StoreError> {
	let (conditions, join) = conditions(filter);
	conditions.page(db, &format!("{COLUMNS}{join}"), "readings.id", page, reading)
}

pub(super) fn count(db: &Connection, filter: ReadingFilter) -> Result<u64, StoreError> {
	let (conditions, join) = conditions(filter);
	conditions.count(db, &format!("SELECT count(*) FROM readings{join}"))
}

pub(super) fn pending(db: &Connection) -> Result<Vec<Pending>, StoreError> {
	let select = "SELECT meter, trusted, count(*), min(received_ms), min(start_ms), max(end_ms) \
		FROM readings INDEXED BY readings_pending WHERE batch IS NULL GROUP BY meter, trusted";
	let mut statement = db.prepare_cached(select)?;
	let rows = statement.query_map([], |row| {
		Ok(Pending {
			meter: row.get(0)?,
			trusted: row.get(1)?,
			count: unsigned(row, 2)?,
			oldest_ms: unsigned(row, 3)?,
			start_ms: unsigned(row, 4)?,
			end_ms: unsigned(row, 5)?,
		})
	})?;
	Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn unbatched(
	db: &Connection,
	selection: &Selection,
	limit: u32,
) -> Result<Vec<Reading>, StoreError> {
	let certified = match selection {
		Selection::Certified(meter) => {
			let select = format!(
				"{COLUMNS} WHERE meter = ?1 AND batch IS NULL AND trusted = 1 \
				ORDER BY start_ms, readings.id LIMIT ?2"
			);
			let mut statement = db.prepare_cached(&select)?;
			let rows = statement.query_map(params![meter, limit], reading)?;
			return Ok(rows.collect::<Result<_, _>>()?);
		},
		Selection::Others(certified) => certified,
	};
	// In order of arrival, as the older gateway had them.
	let select = format!(
		"{COLUMNS} WHERE batch IS NULL AND (trusted = 0 OR meter NOT IN \
		(SELECT value FROM json_each(?1))) ORDER BY readings.id LIMIT ?2"
	);
	let list: Vec<String> = certified.iter().map(ToString::to_string).collect();
	let mut statement = db.prepare_cached(&select)?;
	let rows = statement.query_map(params![format!("[{}]", list.join(",")), limit], reading)?;
	Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn of_batch(db: &Connection, batch: BatchRow) -> Result<Vec<Reading>, StoreError> {
	let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE batch = ?1 ORDER BY place"))?;
	let rows = statement.query_map([batch], reading)?;
	Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn leaves(db: &Connection, batch: BatchRow) -> Result<Vec<H256>, StoreError> {
	let mut statement =
		db.prepare_cached("SELECT leaf FROM readings WHERE batch = ?1 ORDER BY place")?;
	let rows = statement.query_map([batch], |row| row.get::<_, [u8; 32]>(0).map(H256))?;
	Ok(rows.collect::<Result<_, _>>()?)
}
