//! Receipts with both signatures, and what becomes of their money.

use super::{
	balances::charge,
	columns::{bytes, number, parsed, to_i64},
	jobs::Job,
};
use codec::DecodeAll;
use gridproof_compute_api::protocol::Settlement;
use gridproof_primitives::{
	H256,
	compute::{Receipt, SignedReceipt},
};
use gridproof_store::rusqlite::{self, Connection, OptionalExtension, Row, params};

/// A receipt with both signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReceiptRow {
	/// Id of the job.
	pub(crate) job: H256,
	/// Id of the receipt.
	pub(crate) id: H256,
	/// SCALE of the receipt.
	pub(crate) receipt: Vec<u8>,
	/// The miner's signature.
	pub(crate) miner_signature: [u8; 64],
	/// The coordinator's signature.
	pub(crate) coordinator_signature: [u8; 64],
	/// Compute units.
	pub(crate) units: u64,
	/// The price, in the smallest unit of the quote's asset.
	pub(crate) price: u128,
	/// Where the money stands.
	pub(crate) settlement: Settlement,
	/// Tries to settle it that failed.
	pub(crate) tries: u32,
	/// Why it was refused, or what happened at the last try.
	pub(crate) reason: Option<String>,
	/// The final block that settled it, if this coordinator's own submission did.
	pub(crate) block: Option<H256>,
	/// When it was signed, UTC milliseconds.
	pub(crate) signed_ms: u64,
	/// When its fate was known, UTC milliseconds.
	pub(crate) settled_ms: Option<u64>,
}

impl ReceiptRow {
	/// Returns the receipt with both signatures, as the chain takes it; `None` if the database was
	/// altered.
	pub(crate) fn signed(&self) -> Option<SignedReceipt> {
		let receipt = Receipt::decode_all(&mut &self.receipt[..]).ok()?;
		let Self { miner_signature, coordinator_signature, .. } = *self;
		Some(SignedReceipt { receipt, miner_signature, coordinator_signature })
	}
}

fn receipt_of(row: &Row) -> rusqlite::Result<ReceiptRow> {
	let settled: Option<i64> = row.get("settled_ms")?;
	Ok(ReceiptRow {
		job: H256(bytes(row, "job")?),
		id: H256(bytes(row, "id")?),
		receipt: row.get("receipt")?,
		miner_signature: bytes(row, "miner_signature")?,
		coordinator_signature: bytes(row, "coordinator_signature")?,
		units: number(row, "units")?,
		price: parsed(row, "price")?,
		settlement: parsed(row, "settlement")?,
		tries: row.get("tries")?,
		reason: row.get("reason")?,
		block: row.get::<_, Option<[u8; 32]>>("block")?.map(H256),
		signed_ms: number(row, "signed_ms")?,
		settled_ms: settled.and_then(|ms| u64::try_from(ms).ok()),
	})
}

/// Keeps a receipt of a job that both have signed.
pub(crate) fn add_receipt(db: &Connection, job: &Job, row: &ReceiptRow) -> rusqlite::Result<()> {
	db.execute(
		"INSERT INTO receipts (job, id, receipt, miner_signature, coordinator_signature, units,
			price, settlement, signed_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
		params![
			row.job.0,
			row.id.0,
			row.receipt,
			row.miner_signature,
			row.coordinator_signature,
			to_i64(row.units),
			row.price.to_string(),
			row.settlement.as_str(),
			to_i64(row.signed_ms)
		],
	)?;
	charge(db, job.customer.as_deref(), &job.asset, row.units, row.price)
}

/// Returns a job's receipt.
pub(crate) fn receipt(db: &Connection, job: H256) -> rusqlite::Result<Option<ReceiptRow>> {
	db.query_row("SELECT * FROM receipts WHERE job = ?1", [job.0], receipt_of).optional()
}

/// Returns a receipt by its id.
pub(crate) fn receipt_by_id(db: &Connection, id: H256) -> rusqlite::Result<Option<ReceiptRow>> {
	db.query_row("SELECT * FROM receipts WHERE id = ?1", [id.0], receipt_of).optional()
}

/// Returns receipts that are to be sent now, the oldest first.
pub(crate) fn unsettled(
	db: &Connection,
	now: u64,
	limit: u32,
) -> rusqlite::Result<Vec<ReceiptRow>> {
	let mut statement = db.prepare_cached(
		"SELECT * FROM receipts WHERE settlement = 'pending' AND not_before_ms <= ?1
		 ORDER BY signed_ms LIMIT ?2",
	)?;
	let rows = statement.query_map(params![to_i64(now), limit], receipt_of)?;
	rows.collect()
}

/// Returns the number of receipts by settlement.
pub(crate) fn settlements(db: &Connection) -> rusqlite::Result<Vec<(Settlement, u64)>> {
	let sql = "SELECT value, n FROM tallies WHERE what = 'receipts' AND n > 0 ORDER BY value";
	let mut statement = db.prepare_cached(sql)?;
	let rows = statement.query_map([], |row| Ok((parsed(row, "value")?, number(row, "n")?)))?;
	rows.collect()
}

/// Notes a receipt's fate.
pub(crate) fn settle(
	db: &Connection,
	job: H256,
	settlement: Settlement,
	reason: Option<&str>,
	block: Option<H256>,
	now: u64,
) -> rusqlite::Result<()> {
	db.execute(
		"UPDATE receipts SET settlement = ?2, reason = ?3, block = ?4, settled_ms = ?5
		 WHERE job = ?1 AND settlement = 'pending'",
		params![job.0, settlement.as_str(), reason, block.map(|b| b.0), to_i64(now)],
	)?;
	Ok(())
}

/// Notes a try that failed; the next is not before `until`, UTC milliseconds.
pub(crate) fn try_later(
	db: &Connection,
	job: H256,
	until: u64,
	reason: &str,
) -> rusqlite::Result<()> {
	db.execute(
		"UPDATE receipts SET tries = tries + 1, not_before_ms = ?2, reason = ?3
		 WHERE job = ?1 AND settlement = 'pending'",
		params![job.0, to_i64(until), reason],
	)?;
	Ok(())
}
