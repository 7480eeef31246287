//! Where a batch ends.

use gridproof_primitives::num::units::MILLIS_PER_DAY;

/// What counts of a reading when a batch is cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
	/// Begin of its interval, UTC milliseconds.
	pub(crate) start_ms: u64,
	/// End of its interval, UTC milliseconds.
	pub(crate) end_ms: u64,
	/// Bytes that it takes in the batch's file.
	pub(crate) bytes: u64,
	/// Energy that it delivers, in Wh, rounded up.
	pub(crate) exported_wh: u64,
}

/// What bounds a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
	/// Highest number of readings.
	pub(crate) most: usize,
	/// Highest number of bytes of its file.
	pub(crate) max_bytes: u64,
	/// Highest energy that the chain can ever mint for one batch of the meter, in Wh.
	pub(crate) max_wh: u64,
	/// Shortest interval of a batch that is free of fees, in milliseconds.
	pub(crate) min_free_ms: u64,
	/// Time from which the meter mints, UTC milliseconds.
	pub(crate) floor_ms: u64,
}

impl Bounds {
	/// Returns how many of these readings, in order, may be one batch: within the bounds, and ending
	/// where no reading that is left begins earlier. Where that is long enough to be free, also of one
	/// UTC day, and on one side of the time from which the meter mints. All of them if nothing says
	/// otherwise. Where readings of both directions overlap one another so that there is no such place
	/// within the bounds, the cut is forced: as many as the bounds allow, and at least one.
	pub(crate) fn cut(&self, pieces: impl Iterator<Item = Piece>) -> Cut {
		let (mut first, mut bytes, mut wh, mut end_ms) = (None, 0u64, 0u64, 0u64);
		let (mut best, mut best_end_ms, mut count) = (0, 0, 0);
		for (place, piece) in pieces.enumerate() {
			let first = *first.get_or_insert(piece);
			if place > 0 && piece.start_ms >= end_ms {
				(best, best_end_ms) = (place, end_ms);
			}
			bytes = bytes.saturating_add(piece.bytes);
			wh = wh.saturating_add(piece.exported_wh);
			let is_over = place >= self.most || bytes > self.max_bytes || wh > self.max_wh;
			let is_mixed = day(&piece) != day(&first)
				|| (first.start_ms < self.floor_ms && piece.start_ms >= self.floor_ms);
			let is_long = best_end_ms.saturating_sub(first.start_ms) >= self.min_free_ms;
			if best > 0 && (is_over || (is_mixed && is_long)) {
				return Cut { count: best, is_forced: false };
			}
			if is_over && place > 0 {
				return Cut { count: place, is_forced: true };
			}
			end_ms = end_ms.max(piece.end_ms);
			count = place + 1;
		}
		Cut { count, is_forced: false }
	}
}

/// Where a batch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
	/// How many readings, from the first on, it has.
	pub(crate) count: usize,
	/// Whether readings that are left may begin before its end, for want of another place.
	pub(crate) is_forced: bool,
}

/// The UTC day of its last millisecond.
const fn day(piece: &Piece) -> u64 {
	piece.end_ms.saturating_sub(1) / MILLIS_PER_DAY
}

#[cfg(test)]
mod tests {
	use super::*;

	const MINUTE: u64 = 60_000;
	const WIDE: Bounds = Bounds {
		most: 10_000,
		max_bytes: u64::MAX,
		max_wh: u64::MAX,
		min_free_ms: MINUTE,
		floor_ms: 0,
	};

	/// Readings of a minute each, from a time on, that deliver 10 Wh each.
	fn minutes(start_ms: u64, count: u64) -> impl Iterator<Item = Piece> {
		(0..count).map(move |number| Piece {
			start_ms: start_ms + number * MINUTE,
			end_ms: start_ms + (number + 1) * MINUTE,
			bytes: 100,
			exported_wh: 10,
		})
	}

	#[test]
	fn a_batch_is_within_its_bounds() {
		let noon = MILLIS_PER_DAY / 2;
		assert_eq!(WIDE.cut(minutes(noon, 0)).count, 0);
		assert_eq!(WIDE.cut(minutes(noon, 30)).count, 30);
		assert_eq!(Bounds { most: 7, ..WIDE }.cut(minutes(noon, 30)).count, 7);
		assert_eq!(Bounds { max_bytes: 500, ..WIDE }.cut(minutes(noon, 30)).count, 5);
		// The most that the chain ever mints for one batch.
		assert_eq!(Bounds { max_wh: 49, ..WIDE }.cut(minutes(noon, 30)).count, 4);
		// What cannot be divided stays whole: the chain says what is wrong with it.
		assert_eq!(Bounds { max_wh: 9, ..WIDE }.cut(minutes(noon, 1)).count, 1);
	}

	#[test]
	fn a_batch_is_of_one_day_and_on_one_side_of_the_floor() {
		let eve = MILLIS_PER_DAY - 3 * MINUTE;
		assert_eq!(WIDE.cut(minutes(eve, 30)).count, 3);
		let floor_ms = MILLIS_PER_DAY / 2 + 5 * MINUTE;
		let floored = Bounds { floor_ms, ..WIDE };
		assert_eq!(floored.cut(minutes(MILLIS_PER_DAY / 2, 30)).count, 5);
		assert_eq!(floored.cut(minutes(floor_ms, 30)).count, 30);
	}

	#[test]
	fn a_batch_that_would_be_too_short_to_be_free_takes_more() {
		let eve = MILLIS_PER_DAY - MINUTE;
		let longer = Bounds { min_free_ms: 2 * MINUTE, ..WIDE };
		// A minute before midnight is not enough, so that the first minute after it comes with it.
		assert_eq!(longer.cut(minutes(eve, 30)).count, 2);
		assert_eq!(longer.cut(minutes(eve, 1)).count, 1);
	}

	#[test]
	fn two_readings_of_one_interval_stay_together() {
		let noon = MILLIS_PER_DAY / 2;
		let twice = minutes(noon, 3).flat_map(|piece| [piece, piece]);
		assert_eq!(Bounds { most: 3, ..WIDE }.cut(twice).count, 2);
	}

	/// Import and export of an hour each, half an hour apart: no end is free of the next begin.
	fn interleaved(count: u64) -> impl Iterator<Item = Piece> {
		(0..count).map(|number| Piece {
			start_ms: MILLIS_PER_DAY + number * 30 * MINUTE,
			end_ms: MILLIS_PER_DAY + (number + 2) * 30 * MINUTE,
			bytes: 100,
			exported_wh: 10,
		})
	}

	#[test]
	fn readings_without_a_common_end_are_cut_at_the_bounds_all_the_same() {
		let narrow = Bounds { most: 7, ..WIDE };
		assert_eq!(narrow.cut(interleaved(8)), Cut { count: 7, is_forced: true });
		assert_eq!(narrow.cut(interleaved(10_000)), Cut { count: 7, is_forced: true });
		assert_eq!(narrow.cut(interleaved(7)), Cut { count: 7, is_forced: false });
		let small = Bounds { max_bytes: 350, ..WIDE };
		assert_eq!(small.cut(interleaved(5)), Cut { count: 3, is_forced: true });
		// One alone is never divided.
		let tiny = Bounds { max_bytes: 1, ..WIDE };
		assert_eq!(tiny.cut(interleaved(5)), Cut { count: 1, is_forced: true });
	}
}
