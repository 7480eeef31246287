//! The time, of the system or set by a test.

use crate::number::clamped;
use std::{
	fmt,
	sync::{
		Arc, OnceLock,
		atomic::{AtomicU64, Ordering},
	},
	time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Where a program takes the time from. Clones show the same time.
///
/// ```
/// use gridproof_support::Clock;
/// use std::time::Duration;
/// let (clock, hands) = Clock::manual(1_000);
/// hands.advance(Duration::from_secs(2));
/// assert_eq!(clock.now_ms(), 3_000);
/// ```
#[derive(Clone, Default)]
pub struct Clock(Source);

#[derive(Clone, Default)]
enum Source {
	#[default]
	System,
	Manual(Shown),
}

/// What a manual clock shows.
#[derive(Clone)]
struct Shown {
	/// UTC milliseconds.
	wall: Arc<AtomicU64>,
	/// Milliseconds that have passed.
	steady: Arc<AtomicU64>,
}

/// Sets the time that a manual [`Clock`] shows.
#[derive(Clone)]
pub struct Hands(Shown);

impl Clock {
	/// Returns the clock of the operating system.
	pub const fn system() -> Self {
		Self(Source::System)
	}

	/// Returns a clock that stands at `now_ms`, in milliseconds since the Unix epoch, until its
	/// hands are moved.
	pub fn manual(now_ms: u64) -> (Self, Hands) {
		let wall = Arc::new(AtomicU64::new(now_ms));
		let shown = Shown { wall, steady: Arc::default() };
		(Self(Source::Manual(shown.clone())), Hands(shown))
	}

	/// Returns the time, in milliseconds since the Unix epoch (UTC).
	pub fn now_ms(&self) -> u64 {
		match &self.0 {
			Source::System => now_ms(),
			Source::Manual(shown) => shown.wall.load(Ordering::SeqCst),
		}
	}

	/// Returns the milliseconds that have passed since some moment of this program's life. They grow
	/// evenly, also when somebody sets the clock: measure with them how long something lasts.
	pub fn steady_ms(&self) -> u64 {
		match &self.0 {
			Source::System => {
				static BEGIN: OnceLock<Instant> = OnceLock::new();
				millis(BEGIN.get_or_init(Instant::now).elapsed())
			},
			Source::Manual(shown) => shown.steady.load(Ordering::SeqCst),
		}
	}
}

impl fmt::Debug for Clock {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		match &self.0 {
			Source::System => f.write_str("Clock(system)"),
			Source::Manual(shown) => write!(f, "Clock({})", shown.wall.load(Ordering::SeqCst)),
		}
	}
}

impl Hands {
	/// Sets the time to `now_ms`, in milliseconds since the Unix epoch; backwards too. No time passes
	/// by that: [`Clock::steady_ms`] stays.
	pub fn set(&self, now_ms: u64) {
		self.0.wall.store(now_ms, Ordering::SeqCst);
	}

	/// Lets `step` pass.
	pub fn advance(&self, step: Duration) {
		self.0.wall.fetch_add(millis(step), Ordering::SeqCst);
		self.0.steady.fetch_add(millis(step), Ordering::SeqCst);
	}
}

/// Returns the operating system's time, in milliseconds since the Unix epoch (UTC); 0 before it.
pub fn now_ms() -> u64 {
	SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

/// Returns a duration in whole milliseconds.
pub fn millis(duration: Duration) -> u64 {
	clamped(duration.as_millis())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_manual_clock_shows_what_its_hands_were_set_to() {
		let (clock, hands) = Clock::manual(5);
		let other = clock.clone();
		hands.advance(Duration::from_millis(7));
		assert_eq!((clock.now_ms(), other.now_ms()), (12, 12));
		hands.set(1);
		assert_eq!(other.now_ms(), 1);
	}

	#[test]
	fn what_has_passed_does_not_change_when_the_clock_is_set() {
		let (clock, hands) = Clock::manual(5);
		hands.advance(Duration::from_millis(7));
		hands.set(1_000_000);
		hands.advance(Duration::from_millis(1));
		assert_eq!((clock.steady_ms(), clock.now_ms()), (8, 1_000_001));
		let system = Clock::system();
		let before = system.steady_ms();
		std::thread::sleep(Duration::from_millis(3));
		assert!(system.steady_ms() >= before + 3);
	}

	#[test]
	fn the_system_clock_is_after_2024() {
		assert!(Clock::system().now_ms() > 1_704_067_200_000);
	}
}
