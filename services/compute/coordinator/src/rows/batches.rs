//! Settlement batches: made once, sent until their fate is known.

use super::{
	channels::{ChannelReceiptRow, mode, receipt_of, scale},
	columns::{number, parsed, to_i64},
};
use codec::Encode;
use gridproof_compute_api::protocol::BatchStage;
use gridproof_primitives::{
	H256,
	compute::channels::{BatchKind, GivenUp, SettlementHeader, SignedChannelLine, SignedMinerLine},
};
use gridproof_store::rusqlite::{self, Connection, OptionalExtension, Row, params};
use std::ops::RangeInclusive;

/// A batch as the database has it. The header is written before anybody sees it: a coordinator that
/// signed two headers of one number would be guilty of an offence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BatchRow {
	/// The header, without its signature, which the key makes again.
	pub(crate) header: SettlementHeader,
	/// Lines of channels with the signatures of their vouchers.
	pub(crate) channels: Vec<SignedChannelLine>,
	/// Lines of miners with the signatures that they have given.
	pub(crate) miners: Vec<SignedMinerLine>,
	/// Ranges of miners that it gives up.
	pub(crate) given_up: Vec<GivenUp>,
	/// Where it stands.
	pub(crate) stage: BatchStage,
	/// The final block that settled it.
	pub(crate) block: Option<H256>,
	/// Why it is refused, or what happened at the last try.
	pub(crate) reason: Option<String>,
	/// When it was made, UTC milliseconds.
	pub(crate) made_ms: u64,
	/// When its fate was known, UTC milliseconds.
	pub(crate) decided_ms: Option<u64>,
}

fn batch_of(row: &Row) -> rusqlite::Result<BatchRow> {
	Ok(BatchRow {
		header: scale(row, "header")?,
		channels: scale(row, "channels")?,
		miners: scale(row, "miners")?,
		given_up: scale(row, "given_up")?,
		stage: parsed(row, "stage")?,
		block: row.get::<_, Option<[u8; 32]>>("block")?.map(H256),
		reason: row.get("reason")?,
		made_ms: number(row, "made_ms")?,
		decided_ms: row.get::<_, Option<i64>>("decided_ms")?.and_then(|ms| ms.try_into().ok()),
	})
}

/// Returns receipts of a kind that are in no batch yet, in the order in which they were counted.
pub(crate) fn unsettled_receipts(
	db: &Connection,
	kind: BatchKind,
	limit: u32,
) -> rusqlite::Result<Vec<ChannelReceiptRow>> {
	let sql = "SELECT * FROM channel_receipts WHERE batch IS NULL AND asset = ?1 AND mode = ?2
		ORDER BY place LIMIT ?3";
	let mut statement = db.prepare_cached(sql)?;
	let values = params![kind.asset.as_str(), mode(kind.mode), limit];
	statement.query_map(values, receipt_of)?.collect()
}

/// Keeps a batch, and notes of its receipts, by their places, that they are in it.
pub(crate) fn add_batch(db: &Connection, batch: &BatchRow, places: &[u64]) -> rusqlite::Result<()> {
	let sequence = to_i64(batch.header.sequence);
	db.prepare_cached(
		"INSERT INTO batches (sequence, header, channels, miners, stage, made_ms, given_up)
		 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	)?
	.execute(params![
		sequence,
		batch.header.encode(),
		batch.channels.encode(),
		batch.miners.encode(),
		batch.stage.as_str(),
		to_i64(batch.made_ms),
		batch.given_up.encode(),
	])?;
	let mut note = db.prepare_cached("UPDATE channel_receipts SET batch = ?2 WHERE place = ?1")?;
	for place in places {
		note.execute(params![to_i64(*place), sequence])?;
	}
	Ok(())
}

/// Returns a batch.
pub(crate) fn batch(db: &Connection, sequence: u64) -> rusqlite::Result<Option<BatchRow>> {
	let sql = "SELECT * FROM batches WHERE sequence = ?1";
	db.prepare_cached(sql)?.query_row([to_i64(sequence)], batch_of).optional()
}

/// Returns the batch with the highest number.
pub(crate) fn last_batch(db: &Connection) -> rusqlite::Result<Option<BatchRow>> {
	let sql = "SELECT * FROM batches ORDER BY sequence DESC LIMIT 1";
	db.prepare_cached(sql)?.query_row([], batch_of).optional()
}

/// Returns the batch whose fate is not known; there is one at most.
pub(crate) fn open_batch(db: &Connection) -> rusqlite::Result<Option<BatchRow>> {
	let sql = "SELECT * FROM batches WHERE stage = 'made' ORDER BY sequence LIMIT 1";
	db.prepare_cached(sql)?.query_row([], batch_of).optional()
}

/// Returns the batch that the chain refused and whose receipts wait for their operator; the newest one if
/// there are several.
pub(crate) fn refused_batch(db: &Connection) -> rusqlite::Result<Option<BatchRow>> {
	let sql = "SELECT * FROM batches WHERE stage = 'refused'
		AND EXISTS (SELECT 1 FROM channel_receipts WHERE batch = batches.sequence)
		ORDER BY sequence DESC LIMIT 1";
	db.prepare_cached(sql)?.query_row([], batch_of).optional()
}

/// Returns the newest batch that the chain has settled.
pub(crate) fn settled_batch(db: &Connection) -> rusqlite::Result<Option<BatchRow>> {
	let sql = "SELECT * FROM batches WHERE stage = 'final' ORDER BY sequence DESC LIMIT 1";
	db.prepare_cached(sql)?.query_row([], batch_of).optional()
}

/// Returns the newest batches, at most `limit`, each with the number of its receipts that are here.
pub(crate) fn newest_batches(
	db: &Connection,
	limit: u32,
) -> rusqlite::Result<Vec<(BatchRow, u64)>> {
	let sql =
		"SELECT *, (SELECT COUNT(*) FROM channel_receipts WHERE batch = batches.sequence) AS n
		FROM batches ORDER BY sequence DESC LIMIT ?1";
	let mut statement = db.prepare_cached(sql)?;
	statement.query_map([limit], |row| Ok((batch_of(row)?, number(row, "n")?)))?.collect()
}

/// Takes the receipts of a refused batch out of it: the next one settles them. Returns how many.
/// The batch stays, so that nobody signs another header of its number.
pub(crate) fn release_receipts(db: &Connection, sequence: u64) -> rusqlite::Result<usize> {
	let sql = "UPDATE channel_receipts SET batch = NULL WHERE batch = ?1
		AND EXISTS (SELECT 1 FROM batches WHERE sequence = ?1 AND stage = 'refused')";
	db.prepare_cached(sql)?.execute([to_i64(sequence)])
}

/// Returns the headers of batches that were not refused, from the newest of these numbers to the oldest.
pub(crate) fn headers(
	db: &Connection,
	numbers: &RangeInclusive<u64>,
) -> rusqlite::Result<Vec<SettlementHeader>> {
	let sql = "SELECT header FROM batches WHERE sequence BETWEEN ?1 AND ?2 AND stage <> 'refused'
		ORDER BY sequence DESC";
	let mut statement = db.prepare_cached(sql)?;
	let values = [to_i64(*numbers.start()), to_i64(*numbers.end())];
	statement.query_map(values, |row| scale(row, "header"))?.collect()
}

/// Returns the receipts of a batch in the order in which they were counted.
pub(crate) fn batch_receipts(
	db: &Connection,
	sequence: u64,
) -> rusqlite::Result<Vec<ChannelReceiptRow>> {
	let sql = "SELECT * FROM channel_receipts WHERE batch = ?1 ORDER BY place";
	let mut statement = db.prepare_cached(sql)?;
	statement.query_map([to_i64(sequence)], receipt_of)?.collect()
}

/// Keeps the signatures that miners have given for their lines.
pub(crate) fn set_miners(
	db: &Connection,
	sequence: u64,
	miners: &[SignedMinerLine],
) -> rusqlite::Result<()> {
	let sql = "UPDATE batches SET miners = ?2 WHERE sequence = ?1 AND stage = 'made'";
	db.prepare_cached(sql)?.execute(params![to_i64(sequence), miners.encode()])?;
	Ok(())
}

/// Notes what happened at the last try to send a batch.
pub(crate) fn note_batch(db: &Connection, sequence: u64, reason: &str) -> rusqlite::Result<()> {
	let sql = "UPDATE batches SET reason = ?2 WHERE sequence = ?1 AND stage = 'made'";
	db.prepare_cached(sql)?.execute(params![to_i64(sequence), reason])?;
	Ok(())
}

/// Notes a batch's fate.
pub(crate) fn decide_batch(
	db: &Connection,
	sequence: u64,
	stage: BatchStage,
	block: Option<H256>,
	reason: Option<&str>,
	now: u64,
) -> rusqlite::Result<()> {
	let sql = "UPDATE batches SET stage = ?2, block = ?3, reason = ?4, decided_ms = ?5
		WHERE sequence = ?1 AND stage = 'made'";
	let block = block.map(|block| block.0);
	let values = params![to_i64(sequence), stage.as_str(), block, reason, to_i64(now)];
	db.prepare_cached(sql)?.execute(values)?;
	Ok(())
}

/// Returns the oldest batch that was made before a time, UTC milliseconds, and that nothing waits for:
/// settled or refused, and not the newest one.
pub(crate) fn old_batch(db: &Connection, since: u64) -> rusqlite::Result<Option<BatchRow>> {
	let sql = "SELECT * FROM batches WHERE sequence = (SELECT MIN(sequence) FROM batches)
		AND sequence < (SELECT MAX(sequence) FROM batches) AND made_ms <= ?1
		AND (stage = 'final' OR stage = 'refused' AND NOT EXISTS
			(SELECT 1 FROM channel_receipts WHERE batch = batches.sequence))";
	db.prepare_cached(sql)?.query_row([to_i64(since)], batch_of).optional()
}

/// Returns receipts of a batch, at most `limit`, in the order in which they were counted.
pub(crate) fn some_receipts(
	db: &Connection,
	sequence: u64,
	limit: u32,
) -> rusqlite::Result<Vec<ChannelReceiptRow>> {
	let sql = "SELECT * FROM channel_receipts WHERE batch = ?1 ORDER BY place LIMIT ?2";
	let mut statement = db.prepare_cached(sql)?;
	statement.query_map(params![to_i64(sequence), limit], receipt_of)?.collect()
}

/// Deletes receipts by their places.
pub(crate) fn delete_receipts(db: &Connection, places: &[u64]) -> rusqlite::Result<()> {
	let mut statement = db.prepare_cached("DELETE FROM channel_receipts WHERE place = ?1")?;
	for place in places {
		statement.execute([to_i64(*place)])?;
	}
	Ok(())
}

/// Deletes a batch that has no receipts any more.
pub(crate) fn delete_batch(db: &Connection, sequence: u64) -> rusqlite::Result<()> {
	let sql = "DELETE FROM batches WHERE sequence = ?1
		AND NOT EXISTS (SELECT 1 FROM channel_receipts WHERE batch = ?1)";
	db.prepare_cached(sql)?.execute([to_i64(sequence)])?;
	Ok(())
}
