//! For how long coordinators have been asked for something that they do not give.

use gridproof_primitives::compute::checks::BatchId;
use std::collections::{BTreeMap, BTreeSet};

/// What was asked for and not given, each with the time of the first request, UTC milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Asked(BTreeMap<(BatchId, Option<u64>), u64>);

impl Asked {
	/// Notes that the opening of a receipt, by its index, was not given, or, without an index, the list of a
	/// batch's receipts. Returns for how long it has been asked for, in milliseconds.
	pub(crate) fn not_given(&mut self, batch: BatchId, index: Option<u64>, now: u64) -> u64 {
		now.saturating_sub(*self.0.entry((batch, index)).or_insert(now))
	}

	/// Notes that it was given.
	pub(crate) fn given(&mut self, batch: BatchId, index: Option<u64>) {
		self.0.remove(&(batch, index));
	}

	/// Forgets what was asked for of other batches than these.
	pub(crate) fn keep(&mut self, batches: &BTreeSet<BatchId>) {
		self.0.retain(|(batch, _), _| batches.contains(batch));
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const fn batch(sequence: u64) -> BatchId {
		BatchId { coordinator: [1; 32], sequence }
	}

	#[test]
	fn patience_begins_with_the_first_request_and_again_after_something_was_given() {
		let mut asked = Asked::default();
		for index in [None, Some(0), Some(u64::MAX)] {
			assert_eq!(asked.not_given(batch(0), index, 1_000), 0);
			assert_eq!(asked.not_given(batch(0), index, 1_700), 700);
		}
		asked.given(batch(0), None);
		assert_eq!(asked.not_given(batch(0), None, 1_900), 0, "the list was given meanwhile");
		assert_eq!(asked.not_given(batch(0), Some(0), 1_900), 900, "an opening is not a list");
		asked.given(batch(0), Some(0));
		assert_eq!(asked.not_given(batch(0), Some(0), 2_000), 0);
		assert_eq!(asked.not_given(batch(0), None, 900), 0, "a clock that was set back");
	}

	#[test]
	fn nothing_is_remembered_of_batches_that_do_not_wait() {
		let mut asked = Asked::default();
		for (sequence, index) in [(0, None), (0, Some(3)), (1, None), (1, Some(3))] {
			asked.not_given(batch(sequence), index, 1_000);
		}
		asked.keep(&BTreeSet::from([batch(1)]));
		assert_eq!(asked.0.len(), 2);
		assert_eq!(asked.not_given(batch(1), Some(3), 1_500), 500);
		asked.keep(&BTreeSet::new());
		assert!(asked.0.is_empty());
	}
}
