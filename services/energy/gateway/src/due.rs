//! When a batch is closed.

use crate::{config::Batching, storage::Pending};
use gridproof_primitives::num::units::MILLIS_PER_DAY;

/// How long after a day's end its batch is closed.
const GRACE_MS: u64 = 60_000;

/// Whether a batch is closed: it is full, its first reading has waited for its time, or its day is over.
///
/// A day that is over is not a reason where all of its readings came after it: their meter has been away
/// and may have more, in any order, for which the usual time is the grace.
pub(crate) fn is_due(settings: &Batching, pending: &Pending, now: u64) -> bool {
	let max_age = u64::try_from(settings.max_age.as_millis()).unwrap_or(u64::MAX);
	let waited = now.saturating_sub(pending.oldest_ms);
	let today = now / MILLIS_PER_DAY;
	// A minute's grace for what is on its way when the day ends.
	let is_day_over = settings.daily
		&& pending.start_ms / MILLIS_PER_DAY < today
		&& pending.oldest_ms / MILLIS_PER_DAY < today
		&& now % MILLIS_PER_DAY >= GRACE_MS;
	pending.count >= u64::from(settings.max_readings) || waited >= max_age || is_day_over
}

#[cfg(test)]
mod tests {
	use super::*;

	const MIDNIGHT: u64 = 20_000 * MILLIS_PER_DAY;
	const HOUR: u64 = 3_600_000;

	/// Readings from this hour on, relative to midnight, the first of which came at `oldest_ms`.
	fn pending(count: u64, hours_before: u64, oldest_ms: u64) -> Pending {
		let start_ms = MIDNIGHT - hours_before * HOUR;
		Pending { meter: 1, trusted: true, count, oldest_ms, start_ms, end_ms: start_ms + HOUR }
	}

	#[test]
	fn a_batch_is_closed_when_it_is_full_old_or_of_a_day_that_is_over() {
		let settings = Batching::default();
		let noon = MIDNIGHT - 12 * HOUR;
		let age = u64::try_from(settings.max_age.as_millis()).unwrap();
		assert!(!is_due(&settings, &pending(9_999, 13, noon), noon + age - 1));
		assert!(is_due(&settings, &pending(9_999, 13, noon), noon + age));
		assert!(is_due(&settings, &pending(10_000, 13, noon), noon));
		// It came ten minutes before midnight, and midnight is a minute ago.
		let late = pending(1, 1, MIDNIGHT - 600_000);
		assert!(!is_due(&settings, &late, MIDNIGHT + 59_999));
		assert!(is_due(&settings, &late, MIDNIGHT + 60_000));
		let across = Batching { daily: false, ..settings };
		assert!(!is_due(&across, &late, MIDNIGHT + 60_000));
	}

	#[test]
	fn a_meter_that_was_away_has_the_usual_time_for_what_it_has_of_another_day() {
		let settings = Batching::default();
		let back = MIDNIGHT + 8 * HOUR;
		let age = u64::try_from(settings.max_age.as_millis()).unwrap();
		// The newest one came first, and then the oldest: what lies between is on its way.
		let backlog = pending(2, 20, back);
		assert!(!is_due(&settings, &backlog, back + age - 1));
		assert!(is_due(&settings, &backlog, back + age));
	}
}
