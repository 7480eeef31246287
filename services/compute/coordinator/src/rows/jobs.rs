//! Jobs: accepted, looked for, listed.

use super::{
	balances::hold,
	columns::{bytes, number, parsed, to_i64},
	quotes::QuoteRow,
};
use gridproof_compute_api::protocol::{JobSpec, JobStage};
use gridproof_primitives::H256;
use gridproof_store::rusqlite::{
	self, Connection, OptionalExtension, Row, ToSql, named_params, params,
};

/// A job that is about to be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewJob {
	/// The quote that it was opened with.
	pub(crate) quote: QuoteRow,
	/// The account that pays.
	pub(crate) client: [u8; 32],
	/// Name of the API key that asked for it, if the front pays.
	pub(crate) customer: Option<String>,
	/// Name of the model.
	pub(crate) model: String,
	/// What the price is in: `ait`, `aicp` or `service_credit`.
	pub(crate) asset: String,
	/// The most that it may cost, in the asset's smallest unit.
	pub(crate) price: u128,
	/// Most compute units that a receipt may claim.
	pub(crate) max_units: u64,
	/// Until when a receipt can be signed, UTC milliseconds: the quote's deadline less what is kept
	/// back for settling.
	pub(crate) deadline_ms: u64,
	/// The quote's nonce, which goes into the receipt.
	pub(crate) nonce: u64,
	/// `true` if somebody reads along.
	pub(crate) stream: bool,
	/// `true` if the chain holds its escrow.
	pub(crate) funded: bool,
}

/// A job as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
	/// Its number at this coordinator.
	pub number: u64,
	/// Its id on chain.
	pub job: H256,
	/// The account that pays.
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
	/// What the price is in: `ait`, `aicp` or `service_credit`.
	pub asset: String,
	/// Price of a compute unit, in the asset's smallest unit.
	pub unit_price: u128,
	/// The most that it may cost, in the asset's smallest unit.
	pub price: u128,
	/// Most compute units that a receipt may claim.
	pub max_units: u64,
	/// Until when a receipt can be signed, UTC milliseconds: the quote's deadline less what is kept
	/// back for settling.
	pub deadline_ms: u64,
	/// The quote's nonce, which goes into the receipt; the same for every attempt, so that a miner
	/// has no reason to sign twice.
	pub nonce: u64,
	/// SHA-256 of the secret that opens the output.
	pub access: [u8; 32],
	/// `true` if somebody reads along.
	pub stream: bool,
	/// `true` if the chain holds its escrow.
	pub funded: bool,
	/// Where it stands.
	pub state: JobStage,
	/// How often it was given to a miner.
	pub attempt: u32,
	/// How many of these attempts failed.
	pub failures: u32,
	/// Key of the miner that has it, or that completed it.
	pub miner: Option<[u8; 32]>,
	/// Why it failed, or why it last came back to the queue.
	pub reason: Option<String>,
	/// JSON of the output; none in lists, and once its texts are deleted.
	pub output: Option<String>,
	/// When it was accepted, UTC milliseconds.
	pub created_ms: u64,
	/// When it last changed, UTC milliseconds.
	pub updated_ms: u64,
}

impl Job {
	/// Returns its specification.
	///
	/// # Errors
	/// When the database was altered.
	pub fn spec(&self) -> Result<JobSpec, serde_json::Error> {
		serde_json::from_str(&self.spec)
	}
}

/// All columns of a job but its texts, which may be long.
pub(super) const LIGHT: &str = "number, job, client, customer, quote, quote_signature, '' AS spec, \
	model, asset, unit_price, price, max_units, deadline_ms, nonce, access, stream, funded, state, \
	attempt, failures, miner, reason, NULL AS output, created_ms, updated_ms";

pub(super) fn job_of(row: &Row) -> rusqlite::Result<Job> {
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
		output: row.get::<_, Option<String>>("output")?.filter(|output| !output.is_empty()),
		created_ms: number(row, "created_ms")?,
		updated_ms: number(row, "updated_ms")?,
	})
}

/// Adds a job; returns `false` if it is there already.
pub(crate) fn add_job(db: &Connection, new: &NewJob, now: u64) -> rusqlite::Result<bool> {
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
	if added == 1 {
		hold(db, new.customer.as_deref(), &new.asset, new.price)?;
	}
	Ok(added == 1)
}

/// Returns a job.
pub(crate) fn job(db: &Connection, job: H256) -> rusqlite::Result<Option<Job>> {
	db.query_row("SELECT * FROM jobs WHERE job = ?1", [job.0], job_of).optional()
}

/// Which jobs to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
	/// Only jobs in this stage.
	pub(crate) state: Option<JobStage>,
	/// Only jobs that this account pays for.
	pub(crate) client: Option<[u8; 32]>,
	/// Only jobs of this customer of the front.
	pub(crate) customer: Option<String>,
	/// Only numbers below this.
	pub(crate) before: Option<u64>,
	/// Most jobs returned.
	pub(crate) limit: u32,
}

/// Returns jobs without their texts, the youngest first.
pub(crate) fn jobs(db: &Connection, filter: &Filter) -> rusqlite::Result<Vec<Job>> {
	// Only what is asked for is in the statement, so that an index can answer it.
	let mut wanted: Vec<(&str, &str, &dyn ToSql)> = Vec::new();
	let state = filter.state.map(JobStage::as_str);
	let before = filter.before.map(to_i64);
	if let Some(state) = &state {
		wanted.push(("state = :state", ":state", state));
	}
	if let Some(client) = &filter.client {
		wanted.push(("client = :client", ":client", client));
	}
	if let Some(customer) = &filter.customer {
		wanted.push(("customer = :customer", ":customer", customer));
	}
	if let Some(before) = &before {
		wanted.push(("number < :before", ":before", before));
	}
	let rules: Vec<&str> = wanted.iter().map(|(rule, ..)| *rule).collect();
	let rules = if rules.is_empty() { "TRUE".to_string() } else { rules.join(" AND ") };
	let sql = format!("SELECT {LIGHT} FROM jobs WHERE {rules} ORDER BY number DESC LIMIT :limit");
	let mut values: Vec<(&str, &dyn ToSql)> =
		wanted.iter().map(|(_, name, value)| (*name, *value)).collect();
	values.push((":limit", &filter.limit));
	let mut statement = db.prepare_cached(&sql)?;
	let rows = statement.query_map(&values[..], job_of)?;
	rows.collect()
}

/// Returns jobs that a miner could be given now, the oldest first.
pub(crate) fn assignable(db: &Connection, now: u64, limit: u32) -> rusqlite::Result<Vec<Job>> {
	let mut statement = db.prepare_cached(
		"SELECT * FROM jobs WHERE state = 'queued' AND funded = 1 AND not_before_ms <= ?1
			AND deadline_ms > ?1 ORDER BY number LIMIT ?2",
	)?;
	let rows = statement.query_map(params![to_i64(now), limit], job_of)?;
	rows.collect()
}

/// Returns jobs whose escrow the front still has to open, without their texts, the oldest first.
pub(crate) fn unfunded(db: &Connection, now: u64, limit: u32) -> rusqlite::Result<Vec<Job>> {
	let mut statement = db.prepare_cached(&format!(
		"SELECT {LIGHT} FROM jobs WHERE state = 'queued' AND funded = 0 AND not_before_ms <= ?1
		 ORDER BY number LIMIT ?2",
	))?;
	let rows = statement.query_map(params![to_i64(now), limit], job_of)?;
	rows.collect()
}

/// Returns jobs that a miner holds, or has delivered and whose receipt is not settled yet; without
/// their texts.
pub(crate) fn held(db: &Connection) -> rusqlite::Result<Vec<Job>> {
	let mut statement = db.prepare_cached(&format!(
		"SELECT {LIGHT} FROM jobs WHERE state IN ('assigned', 'running') OR
			(state = 'completed' AND job IN (SELECT job FROM receipts WHERE settlement = 'pending'))",
	))?;
	let rows = statement.query_map([], job_of)?;
	rows.collect()
}

/// Returns jobs whose deadline has passed and that are not done.
pub(crate) fn overdue(db: &Connection, now: u64, limit: u32) -> rusqlite::Result<Vec<H256>> {
	let mut statement = db.prepare_cached(
		"SELECT job FROM jobs WHERE state IN ('queued', 'assigned', 'running')
			AND deadline_ms <= ?1 LIMIT ?2",
	)?;
	let rows = statement.query_map(params![to_i64(now), limit], |row| Ok(H256(row.get(0)?)))?;
	rows.collect()
}

/// Returns jobs that will have no receipt and whose escrow may still be held, the oldest first.
pub(crate) fn unreleased(db: &Connection, now: u64, limit: u32) -> rusqlite::Result<Vec<H256>> {
	let mut statement = db.prepare_cached(
		"SELECT job FROM jobs WHERE state IN ('failed', 'cancelled')
			AND (funded = 1 OR customer IS NOT NULL) AND released = 0 AND not_before_ms <= ?1
		 ORDER BY number LIMIT ?2",
	)?;
	let rows = statement.query_map(params![to_i64(now), limit], |row| Ok(H256(row.get(0)?)))?;
	rows.collect()
}

/// Notes that the chain holds a job's escrow.
pub(crate) fn set_funded(db: &Connection, id: H256, now: u64) -> rusqlite::Result<()> {
	db.execute(
		"UPDATE jobs SET funded = 1, updated_ms = ?2 WHERE job = ?1 AND state = 'queued'",
		params![id.0, to_i64(now)],
	)?;
	Ok(())
}

/// Notes that the chain no longer holds a job's escrow.
pub(crate) fn set_released(db: &Connection, id: H256) -> rusqlite::Result<()> {
	db.execute("UPDATE jobs SET released = 1 WHERE job = ?1", [id.0])?;
	Ok(())
}

/// Keeps a job from being looked at before a time, UTC milliseconds.
pub(crate) fn postpone(db: &Connection, id: H256, until: u64) -> rusqlite::Result<()> {
	let sql = "UPDATE jobs SET not_before_ms = ?2 WHERE job = ?1";
	db.execute(sql, params![id.0, to_i64(until)])?;
	Ok(())
}

/// Returns the number of jobs that wait.
pub(crate) fn queued(db: &Connection) -> rusqlite::Result<u64> {
	let sql = "SELECT n FROM tallies WHERE what = 'jobs' AND value = 'queued'";
	db.prepare_cached(sql)?.query_row([], |row| number(row, "n"))
}

/// Returns the number of jobs by stage.
pub(crate) fn counts(db: &Connection) -> rusqlite::Result<Vec<(JobStage, u64)>> {
	let sql = "SELECT value, n FROM tallies WHERE what = 'jobs' AND n > 0 ORDER BY value";
	let mut statement = db.prepare_cached(sql)?;
	let rows = statement.query_map([], |row| Ok((parsed(row, "value")?, number(row, "n")?)))?;
	rows.collect()
}

/// Returns keys of the miners that had a job and did not complete it.
pub(crate) fn failed_at(db: &Connection, job: H256) -> rusqlite::Result<Vec<[u8; 32]>> {
	let mut statement = db.prepare_cached(
		"SELECT DISTINCT miner FROM attempts WHERE job = ?1 AND outcome NOT IN ('completed')",
	)?;
	let rows = statement.query_map([job.0], |row| row.get(0))?;
	rows.collect()
}
