//! Names of readings and batches: `log_` and `batch_` with twelve hexadecimal digits.
//!
//! A name is its row's number, scrambled by a multiplication with an odd number modulo 2^48, which
//! can be undone: unique by construction, however many are made in one second, and found again
//! without an index.

/// Names have 48 bits.
const MASK: u64 = (1 << 48) - 1;
const READING: u64 = 0x9e37_79b9_7f4b;
const BATCH: u64 = 0xc2b2_ae3d_27d5;

/// The inverse of an odd number modulo 2^64, by Newton's iteration: each step doubles the bits.
const fn inverse(odd: u64) -> u64 {
	let mut inverse = odd;
	let mut step = 0;
	while step < 6 {
		inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
		step += 1;
	}
	inverse
}

fn name(prefix: &str, factor: u64, row: i64) -> String {
	format!("{prefix}{:012x}", row.cast_unsigned().wrapping_mul(factor) & MASK)
}

fn row(prefix: &str, factor: u64, name: &str) -> Option<i64> {
	let digits = name.strip_prefix(prefix).filter(|digits| digits.len() == 12)?;
	if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
		return None;
	}
	let scrambled = u64::from_str_radix(digits, 16).ok()?;
	Some((scrambled.wrapping_mul(inverse(factor)) & MASK).cast_signed())
}

/// The name of the reading in row `row`.
pub(crate) fn reading_id(row: i64) -> String {
	name("log_", READING, row)
}

/// The row of the reading of that name.
pub(crate) fn reading_row(name: &str) -> Option<i64> {
	row("log_", READING, name)
}

/// The name of the batch in row `row`.
pub(crate) fn batch_id(row: i64) -> String {
	name("batch_", BATCH, row)
}

/// The row of the batch of that name.
pub(crate) fn batch_row(name: &str) -> Option<i64> {
	row("batch_", BATCH, name)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::collections::BTreeSet;

	#[test]
	fn names_are_unique_and_lead_back_to_their_row() {
		let mut seen = BTreeSet::new();
		for row in (1..2_000).chain([1 << 20, (1 << 48) - 1]) {
			let (reading, batch) = (reading_id(row), batch_id(row));
			assert_eq!((reading.len(), batch.len()), (16, 18));
			assert_eq!((reading_row(&reading), batch_row(&batch)), (Some(row), Some(row)));
			assert!(seen.insert(reading));
		}
	}

	#[test]
	fn other_texts_name_nothing() {
		for text in ["", "log_", "log_12345678901", "log_1234567890123", "log_12345678901G"] {
			assert_eq!(reading_row(text), None, "{text}");
		}
		assert_eq!(reading_row(&reading_id(1).to_uppercase()), None);
		assert_eq!(reading_row(&batch_id(1)), None);
	}
}
