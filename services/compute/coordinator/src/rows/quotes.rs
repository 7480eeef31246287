//! Quotes that were given and may become jobs.

use super::columns::{bytes, number, parsed, to_i64};
use gridproof_primitives::H256;
use gridproof_store::rusqlite::{self, Connection, OptionalExtension, params};

/// A quote that was given and may become a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteRow {
	/// Id of the job that it opens.
	pub job: H256,
	/// SCALE of the quote.
	pub quote: Vec<u8>,
	/// The coordinator's signature over it.
	pub signature: [u8; 64],
	/// Canonical JSON of the specification.
	pub spec: String,
	/// Price of a compute unit, in the asset's smallest unit.
	pub unit_price: u128,
	/// SHA-256 of the secret that opens the job's output.
	pub access: [u8; 32],
	/// Until when it can be used, UTC milliseconds.
	pub expiry_ms: u64,
}

/// Adds a quote, and deletes those that expired an hour ago.
pub(crate) fn add_quote(db: &Connection, row: &QuoteRow, now: u64) -> rusqlite::Result<()> {
	let stale = to_i64(now.saturating_sub(3_600_000));
	db.execute("DELETE FROM quotes WHERE expiry_ms < ?1", [stale])?;
	db.execute(
		"INSERT INTO quotes (job, quote, signature, spec, unit_price, access, expiry_ms)
		 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		params![
			row.job.0,
			row.quote,
			row.signature,
			row.spec,
			row.unit_price.to_string(),
			row.access,
			to_i64(row.expiry_ms)
		],
	)?;
	Ok(())
}

/// Returns the quote of a job.
pub(crate) fn quote(db: &Connection, job: H256) -> rusqlite::Result<Option<QuoteRow>> {
	db.query_row("SELECT * FROM quotes WHERE job = ?1", [job.0], |row| {
		Ok(QuoteRow {
			job: H256(bytes(row, "job")?),
			quote: row.get("quote")?,
			signature: bytes(row, "signature")?,
			spec: row.get("spec")?,
			unit_price: parsed(row, "unit_price")?,
			access: bytes(row, "access")?,
			expiry_ms: number(row, "expiry_ms")?,
		})
	})
	.optional()
}
