//! Statements about anchors over many batches. A path stays when its batch moves to an archive.

use super::rows::BatchRow;
use codec::{DecodeAll, Encode};
use gridproof_primitives::crypto::merkle::anchored::AnchorPath;
use gridproof_store::{
	StoreError,
	rusqlite::{self, Connection, OptionalExtension, params, types::Type},
};

/// Keeps the way from a batch's root to the root in the transaction; `None`: the transaction has the
/// batch's own root.
pub(super) fn set_path(
	db: &Connection,
	row: BatchRow,
	path: Option<&AnchorPath>,
) -> Result<(), StoreError> {
	match path {
		Some(path) => {
			let insert = "INSERT INTO anchor_paths (batch, path) VALUES (?1, ?2) \
				ON CONFLICT (batch) DO UPDATE SET path = excluded.path";
			db.prepare_cached(insert)?.execute(params![row, path.encode()])?;
		},
		None => {
			db.prepare_cached("DELETE FROM anchor_paths WHERE batch = ?1")?.execute([row])?;
		},
	}
	Ok(())
}

/// The way from a batch's root to the root in the transaction.
pub(super) fn path(db: &Connection, row: BatchRow) -> Result<Option<AnchorPath>, StoreError> {
	let select = "SELECT path FROM anchor_paths WHERE batch = ?1";
	let found = db.prepare_cached(select)?.query_row([row], |row| {
		let bytes: Vec<u8> = row.get(0)?;
		AnchorPath::decode_all(&mut &bytes[..]).map_err(|_| {
			let reason = "not what was written".into();
			rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, reason)
		})
	});
	Ok(found.optional()?)
}
