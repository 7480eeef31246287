//! The tables, as numbered migrations. What has been released never changes: add another.

/// `MIGRATIONS[n]` brings the database from version n to n + 1.
///
/// Hashes, keys and accounts are their 32 bytes; amounts, which may have 128 bits, decimal text; times UTC
/// milliseconds. A thing that a block did has the block's height and a place in it: the event's.
///
/// - `meta`: the chain's genesis.
/// - `blocks`: one after the other without a gap; the highest one is where the index stands.
/// - `named`: what names 32 bytes: events (`kind` 0) that hold them, and transactions (`kind` 1) that the
///   account signed.
/// - `supplies`: after blocks that changed one.
/// - `energy_hours`, `energy_days`: begin of an hour or a day of UTC; of a batch that lies in several, each
///   has its part by time, and the parts add up.
/// - `earning_days`: what a key was paid on a day of UTC, by what it was for and in which asset.
pub(super) const MIGRATIONS: &[&str] = &["
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE blocks (
	height INTEGER PRIMARY KEY,
	hash BLOB NOT NULL UNIQUE,
	parent BLOB NOT NULL,
	time_ms INTEGER NOT NULL,
	author BLOB,
	version INTEGER NOT NULL,
	transactions INTEGER NOT NULL,
	events INTEGER NOT NULL
);
CREATE INDEX blocks_time ON blocks (time_ms);
CREATE TABLE transactions (
	height INTEGER NOT NULL,
	place INTEGER NOT NULL,
	hash BLOB NOT NULL,
	signer BLOB,
	nonce INTEGER,
	pallet TEXT NOT NULL,
	call TEXT NOT NULL,
	bytes INTEGER NOT NULL,
	error TEXT,
	fee TEXT,
	PRIMARY KEY (height, place)
) WITHOUT ROWID;
CREATE INDEX transactions_hash ON transactions (hash);
CREATE INDEX transactions_call ON transactions (pallet, call, height, place);
CREATE INDEX transactions_pallet ON transactions (pallet, height, place);
CREATE TABLE events (
	height INTEGER NOT NULL,
	place INTEGER NOT NULL,
	caused_by INTEGER,
	pallet TEXT NOT NULL,
	name TEXT NOT NULL,
	fields TEXT NOT NULL,
	PRIMARY KEY (height, place)
) WITHOUT ROWID;
CREATE INDEX events_name ON events (pallet, name, height, place);
CREATE INDEX events_pallet ON events (pallet, height, place);
CREATE TABLE named (
	what BLOB NOT NULL,
	height INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	place INTEGER NOT NULL,
	PRIMARY KEY (what, height, kind, place)
) WITHOUT ROWID;
CREATE TABLE supplies (
	height INTEGER PRIMARY KEY,
	time_ms INTEGER NOT NULL,
	ait TEXT NOT NULL,
	aicp TEXT NOT NULL,
	kwh TEXT NOT NULL
);
CREATE INDEX supplies_time ON supplies (time_ms);
CREATE TABLE transfers (
	height INTEGER NOT NULL,
	place INTEGER NOT NULL,
	token TEXT NOT NULL,
	sender BLOB NOT NULL,
	receiver BLOB NOT NULL,
	amount TEXT NOT NULL,
	PRIMARY KEY (height, place)
) WITHOUT ROWID;
CREATE TABLE transfers_of (
	account BLOB NOT NULL,
	height INTEGER NOT NULL,
	place INTEGER NOT NULL,
	PRIMARY KEY (account, height, place)
) WITHOUT ROWID;
CREATE TABLE reserve_days (
	height INTEGER NOT NULL,
	place INTEGER NOT NULL,
	day INTEGER NOT NULL,
	statement BLOB NOT NULL,
	reserve TEXT NOT NULL,
	target TEXT NOT NULL,
	allowance TEXT NOT NULL,
	PRIMARY KEY (height, place)
) WITHOUT ROWID;
CREATE INDEX reserve_days_day ON reserve_days (day, height, place);
CREATE TABLE reserve_states (
	height INTEGER NOT NULL,
	place INTEGER NOT NULL,
	before TEXT NOT NULL,
	after TEXT NOT NULL,
	ratio TEXT,
	PRIMARY KEY (height, place)
) WITHOUT ROWID;
CREATE TABLE reserve_moves (
	height INTEGER NOT NULL,
	place INTEGER NOT NULL,
	what TEXT NOT NULL,
	who BLOB,
	amount TEXT NOT NULL,
	credit TEXT NOT NULL,
	PRIMARY KEY (height, place)
) WITHOUT ROWID;
CREATE TABLE meters (
	meter INTEGER PRIMARY KEY,
	site TEXT NOT NULL,
	device TEXT NOT NULL,
	name TEXT NOT NULL,
	owner BLOB NOT NULL
);
CREATE INDEX meters_site ON meters (site);
CREATE INDEX meters_owner ON meters (owner);
CREATE INDEX meters_name ON meters (name);
CREATE INDEX meters_device ON meters (device);
CREATE TABLE energy_batches (
	meter INTEGER NOT NULL,
	sequence INTEGER NOT NULL,
	height INTEGER NOT NULL,
	place INTEGER NOT NULL,
	header BLOB NOT NULL,
	minted_wh INTEGER NOT NULL,
	start_ms INTEGER,
	end_ms INTEGER,
	imported_wh INTEGER,
	exported_wh INTEGER,
	readings INTEGER,
	root BLOB,
	PRIMARY KEY (meter, sequence)
) WITHOUT ROWID;
CREATE TABLE energy_hours (
	meter INTEGER NOT NULL,
	begin_ms INTEGER NOT NULL,
	imported_wh INTEGER NOT NULL,
	exported_wh INTEGER NOT NULL,
	minted_wh INTEGER NOT NULL,
	PRIMARY KEY (meter, begin_ms)
) WITHOUT ROWID;
CREATE TABLE energy_days (
	meter INTEGER NOT NULL,
	begin_ms INTEGER NOT NULL,
	imported_wh INTEGER NOT NULL,
	exported_wh INTEGER NOT NULL,
	minted_wh INTEGER NOT NULL,
	PRIMARY KEY (meter, begin_ms)
) WITHOUT ROWID;
CREATE TABLE jobs (
	job BLOB PRIMARY KEY,
	height INTEGER NOT NULL,
	client BLOB NOT NULL,
	coordinator BLOB NOT NULL,
	asset TEXT NOT NULL,
	price TEXT NOT NULL,
	state TEXT NOT NULL,
	ended INTEGER,
	receipt BLOB,
	miner BLOB,
	units INTEGER,
	paid TEXT,
	refund TEXT
) WITHOUT ROWID;
CREATE TABLE channels (
	channel INTEGER PRIMARY KEY,
	height INTEGER NOT NULL,
	client BLOB NOT NULL,
	coordinator BLOB NOT NULL,
	asset TEXT NOT NULL,
	deposited TEXT NOT NULL,
	receipts INTEGER NOT NULL,
	settled TEXT NOT NULL,
	ended INTEGER,
	rest TEXT
);
CREATE TABLE batches (
	coordinator BLOB NOT NULL,
	sequence INTEGER NOT NULL,
	height INTEGER NOT NULL,
	place INTEGER NOT NULL,
	header BLOB NOT NULL,
	asset TEXT NOT NULL,
	receipts INTEGER NOT NULL,
	price TEXT NOT NULL,
	units TEXT NOT NULL,
	fee TEXT NOT NULL,
	PRIMARY KEY (coordinator, sequence)
) WITHOUT ROWID;
CREATE INDEX batches_place ON batches (height, place);
CREATE TABLE earnings (
	key BLOB NOT NULL,
	height INTEGER NOT NULL,
	place INTEGER NOT NULL,
	what TEXT NOT NULL,
	asset TEXT NOT NULL,
	amount TEXT NOT NULL,
	claim TEXT NOT NULL,
	PRIMARY KEY (key, height, place)
) WITHOUT ROWID;
CREATE TABLE earning_days (
	key BLOB NOT NULL,
	day INTEGER NOT NULL,
	what TEXT NOT NULL,
	asset TEXT NOT NULL,
	amount TEXT NOT NULL,
	claim TEXT NOT NULL,
	PRIMARY KEY (key, day, what, asset)
) WITHOUT ROWID;
CREATE TABLE emission_steps (
	step INTEGER PRIMARY KEY,
	height INTEGER NOT NULL,
	time_ms INTEGER NOT NULL,
	claims TEXT NOT NULL,
	miners TEXT NOT NULL,
	coordinators TEXT NOT NULL,
	treasury TEXT NOT NULL
);
CREATE TABLE slashes (
	height INTEGER NOT NULL,
	place INTEGER NOT NULL,
	key BLOB NOT NULL,
	amount TEXT NOT NULL,
	PRIMARY KEY (height, place)
) WITHOUT ROWID;
"];
