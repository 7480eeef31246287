//! Requests that came with a key: the same one again leads to the same job.

use super::{
	columns::{bytes, number, to_i64},
	jobs::{Job, job},
};
use gridproof_compute_api::protocol::{JobStage, RefusalReason};
use gridproof_primitives::H256;
use gridproof_store::rusqlite::{self, Connection, OptionalExtension, params};

/// How long a key is remembered, in milliseconds: a day.
const REMEMBERED_MS: u64 = 24 * 3_600_000;

/// By what the same request is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Once {
	/// The key that its client gave it, unique within the customer.
	pub(crate) key: String,
	/// SHA-256 of its path and body.
	pub(crate) body: [u8; 32],
}

/// What is remembered of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remembered {
	/// Nothing: the request is a new one.
	New,
	/// The same request, and its job.
	Same(Box<Job>),
	/// Another request.
	Other,
}

/// Returns what is remembered of a request's key.
pub(crate) fn remembered(
	db: &Connection,
	customer: &str,
	once: &Once,
	now: u64,
) -> rusqlite::Result<Remembered> {
	let found = db
		.query_row(
			"SELECT body, job, created_ms FROM idempotency WHERE customer = ?1 AND key = ?2",
			params![customer, once.key],
			|row| {
				let job = H256(bytes(row, "job")?);
				Ok((bytes::<32>(row, "body")?, job, number(row, "created_ms")?))
			},
		)
		.optional()?;
	let Some((body, id, created_ms)) = found else { return Ok(Remembered::New) };
	if created_ms.saturating_add(REMEMBERED_MS) <= now {
		return Ok(Remembered::New);
	}
	if body != once.body {
		return Ok(Remembered::Other);
	}
	Ok(match job(db, id)? {
		Some(job) if !may_be_tried_again(&job) => Remembered::Same(Box::new(job)),
		_ => Remembered::New,
	})
}

/// Returns `true` of a job that ended without an answer and without a price, through no fault of the
/// request: who asks again is helped by another try.
fn may_be_tried_again(job: &Job) -> bool {
	let cause = job.reason.as_deref().and_then(RefusalReason::of_job);
	match job.state {
		JobStage::Failed => !cause.is_some_and(RefusalReason::is_requests_own),
		JobStage::Cancelled | JobStage::Expired => true,
		JobStage::Queued | JobStage::Assigned | JobStage::Running | JobStage::Completed => false,
	}
}

/// Remembers a request and its job.
pub(crate) fn remember(
	db: &Connection,
	customer: &str,
	once: &Once,
	job: H256,
	now: u64,
) -> rusqlite::Result<()> {
	db.execute(
		"INSERT OR REPLACE INTO idempotency (customer, key, body, job, created_ms)
		 VALUES (?1, ?2, ?3, ?4, ?5)",
		params![customer, once.key, once.body, job.0, to_i64(now)],
	)?;
	Ok(())
}

/// Forgets keys whose time is over, so many at most; returns how many that were.
pub(crate) fn forget(db: &Connection, now: u64, limit: u32) -> rusqlite::Result<usize> {
	let before = to_i64(now.saturating_sub(REMEMBERED_MS));
	db.execute(
		"DELETE FROM idempotency WHERE (customer, key) IN
			(SELECT customer, key FROM idempotency WHERE created_ms <= ?1 LIMIT ?2)",
		params![before, limit],
	)
}
