//! The tables, as numbered migrations. What has been released never changes: add another.

/// `MIGRATIONS[n]` brings the database from version n to n + 1.
///
/// - `meters`: every meter that ever sent a reading. `sealed_ms`: end of its last batch for the
///   chain; a reading that begins before it comes too late.
/// - `readings`: in order of arrival. `flow`: 0 import, 1 export, 2 not said. `trusted`: its sender
///   has proved to be the device. A reading is in at most one batch, at a place in it.
/// - `batches`: with header and signature when they are for the chain. `closing`: the exact running
///   sums at its end, of which the header has the floors.
/// - `dead_letters`: what was refused; the same thing again only counts up. Their number is bounded
///   for each reason; `refusals` counts all of them, for ever.
/// - `meters.device_key`: the key of the device that the gateway knows; `exchanged_ms`: when it took the
///   place of another.
/// - `anchor_paths`: for a batch that is anchored together with others, the way from its root to the
///   root in the transaction.
pub const MIGRATIONS: &[&str] = &[
	"
CREATE TABLE meters (
	id INTEGER PRIMARY KEY,
	site TEXT NOT NULL,
	device TEXT NOT NULL,
	meter TEXT NOT NULL,
	sealed_ms INTEGER NOT NULL DEFAULT 0,
	UNIQUE (site, device, meter)
);
CREATE TABLE readings (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	meter INTEGER NOT NULL REFERENCES meters (id),
	start_ms INTEGER NOT NULL,
	end_ms INTEGER NOT NULL,
	received_ms INTEGER NOT NULL,
	flow INTEGER NOT NULL,
	trusted INTEGER NOT NULL,
	leaf BLOB NOT NULL,
	body TEXT NOT NULL,
	batch INTEGER REFERENCES batches (id),
	place INTEGER
);
CREATE UNIQUE INDEX readings_by_time ON readings (meter, flow, start_ms);
CREATE INDEX readings_pending ON readings (meter, trusted, start_ms, flow, received_ms, end_ms)
	WHERE batch IS NULL;
CREATE INDEX readings_by_batch ON readings (batch, place) WHERE batch IS NOT NULL;
CREATE TABLE batches (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	created_ms INTEGER NOT NULL,
	meter INTEGER REFERENCES meters (id),
	count INTEGER NOT NULL,
	root BLOB NOT NULL,
	cid BLOB NOT NULL,
	start_ms INTEGER NOT NULL,
	end_ms INTEGER NOT NULL,
	chain_meter INTEGER,
	sequence INTEGER,
	header BLOB,
	closing BLOB,
	signature BLOB,
	state TEXT NOT NULL,
	reason TEXT,
	block BLOB,
	anchor_status TEXT NOT NULL DEFAULT 'pending',
	anchor_txid TEXT,
	anchor_block_hash TEXT,
	anchor_block_height INTEGER,
	anchor_block_time TEXT,
	pin TEXT
);
CREATE INDEX batches_by_meter ON batches (meter, sequence) WHERE meter IS NOT NULL;
CREATE INDEX batches_open ON batches (state) WHERE state IN ('unsigned', 'signed', 'parked');
CREATE INDEX batches_by_cid ON batches (cid);
CREATE INDEX batches_to_pin ON batches (id) WHERE pin IS NULL;
CREATE TABLE dead_letters (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	first_ms INTEGER NOT NULL,
	last_ms INTEGER NOT NULL,
	count INTEGER NOT NULL,
	source TEXT NOT NULL,
	topic TEXT NOT NULL,
	reason TEXT NOT NULL,
	detail TEXT NOT NULL,
	payload BLOB NOT NULL,
	hash BLOB NOT NULL UNIQUE
);
",
	"
ALTER TABLE meters ADD COLUMN device_key BLOB;
ALTER TABLE meters ADD COLUMN exchanged_ms INTEGER NOT NULL DEFAULT 0;
DROP INDEX readings_by_time;
CREATE UNIQUE INDEX readings_by_time ON readings (meter, trusted, flow, start_ms);
DROP INDEX batches_open;
CREATE INDEX batches_by_state ON batches (state, id);
DROP INDEX batches_to_pin;
ALTER TABLE batches ADD COLUMN pin_request TEXT;
ALTER TABLE batches ADD COLUMN pin_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN pin_next_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX batches_to_pin ON batches (pin_next_ms) WHERE pin IS NOT 'pinned';
CREATE TABLE refusals (
	source TEXT NOT NULL,
	reason TEXT NOT NULL,
	count INTEGER NOT NULL,
	PRIMARY KEY (source, reason)
) WITHOUT ROWID;
INSERT INTO refusals SELECT source, reason, sum(count) FROM dead_letters GROUP BY source, reason;
CREATE INDEX dead_letters_by_reason ON dead_letters (reason, id);
",
	"
CREATE TABLE anchor_paths (batch INTEGER PRIMARY KEY, path BLOB NOT NULL);
CREATE INDEX batches_by_anchor ON batches (anchor_status, state, id);
",
];
