//! The tables of the coordinator's database.

/// The tables, by version.
pub(crate) const MIGRATIONS: &[&str] = &["
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
		-- A job that is with a miner has a miner, and only what is done has an output.
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
