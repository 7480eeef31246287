//! The time that a coordinator goes by: a clock that jumps is not believed before the chain agrees.
//!
//! Deadlines of jobs are in the time of the chain, which the machine's clock shows as long as it is
//! right. A clock that is set wrong for a moment, by a battery, a resumed machine or a bad time
//! server, would otherwise end all jobs at once, or none any more. What only lasts for a while (leases,
//! sessions, pauses) is measured in steady time, which no setting of a clock changes.

use gridproof_support::{Clock, Lock};
use std::sync::Mutex;

/// How far the clock may be from the time that has passed before it has jumped, in milliseconds.
const JUMP_MS: u64 = 30_000;
/// How far the clock may be from the time of the last final block to be right, in milliseconds: as far
/// as finality can be behind.
const RIGHT_MS: u64 = 120_000;

/// A clock and what it has shown.
pub(crate) struct Timekeeper {
	clock: Clock,
	seen: Mutex<Seen>,
}

/// The last time that was believed.
struct Seen {
	/// UTC milliseconds.
	wall_ms: u64,
	/// Steady milliseconds at that time.
	steady_ms: u64,
}

/// What the chain's time says about a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
	/// The clock is right, and is believed from here on.
	Right,
	/// The clock is so many milliseconds away from the chain's time.
	Wrong(u64),
}

impl Timekeeper {
	/// Begins with what the clock shows.
	pub(crate) fn new(clock: Clock) -> Self {
		let seen = Seen { wall_ms: clock.now_ms(), steady_ms: clock.steady_ms() };
		Self { clock, seen: Mutex::new(seen) }
	}

	/// The clock that it reads.
	pub(crate) const fn clock(&self) -> &Clock {
		&self.clock
	}

	/// Milliseconds that have passed since some moment; see [`Clock::steady_ms`].
	pub(crate) fn steady(&self) -> u64 {
		self.clock.steady_ms()
	}

	/// The time, UTC milliseconds: the clock's, or, once that has jumped, the time that has passed since
	/// the last one that was believed.
	pub(crate) fn now(&self) -> u64 {
		let (wall_ms, steady_ms) = (self.clock.now_ms(), self.clock.steady_ms());
		let mut seen = self.seen.locked();
		let counted = seen.wall_ms.saturating_add(steady_ms.saturating_sub(seen.steady_ms));
		if wall_ms.abs_diff(counted) > JUMP_MS {
			return counted;
		}
		*seen = Seen { wall_ms, steady_ms };
		wall_ms
	}

	/// Returns `true` if the clock has jumped and is not believed.
	pub(crate) fn has_jumped(&self) -> bool {
		self.now() != self.clock.now_ms()
	}

	/// Compares the clock with the time of the last final block, UTC milliseconds. If they agree, the
	/// clock is believed again.
	pub(crate) fn compare(&self, chain_ms: u64) -> Verdict {
		let (wall_ms, steady_ms) = (self.clock.now_ms(), self.clock.steady_ms());
		let away = wall_ms.abs_diff(chain_ms);
		if away > RIGHT_MS {
			return Verdict::Wrong(away);
		}
		*self.seen.locked() = Seen { wall_ms, steady_ms };
		Verdict::Right
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::time::Duration;

	const BEGIN: u64 = 1_000_000_000;
	const YEAR: u64 = 365 * 86_400_000;

	#[test]
	fn a_clock_that_jumps_is_believed_only_when_the_chain_agrees() {
		let (clock, hands) = Clock::manual(BEGIN);
		let time = Timekeeper::new(clock);
		hands.set(BEGIN + YEAR);
		hands.advance(Duration::from_secs(5));
		assert_eq!(time.now(), BEGIN + 5_000);
		assert!(time.has_jumped());
		assert_eq!(time.compare(BEGIN + 4_000), Verdict::Wrong(YEAR + 1_000));
		assert_eq!(time.now(), BEGIN + 5_000);
		assert_eq!(time.compare(BEGIN + YEAR), Verdict::Right);
		assert_eq!(time.now(), BEGIN + YEAR + 5_000);
		assert!(!time.has_jumped());
	}

	#[test]
	fn a_jump_that_is_taken_back_leaves_no_trace() {
		let (clock, hands) = Clock::manual(BEGIN);
		let time = Timekeeper::new(clock);
		for jumped in [BEGIN + YEAR, BEGIN - 86_400_000] {
			hands.set(jumped);
			assert_eq!(time.now(), BEGIN);
			hands.set(BEGIN);
			assert_eq!(time.now(), BEGIN);
			assert!(!time.has_jumped());
		}
	}

	#[test]
	fn a_clock_that_is_corrected_a_little_is_followed() {
		let (clock, hands) = Clock::manual(BEGIN);
		let time = Timekeeper::new(clock);
		hands.set(BEGIN + JUMP_MS);
		assert_eq!(time.now(), BEGIN + JUMP_MS);
		hands.set(BEGIN);
		assert_eq!(time.now(), BEGIN);
	}
}
