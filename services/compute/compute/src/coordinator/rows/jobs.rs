//! Jobs: accepted, looked for, listed.

use super::{QuoteRow, bytes, number, parsed, to_i64};
use crate::{coordinator::state::JobState, protocol::JobSpec};
use gridproof_primitives::H256;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

/// A job that is about to be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
	/// Its quote.
	pub quote: QuoteRow,
	/// Who pays.
	pub client: [u8; 32],
	/// Name of the API key that asked for it, if the front pays.
	pub customer: Option<String>,
	/// Name of the model.
	pub model: String,
	/// In which the price is.
	pub asset: String,
	/// Most that it may cost.
	pub price: u128,
	/// Most units that a receipt may claim.
	pub max_units: u64,
	/// Until when the receipt must be claimed, UTC milliseconds.
	pub deadline_ms: u64,
	/// Goes into the receipt.
	pub nonce: u64,
	/// Does somebody read along?
	pub stream: bool,
	/// Does the chain hold its escrow?
	pub funded: bool,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
	/// Its number here.
	pub number: u64,
	/// Its id on chain.
	pub job: H256,
	/// Who pays.
	pub client: [u8; 32],
	/// Name of the API key that asked for it, if the front pays.
	pub customer: Option<String>,
	/// SCALE of its quote.
	pub quote: Vec<u8>,
	/// The coordinator's signature over that.
	pub quote_signature: [u8; 64],
	/// Canonical JSON of the specification.
	pub spec: String,
	/// Name of the model.
	pub model: String,
	/// In which the price is.
	pub asset: String,
	/// Price of a unit.
	pub unit_price: u128,
	/// Most that it may cost.
	pub price: u128,
	/// Most units that a receipt may claim.
	pub max_units: u64,
	/// Until when the receipt must be claimed, UTC milliseconds.
	pub deadline_ms: u64,
	/// Goes into the receipt; the same for every attempt, so that a miner has no reason to sign
	/// twice.
	pub nonce: u64,
	/// SHA-256 of the secret that opens the output.
	pub access: [u8; 32],
	/// Does somebody read along?
	pub stream: bool,
	/// Does the chain hold its escrow?
	pub funded: bool,
	/// Where it stands.
	pub state: JobState,
	/// How often it was given to a miner.
	pub attempt: u32,
	/// How many of these failed.
	pub failures: u32,
	/// Whose it is, or was when it was completed.
	pub miner: Option<[u8; 32]>,
	/// Why it failed, or why it last came back to the queue.
	pub reason: Option<String>,
	/// JSON of the output.
	pub output: Option<String>,
	/// When it was accepted, UTC milliseconds.
	pub created_ms: u64,
	/// When it last changed, UTC milliseconds.
	pub updated_ms: u64,
}

impl Job {
	/// Its specification.
	///
	/// # Errors
	/// When the database was altered.
	pub fn spec(&self) -> Result<JobSpec, serde_json::Error> {
		serde_json::from_str(&self.spec)
	}
}

fn job_of(row: &Row) -> rusqlite::Result<Job> {
	Ok(Job {
		number: number(row, "number")?,
		job: H256(bytes(row, "job")?),
		client: bytes(row, "client")?,
		customer: row.get("customer")?,
		quote: row.get("quote")?,
		quote_signature: bytes(row, "quote_signature")?,
		spec: row.get("spec")?,
		model: row.get("model")?,
		asset: row.get("asset")?,
		unit_price: parsed(row, "unit_price")?,
		price: parsed(row, "price")?,
		max_units: number(row, "max_units")?,
		deadline_ms: number(row, "deadline_ms")?,
		nonce: number(row, "nonce")?,
		access: bytes(row, "access")?,
		stream: row.get("stream")?,
		funded: row.get("funded")?,
		state: parsed(row, "state")?,
		attempt: row.get("attempt")?,
		failures: row.get("failures")?,
		miner: row.get::<_, Option<[u8; 32]>>("miner")?,
		reason: row.get("reason")?,
		output: row.get("output")?,
		created_ms: number(row, "created_ms")?,
		updated_ms: number(row, "updated_ms")?,
	})
}

/// Accepts a job. False if it is there already.
pub fn add_job(db: &Connection, new: &NewJob, now: u64) -> rusqlite::Result<bool> {
	let added = db.execute(
		"INSERT INTO jobs (job, client, customer, quote, quote_signature, spec, model, asset,
			unit_price, price, max_units, deadline_ms, nonce, access, stream, funded, state,
			created_ms, updated_ms)
		 VALUES (:job, :client, :customer, :quote, :signature, :spec, :model, :asset,
			:unit_price, :price, :max_units, :deadline, :nonce, :access, :stream, :funded,
			'queued', :now, :now)
		 ON CONFLICT (job) DO NOTHING",
		named_params! {
			":job": new.quote.job.0,
			":client": new.client,
			":customer": new.customer,
			":quote": new.quote.quote,
			":signature": new.quote.signature,
			":spec": new.quote.spec,
			":model": new.model,
			":asset": new.asset,
			":unit_price": new.quote.unit_price.to_string(),
			":price": new.price.to_string(),
			":max_units": to_i64(new.max_units),
			":deadline": to_i64(new.deadline_ms),
			":nonce": to_i64(new.nonce),
			":access": new.quote.access,
			":stream": new.stream,
			":funded": new.funded,
			":now": to_i64(now),
		},
	)?;
	Ok(added == 1)
}

/// A job.
pub fn job(db: &Connection, job: H256) -> rusqlite::Result<Option<Job>> {
	db.query_row("SELECT * FROM jobs WHERE job = ?1", [job.0], job_of).optional()
}

/// Which jobs to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
	/// Only in this state.
	pub state: Option<JobState>,
	/// Only of this client.
	pub client: Option<[u8; 32]>,
	/// Only of this API key.
	pub customer: Option<String>,
	/// Only numbers below this.
	pub before: Option<u64>,
	/// At most so many.
	pub limit: u32,
}

/// Jobs, the youngest first.
pub fn jobs(db: &Connection, filter: &Filter) -> rusqlite::Result<Vec<Job>> {
	let mut statement = db.prepare_cached(
		"SELECT * FROM jobs
		 WHERE (:state IS NULL OR state = :state) AND (:client IS NULL OR client = :client)
			AND (:customer IS NULL OR customer = :customer)
			AND (:before IS NULL OR number < :before)
		 ORDER BY number DESC LIMIT :limit",
	)?;
	let rows = statement.query_map(
		named_params! {
			":state": filter.state.map(JobState::as_str),
			":client": filter.client,
			":customer": filter.customer,
			":before": filter.before.map(to_i64),
			":limit": filter.limit,
		},
		job_of,
	)?;
	rows.collect()
}

/// Jobs that a miner could be given now, the oldest first.
pub fn assignable(db: &Connection, now: u64, limit: u32) -> rusqlite::Result<Vec<Job>> {
	let mut statement = db.prepare_cached(
		"SELECT * FROM jobs WHERE state = 'queued' AND funded = 1 AND not_before_ms <= ?1
			AND deadline_ms > ?1 ORDER BY number LIMIT ?2",
	)?;
	let rows = statement.query_map(params![to_i64(now), limit], job_of)?;
	rows.collect()
}

/// Jobs whose escrow the front still has to open, the oldest first.
pub fn unfunded(db: &Connection, now: u64, limit: u32) -> rusqlite::Result<Vec<Job>> {
	let mut statement = db.prepare_cached(
		"SELECT * FROM jobs WHERE state = 'queued' AND funded = 0 AND not_before_ms <= ?1
		 ORDER BY number LIMIT ?2",
	)?;
	let rows = statement.query_map(params![to_i64(now), limit], job_of)?;
	rows.collect()
}

/// Jobs that are some miner's.
pub fn held(db: &Connection) -> rusqlite::Result<Vec<Job>> {
	let mut statement =
		db.prepare_cached("SELECT * FROM jobs WHERE state IN ('assigned', 'running')")?;
	let rows = statement.query_map([], job_of)?;
	rows.collect()
}

/// Jobs whose deadline has passed and that are not done.
pub fn overdue(db: &Connection, now: u64, limit: u32) -> rusqlite::Result<Vec<H256>> {
	let mut statement = db.prepare_cached(
		"SELECT job FROM jobs WHERE state IN ('queued', 'assigned', 'running')
			AND deadline_ms <= ?1 LIMIT ?2",
	)?;
	let rows = statement.query_map(params![to_i64(now), limit], |row| Ok(H256(row.get(0)?)))?;
	rows.collect()
}

/// Jobs that will have no receipt and whose escrow may still be held, the oldest first.
pub fn unreleased(db: &Connection, now: u64, limit: u32) -> rusqlite::Result<Vec<H256>> {
	let mut statement = db.prepare_cached(
		"SELECT job FROM jobs WHERE state IN ('failed', 'cancelled')
			AND (funded = 1 OR customer IS NOT NULL) AND released = 0 AND not_before_ms <= ?1 ORDER BY number LIMIT ?2",
	)?;
	let rows = statement.query_map(params![to_i64(now), limit], |row| Ok(H256(row.get(0)?)))?;
	rows.collect()
}

/// The chain holds a job's escrow now.
pub fn set_funded(db: &Connection, id: H256, now: u64) -> rusqlite::Result<()> {
	db.execute(
		"UPDATE jobs SET funded = 1, updated_ms = ?2 WHERE job = ?1 AND state = 'queued'",
		params![id.0, to_i64(now)],
	)?;
	Ok(())
}

/// The chain holds a job's escrow no longer.
pub fn set_released(db: &Connection, id: H256) -> rusqlite::Result<()> {
	db.execute("UPDATE jobs SET released = 1 WHERE job = ?1", [id.0])?;
	Ok(())
}

/// Not before a time is a job looked at again.
pub fn postpone(db: &Connection, id: H256, until: u64) -> rusqlite::Result<()> {
	let sql = "UPDATE jobs SET not_before_ms = ?2 WHERE job = ?1";
	db.execute(sql, params![id.0, to_i64(until)])?;
	Ok(())
}

/// How many jobs wait.
pub fn queued(db: &Connection) -> rusqlite::Result<u64> {
	let sql = "SELECT COUNT(*) AS n FROM jobs WHERE state = 'queued'";
	db.prepare_cached(sql)?.query_row([], |row| number(row, "n"))
}

/// Jobs by state.
pub fn counts(db: &Connection) -> rusqlite::Result<Vec<(JobState, u64)>> {
	let mut statement =
		db.prepare_cached("SELECT state, COUNT(*) AS n FROM jobs GROUP BY state")?;
	let rows = statement.query_map([], |row| Ok((parsed(row, "state")?, number(row, "n")?)))?;
	rows.collect()
}

/// Miners that had a job and failed at it.
pub fn failed_at(db: &Connection, job: H256) -> rusqlite::Result<Vec<[u8; 32]>> {
	let mut statement = db.prepare_cached(
		"SELECT DISTINCT miner FROM attempts WHERE job = ?1 AND outcome NOT IN ('completed')",
	)?;
	let rows = statement.query_map([job.0], |row| row.get(0))?;
	rows.collect()
}
