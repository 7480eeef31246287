//! What time it is: the machine's word, held within bounds by the chain's.

use super::{metrics::DailyMetrics, timetable::Timetable};
use gridproof_chain::{Link, pallets::attestations::query};
use gridproof_primitives::time::calendar::Calendar;
use gridproof_support::{Clock, clock::millis};
use std::time::{Duration, Instant};

/// Longest wait for the chain's answer to what time it is.
const PATIENCE: Duration = Duration::from_secs(20);

/// The time, in UTC milliseconds.
pub trait Time {
	/// Returns what the machine says. Pauses are measured by it.
	fn now(&self) -> u64;

	/// Returns the time by which days come due; `None` while nobody but the machine knows it.
	fn believed(&self) -> Option<u64>;
}

impl<F: Fn() -> u64> Time for F {
	fn now(&self) -> u64 {
		self()
	}

	fn believed(&self) -> Option<u64> {
		Some(self())
	}
}

/// A clock that a chain holds within bounds: it may differ from the chain's time as much as the
/// chain lets clocks differ, and no more. A machine that says 2030 for a moment opens no day.
pub(super) struct BoundClock<'c> {
	clock: &'c Clock,
	/// The chain's time when it was asked last, and when that was.
	chain: Option<(u64, Instant)>,
	/// Largest difference that is believed, in milliseconds; `None` if the clock is not bound.
	skew: Option<u64>,
	differs: bool,
}

impl<'c> BoundClock<'c> {
	/// Returns a clock that nobody has been asked about yet.
	pub(super) const fn new(clock: &'c Clock) -> Self {
		Self { clock, chain: None, skew: None, differs: false }
	}

	/// Asks the chain what time it is, if `table` goes by the time of the world. An answer that
	/// does not come leaves the last one standing, moved on by the time that has passed.
	pub(super) async fn ask(&mut self, table: &Timetable, link: &Link, metrics: &DailyMetrics) {
		self.skew = match table {
			Timetable::Daily { .. } => Some(Calendar::UTC.skew()),
			Timetable::Chain(calendar) => Some(calendar.skew()),
			Timetable::Every(_) => None,
		};
		if self.skew.is_none() {
			return;
		}
		let stops = query::stops();
		let asked = Instant::now();
		match tokio::time::timeout(PATIENCE, link.read(&stops)).await {
			Ok(Ok((_, time))) if time > 0 => self.chain = Some((time, asked)),
			Ok(Ok(_)) => (),
			Ok(Err(error)) => tracing::debug!(%error, "the chain's time is not known"),
			Err(_) => tracing::debug!("the chain's time is not known: no answer"),
		}
		self.report(metrics);
	}

	fn report(&mut self, metrics: &DailyMetrics) {
		let (Some(skew), Some(chain)) = (self.skew, self.chain()) else {
			if !self.differs {
				tracing::warn!(
					event = "no_time",
					"no day comes due until the node says what time it is"
				);
			}
			self.differs = true;
			return;
		};
		let machine = self.clock.now_ms();
		metrics.clock_differs_by(machine, chain);
		let differs = machine.abs_diff(chain) > skew;
		if differs && !self.differs {
			tracing::error!(
				event = "clock_differs",
				machine,
				chain,
				"the machine's clock and the chain's time differ: days come due by the chain's; set \
				 the clock, or see whether the chain stands still"
			);
		}
		self.differs = differs;
	}

	/// The chain's time now, by the last answer.
	fn chain(&self) -> Option<u64> {
		self.chain.map(|(time, asked)| time.saturating_add(millis(asked.elapsed())))
	}
}

impl Time for BoundClock<'_> {
	fn now(&self) -> u64 {
		self.clock.now_ms()
	}

	fn believed(&self) -> Option<u64> {
		let now = self.now();
		match self.skew {
			None => Some(now),
			Some(skew) => self
				.chain()
				.map(|chain| now.clamp(chain.saturating_sub(skew), chain.saturating_add(skew))),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const HOUR: u64 = 3_600_000;

	fn bound(machine: u64, chain: Option<u64>) -> Option<u64> {
		let (clock, _hands) = Clock::manual(machine);
		let chain = chain.map(|time| (time, Instant::now()));
		let skew = Some(Calendar::UTC.skew());
		BoundClock { clock: &clock, chain, skew, differs: false }.believed()
	}

	#[test]
	fn a_machine_that_is_wrong_by_a_day_or_a_year_is_held_to_the_chains_time() {
		let skew = Calendar::UTC.skew();
		assert!((60_000..=HOUR).contains(&skew), "{skew}");
		let chain = 20_000 * 24 * HOUR;
		let near = |time: Option<u64>, wanted: u64| time.unwrap().abs_diff(wanted) < 5_000;
		for wrong in [24 * HOUR, 4 * 365 * 24 * HOUR] {
			assert!(near(bound(chain + wrong, Some(chain)), chain + skew));
			assert!(near(bound(chain - wrong, Some(chain)), chain - skew));
		}
		assert!(near(bound(0, Some(chain)), chain - skew));
		assert_eq!(bound(chain + skew / 2, Some(chain)), Some(chain + skew / 2));
		assert_eq!(bound(chain, None), None, "nobody but the machine says what time it is");
	}
}
