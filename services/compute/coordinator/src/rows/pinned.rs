//! What never changes once it is known.

use gridproof_store::rusqlite::{self, Connection, OptionalExtension, params};

/// Hash of the first block of the chain that the database belongs to.
pub(crate) const GENESIS: &str = "genesis";

/// Returns a value that is known.
pub(crate) fn pinned(db: &Connection, name: &str) -> rusqlite::Result<Option<[u8; 32]>> {
	let sql = "SELECT value FROM pinned WHERE name = ?1";
	db.query_row(sql, [name], |row| row.get("value")).optional()
}

/// Returns the value that is known, which is `value` if there was none.
pub(crate) fn pin(db: &Connection, name: &str, value: [u8; 32]) -> rusqlite::Result<[u8; 32]> {
	db.execute(
		"INSERT INTO pinned (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
		params![name, value],
	)?;
	Ok(pinned(db, name)?.unwrap_or(value))
}
