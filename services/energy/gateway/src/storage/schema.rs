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
///   place of another. `archived_ms`: end of what moved to an archive, of readings whose sender has
///   proved to be the device; `archived_open_ms`: of others. Nothing is taken of before.
/// - `batches.device_key`: the key of the device that a batch for the chain was made for.
/// - `archives`: files of what is settled. `before_ms`: all in it was made before; `pruned`: how many of
///   its batches have been looked at and deleted here; `is_full`: whether more of the same day may
///   follow in another file.
/// - `letter_room`: bytes of dead letters of each reason, which triggers keep.
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
ALTER TABLE meters ADD COLUMN archived_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE meters ADD COLUMN archived_open_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN device_key BLOB;
CREATE INDEX batches_by_age ON batches (created_ms);
CREATE TABLE archives (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	file TEXT NOT NULL UNIQUE,
	sha256 BLOB NOT NULL,
	before_ms INTEGER NOT NULL,
	bytes INTEGER NOT NULL,
	batches INTEGER NOT NULL,
	readings INTEGER NOT NULL,
	first_batch INTEGER NOT NULL,
	last_batch INTEGER NOT NULL,
	first_reading INTEGER NOT NULL,
	last_reading INTEGER NOT NULL,
	is_full INTEGER NOT NULL,
	pruned INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX archives_to_prune ON archives (id) WHERE pruned < batches;
CREATE TABLE letter_room (reason TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO letter_room SELECT reason, sum(1024 + length(topic) + length(payload))
	FROM dead_letters GROUP BY reason;
CREATE TRIGGER letter_comes AFTER INSERT ON dead_letters BEGIN
	INSERT INTO letter_room
		VALUES (new.reason, 1024 + length(new.topic) + length(new.payload))
		ON CONFLICT (reason) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER letter_goes AFTER DELETE ON dead_letters BEGIN
	UPDATE letter_room SET bytes = bytes - (1024 + length(old.topic) + length(old.payload))
		WHERE reason = old.reason;
END;
",
	"
CREATE TABLE anchor_paths (batch INTEGER PRIMARY KEY, path BLOB NOT NULL);
CREATE INDEX batches_by_anchor ON batches (anchor_status, state, id);
",
];
