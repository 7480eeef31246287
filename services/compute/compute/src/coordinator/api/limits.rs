//! How often somebody may ask.

use std::{
	collections::HashMap,
	sync::{Mutex, PoisonError},
};

/// Most names remembered; beyond that the fullest buckets are forgotten.
const MAX_NAMES: usize = 50_000;
const MINUTE_MS: u64 = 60_000;

/// One bucket a name: it holds a minute's requests and fills up steadily.
pub struct Buckets {
	per_minute: u32,
	/// What is left, in requests times a minute's milliseconds, and as of when.
	left: Mutex<HashMap<String, (u64, u64)>>,
}

impl Buckets {
	/// Buckets for so many requests a minute.
	pub fn new(per_minute: u32) -> Self {
		Self { per_minute, left: Mutex::default() }
	}

	/// Takes a request out of a bucket; false if it is empty. `own` is the name's own number of
	/// requests a minute.
	pub fn take(&self, name: &str, own: Option<u32>, now: u64) -> bool {
		let per_minute = u64::from(own.unwrap_or(self.per_minute));
		let full = per_minute.saturating_mul(MINUTE_MS);
		let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
		if left.len() >= MAX_NAMES && !left.contains_key(name) {
			left.retain(|_, (_, at)| now.saturating_sub(*at) < MINUTE_MS);
			if left.len() >= MAX_NAMES {
				return false;
			}
		}
		let (amount, at) = left.entry(name.to_string()).or_insert((full, now));
		let grown = now.saturating_sub(*at).saturating_mul(per_minute);
		*amount = amount.saturating_add(grown).min(full);
		*at = now;
		match amount.checked_sub(MINUTE_MS) {
			Some(rest) => {
				*amount = rest;
				true
			},
			None => false,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_minute_has_its_requests_and_no_more() {
		let buckets = Buckets::new(3);
		let taken = |now| buckets.take("a", None, now);
		assert_eq!([taken(0), taken(0), taken(0), taken(0)], [true, true, true, false]);
		assert!(!taken(19_999));
		assert!(taken(20_000), "a third of a minute later there is one more");
		assert!(!taken(20_000));
		assert!(buckets.take("b", None, 20_000), "others have their own");
	}

	#[test]
	fn a_name_can_have_its_own_number() {
		let buckets = Buckets::new(100);
		assert!(buckets.take("a", Some(1), 0));
		assert!(!buckets.take("a", Some(1), 0));
	}
}
