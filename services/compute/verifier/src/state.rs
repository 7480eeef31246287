//! What a verifier must not forget: what it has said, and its own figures.

use crate::statements::{Name, Statement};
use codec::{DecodeAll, Encode};
use gridproof_primitives::{
	H256,
	compute::checks::{Ballot, BatchId, CheckId, TokenFigures},
};
use gridproof_store::{
	Database, Options, StoreError,
	rusqlite::{self, Connection, OptionalExtension, params},
};
use serde::Serialize;
use std::path::Path;

/// Name of the database in the data folder.
const FILE: &str = "verifier.db";

const MIGRATIONS: &[&str] = &["
	CREATE TABLE known (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
	-- What was signed, by what it is about: there is one for each.
	CREATE TABLE statements (
		name BLOB PRIMARY KEY CHECK (length(name) = 32),
		kind TEXT NOT NULL,
		statement BLOB NOT NULL,
		stage TEXT NOT NULL CHECK (stage IN ('signed', 'taken', 'refused')),
		reason TEXT,
		made_ms INTEGER NOT NULL
	) STRICT;
	CREATE INDEX statements_by_stage ON statements (stage, made_ms);
	-- Own figures of a pass, for the day on which they have to be shown.
	CREATE TABLE figures (
		id BLOB PRIMARY KEY CHECK (length(id) = 32),
		figures BLOB NOT NULL,
		made_ms INTEGER NOT NULL
	) STRICT;
	-- Votes that were committed to.
	CREATE TABLE ballots (
		dispute BLOB PRIMARY KEY CHECK (length(dispute) = 32),
		ballot BLOB NOT NULL,
		made_ms INTEGER NOT NULL
	) STRICT;
	-- Checks that cannot be done here, and why.
	CREATE TABLE left_out (
		id BLOB PRIMARY KEY CHECK (length(id) = 32),
		reason TEXT NOT NULL,
		made_ms INTEGER NOT NULL
	) STRICT;
	-- Batches that were drawn from, until their checks are counted.
	CREATE TABLE drawn (
		batch BLOB PRIMARY KEY CHECK (length(batch) = 40),
		made_ms INTEGER NOT NULL
	) STRICT;
","
	-- Hash of the batch's header: the chain forgets it with what waits, while reports can still be re-opened.
	ALTER TABLE drawn ADD COLUMN hash BLOB CHECK (length(hash) = 32);
","
	-- What is long over is forgotten every few seconds.
	CREATE INDEX figures_by_time ON figures (made_ms);
	CREATE INDEX ballots_by_time ON ballots (made_ms);
	CREATE INDEX left_out_by_time ON left_out (made_ms);
	CREATE INDEX drawn_by_time ON drawn (made_ms);
"];

/// Numbers of statements by what has become of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
	/// Signed, and not on chain yet.
	pub signed: u64,
	/// Taken by the chain.
	pub taken: u64,
	/// Refused by the chain.
	pub refused: u64,
	/// Checks that cannot be done here.
	pub left_out: u64,
}

/// What a verifier must not forget.
pub(crate) struct State(Database);

fn milliseconds(ms: u64) -> i64 {
	i64::try_from(ms).unwrap_or(i64::MAX)
}

fn unreadable(error: codec::Error) -> StoreError {
	StoreError::Sql(error.to_string())
}

impl State {
	/// Opens the database in a folder. `genesis` is the hash of the chain's first block; the one that the
	/// folder belongs to comes back.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn open(folder: &Path, genesis: H256) -> Result<(Self, H256), StoreError> {
		let database = Database::open(&folder.join(FILE), MIGRATIONS, &Options::default())?;
		let ours = database
			.write::<_, StoreError, _>(move |db| {
				let sql = "INSERT INTO known (name, value) VALUES ('genesis', ?1)
					ON CONFLICT DO NOTHING";
				db.prepare_cached(sql)?.execute([genesis.0])?;
				let sql = "SELECT value FROM known WHERE name = 'genesis'";
				Ok(db.query_row(sql, [], |row| row.get::<_, [u8; 32]>(0))?)
			})
			.await?;
		Ok((Self(database), H256(ours)))
	}

	/// Keeps a statement about something, unless there is one; returns the one that is kept.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn keep(
		&self,
		name: Name,
		statement: Statement,
		now: u64,
	) -> Result<Statement, StoreError> {
		self.0
			.write::<_, StoreError, _>(move |db| {
				let sql = "INSERT INTO statements (name, kind, statement, stage, made_ms)
					VALUES (?1, ?2, ?3, 'signed', ?4) ON CONFLICT DO NOTHING";
				let values = params![name, statement.kind(), statement.encode(), milliseconds(now)];
				db.prepare_cached(sql)?.execute(values)?;
				let sql = "SELECT statement FROM statements WHERE name = ?1";
				let kept: Vec<u8> = db.query_row(sql, [name], |row| row.get(0))?;
				Statement::decode_all(&mut &kept[..]).map_err(unreadable)
			})
			.await
	}

	/// Returns `true` if there is a statement about something.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn has(&self, name: Name) -> Result<bool, StoreError> {
		self.0
			.read::<_, StoreError, _>(move |db| {
				let sql = "SELECT 1 FROM statements WHERE name = ?1";
				Ok(db.query_row(sql, [name], |_| Ok(())).optional()?.is_some())
			})
			.await
	}

	/// Returns the statement about something.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn said(&self, name: Name) -> Result<Option<Statement>, StoreError> {
		self.0
			.read::<_, StoreError, _>(move |db| {
				let sql = "SELECT statement FROM statements WHERE name = ?1";
				let bytes = db.query_row(sql, [name], |row| row.get::<_, Vec<u8>>(0)).optional()?;
				let read = |bytes: Vec<u8>| Statement::decode_all(&mut &bytes[..]);
				bytes.map(read).transpose().map_err(unreadable)
			})
			.await
	}

	/// Returns statements that the chain does not have yet, the oldest first.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn unsent(&self, limit: u32) -> Result<Vec<(Name, Statement)>, StoreError> {
		self.0
			.read::<_, StoreError, _>(move |db| {
				let sql = "SELECT name, statement FROM statements WHERE stage = 'signed'
					ORDER BY made_ms LIMIT ?1";
				let mut query = db.prepare_cached(sql)?;
				let rows = query.query_map([limit], |row| {
					Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, Vec<u8>>(1)?))
				})?;
				rows.map(|row| {
					let (name, bytes) = row?;
					Ok((name, Statement::decode_all(&mut &bytes[..]).map_err(unreadable)?))
				})
				.collect()
			})
			.await
	}

	/// Notes that the chain has a statement, or, with a reason, that it refuses it.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn decided(
		&self,
		name: Name,
		refused: Option<String>,
	) -> Result<(), StoreError> {
		self.0
			.write::<_, StoreError, _>(move |db| {
				let stage = if refused.is_some() { "refused" } else { "taken" };
				let sql = "UPDATE statements SET stage = ?2, reason = ?3 WHERE name = ?1";
				db.prepare_cached(sql)?.execute(params![name, stage, refused])?;
				Ok(())
			})
			.await
	}

	/// Keeps own figures of a pass over a check's receipt, unless there are some; returns those that are kept.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn keep_figures(
		&self,
		id: CheckId,
		figures: TokenFigures,
		now: u64,
	) -> Result<TokenFigures, StoreError> {
		self.0
			.write::<_, StoreError, _>(move |db| {
				let sql = "INSERT INTO figures (id, figures, made_ms) VALUES (?1, ?2, ?3)
					ON CONFLICT DO NOTHING";
				let id = id.hash().0;
				db.prepare_cached(sql)?.execute(params![
					id,
					figures.encode(),
					milliseconds(now)
				])?;
				Ok(figures_of(db, id)?.unwrap_or(figures))
			})
			.await
	}

	/// Returns own figures of a pass.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn figures(&self, id: CheckId) -> Result<Option<TokenFigures>, StoreError> {
		self.0.read::<_, StoreError, _>(move |db| figures_of(db, id.hash().0)).await
	}

	/// Keeps a vote, unless there is one about the dispute; returns the one that is kept.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn keep_ballot(&self, ballot: Ballot, now: u64) -> Result<Ballot, StoreError> {
		self.0
			.write::<_, StoreError, _>(move |db| {
				let sql = "INSERT INTO ballots (dispute, ballot, made_ms) VALUES (?1, ?2, ?3)
					ON CONFLICT DO NOTHING";
				let dispute = ballot.dispute.0;
				let values = params![dispute, ballot.encode(), milliseconds(now)];
				db.prepare_cached(sql)?.execute(values)?;
				Ok(ballot_of(db, dispute)?.unwrap_or(ballot))
			})
			.await
	}

	/// Returns the vote about a dispute.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn ballot(&self, dispute: H256) -> Result<Option<Ballot>, StoreError> {
		self.0.read::<_, StoreError, _>(move |db| ballot_of(db, dispute.0)).await
	}

	/// Notes that a check cannot be done here.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn leave_out(
		&self,
		id: CheckId,
		reason: String,
		now: u64,
	) -> Result<(), StoreError> {
		self.0
			.write::<_, StoreError, _>(move |db| {
				let sql = "INSERT INTO left_out (id, reason, made_ms) VALUES (?1, ?2, ?3)
					ON CONFLICT DO NOTHING";
				let values = params![id.hash().0, reason, milliseconds(now)];
				db.prepare_cached(sql)?.execute(values)?;
				Ok(())
			})
			.await
	}

	/// Returns `true` if a check cannot be done here.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn is_left_out(&self, id: CheckId) -> Result<bool, StoreError> {
		self.0
			.read::<_, StoreError, _>(move |db| {
				let sql = "SELECT 1 FROM left_out WHERE id = ?1";
				Ok(db.query_row(sql, [id.hash().0], |_| Ok(())).optional()?.is_some())
			})
			.await
	}

	/// Notes that a batch was drawn from, with the hash of its header.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn watch(
		&self,
		batch: BatchId,
		hash: H256,
		now: u64,
	) -> Result<(), StoreError> {
		self.0
			.write::<_, StoreError, _>(move |db| {
				let sql = "INSERT INTO drawn (batch, hash, made_ms) VALUES (?1, ?2, ?3)
					ON CONFLICT (batch) DO UPDATE SET hash = excluded.hash WHERE drawn.hash IS NULL";
				let values = params![batch.encode(), hash.0, milliseconds(now)];
				db.prepare_cached(sql)?.execute(values)?;
				Ok(())
			})
			.await
	}

	/// Returns batches that were drawn from and whose checks are not counted, the oldest first, each with the
	/// hash of its header; `None` of one that an older version has noted.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn watched(
		&self,
		limit: u32,
	) -> Result<Vec<(BatchId, Option<H256>)>, StoreError> {
		self.0
			.read::<_, StoreError, _>(move |db| {
				let sql = "SELECT batch, hash FROM drawn ORDER BY made_ms LIMIT ?1";
				let mut query = db.prepare_cached(sql)?;
				let rows = query.query_map([limit], |row| {
					Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Option<[u8; 32]>>(1)?))
				})?;
				rows.map(|row| {
					let (batch, hash) = row?;
					let batch = BatchId::decode_all(&mut &batch[..]).map_err(unreadable)?;
					Ok((batch, hash.map(H256)))
				})
				.collect()
			})
			.await
	}

	/// Notes that the checks of a batch are counted.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn unwatch(&self, batch: BatchId) -> Result<(), StoreError> {
		self.0
			.write::<_, StoreError, _>(move |db| {
				let sql = "DELETE FROM drawn WHERE batch = ?1";
				db.prepare_cached(sql)?.execute([batch.encode()])?;
				Ok(())
			})
			.await
	}

	/// Deletes what was made before a time and is decided.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn forget(&self, before_ms: u64) -> Result<(), StoreError> {
		self.0
			.write::<_, StoreError, _>(move |db| {
				let before = milliseconds(before_ms);
				let sql =
					"DELETE FROM statements WHERE stage IN ('taken', 'refused') AND made_ms < ?1";
				db.prepare_cached(sql)?.execute([before])?;
				for table in ["figures", "ballots", "left_out", "drawn"] {
					let sql = format!("DELETE FROM {table} WHERE made_ms < ?1");
					db.prepare_cached(&sql)?.execute([before])?;
				}
				Ok(())
			})
			.await
	}

	/// Returns the number of statements by what has become of them.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn counts(&self) -> Result<Counts, StoreError> {
		self.0
			.read::<_, StoreError, _>(|db| {
				let count = |sql: &str| -> rusqlite::Result<u64> {
					let count: i64 = db.query_row(sql, [], |row| row.get(0))?;
					Ok(u64::try_from(count).unwrap_or(0))
				};
				let stage = |stage: &str| {
					count(&format!("SELECT COUNT(*) FROM statements WHERE stage = '{stage}'"))
				};
				Ok(Counts {
					signed: stage("signed")?,
					taken: stage("taken")?,
					refused: stage("refused")?,
					left_out: count("SELECT COUNT(*) FROM left_out")?,
				})
			})
			.await
	}
}

fn figures_of(db: &Connection, id: [u8; 32]) -> Result<Option<TokenFigures>, StoreError> {
	let sql = "SELECT figures FROM figures WHERE id = ?1";
	let bytes = db.query_row(sql, [id], |row| row.get::<_, Vec<u8>>(0)).optional()?;
	bytes.map(|bytes| TokenFigures::decode_all(&mut &bytes[..]).map_err(unreadable)).transpose()
}

fn ballot_of(db: &Connection, dispute: [u8; 32]) -> Result<Option<Ballot>, StoreError> {
	let sql = "SELECT ballot FROM ballots WHERE dispute = ?1";
	let bytes = db.query_row(sql, [dispute], |row| row.get::<_, Vec<u8>>(0)).optional()?;
	bytes.map(|bytes| Ballot::decode_all(&mut &bytes[..]).map_err(unreadable)).transpose()
}
