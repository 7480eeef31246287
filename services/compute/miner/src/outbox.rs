//! Results that a miner has signed, which it must not forget.
//!
//! A result is here before anybody else sees it, and stays until well after its deadline. So a
//! result that was made is delivered, whatever stops the miner in between, and no job ever gets a
//! second signed receipt: that would be an offence.

use codec::{DecodeAll, Encode};
use gridproof_compute_api::protocol::{HeldJob, JobResult, Output, TokenIds};
use gridproof_primitives::{H256, compute::channels::BatchKind, num::units::MILLIS_PER_DAY};
use gridproof_store::{
	Database, Options, StoreError,
	rusqlite::{self, Connection, OpenFlags, OptionalExtension, Row, params},
};
use gridproof_support::{
	Backoff,
	clock::millis,
	number::clamped,
	text::{Hex32, Hex64, HexBytes},
};
use serde::Serialize;
use std::{path::Path, time::Duration};

/// Name of the database in the data folder.
const FILE: &str = "miner.db";
/// Pauses before a result that was not taken is sent again.
const RETRY: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
/// The longest wait of a result that was not taken, in milliseconds; above that of [`RETRY`].
const LONGEST_WAIT_MS: u64 = 60_000;
/// How long after its deadline a result is kept, in milliseconds: 30 days.
const KEPT_MS: u64 = 30 * MILLIS_PER_DAY;

const MIGRATIONS: &[&str] = &[
	"
	CREATE TABLE known (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
	CREATE TABLE results (
		job BLOB PRIMARY KEY CHECK (length(job) = 32),
		coordinator BLOB NOT NULL CHECK (length(coordinator) = 32),
		attempt INTEGER NOT NULL,
		output TEXT NOT NULL,
		receipt BLOB NOT NULL,
		signature BLOB NOT NULL CHECK (length(signature) = 64),
		units INTEGER NOT NULL,
		deadline_ms INTEGER NOT NULL,
		made_ms INTEGER NOT NULL,
		state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'withheld', 'refused')),
		reason TEXT
	) STRICT;
	CREATE INDEX results_by_state ON results (state, coordinator);
",
	"
	-- A result that is not taken stands behind the others.
	ALTER TABLE results ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE results ADD COLUMN not_before_ms INTEGER NOT NULL DEFAULT 0;
",
	"
	-- Of requests that channels pay for: the token ids that go with the result, and asset and mode.
	ALTER TABLE results ADD COLUMN tokens TEXT;
	ALTER TABLE results ADD COLUMN kind BLOB;
	-- Receipts that coordinators have counted, with the running sums after each.
	CREATE TABLE counted (
		coordinator BLOB NOT NULL CHECK (length(coordinator) = 32),
		kind BLOB NOT NULL,
		count INTEGER NOT NULL,
		issued BLOB NOT NULL,
		PRIMARY KEY (coordinator, kind, count)
	) STRICT, WITHOUT ROWID;
",
	"
	-- Those of them that were demanded on chain.
	CREATE TABLE demands (
		coordinator BLOB NOT NULL CHECK (length(coordinator) = 32),
		kind BLOB NOT NULL,
		count INTEGER NOT NULL,
		state TEXT NOT NULL CHECK (state IN ('open', 'over', 'unanswered', 'refused')),
		PRIMARY KEY (coordinator, kind, count)
	) STRICT, WITHOUT ROWID;
",
	"
	-- Up to which counts it was looked whether a batch gave receipts up.
	CREATE TABLE looked (
		coordinator BLOB NOT NULL CHECK (length(coordinator) = 32),
		kind BLOB NOT NULL,
		count INTEGER NOT NULL,
		PRIMARY KEY (coordinator, kind)
	) STRICT, WITHOUT ROWID;
",
];

/// A result that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
	/// Id of the job.
	pub job: H256,
	/// The coordinator's key.
	pub coordinator: [u8; 32],
	/// The attempt that it is to be delivered as.
	pub attempt: u32,
	/// What came out.
	pub output: Output,
	/// SCALE of the receipt.
	pub receipt: Vec<u8>,
	/// The miner's signature.
	pub signature: [u8; 64],
	/// Compute units of its receipt.
	pub units: u64,
	/// The job's deadline, UTC milliseconds.
	pub deadline_ms: u64,
	/// When it was made, UTC milliseconds.
	pub made_ms: u64,
	/// Of a request that a channel pays for: its asset and mode, and the token ids of its root.
	pub voucher: Option<(BatchKind, TokenIds)>,
}

impl Stored {
	/// Returns it as it is delivered.
	pub fn result(&self) -> JobResult {
		JobResult {
			attempt: self.attempt,
			output: self.output.clone(),
			receipt: HexBytes(self.receipt.clone()),
			signature: Hex64(self.signature),
			tokens: self.voucher.as_ref().map(|(_, tokens)| tokens.clone()),
		}
	}

	/// Returns it as a heartbeat lists it.
	pub const fn held(&self) -> HeldJob {
		HeldJob { job: Hex32(self.job.0), attempt: self.attempt }
	}
}

/// Numbers of results by what has become of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
	/// Results to be delivered.
	pub pending: u64,
	/// Results accepted by their coordinators.
	pub delivered: u64,
	/// Results whose job was given to another miner meanwhile.
	pub withheld: u64,
	/// Results refused by their coordinators.
	pub refused: u64,
	/// Compute units of those accepted.
	pub units: u64,
}

/// The results of a miner, in a database of their own.
#[derive(Clone)]
pub struct Outbox(Database);

impl Outbox {
	/// Opens the database in a folder, making it if need be; what is long over is cleared away.
	///
	/// # Errors
	/// [`StoreError`]; among it another miner with the same folder.
	pub async fn open(folder: &Path, now: u64) -> Result<Self, StoreError> {
		let database = Database::open(&folder.join(FILE), MIGRATIONS, &Options::default())?;
		let before = number(now.saturating_sub(KEPT_MS));
		database
			.write::<_, StoreError, _>(move |db| {
				db.execute("DELETE FROM results WHERE deadline_ms < ?1", [before])?;
				Ok(())
			})
			.await?;
		Ok(Self(database))
	}

	/// The database, for what else a miner keeps.
	pub(crate) const fn database(&self) -> &Database {
		&self.0
	}

	/// Returns something that was learnt and must not change, such as the chain's genesis hash; notes
	/// `value` if there is none yet.
	///
	/// # Errors
	/// [`StoreError`].
	pub async fn pin(&self, name: &'static str, value: [u8; 32]) -> Result<[u8; 32], StoreError> {
		self.0
			.write(move |db| {
				let sql = "INSERT INTO known VALUES (?1, ?2) ON CONFLICT DO NOTHING";
				db.execute(sql, params![name, value])?;
				let sql = "SELECT value FROM known WHERE name = ?1";
				Ok(db.query_row(sql, [name], |row| row.get(0))?)
			})
			.await
	}

	/// Returns what was noted by that name.
	///
	/// # Errors
	/// [`StoreError`].
	pub async fn pinned(&self, name: &'static str) -> Result<Option<[u8; 32]>, StoreError> {
		self.0
			.read(move |db| {
				let sql = "SELECT value FROM known WHERE name = ?1";
				Ok(db.query_row(sql, [name], |row| row.get(0)).optional()?)
			})
			.await
	}

	/// Keeps a result, unless there is one for its job already: that one stays. Returns what is
	/// kept, to be delivered as the later attempt.
	///
	/// # Errors
	/// [`StoreError`]; then nothing was kept, and nothing may be delivered.
	pub async fn keep(&self, stored: Stored) -> Result<Stored, StoreError> {
		let broken = |error: serde_json::Error| StoreError::Sql(error.to_string());
		let output = serde_json::to_string(&stored.output).map_err(broken)?;
		let kind = stored.voucher.as_ref().map(|(kind, _)| kind.encode());
		let tokens = stored.voucher.as_ref().map(|(_, tokens)| serde_json::to_string(tokens));
		let tokens = tokens.transpose().map_err(broken)?;
		self.0
			.write(move |db| {
				db.prepare_cached(
					"INSERT INTO results (job, coordinator, attempt, output, receipt, signature, units,
						deadline_ms, made_ms, tokens, kind, state)
					VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'pending')
					ON CONFLICT DO NOTHING",
				)?
				.execute(params![
					stored.job.0,
					stored.coordinator,
					stored.attempt,
					output,
					stored.receipt,
					stored.signature,
					number(stored.units),
					number(stored.deadline_ms),
					number(stored.made_ms),
					tokens,
					kind,
				])?;
				again(db, stored.job, stored.attempt)?;
				find(db, stored.job)?.ok_or_else(|| StoreError::Sql("a row is gone".to_string()))
			})
			.await
	}

	/// Has a result that was kept for a job delivered as this attempt; `None` if there is none.
	///
	/// # Errors
	/// [`StoreError`].
	pub async fn reassigned(&self, job: H256, attempt: u32) -> Result<Option<Stored>, StoreError> {
		// Nearly always there is none, and the work begins without waiting for the disk.
		if self.0.read(move |db| find(db, job)).await?.is_none() {
			return Ok(None);
		}
		self.0
			.write(move |db| {
				again(db, job, attempt)?;
				find(db, job)
			})
			.await
	}

	/// Returns what can be delivered to a coordinator at a time, UTC milliseconds: the oldest first,
	/// at most 256. What was not taken waits for its next try.
	///
	/// # Errors
	/// [`StoreError`].
	pub async fn due(&self, coordinator: [u8; 32], now: u64) -> Result<Vec<Stored>, StoreError> {
		// A clock that was put back would hold results for as long.
		let latest = number(now.saturating_add(LONGEST_WAIT_MS));
		self.0
			.read(move |db| {
				let sql = "SELECT * FROM results WHERE state = 'pending' AND coordinator = ?1
					AND (not_before_ms <= ?2 OR not_before_ms > ?3)
					ORDER BY not_before_ms, made_ms LIMIT 256";
				let mut statement = db.prepare_cached(sql)?;
				let rows = statement
					.query_map(params![coordinator, number(now), latest], |row| Ok(stored(row)))?;
				rows.map(|row| row?).collect()
			})
			.await
	}

	/// Notes that a result was not taken, and has to wait; a pause follows from how often that was.
	///
	/// # Errors
	/// [`StoreError`].
	pub async fn later(&self, job: H256, now: u64, reason: &str) -> Result<(), StoreError> {
		let reason = reason.to_string();
		self.0
			.write(move |db| {
				let sql = "SELECT tries FROM results WHERE job = ?1 AND state = 'pending'";
				let found = db.query_row(sql, [job.0], |row| row.get::<_, u32>(0)).optional()?;
				let Some(tries) = found.map(|tries| tries.saturating_add(1)) else { return Ok(()) };
				let until = now.saturating_add(millis(RETRY.pause_after(tries)));
				let sql = "UPDATE results SET tries = ?2, not_before_ms = ?3, reason = ?4
					WHERE job = ?1 AND state = 'pending'";
				db.execute(sql, params![job.0, tries, number(until), reason])?;
				Ok(())
			})
			.await
	}

	/// Returns what is to be delivered to a coordinator, at most 256: what was not taken last.
	///
	/// # Errors
	/// [`StoreError`].
	pub async fn pending(&self, coordinator: [u8; 32]) -> Result<Vec<Stored>, StoreError> {
		self.0
			.read(move |db| {
				let sql = "SELECT * FROM results WHERE state = 'pending' AND coordinator = ?1
					ORDER BY not_before_ms, made_ms LIMIT 256";
				let mut statement = db.prepare_cached(sql)?;
				let rows = statement.query_map([coordinator], |row| Ok(stored(row)))?;
				rows.map(|row| row?).collect()
			})
			.await
	}

	/// Notes that a coordinator has accepted a result.
	///
	/// # Errors
	/// [`StoreError`].
	pub async fn delivered(&self, job: H256) -> Result<(), StoreError> {
		self.mark(job, None, "delivered", None).await
	}

	/// Notes that the job is no longer this miner's in an attempt. If it comes back, so does the
	/// result; if it has come back meanwhile, nothing changes.
	///
	/// # Errors
	/// [`StoreError`].
	pub async fn withheld(&self, job: H256, attempt: u32, reason: &str) -> Result<(), StoreError> {
		self.mark(job, Some(attempt), "withheld", Some(reason.to_string())).await
	}

	/// Notes that a coordinator has refused a result.
	///
	/// # Errors
	/// [`StoreError`].
	pub async fn refused(&self, job: H256, reason: &str) -> Result<(), StoreError> {
		self.mark(job, None, "refused", Some(reason.to_string())).await
	}

	/// Only what is pending changes, given an attempt only in that: an answer that comes late changes
	/// nothing.
	async fn mark(
		&self,
		job: H256,
		attempt: Option<u32>,
		state: &'static str,
		reason: Option<String>,
	) -> Result<(), StoreError> {
		self.0
			.write(move |db| {
				let sql = "UPDATE results SET state = ?2, reason = ?3
					WHERE job = ?1 AND state = 'pending' AND attempt = coalesce(?4, attempt)";
				db.prepare_cached(sql)?.execute(params![job.0, state, reason, attempt])?;
				Ok(())
			})
			.await
	}

	/// Returns the number of results by what has become of them.
	///
	/// # Errors
	/// [`StoreError`].
	pub async fn counts(&self) -> Result<Counts, StoreError> {
		self.0.read(count).await
	}

	/// Returns the same of a miner that may be running; `None` if the folder has never had one.
	///
	/// # Errors
	/// [`StoreError`].
	pub fn peek(folder: &Path) -> Result<Option<Counts>, StoreError> {
		let path = folder.join(FILE);
		if !path.exists() {
			return Ok(None);
		}
		count(&reading(&path)?).map(Some)
	}

	/// Returns the database of a miner that may be running, to read in; `None` if the folder has never had
	/// one.
	pub(crate) fn read_only(folder: &Path) -> Result<Option<Connection>, StoreError> {
		let path = folder.join(FILE);
		path.exists().then(|| reading(&path)).transpose()
	}
}

fn reading(path: &Path) -> Result<Connection, StoreError> {
	let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
	Ok(Connection::open_with_flags(path, flags)?)
}

fn count(db: &Connection) -> Result<Counts, StoreError> {
	let mut counts = Counts::default();
	let mut statement =
		db.prepare("SELECT state, count(*), sum(units) FROM results GROUP BY state")?;
	let mut rows = statement.query([])?;
	while let Some(row) = rows.next()? {
		let (state, count, units): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
		let count = u64::try_from(count).unwrap_or(0);
		match state.as_str() {
			"pending" => counts.pending = count,
			"withheld" => counts.withheld = count,
			"refused" => counts.refused = count,
			_ => (counts.delivered, counts.units) = (count, u64::try_from(units).unwrap_or(0)),
		}
	}
	Ok(counts)
}

/// A job was given to this miner once more. What was accepted already may be sent again, too: the
/// coordinator may have forgotten that it did, and it answers the same.
fn again(db: &Connection, job: H256, attempt: u32) -> Result<(), StoreError> {
	let sql = "UPDATE results SET attempt = ?2, state = 'pending', reason = NULL, tries = 0,
		not_before_ms = 0 WHERE job = ?1";
	db.prepare_cached(sql)?.execute(params![job.0, attempt])?;
	Ok(())
}

fn find(db: &Connection, job: H256) -> Result<Option<Stored>, StoreError> {
	let mut statement = db.prepare_cached("SELECT * FROM results WHERE job = ?1")?;
	statement.query_row([job.0], |row| Ok(stored(row))).optional()?.transpose()
}

fn stored(row: &Row<'_>) -> Result<Stored, StoreError> {
	let unsigned = |name: &str| -> rusqlite::Result<u64> {
		Ok(u64::try_from(row.get::<_, i64>(name)?).unwrap_or(0))
	};
	let output: String = row.get("output")?;
	let broken = |error: String| StoreError::Sql(error);
	let kind: Option<Vec<u8>> = row.get("kind")?;
	let kind = kind.map(|kind| BatchKind::decode_all(&mut &kind[..]));
	let kind = kind.transpose().map_err(|error| broken(error.to_string()))?;
	let tokens: Option<String> = row.get("tokens")?;
	let tokens = tokens.map(|tokens| serde_json::from_str::<TokenIds>(&tokens));
	let tokens = tokens.transpose().map_err(|error| broken(error.to_string()))?;
	Ok(Stored {
		job: H256(row.get("job")?),
		coordinator: row.get("coordinator")?,
		attempt: row.get("attempt")?,
		output: serde_json::from_str(&output).map_err(|e| StoreError::Sql(e.to_string()))?,
		receipt: row.get("receipt")?,
		signature: row.get("signature")?,
		units: unsigned("units")?,
		deadline_ms: unsigned("deadline_ms")?,
		made_ms: unsigned("made_ms")?,
		voucher: kind.zip(tokens),
	})
}

/// SQLite's integers are signed.
fn number(value: u64) -> i64 {
	clamped(value)
}
