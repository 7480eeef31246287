//! Meters whose device did not agree to a batch, and until when no other one is made.
//!
//! A device refuses when the gateway lacks a log that is still on its way, or has one that the
//! device sends again. Nothing was signed, so the logs go back, and the batch is made anew a while
//! later. Only a device that refuses again and again needs a decision by somebody.

use crate::storage::MeterRow;
use std::{
	collections::HashMap,
	sync::{Mutex, PoisonError},
	time::{Duration, Instant},
};

/// Refusals after which a batch is parked.
const MOST: u32 = 6;
/// Pause after the first refusal; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// Which meters have to wait.
#[derive(Default)]
pub struct Deferral(Mutex<HashMap<MeterRow, (u32, Instant)>>);

impl Deferral {
	/// A device has refused. False if it has done so too often.
	pub fn refused(&self, meter: MeterRow) -> bool {
		let mut meters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
		let refusals = meters.get(&meter).map_or(0, |(refusals, _)| *refusals).saturating_add(1);
		if refusals >= MOST {
			meters.remove(&meter);
			return false;
		}
		let pause = FIRST_PAUSE.saturating_mul(1 << refusals.saturating_sub(1).min(16));
		meters.insert(meter, (refusals, Instant::now() + pause));
		true
	}

	/// A batch of the meter is signed.
	pub fn agreed(&self, meter: MeterRow) {
		self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&meter);
	}

	/// Has the meter to wait?
	pub fn waits(&self, meter: MeterRow) -> bool {
		let meters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
		meters.get(&meter).is_some_and(|(_, until)| *until > Instant::now())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_meter_waits_after_a_refusal_and_is_parked_after_many() {
		let deferral = Deferral::default();
		assert!(!deferral.waits(1));
		for _ in 1..MOST {
			assert!(deferral.refused(1));
			assert!(deferral.waits(1));
		}
		assert!(!deferral.refused(1));
		assert!(!deferral.waits(1));
		assert!(deferral.refused(1));
		deferral.agreed(1);
		assert!(!deferral.waits(1));
	}
}
