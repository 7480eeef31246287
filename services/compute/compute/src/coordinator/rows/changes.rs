//! What becomes of a job.

use super::{Job, job, to_i64};
use crate::coordinator::state::JobState;
use gridproof_primitives::H256;
use rusqlite::{Connection, params};

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
