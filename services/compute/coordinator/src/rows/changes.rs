//! What becomes of a job.

use super::{
	balances::release,
	columns::to_i64,
	jobs::{Job, job},
};
use gridproof_compute_api::protocol::JobStage;
use gridproof_primitives::H256;
use gridproof_store::rusqlite::{self, Connection, params};

/// A change of a job's stage, with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
	/// Given to a miner.
	Assign {
		/// The miner's key.
		miner: [u8; 32],
	},
	/// The miner has begun.
	Start,
	/// Back to the queue, not to be given out before a time.
	Requeue {
		/// Why it came back, for people.
		reason: String,
		/// `true` if the miner failed at it; `false` if it was not the miner's fault.
		failure: bool,
		/// When it may be given out again, UTC milliseconds.
		not_before_ms: u64,
	},
	/// Nobody can do it.
	Fail {
		/// Why it failed, for people.
		reason: String,
	},
	/// Taken back.
	Cancel,
	/// Too late.
	Expire,
	/// Done.
	Complete {
		/// JSON of the output.
		output: String,
	},
}

impl Change {
	/// Returns the stage it leads to.
	pub(crate) const fn to(&self) -> JobStage {
		match self {
			Self::Assign { .. } => JobStage::Assigned,
			Self::Start => JobStage::Running,
			Self::Requeue { .. } => JobStage::Queued,
			Self::Fail { .. } => JobStage::Failed,
			Self::Cancel => JobStage::Cancelled,
			Self::Expire => JobStage::Expired,
			Self::Complete { .. } => JobStage::Completed,
		}
	}
}

/// Changes a job's stage if the rule allows it and, given an attempt, if that is the present one.
/// Returns the job as it is afterwards; `None` if nothing was changed.
pub(crate) fn change(
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
	if change.to().is_final() {
		release(db, before.customer.as_deref(), &before.asset, before.price)?;
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

fn set_state(db: &Connection, id: H256, state: JobStage, now: u64) -> rusqlite::Result<()> {
	db.execute(
		"UPDATE jobs SET state = ?2, updated_ms = ?3 WHERE job = ?1",
		params![id.0, state.as_str(), to_i64(now)],
	)?;
	Ok(())
}

fn leave(
	db: &Connection,
	id: H256,
	state: JobStage,
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
