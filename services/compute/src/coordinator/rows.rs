//! Jobs, quotes and receipts in the database. Every change of a job's state goes through
//! [`change`], which asks [`JobState::may_become`].

use super::state::{JobState, Settlement};
use crate::protocol::JobSpec;
use gridproof_primitives::H256;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use std::collections::BTreeMap;

/// The tables, by version.
pub const MIGRATIONS: &[&str] = &["
	CREATE TABLE quotes (
		job BLOB PRIMARY KEY,
		quote BLOB NOT NULL,
		signature BLOB NOT NULL,
		spec TEXT NOT NULL,
		unit_price TEXT NOT NULL,
		access BLOB NOT NULL,
		expiry_ms INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;
	CREATE INDEX quotes_by_expiry ON quotes (expiry_ms);

	CREATE TABLE jobs (
		number INTEGER PRIMARY KEY AUTOINCREMENT,
		job BLOB NOT NULL UNIQUE,
		client BLOB NOT NULL,
		customer TEXT,
		quote BLOB NOT NULL,
		quote_signature BLOB NOT NULL,
		spec TEXT NOT NULL,
		model TEXT NOT NULL,
		asset TEXT NOT NULL,
		unit_price TEXT NOT NULL,
		price TEXT NOT NULL,
		max_units INTEGER NOT NULL,
		deadline_ms INTEGER NOT NULL,
		nonce INTEGER NOT NULL,
		access BLOB NOT NULL,
		stream INTEGER NOT NULL,
		funded INTEGER NOT NULL,
		released INTEGER NOT NULL DEFAULT 0,
		state TEXT NOT NULL,
		attempt INTEGER NOT NULL DEFAULT 0,
		failures INTEGER NOT NULL DEFAULT 0,
		not_before_ms INTEGER NOT NULL DEFAULT 0,
		miner BLOB,
		reason TEXT,
		output TEXT,
		created_ms INTEGER NOT NULL,
		updated_ms INTEGER NOT NULL,
		-- Whoever is with a miner has a miner, and only what is done has an output.
		CHECK ((state IN ('assigned', 'running', 'completed')) = (miner IS NOT NULL)),
		CHECK ((state = 'completed') = (output IS NOT NULL))
	) STRICT;
	CREATE INDEX jobs_by_state ON jobs (state, number);
	CREATE INDEX jobs_by_client ON jobs (client, number);
	CREATE INDEX jobs_by_customer ON jobs (customer, number);

	CREATE TABLE attempts (
		job BLOB NOT NULL REFERENCES jobs (job),
		attempt INTEGER NOT NULL,
		miner BLOB NOT NULL,
		assigned_ms INTEGER NOT NULL,
		ended_ms INTEGER,
		outcome TEXT,
		PRIMARY KEY (job, attempt)
	) STRICT, WITHOUT ROWID;

	CREATE TABLE receipts (
		job BLOB PRIMARY KEY REFERENCES jobs (job),
		id BLOB NOT NULL UNIQUE,
		receipt BLOB NOT NULL,
		miner_signature BLOB NOT NULL,
		coordinator_signature BLOB NOT NULL,
		units INTEGER NOT NULL,
		price TEXT NOT NULL,
		settlement TEXT NOT NULL,
		tries INTEGER NOT NULL DEFAULT 0,
		not_before_ms INTEGER NOT NULL DEFAULT 0,
		reason TEXT,
		block BLOB,
		signed_ms INTEGER NOT NULL,
		settled_ms INTEGER
	) STRICT, WITHOUT ROWID;
	CREATE INDEX receipts_by_settlement ON receipts (settlement, not_before_ms);
"];

/// A quote that was given and may become a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteRow {
	/// The job it would be.
	pub job: H256,
	/// SCALE of the quote.
	pub quote: Vec<u8>,
	/// The coordinator's signature over it.
	pub signature: [u8; 64],
	/// Canonical JSON of the specification.
	pub spec: String,
	/// Price of a unit, in the asset's smallest unit.
	pub unit_price: u128,
	/// SHA-256 of the secret that opens the job's output.
	pub access: [u8; 32],
	/// When it can be used no more, UTC milliseconds.
	pub expiry_ms: u64,
}

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

/// A receipt with both signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRow {
	/// The job.
	pub job: H256,
	/// The receipt's id.
	pub id: H256,
	/// SCALE of the receipt.
	pub receipt: Vec<u8>,
	/// By the miner.
	pub miner_signature: [u8; 64],
	/// By the coordinator.
	pub coordinator_signature: [u8; 64],
	/// Compute units.
	pub units: u64,
	/// In the quote's asset, smallest unit.
	pub price: u128,
	/// Where the money stands.
	pub settlement: Settlement,
	/// How often it was sent in vain.
	pub tries: u32,
	/// Why it was refused, or what happened at the last try.
	pub reason: Option<String>,
	/// The final block that settled it, if this coordinator's own submission did.
	pub block: Option<H256>,
	/// When it was signed, UTC milliseconds.
	pub signed_ms: u64,
	/// When its fate was known, UTC milliseconds.
	pub settled_ms: Option<u64>,
}

fn to_i64(value: u64) -> i64 {
	i64::try_from(value).unwrap_or(i64::MAX)
}

fn bytes<const N: usize>(row: &Row, column: &str) -> rusqlite::Result<[u8; N]> {
	row.get::<_, [u8; N]>(column)
}

fn number(row: &Row, column: &str) -> rusqlite::Result<u64> {
	let value: i64 = row.get(column)?;
	Ok(u64::try_from(value).unwrap_or(0))
}

fn parsed<T: std::str::FromStr>(row: &Row, column: &str) -> rusqlite::Result<T> {
	let text: String = row.get(column)?;
	text.parse().map_err(|_| {
		let fault = format!("column {column} holds {text:?}");
		rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, fault.into())
	})
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

/// Remembers a quote, and forgets those that ran out an hour ago.
pub fn add_quote(db: &Connection, row: &QuoteRow, now: u64) -> rusqlite::Result<()> {
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

/// The quote for a job.
pub fn quote(db: &Connection, job: H256) -> rusqlite::Result<Option<QuoteRow>> {
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

/// The chain holds a job's escrow no longer.
pub fn set_released(db: &Connection, id: H256) -> rusqlite::Result<()> {
	db.execute("UPDATE jobs SET released = 1 WHERE job = ?1", [id.0])?;
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

/// A change of a job's state, with what goes along with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
	/// Given to a miner.
	Assign {
		/// Which.
		miner: [u8; 32],
	},
	/// The miner has begun.
	Start,
	/// Back to the queue, not to be given out before a time.
	Requeue {
		/// Why.
		reason: String,
		/// Did the miner fail at it, or could it not help it?
		failure: bool,
		/// UTC milliseconds.
		not_before_ms: u64,
	},
	/// Nobody can do it.
	Fail {
		/// Why.
		reason: String,
	},
	/// Taken back.
	Cancel,
	/// Too late.
	Expire,
	/// Done; JSON of the output.
	Complete {
		/// The output.
		output: String,
	},
}

impl Change {
	/// The state it leads to.
	pub const fn to(&self) -> JobState {
		match self {
			Self::Assign { .. } => JobState::Assigned,
			Self::Start => JobState::Running,
			Self::Requeue { .. } => JobState::Queued,
			Self::Fail { .. } => JobState::Failed,
			Self::Cancel => JobState::Cancelled,
			Self::Expire => JobState::Expired,
			Self::Complete { .. } => JobState::Completed,
		}
	}
}

/// Changes a job's state if the rule allows it and, given an attempt, if that is the present one.
/// The job as it is afterwards; `None` if nothing was changed.
pub fn change(
	db: &Connection,
	id: H256,
	attempt: Option<u32>,
	change: &Change,
	now: u64,
) -> rusqlite::Result<Option<Job>> {
	let Some(before) = job(db, id)? else { return Ok(None) };
	let is_present = attempt.is_none_or(|attempt| attempt == before.attempt);
	if !before.state.may_become(change.to()) || !is_present {
		return Ok(None);
	}
	let end = |outcome: &str| end_attempt(db, &before, outcome, now);
	match change {
		Change::Assign { miner } => {
			db.execute(
				"UPDATE jobs SET state = 'assigned', miner = ?2, attempt = attempt + 1,
					updated_ms = ?3 WHERE job = ?1",
				params![id.0, miner, to_i64(now)],
			)?;
			db.execute(
				"INSERT INTO attempts (job, attempt, miner, assigned_ms) VALUES (?1, ?2, ?3, ?4)",
				params![id.0, before.attempt.saturating_add(1), miner, to_i64(now)],
			)?;
		},
		Change::Start => set_state(db, id, change.to(), now)?,
		Change::Requeue { reason, failure, not_before_ms } => {
			db.execute(
				"UPDATE jobs SET state = 'queued', miner = NULL, reason = ?2, updated_ms = ?5,
					failures = failures + ?3, not_before_ms = ?4 WHERE job = ?1",
				params![id.0, reason, failure, to_i64(*not_before_ms), to_i64(now)],
			)?;
			end(reason)?;
		},
		Change::Fail { reason } => {
			leave(db, id, change.to(), Some(reason), now)?;
			end(reason)?;
		},
		Change::Cancel | Change::Expire => {
			leave(db, id, change.to(), None, now)?;
			end(change.to().as_str())?;
		},
		Change::Complete { output } => {
			db.execute(
				"UPDATE jobs SET state = 'completed', output = ?2, reason = NULL, updated_ms = ?3
				 WHERE job = ?1",
				params![id.0, output, to_i64(now)],
			)?;
			end("completed")?;
		},
	}
	job(db, id)
}

fn set_state(db: &Connection, id: H256, state: JobState, now: u64) -> rusqlite::Result<()> {
	db.execute(
		"UPDATE jobs SET state = ?2, updated_ms = ?3 WHERE job = ?1",
		params![id.0, state.as_str(), to_i64(now)],
	)?;
	Ok(())
}

fn leave(
	db: &Connection,
	id: H256,
	state: JobState,
	reason: Option<&str>,
	now: u64,
) -> rusqlite::Result<()> {
	db.execute(
		"UPDATE jobs SET state = ?2, miner = NULL, reason = COALESCE(?3, reason), updated_ms = ?4
		 WHERE job = ?1",
		params![id.0, state.as_str(), reason, to_i64(now)],
	)?;
	Ok(())
}

fn end_attempt(db: &Connection, before: &Job, outcome: &str, now: u64) -> rusqlite::Result<()> {
	db.execute(
		"UPDATE attempts SET ended_ms = ?3, outcome = ?4
		 WHERE job = ?1 AND attempt = ?2 AND ended_ms IS NULL",
		params![before.job.0, before.attempt, to_i64(now), outcome],
	)?;
	Ok(())
}

/// The chain holds a job's escrow now.
pub fn set_funded(db: &Connection, id: H256, now: u64) -> rusqlite::Result<()> {
	db.execute(
		"UPDATE jobs SET funded = 1, updated_ms = ?2 WHERE job = ?1 AND state = 'queued'",
		params![id.0, to_i64(now)],
	)?;
	Ok(())
}

/// Not before a time is a job looked at again.
pub fn postpone(db: &Connection, id: H256, until: u64) -> rusqlite::Result<()> {
	let sql = "UPDATE jobs SET not_before_ms = ?2 WHERE job = ?1";
	db.execute(sql, params![id.0, to_i64(until)])?;
	Ok(())
}

/// Keeps a receipt that both have signed.
pub fn add_receipt(db: &Connection, row: &ReceiptRow) -> rusqlite::Result<()> {
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
	Ok(())
}

/// A job's receipt.
pub fn receipt(db: &Connection, job: H256) -> rusqlite::Result<Option<ReceiptRow>> {
	db.query_row("SELECT * FROM receipts WHERE job = ?1", [job.0], receipt_of).optional()
}

/// A receipt by its id.
pub fn receipt_by_id(db: &Connection, id: H256) -> rusqlite::Result<Option<ReceiptRow>> {
	db.query_row("SELECT * FROM receipts WHERE id = ?1", [id.0], receipt_of).optional()
}

/// Receipts that are to be sent now, the oldest first.
pub fn unsettled(db: &Connection, now: u64, limit: u32) -> rusqlite::Result<Vec<ReceiptRow>> {
	let mut statement = db.prepare_cached(
		"SELECT * FROM receipts WHERE settlement = 'pending' AND not_before_ms <= ?1
		 ORDER BY signed_ms LIMIT ?2",
	)?;
	let rows = statement.query_map(params![to_i64(now), limit], receipt_of)?;
	rows.collect()
}

/// Receipts by settlement, with the sum of their units.
pub fn settlements(db: &Connection) -> rusqlite::Result<Vec<(Settlement, u64, u64)>> {
	let mut statement = db.prepare_cached(
		"SELECT settlement, COUNT(*) AS n, SUM(units) AS units FROM receipts GROUP BY settlement",
	)?;
	let rows = statement.query_map([], |row| {
		Ok((parsed(row, "settlement")?, number(row, "n")?, number(row, "units")?))
	})?;
	rows.collect()
}

/// A receipt's fate is known.
pub fn settle(
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

/// A receipt was sent in vain and is sent again, not before a time.
pub fn try_later(db: &Connection, job: H256, until: u64, reason: &str) -> rusqlite::Result<()> {
	db.execute(
		"UPDATE receipts SET tries = tries + 1, not_before_ms = ?2, reason = ?3
		 WHERE job = ?1 AND settlement = 'pending'",
		params![job.0, to_i64(until), reason],
	)?;
	Ok(())
}

/// What an API key has used, and what its open jobs may still cost. Amounts are by asset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
	/// Jobs with a receipt.
	pub jobs: u64,
	/// Their compute units.
	pub units: u64,
	/// Their prices.
	pub prices: BTreeMap<String, u128>,
	/// Jobs that are not over yet.
	pub open_jobs: u64,
	/// The most that these cost.
	pub held: BTreeMap<String, u128>,
}

/// What an API key has used since a time.
pub fn usage(db: &Connection, customer: &str, since_ms: u64) -> rusqlite::Result<Usage> {
	let mut usage = Usage::default();
	let mut done = db.prepare_cached(
		"SELECT jobs.asset AS asset, receipts.units AS units, receipts.price AS price
		 FROM jobs JOIN receipts USING (job)
		 WHERE jobs.customer = ?1 AND receipts.signed_ms >= ?2",
	)?;
	let mut rows = done.query(params![customer, to_i64(since_ms)])?;
	while let Some(row) = rows.next()? {
		usage.jobs = usage.jobs.saturating_add(1);
		usage.units = usage.units.saturating_add(number(row, "units")?);
		add_to(&mut usage.prices, row)?;
	}
	let mut open = db.prepare_cached(
		"SELECT asset, price FROM jobs
		 WHERE customer = ?1 AND state IN ('queued', 'assigned', 'running')",
	)?;
	let mut rows = open.query([customer])?;
	while let Some(row) = rows.next()? {
		usage.open_jobs = usage.open_jobs.saturating_add(1);
		add_to(&mut usage.held, row)?;
	}
	Ok(usage)
}

fn add_to(sums: &mut BTreeMap<String, u128>, row: &Row) -> rusqlite::Result<()> {
	let (asset, price): (String, u128) = (row.get("asset")?, parsed(row, "price")?);
	let sum = sums.entry(asset).or_default();
	*sum = sum.saturating_add(price);
	Ok(())
}
