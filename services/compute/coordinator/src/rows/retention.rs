//! What may be deleted: nothing that is open, unsettled, or whose money may still be held.

use super::{
	columns::{number, to_i64},
	jobs::{Job, LIGHT, job_of},
	receipts::{ReceiptRow, receipt},
};
use gridproof_primitives::H256;
use gridproof_store::rusqlite::{self, Connection, params};

/// A job that has been over since a time, with all of its money: the time is `?1`.
const OVER: &str = "state IN ('completed', 'failed', 'cancelled', 'expired') AND updated_ms <= ?1
	AND NOT (state IN ('failed', 'cancelled') AND released = 0
		AND (funded = 1 OR customer IS NOT NULL))
	AND NOT EXISTS (SELECT 1 FROM receipts WHERE receipts.job = jobs.job
		AND (settlement = 'pending' OR settled_ms IS NULL OR settled_ms > ?1))";

/// What a job without its texts says about them.
const NO_TEXTS: &str =
	"its prompt and answer have been deleted, as this coordinator does after a while";

/// Returns jobs that have been over since a time, UTC milliseconds, and still have their texts.
pub(crate) fn with_texts(db: &Connection, since: u64, limit: u32) -> rusqlite::Result<Vec<H256>> {
	let sql =
		format!("SELECT job FROM jobs WHERE spec <> '' AND {OVER} ORDER BY updated_ms LIMIT ?2");
	let mut statement = db.prepare_cached(&sql)?;
	let rows = statement.query_map(params![to_i64(since), limit], |row| Ok(H256(row.get(0)?)))?;
	rows.collect()
}

/// Deletes a job's prompt and answer; their hashes stay in its quote and receipt.
pub(crate) fn delete_texts(db: &Connection, id: H256) -> rusqlite::Result<()> {
	let mut statement = db.prepare_cached(
		"UPDATE jobs SET spec = '', output = CASE WHEN output IS NULL THEN NULL ELSE '' END,
			reason = CASE WHEN state = 'completed' THEN ?2 ELSE reason END WHERE job = ?1",
	)?;
	statement.execute(params![id.0, NO_TEXTS])?;
	Ok(())
}

/// Returns jobs that have been over since a time, UTC milliseconds, without their texts, with their
/// receipts.
pub(crate) fn over(
	db: &Connection,
	since: u64,
	limit: u32,
) -> rusqlite::Result<Vec<(Job, Option<ReceiptRow>)>> {
	let sql = format!("SELECT {LIGHT} FROM jobs WHERE {OVER} ORDER BY updated_ms LIMIT ?2");
	let mut statement = db.prepare_cached(&sql)?;
	let jobs = statement.query_map(params![to_i64(since), limit], job_of)?;
	jobs.map(|job| {
		let job = job?;
		let receipt = receipt(db, job.job)?;
		Ok((job, receipt))
	})
	.collect()
}

/// Deletes a job with all that belongs to it.
pub(crate) fn delete_job(db: &Connection, id: H256) -> rusqlite::Result<()> {
	for table in ["idempotency", "attempts", "receipts", "jobs"] {
		db.prepare_cached(&format!("DELETE FROM {table} WHERE job = ?1"))?.execute([id.0])?;
	}
	Ok(())
}

/// How large the database is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
	/// Bytes of its file.
	pub(crate) bytes: u64,
	/// Bytes of these that are free for what comes next.
	pub(crate) free: u64,
}

/// Returns how large the database is.
pub(crate) fn size(db: &Connection) -> rusqlite::Result<Size> {
	let pages = |what: &str| {
		let sql = format!("SELECT {what} AS n FROM pragma_{what}");
		db.query_row(&sql, [], |row| number(row, "n"))
	};
	let page = pages("page_size")?;
	Ok(Size {
		bytes: pages("page_count")?.saturating_mul(page),
		free: pages("freelist_count")?.saturating_mul(page),
	})
}
