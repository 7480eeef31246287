//! Whether there is room, found out by taking some.

use crate::StoreError;
use rusqlite::Connection;

/// Bytes that are written: more than one small row takes with all its indexes.
const BYTES: u32 = 16_384;

/// Writes, in a table of its own that nobody reads.
pub(crate) fn write(db: &Connection) -> Result<(), StoreError> {
	db.execute_batch("CREATE TABLE IF NOT EXISTS store_probe (bytes BLOB NOT NULL) STRICT")?;
	delete(db)?;
	db.prepare_cached("INSERT INTO store_probe (bytes) VALUES (randomblob(?1))")?
		.execute([BYTES])?;
	Ok(())
}

/// Deletes what was written.
pub(crate) fn delete(db: &Connection) -> Result<(), StoreError> {
	db.prepare_cached("DELETE FROM store_probe")?.execute([])?;
	Ok(())
}
