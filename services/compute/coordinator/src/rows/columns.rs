//! Values in the columns of a row.

use gridproof_store::rusqlite::{self, Error, Row, types::Type};
use gridproof_support::number::clamped;
use std::str::FromStr;

/// SQLite's integers are signed: what does not fit becomes the largest.
pub(super) fn to_i64(value: u64) -> i64 {
	clamped(value)
}

/// Returns bytes of a fixed length.
pub(super) fn bytes<const N: usize>(row: &Row, column: &str) -> rusqlite::Result<[u8; N]> {
	row.get::<_, [u8; N]>(column)
}

/// Returns a number; 0 where the database holds a negative one.
pub(super) fn number(row: &Row, column: &str) -> rusqlite::Result<u64> {
	let value: i64 = row.get(column)?;
	Ok(u64::try_from(value).unwrap_or(0))
}

/// Returns what a text says.
pub(super) fn parsed<T: FromStr>(row: &Row, column: &str) -> rusqlite::Result<T> {
	let text: String = row.get(column)?;
	text.parse().map_err(|_| {
		let error = format!("column {column} holds {text:?}");
		Error::FromSqlConversionFailure(0, Type::Text, error.into())
	})
}
