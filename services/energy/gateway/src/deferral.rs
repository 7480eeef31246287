//! Meters whose device refused a batch, and until when no other one is made.
//!
//! A device refuses when the gateway lacks a reading that is still on its way, or has one that the
//! device sends again. Nothing was signed, so the readings go back, and the batch is rebuilt a while
//! later. Only a device that refuses again and again needs a decision by somebody.

use crate::storage::MeterRow;
use gridproof_support::Lock;
use std::{
	collections::HashMap,
	sync::Mutex,
	time::{Duration, Instant},
};

/// Refusals after which a batch is parked.
const MOST: u32 = 6;
/// Pause after the first refusal; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// Meters that have to wait, with the number of refusals and the end of the pause.
#[derive(Default)]
pub(crate) struct Deferral(Mutex<HashMap<MeterRow, (u32, Instant)>>);

impl Deferral {
	/// Notes that a device has refused. Returns `false` if it has done so too often.
	pub(crate) fn refused(&self, meter: MeterRow) -> bool {
		let mut meters = self.0.locked();
		let refusals = meters.get(&meter).map_or(0, |(refusals, _)| *refusals).saturating_add(1);
		if refusals >= MOST {
			meters.remove(&meter);
			return false;
		}
		let pause = FIRST_PAUSE.saturating_mul(1 << refusals.saturating_sub(1).min(16));
		meters.insert(meter, (refusals, Instant::now() + pause));
		true
	}

	/// Notes that a batch of the meter is signed.
	pub(crate) fn agreed(&self, meter: MeterRow) {
		self.0.locked().remove(&meter);
	}

	/// Returns `true` while the meter has to wait.
	pub(crate) fn waits(&self, meter: MeterRow) -> bool {
		let meters = self.0.locked();
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
