//! Numbers and keys as the tables have them.

use gridproof_keys::account::address;
use gridproof_store::rusqlite::{self, Row};
use gridproof_support::text::{Amount, hexadecimal};

/// A whole number as SQLite has them; heights, times and counts stay far below its bound.
pub(super) fn int(value: u64) -> i64 {
	i64::try_from(value).unwrap_or(i64::MAX)
}

/// An amount as text.
pub(super) fn text(amount: u128) -> String {
	amount.to_string()
}

/// A whole number that is never negative.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
	row.get::<_, i64>(column).map(|value| u64::try_from(value).unwrap_or(0))
}

/// As [`unsigned`], if there is one.
pub(super) fn maybe(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
	Ok(row.get::<_, Option<i64>>(column)?.and_then(|value| u64::try_from(value).ok()))
}

/// An amount in its smallest unit.
pub(super) fn amount(row: &Row<'_>, column: usize) -> rusqlite::Result<Amount> {
	Ok(Amount(row.get::<_, String>(column)?.parse().unwrap_or_default()))
}

/// An amount, if there is one.
pub(super) fn maybe_amount(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Amount>> {
	let text = row.get::<_, Option<String>>(column)?;
	Ok(text.and_then(|text| text.parse().ok()).map(Amount))
}

/// Bytes as `0x` and digits.
pub(super) fn hex(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
	row.get::<_, Vec<u8>>(column).map(hexadecimal)
}

/// Bytes as `0x` and digits, if there are any.
pub(super) fn maybe_hex(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
	Ok(row.get::<_, Option<Vec<u8>>>(column)?.map(hexadecimal))
}

/// An account's address.
pub(super) fn account(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
	let bytes = row.get::<_, Vec<u8>>(column)?;
	Ok(<[u8; 32]>::try_from(bytes).map_or_else(hexadecimal, |account| address(&account)))
}

/// An account's address, if there is one.
pub(super) fn maybe_account(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
	let bytes = row.get::<_, Option<Vec<u8>>>(column)?;
	Ok(bytes.map(|bytes| {
		<[u8; 32]>::try_from(bytes).map_or_else(hexadecimal, |account| address(&account))
	}))
}
