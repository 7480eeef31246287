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

/// What becomes of a reading whose time is taken; `None` if its time is free. A sender that has not
/// proved to be the device takes no time from it.
pub(super) fn taken(db: &Connection, new: &NewReading) -> Result<Option<Stored>, StoreError> {
	let trusts: &[bool] = if new.trusted { &[true] } else { &[true, false] };
	for trusted in trusts {
		for flow in sharing(new.flow) {
			// The last reading that begins before this one ends is the only one that can overlap it.
			let before = "SELECT id, end_ms, leaf FROM readings WHERE meter = ?1 AND trusted = ?2 \
				AND flow = ?3 AND start_ms < ?4 ORDER BY start_ms DESC LIMIT 1";
			let neighbour = db
				.prepare_cached(before)?
				.query_row(params![new.meter, trusted, number(*flow), int(new.end_ms)], |row| {
					Ok((
						row.get::<_, ReadingRow>(0)?,
						unsigned(row, 1)?,
						row.get::<_, [u8; 32]>(2)?,
					))
				})
				.optional()?;
			if let Some((row, end_ms, leaf)) = neighbour
				&& end_ms > new.start_ms
			{
				let is_same = leaf == new.leaf.0;
				return Ok(Some(if is_same { Stored::Again(row) } else { Stored::Overlap(row) }));
			}
		}
	}
	let sealed_ms = sealed(db, new.meter, new.trusted)?.max(new.earliest_ms);
	if new.start_ms < sealed_ms {
		return Ok(Some(Stored::Late { sealed_ms }));
	}
	if new.trusted { vouch(db, new) } else { Ok(None) }
}

/// A device that proves itself vouches for what came before under its name, if that is in no batch.
fn vouch(db: &Connection, new: &NewReading) -> Result<Option<Stored>, StoreError> {
	for flow in sharing(Flow::Unknown) {
		let same = "UPDATE readings SET trusted = 1, flow = ?5 WHERE meter = ?1 AND trusted = 0 \
			AND flow = ?2 AND start_ms = ?3 AND leaf = ?4 AND batch IS NULL RETURNING id";
		let row = db
			.prepare_cached(same)?
			.query_row(
				params![new.meter, number(*flow), int(new.start_ms), new.leaf.0, number(new.flow)],
				|row| row.get(0),
			)
			.optional()?;
		if let Some(row) = row {
			return Ok(Some(Stored::Again(row)));
		}
	}
	Ok(None)
}

/// The time before which nothing of a meter is taken: it is in a batch for the chain, or in an archive.
/// What others have sent under its name binds others only.
fn sealed(db: &Connection, meter: MeterRow, trusted: bool) -> Result<u64, StoreError> {
	let sealed = "SELECT max(sealed_ms, archived_ms, CASE WHEN ?2 THEN 0 ELSE archived_open_ms END) \
		FROM meters WHERE id = ?1";
	Ok(db.prepare_cached(sealed)?.query_row(params![meter, trusted], |row| unsigned(row, 0))?)
}

/// The time from which on a meter has no reading and no batch, UTC milliseconds.
pub(super) fn free_from(db: &Connection, meter: MeterRow) -> Result<u64, StoreError> {
	let mut free = sealed(db, meter, false)?;
	for trusted in [true, false] {
		for flow in sharing(Flow::Unknown) {
			let last = "SELECT end_ms FROM readings WHERE meter = ?1 AND trusted = ?2 \
				AND flow = ?3 ORDER BY start_ms DESC LIMIT 1";
			let end = db
				.prepare_cached(last)?
				.query_row(params![meter, trusted, number(*flow)], |row| unsigned(row, 0))
				.optional()?;
			free = free.max(end.unwrap_or(0));
		}
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

/// Dead letters of one reason that are kept: those before are only counted any more.
const KEPT: i64 = 5_000;
/// How often, counted in dead letters, their number is looked at.
const SWEEP: i64 = 64;
/// Bytes of a refused message that are kept: as many as a reading may have.
const PAYLOAD: usize = 4_096;
/// Bytes of all dead letters together, where the database has no bound: 256 MiB.
const ROOM: i64 = 256 << 20;
/// The part of the database's room that is for dead letters, where it has one: a tenth.
const SHARE: i64 = 10;

/// What makes two refused messages the same.
fn hash(letter: &NewDeadLetter) -> [u8; 32] {
	let mut preimage = Vec::with_capacity(letter.payload.len().saturating_add(128));
	for part in [letter.source.as_str(), &letter.topic, &letter.reason] {
		preimage.extend_from_slice(part.as_bytes());
		preimage.push(0);
	}
	preimage.extend_from_slice(&letter.payload);
	Blake2Hasher::hash(&preimage).0
}

/// Counts something refused, and keeps it unless there is little room left; the same again only
/// counts up. Dead letters have a room of their own, and never take that of readings: when it is full,
/// the oldest go of the reason that takes the most.
pub(super) fn bury(db: &Connection, letter: &NewDeadLetter) -> Result<(), StoreError> {
	let count = "INSERT INTO refusals (source, reason, count) VALUES (?1, ?2, 1) \
		ON CONFLICT (source, reason) DO UPDATE SET count = count + 1";
	db.prepare_cached(count)?.execute(params![letter.source.as_str(), letter.reason])?;
	if is_short(db)? {
		return Ok(());
	}
	let insert = "INSERT INTO dead_letters \
		(first_ms, last_ms, count, source, topic, reason, detail, payload, hash) \
		VALUES (?1, ?1, 1, ?2, ?3, ?4, ?5, ?6, ?7) \
		ON CONFLICT (hash) DO UPDATE SET count = count + 1, last_ms = ?1, detail = ?5 \
		RETURNING id, count";
	let payload = letter.payload.get(..PAYLOAD).unwrap_or(&letter.payload);
	let (id, count): (i64, i64) = db.prepare_cached(insert)?.query_row(
		params![
			int(letter.at_ms),
			letter.source.as_str(),
			letter.topic,
			letter.reason,
			letter.detail,
			payload,
			hash(letter),
		],
		|row| Ok((row.get(0)?, row.get(1)?)),
	)?;
	if count == 1 && id % SWEEP == 0 {
		// One reason pushes out nothing of another.
		let sweep = "DELETE FROM dead_letters WHERE reason = ?1 AND id <= \
			(SELECT id FROM dead_letters WHERE reason = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";
		db.prepare_cached(sweep)?.execute(params![letter.reason, KEPT])?;
	}
	if count == 1 { make_room(db) } else { Ok(()) }
}

fn pragma(db: &Connection, name: &str) -> Result<i64, StoreError> {
	Ok(db.prepare_cached(&format!("PRAGMA {name}"))?.query_row([], |row| row.get(0))?)
}

/// Whether less than a fifth of the room that the database may have is left: it is for readings.
fn is_short(db: &Connection) -> Result<bool, StoreError> {
	let used = pragma(db, "page_count")?.saturating_sub(pragma(db, "freelist_count")?);
	Ok(used > pragma(db, "max_page_count")? / 5 * 4)
}

/// Drops the oldest dead letters of the reason that takes the most, until all fit into their room.
fn make_room(db: &Connection) -> Result<(), StoreError> {
	let most = pragma(db, "max_page_count")?.saturating_mul(pragma(db, "page_size")?) / SHARE;
	let most = most.min(ROOM);
	loop {
		let taken = "SELECT sum(bytes) FROM letter_room";
		let taken: Option<i64> = db.prepare_cached(taken)?.query_row([], |row| row.get(0))?;
		if taken.unwrap_or_default() <= most {
			return Ok(());
		}
		let oldest = "DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters \
			WHERE reason = (SELECT reason FROM letter_room ORDER BY bytes DESC, reason LIMIT 1) \
			ORDER BY id LIMIT 16)";
		if db.prepare_cached(oldest)?.execute([])? == 0 {
			return Ok(());
		}
	}
}

/// Whether such a message is among the dead letters.
pub(super) fn is_buried(db: &Connection, letter: &NewDeadLetter) -> Result<bool, StoreError> {
	let find = "SELECT 1 FROM dead_letters WHERE hash = ?1";
	Ok(db.prepare_cached(find)?.query_row([hash(letter)], |_| Ok(())).optional()?.is_some())
}

/// Refused messages by source and reason, those that are not kept any more included.
pub(super) fn refusals(db: &Connection) -> Result<Vec<(String, String, u64)>, StoreError> {
	let mut statement =
		db.prepare_cached("SELECT source, reason, count FROM refusals ORDER BY source, reason")?;
	let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, unsigned(row, 2)?)))?;
	Ok(rows.collect::<Result<_, _>>()?)
}

/// Moves what the device before has left, of before `before_ms`, to the dead letters: readings in no
/// batch, and those of batches that nobody has signed or that wait for a decision.
pub(super) fn retire(
	db: &Connection,
	meter: MeterRow,
	before_ms: u64,
	letter: &NewDeadLetter,
) -> Result<u64, StoreError> {
	// Clocks differ: where it is known for which device a batch was made, that decides.
	let open = "SELECT id FROM batches WHERE meter = ?1 AND state IN ('unsigned', 'parked') \
		AND CASE WHEN device_key IS NULL THEN created_ms < ?2 \
		ELSE device_key <> (SELECT device_key FROM meters WHERE id = ?1) END";
	let mut statement = db.prepare_cached(open)?;
	let rows = statement.query_map(params![meter, int(before_ms)], |row| row.get(0))?;
	let batches = rows.collect::<Result<Vec<BatchRow>, _>>()?;
	let with_body = |row: &Row<'_>| -> rusqlite::Result<(ReadingRow, String)> {
		Ok((row.get(0)?, row.get(1)?))
	};
	let mut found: Vec<(ReadingRow, String)> = Vec::new();
	for batch in &batches {
		let mut inside = db.prepare_cached("SELECT id, body FROM readings WHERE batch = ?1")?;
		found.extend(inside.query_map([batch], with_body)?.collect::<Result<Vec<_>, _>>()?);
		super::batches::open_up(db, *batch)?;
	}
	if !batches.is_empty() {
		super::batches::unseal(db, meter)?;
	}
	let left = "SELECT id, body FROM readings INDEXED BY readings_pending WHERE batch IS NULL \
		AND meter = ?1 AND trusted = 1 AND received_ms < ?2";
	let mut statement = db.prepare_cached(left)?;
	let rows = statement.query_map(params![meter, int(before_ms)], with_body)?;
	found.extend(rows.collect::<Result<Vec<_>, _>>()?);
	found.sort();
	found.dedup();
	let letters: Vec<_> = found
		.into_iter()
		.map(|(row, body)| (row, NewDeadLetter { payload: body.into_bytes(), ..letter.clone() }))
		.collect();
	condemn(db, &letters)?;
	Ok(u64::try_from(letters.len()).unwrap_or(u64::MAX))
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

/// One reading.
pub(super) fn one(db: &Connection, row: ReadingRow) -> Result<Option<Reading>, StoreError> {
	let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE readings.id = ?1"))?;
	Ok(statement.query_row([row], reading).optional()?)
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
