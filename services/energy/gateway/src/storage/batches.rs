//! Statements about batches.

use super::{
	filter::{BatchFilter, Page},
	query::{Conditions, int, unsigned},
	rows::{
		Batch, BatchAnchor, BatchRow, MeterRow, NewBatch, NewCopy, OnChain, PinProgress,
		ReadingRow, Settled,
	},
};
use codec::{DecodeAll, Encode};
use gridproof_gateway_api::{AnchorStatus, BatchState};
use gridproof_primitives::{
	H256,
	codec::cid::Cid,
	crypto::merkle,
	energy::{BatchHeader, emlog::RunningRegisters},
};
use gridproof_store::{
	StoreError,
	rusqlite::{self, Connection, OptionalExtension, Row, params, types::Type},
};

const COLUMNS: &str = "SELECT batches.id, created_ms, batches.meter, count, root, cid, start_ms, \
	end_ms, header, closing, signature, state, reason, block, anchor_status, anchor_txid, \
	anchor_block_hash, anchor_block_height, anchor_block_time, pin, batches.device_key FROM batches";

const COLUMNS_AND_PIN: &str = "SELECT batches.id, created_ms, batches.meter, count, root, cid, \
	start_ms, end_ms, header, closing, signature, state, reason, block, anchor_status, anchor_txid, \
	anchor_block_hash, anchor_block_height, anchor_block_time, pin, batches.device_key, pin_request, \
	pin_attempts, pin_next_ms FROM batches";
/// When nobody is asked to pin a file: never, since its readings are not here.
pub(super) const NEVER_MS: i64 = i64::MAX;

fn unreadable(column: usize) -> rusqlite::Error {
	rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, "not what was written".into())
}

fn row_to_batch(row: &Row<'_>) -> rusqlite::Result<Batch> {
	let on_chain = match row.get::<_, Option<Vec<u8>>>(8)? {
		None => None,
		Some(header) => Some(OnChain {
			header: BatchHeader::decode_all(&mut &header[..]).map_err(|_| unreadable(8))?,
			closing: RunningRegisters::decode_all(&mut &row.get::<_, Vec<u8>>(9)?[..])
				.map_err(|_| unreadable(9))?,
			signature: row.get(10)?,
		}),
	};
	let state: String = row.get(11)?;
	let anchor: String = row.get(14)?;
	Ok(Batch {
		row: row.get(0)?,
		created_ms: unsigned(row, 1)?,
		meter: row.get(2)?,
		count: row.get(3)?,
		root: H256(row.get(4)?),
		cid: Cid::from_bytes(row.get(5)?).map_err(|_| unreadable(5))?,
		start_ms: unsigned(row, 6)?,
		end_ms: unsigned(row, 7)?,
		on_chain,
		state: BatchState::parse(&state).ok_or_else(|| unreadable(11))?,
		reason: row.get(12)?,
		block: row.get::<_, Option<[u8; 32]>>(13)?.map(H256),
		anchor: BatchAnchor {
			status: AnchorStatus::parse(&anchor).ok_or_else(|| unreadable(14))?,
			txid: row.get(15)?,
			block_hash: row.get(16)?,
			block_height: row
				.get::<_, Option<i64>>(17)?
				.map(|height| u64::try_from(height).unwrap_or(0)),
			block_time: row.get(18)?,
		},
		pin: row.get(19)?,
		device: row.get(20)?,
	})
}

/// Why a batch is not kept.
pub(super) enum SealError {
	/// Its readings are not what they were any more.
	Changed,
	/// The store fails.
	Store(StoreError),
}

impl From<StoreError> for SealError {
	fn from(error: StoreError) -> Self {
		Self::Store(error)
	}
}

impl From<rusqlite::Error> for SealError {
	fn from(error: rusqlite::Error) -> Self {
		Self::Store(error.into())
	}
}

/// Keeps a batch with its readings; nothing of it if they have changed.
pub(super) fn seal(db: &Connection, new: &NewBatch) -> Result<BatchRow, SealError> {
	if let Some(meter) = new.meter {
		// A reading that came meanwhile and begins earlier would be left behind for ever.
		let select = "SELECT count(*) FROM readings WHERE meter = ?1 AND batch IS NULL \
			AND trusted = 1 AND start_ms < ?2";
		let found = db
			.prepare_cached(select)?
			.query_row(params![meter, int(new.end_ms)], |row| row.get::<_, i64>(0))?;
		if !new.forced && usize::try_from(found) != Ok(new.rows.len()) {
			return Err(SealError::Changed);
		}
		db.prepare_cached("UPDATE meters SET sealed_ms = max(sealed_ms, ?2) WHERE id = ?1")?
			.execute(params![meter, int(new.end_ms)])?;
	}
	let state =
		if new.on_chain.is_some() { BatchState::Unsigned } else { BatchState::NotCertified };
	let insert = "INSERT INTO batches (created_ms, meter, count, root, cid, start_ms, end_ms, \
		chain_meter, sequence, header, closing, state, device_key) \
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
	db.prepare_cached(insert)?.execute(params![
		int(new.created_ms),
		new.meter,
		int(u64::try_from(new.rows.len()).unwrap_or(u64::MAX)),
		new.root.0,
		new.cid.as_bytes(),
		int(new.start_ms),
		int(new.end_ms),
		new.on_chain.as_ref().map(|part| part.header.meter),
		new.on_chain.as_ref().map(|part| int(part.header.sequence)),
		new.on_chain.as_ref().map(|part| part.header.encode()),
		new.on_chain.as_ref().map(|part| part.closing.encode()),
		state.as_str(),
		new.device,
	])?;
	let batch = db.last_insert_rowid();
	let update = "UPDATE readings SET batch = ?1, place = ?2 WHERE id = ?3 AND batch IS NULL";
	let mut update = db.prepare_cached(update)?;
	for (place, row) in (0u32..).zip(&new.rows) {
		if update.execute(params![batch, place, row])? != 1 {
			return Err(SealError::Changed);
		}
	}
	Ok(batch)
}

pub(super) fn batch(db: &Connection, row: BatchRow) -> Result<Option<Batch>, StoreError> {
	let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE batches.id = ?1"))?;
	Ok(statement.query_row([row], row_to_batch).optional()?)
}

pub(super) fn by_cid(db: &Connection, cid: Cid) -> Result<Option<Batch>, StoreError> {
	let select = format!("{COLUMNS} WHERE cid = ?1 AND state <> 'dissolved' ORDER BY id LIMIT 1");
	let mut statement = db.prepare_cached(&select)?;
	Ok(statement.query_row([cid.as_bytes()], row_to_batch).optional()?)
}

fn conditions(filter: BatchFilter) -> (Conditions, &'static str) {
	let by_name = filter.site.is_some() || filter.device.is_some() || filter.meter.is_some();
	let mut conditions = Conditions::default();
	conditions.add("meters.site = ?", filter.site);
	conditions.add("meters.device = ?", filter.device);
	conditions.add("meters.meter = ?", filter.meter);
	conditions.add("state = ?", filter.state.map(BatchState::as_str));
	conditions.add("anchor_status = ?", filter.anchor.map(AnchorStatus::as_str));
	conditions.add("end_ms > ?", filter.from_ms.map(int));
	conditions.add("start_ms < ?", filter.to_ms.map(int));
	if filter.state.is_none() {
		conditions.add("state <> ?", Some(BatchState::Dissolved.as_str()));
	}
	let join = if by_name { " JOIN meters ON meters.id = batches.meter" } else { "" };
	(conditions, join)
}

pub(super) fn list(
	db: &Connection,
	filter: BatchFilter,
	page: Page,
) -> Result<Vec<Batch>, StoreError> {
	let (conditions, join) = conditions(filter);
	conditions.page(db, &format!("{COLUMNS}{join}"), "batches.id", page, row_to_batch)
}

pub(super) fn count(db: &Connection, filter: BatchFilter) -> Result<u64, StoreError> {
	let (conditions, join) = conditions(filter);
	conditions.count(db, &format!("SELECT count(*) FROM batches{join}"))
}

pub(super) fn last(db: &Connection, meter: MeterRow) -> Result<Option<Batch>, StoreError> {
	let select = format!(
		"{COLUMNS} WHERE batches.meter = ?1 AND state <> 'dissolved' \
		ORDER BY sequence DESC LIMIT 1"
	);
	Ok(db.prepare_cached(&select)?.query_row([meter], row_to_batch).optional()?)
}

pub(super) fn in_state(
	db: &Connection,
	state: BatchState,
	after: BatchRow,
	limit: u32,
) -> Result<Vec<Batch>, StoreError> {
	let select =
		format!("{COLUMNS} WHERE state = ?3 AND batches.id > ?1 ORDER BY batches.id LIMIT ?2");
	let mut statement = db.prepare_cached(&select)?;
	let rows = statement.query_map(params![after, limit, state.as_str()], row_to_batch)?;
	Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn sign(
	db: &Connection,
	row: BatchRow,
	signature: &[u8; 64],
) -> Result<bool, StoreError> {
	let update = "UPDATE batches SET signature = ?2, state = 'signed', reason = NULL \
		WHERE id = ?1 AND state = 'unsigned'";
	Ok(db.prepare_cached(update)?.execute(params![row, signature])? == 1)
}

pub(super) fn settle(db: &Connection, outcomes: &[Settled]) -> Result<(), StoreError> {
	for outcome in outcomes {
		match outcome {
			Settled::Accepted { row, block } => {
				let update = "UPDATE batches SET state = 'accepted', reason = NULL, \
					block = coalesce(?2, block) WHERE id = ?1 AND state <> 'dissolved'";
				db.prepare_cached(update)?.execute(params![row, block.map(|block| block.0)])?;
			},
			Settled::Parked { row, reason } => {
				let update = "UPDATE batches SET state = 'parked', reason = ?2 \
					WHERE id = ?1 AND state IN ('unsigned', 'signed', 'parked')";
				db.prepare_cached(update)?.execute(params![row, reason])?;
			},
			Settled::Retried { row } => {
				let update = "UPDATE batches SET reason = NULL, \
					state = CASE WHEN signature IS NULL THEN 'unsigned' ELSE 'signed' END \
					WHERE id = ?1 AND state = 'parked'";
				db.prepare_cached(update)?.execute([row])?;
			},
		}
	}
	Ok(())
}

/// Keeps a batch that was signed and is not here, in place of what has its number. Its readings are put
/// into it if exactly they are here. `false` if nothing has changed: it is here as it is, or something
/// signed has its number.
pub(super) fn adopt(db: &Connection, copy: &NewCopy) -> Result<bool, StoreError> {
	let OnChain { header, closing, signature } = &copy.part;
	let find =
		format!("{COLUMNS} WHERE batches.meter = ?1 AND sequence = ?2 AND state <> 'dissolved'");
	let here = db
		.prepare_cached(&find)?
		.query_row(params![copy.meter, int(header.sequence)], row_to_batch)
		.optional()?;
	let here = here.as_ref().and_then(|batch| Some((batch, batch.on_chain.as_ref()?)));
	let is_same = here.is_some_and(|(_, part)| part.header == *header);
	if let Some((batch, part)) = here {
		let is_open = matches!(batch.state, BatchState::Unsigned | BatchState::Parked);
		if !is_open && (!is_same || part.closing == *closing) {
			return Ok(false);
		}
	}
	// What follows on something else is rebuilt; what is signed follows on this.
	let open = "SELECT id, sequence FROM batches WHERE meter = ?1 AND sequence >= ?2 \
		AND state IN ('unsigned', 'parked')";
	let open: Vec<(BatchRow, u64)> = db
		.prepare_cached(open)?
		.query_map(params![copy.meter, int(header.sequence)], |row| {
			Ok((row.get(0)?, unsigned(row, 1)?))
		})?
		.collect::<Result<_, _>>()?;
	for (row, sequence) in open {
		if !(is_same && sequence == header.sequence) {
			open_up(db, row)?;
		}
	}
	let state = if copy.is_accepted { BatchState::Accepted } else { BatchState::Signed };
	if let Some((batch, _)) = here.filter(|_| is_same) {
		let update = "UPDATE batches SET closing = ?2, signature = coalesce(?3, signature), \
			state = CASE WHEN state IN ('unsigned', 'parked') THEN ?4 ELSE state END, \
			reason = NULL WHERE id = ?1";
		db.prepare_cached(update)?.execute(params![
			batch.row,
			closing.encode(),
			signature,
			state.as_str(),
		])?;
	} else {
		let batch = insert_copy(db, copy, state)?;
		if !fill(db, copy.meter, batch, header)? {
			let update = "UPDATE batches SET pin = 'not_here', pin_next_ms = ?2 WHERE id = ?1";
			db.prepare_cached(update)?.execute(params![batch, NEVER_MS])?;
		}
	}
	unseal(db, copy.meter)?;
	Ok(true)
}

fn insert_copy(db: &Connection, copy: &NewCopy, state: BatchState) -> Result<BatchRow, StoreError> {
	let OnChain { header, closing, signature } = &copy.part;
	let insert = "INSERT INTO batches (created_ms, meter, count, root, cid, start_ms, end_ms, \
		chain_meter, sequence, header, closing, signature, state, device_key) \
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
	db.prepare_cached(insert)?.execute(params![
		int(copy.created_ms),
		copy.meter,
		header.readings,
		header.root.0,
		header.cid.unwrap_or_else(|| Cid::of(&[])).as_bytes(),
		int(header.start_ms),
		int(header.end_ms),
		header.meter,
		int(header.sequence),
		header.encode(),
		closing.encode(),
		signature,
		state.as_str(),
		copy.device,
	])?;
	Ok(db.last_insert_rowid())
}

/// Puts a meter's readings into a batch that is for their time, if they are exactly those of its header.
fn fill(
	db: &Connection,
	meter: MeterRow,
	batch: BatchRow,
	header: &BatchHeader,
) -> Result<bool, StoreError> {
	let select = "SELECT id, leaf FROM readings WHERE meter = ?1 AND batch IS NULL AND trusted = 1 \
		AND start_ms >= ?2 AND end_ms <= ?3 ORDER BY start_ms, id";
	let mut statement = db.prepare_cached(select)?;
	let rows = statement
		.query_map(params![meter, int(header.start_ms), int(header.end_ms)], |row| {
			Ok((row.get::<_, ReadingRow>(0)?, H256(row.get(1)?)))
		})?;
	let (rows, leaves): (Vec<_>, Vec<_>) = rows.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
	if leaves.is_empty() || merkle::root(&leaves) != header.root {
		return Ok(false);
	}
	let mut update =
		db.prepare_cached("UPDATE readings SET batch = ?1, place = ?2 WHERE id = ?3")?;
	for (place, row) in (0u32..).zip(rows) {
		update.execute(params![batch, place, row])?;
	}
	Ok(true)
}

/// Gives up a batch that no chain has taken, and what follows it of its meter.
pub(super) fn dissolve(db: &Connection, row: BatchRow) -> Result<u64, StoreError> {
	let select = "SELECT later.id FROM batches AS later JOIN batches AS first ON first.id = ?1 \
		WHERE later.meter = first.meter AND later.sequence >= first.sequence \
		AND later.state IN ('unsigned', 'signed', 'parked') ORDER BY later.id";
	let rows: Vec<BatchRow> =
		db.prepare_cached(select)?.query_map([row], |row| row.get(0))?.collect::<Result<_, _>>()?;
	for row in &rows {
		open_up(db, *row)?;
	}
	if !rows.is_empty() {
		let meter = "SELECT meter FROM batches WHERE id = ?1";
		let meter = db.prepare_cached(meter)?.query_row([row], |row| row.get(0))?;
		unseal(db, meter)?;
	}
	Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}

/// Gives up one batch: its readings are in none.
pub(super) fn open_up(db: &Connection, row: BatchRow) -> Result<(), StoreError> {
	db.prepare_cached("UPDATE readings SET batch = NULL, place = NULL WHERE batch = ?1")?
		.execute([row])?;
	db.prepare_cached("UPDATE batches SET state = 'dissolved' WHERE id = ?1")?.execute([row])?;
	Ok(())
}

/// Lets the time of a meter be taken up to the end of its last batch that was not given up.
pub(super) fn unseal(db: &Connection, meter: MeterRow) -> Result<(), StoreError> {
	let sealed = "UPDATE meters SET sealed_ms = coalesce((SELECT max(end_ms) FROM batches \
		WHERE batches.meter = meters.id AND state <> 'dissolved'), 0) WHERE id = ?1";
	db.prepare_cached(sealed)?.execute([meter])?;
	Ok(())
}

pub(super) fn anchor(
	db: &Connection,
	row: BatchRow,
	anchor: &BatchAnchor,
) -> Result<bool, StoreError> {
	let update = "UPDATE batches SET anchor_status = ?2, anchor_txid = ?3, \
		anchor_block_hash = ?4, anchor_block_height = ?5, anchor_block_time = ?6 WHERE id = ?1";
	let changed = db.prepare_cached(update)?.execute(params![
		row,
		anchor.status.as_str(),
		anchor.txid,
		anchor.block_hash,
		anchor.block_height.map(int),
		anchor.block_time,
	])?;
	Ok(changed == 1)
}

/// Batches whose files are due for a question to the pinning service.
pub(super) fn to_pin(
	db: &Connection,
	now_ms: u64,
	limit: u32,
) -> Result<Vec<(Batch, PinProgress)>, StoreError> {
	let select = format!(
		"{COLUMNS_AND_PIN} WHERE pin IS NOT 'pinned' AND pin_next_ms <= ?1 \
		AND state <> 'dissolved' ORDER BY pin_next_ms, id LIMIT ?2"
	);
	let mut statement = db.prepare_cached(&select)?;
	let rows = statement.query_map(params![int(now_ms), limit], |row| {
		let progress = PinProgress {
			status: row.get::<_, Option<String>>(19)?.unwrap_or_default(),
			request: row.get(21)?,
			attempts: row.get(22)?,
			next_ms: unsigned(row, 23)?,
		};
		Ok((row_to_batch(row)?, progress))
	})?;
	Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn pinned(
	db: &Connection,
	row: BatchRow,
	progress: &PinProgress,
) -> Result<(), StoreError> {
	let update = "UPDATE batches SET pin = ?2, pin_request = ?3, pin_attempts = ?4, \
		pin_next_ms = ?5 WHERE id = ?1";
	db.prepare_cached(update)?.execute(params![
		row,
		progress.status,
		progress.request,
		progress.attempts,
		int(progress.next_ms),
	])?;
	Ok(())
}
