//! The tables of the coordinator's database.

/// The tables, by version.
pub(crate) const MIGRATIONS: &[&str] = &[
	"
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
",
	"
	-- A quote is signed: its client brings it back.
	DROP TABLE quotes;

	-- What never changes once it is known.
	CREATE TABLE pinned (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

	-- Requests that came with a key, by which the same one is known again.
	CREATE TABLE idempotency (
		customer TEXT NOT NULL,
		key TEXT NOT NULL,
		body BLOB NOT NULL,
		job BLOB NOT NULL REFERENCES jobs (job),
		created_ms INTEGER NOT NULL,
		PRIMARY KEY (customer, key)
	) STRICT, WITHOUT ROWID;
	CREATE INDEX idempotency_by_time ON idempotency (created_ms);
	CREATE INDEX idempotency_by_job ON idempotency (job);

	-- What customers owe, kept with each job and receipt, also when these are deleted.
	CREATE TABLE balances (
		customer TEXT NOT NULL,
		asset TEXT NOT NULL,
		jobs INTEGER NOT NULL,
		units INTEGER NOT NULL,
		price TEXT NOT NULL,
		open_jobs INTEGER NOT NULL,
		held TEXT NOT NULL,
		PRIMARY KEY (customer, asset)
	) STRICT, WITHOUT ROWID;

	-- How many rows there are, so that nobody has to count them.
	CREATE TABLE tallies (
		what TEXT NOT NULL,
		value TEXT NOT NULL,
		n INTEGER NOT NULL,
		PRIMARY KEY (what, value)
	) STRICT, WITHOUT ROWID;
	INSERT INTO tallies (what, value, n) VALUES
		('jobs', 'queued', 0), ('jobs', 'assigned', 0), ('jobs', 'running', 0),
		('jobs', 'completed', 0), ('jobs', 'failed', 0), ('jobs', 'cancelled', 0),
		('jobs', 'expired', 0),
		('receipts', 'pending', 0), ('receipts', 'final', 0), ('receipts', 'refused', 0);
	UPDATE tallies SET n = (SELECT COUNT(*) FROM jobs WHERE jobs.state = tallies.value)
		WHERE what = 'jobs';
	UPDATE tallies SET n = (SELECT COUNT(*) FROM receipts WHERE receipts.settlement = tallies.value)
		WHERE what = 'receipts';
	CREATE TRIGGER jobs_added AFTER INSERT ON jobs BEGIN
		UPDATE tallies SET n = n + 1 WHERE what = 'jobs' AND value = NEW.state;
	END;
	CREATE TRIGGER jobs_changed AFTER UPDATE OF state ON jobs WHEN OLD.state <> NEW.state BEGIN
		UPDATE tallies SET n = n - 1 WHERE what = 'jobs' AND value = OLD.state;
		UPDATE tallies SET n = n + 1 WHERE what = 'jobs' AND value = NEW.state;
	END;
	CREATE TRIGGER jobs_deleted AFTER DELETE ON jobs BEGIN
		UPDATE tallies SET n = n - 1 WHERE what = 'jobs' AND value = OLD.state;
	END;
	CREATE TRIGGER receipts_added AFTER INSERT ON receipts BEGIN
		UPDATE tallies SET n = n + 1 WHERE what = 'receipts' AND value = NEW.settlement;
	END;
	CREATE TRIGGER receipts_changed AFTER UPDATE OF settlement ON receipts
	WHEN OLD.settlement <> NEW.settlement BEGIN
		UPDATE tallies SET n = n - 1 WHERE what = 'receipts' AND value = OLD.settlement;
		UPDATE tallies SET n = n + 1 WHERE what = 'receipts' AND value = NEW.settlement;
	END;
	CREATE TRIGGER receipts_deleted AFTER DELETE ON receipts BEGIN
		UPDATE tallies SET n = n - 1 WHERE what = 'receipts' AND value = OLD.settlement;
	END;

	-- Jobs whose money may still have to go back.
	CREATE INDEX jobs_unreleased ON jobs (number)
		WHERE state IN ('failed', 'cancelled') AND released = 0;
	-- What retention looks through, the oldest first.
	CREATE INDEX jobs_with_texts ON jobs (updated_ms)
		WHERE spec <> '' AND state IN ('completed', 'failed', 'cancelled', 'expired');
	CREATE INDEX jobs_by_end ON jobs (updated_ms)
		WHERE state IN ('completed', 'failed', 'cancelled', 'expired');
",
	"
	-- Channels: running sums of channels and miners, receipts, batches. Everything of a receipt is
	-- written in one transaction, which also counts it.
	CREATE TABLE channel_accounts (
		channel INTEGER PRIMARY KEY,
		count INTEGER NOT NULL,
		price TEXT NOT NULL,
		-- The newest voucher that has a receipt, signed.
		number INTEGER NOT NULL,
		voucher BLOB NOT NULL
	) STRICT;
	CREATE TABLE miner_accounts (
		asset TEXT NOT NULL,
		mode TEXT NOT NULL,
		-- Empty for receipts without an answer.
		miner BLOB NOT NULL,
		count INTEGER NOT NULL,
		price TEXT NOT NULL,
		weight TEXT NOT NULL,
		PRIMARY KEY (asset, mode, miner)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE channel_receipts (
		place INTEGER PRIMARY KEY AUTOINCREMENT,
		channel INTEGER NOT NULL,
		number INTEGER NOT NULL,
		asset TEXT NOT NULL,
		mode TEXT NOT NULL,
		id BLOB NOT NULL UNIQUE,
		receipt BLOB NOT NULL,
		miner_signature BLOB,
		secret BLOB,
		model TEXT NOT NULL,
		spec TEXT,
		tokens TEXT,
		output TEXT,
		signed_ms INTEGER NOT NULL,
		batch INTEGER,
		UNIQUE (channel, number)
	) STRICT;
	CREATE INDEX channel_receipts_to_settle ON channel_receipts (asset, mode, place)
		WHERE batch IS NULL;
	CREATE INDEX channel_receipts_by_batch ON channel_receipts (batch) WHERE batch IS NOT NULL;
	CREATE INDEX channel_receipts_with_texts ON channel_receipts (signed_ms)
		WHERE spec IS NOT NULL;
	CREATE TABLE batches (
		sequence INTEGER PRIMARY KEY,
		header BLOB NOT NULL,
		-- SCALE of both lists, with the signatures of the vouchers.
		channels BLOB NOT NULL,
		miners BLOB NOT NULL,
		stage TEXT NOT NULL,
		block BLOB,
		reason TEXT,
		made_ms INTEGER NOT NULL
	) STRICT;
",
	"
	-- SCALE of the ranges of miners that a batch gives up; none for those made before.
	ALTER TABLE batches ADD COLUMN given_up BLOB NOT NULL DEFAULT x'00';
	-- When its fate was known.
	ALTER TABLE batches ADD COLUMN decided_ms INTEGER;
	CREATE INDEX batches_by_stage ON batches (stage, sequence);
",
	"
	-- Plans of channels as they were sold, and API keys of channels whose key the coordinator keeps.
	CREATE TABLE channel_plans (
		channel INTEGER PRIMARY KEY,
		name TEXT NOT NULL,
		asset TEXT NOT NULL,
		price TEXT NOT NULL,
		tokens_per_day INTEGER NOT NULL,
		days INTEGER NOT NULL,
		-- End of the last period that was bought while the plan was on offer.
		until_ms INTEGER NOT NULL,
		-- 1 once the chain has the channel no more.
		gone INTEGER NOT NULL DEFAULT 0
	) STRICT;
	CREATE TABLE channel_keys (
		channel INTEGER PRIMARY KEY,
		-- SHA-256 of the key.
		sha256 BLOB NOT NULL UNIQUE,
		-- The time that its client signed, so that no signature counts twice.
		signed_ms INTEGER NOT NULL,
		made_ms INTEGER NOT NULL
	) STRICT;
	CREATE INDEX channel_receipts_of_channel ON channel_receipts (channel, place);
",
	"
	-- What an opening needs beside secret, specification and token ids: the request as it came, and the
	-- voucher, signed. Receipts from before cannot be opened.
	ALTER TABLE channel_receipts ADD COLUMN request BLOB;
	ALTER TABLE channel_receipts ADD COLUMN voucher BLOB;
",
];
