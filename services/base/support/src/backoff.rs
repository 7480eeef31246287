//! Pauses between attempts that double, with jitter, up to a limit.

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder, Retryable};
use std::{fmt, time::Duration};

/// How long to wait between attempts: the first pause, then twice as long each time, up to a
/// longest one.
///
/// With jitter, which is the default, each pause is shortened by a random part of up to one half,
/// so that many programs that lost the same server do not come back at the same instant.
///
/// ```
/// use gridproof_support::Backoff;
/// use std::time::Duration;
/// let policy = Backoff::new(Duration::from_secs(1), Duration::from_secs(5)).without_jitter();
/// let pauses: Vec<u64> = policy.attempts(6).pauses().map(|pause| pause.as_secs()).collect();
/// assert_eq!(pauses, [1, 2, 4, 5, 5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
	first: Duration,
	longest: Duration,
	/// Attempts in all, the first included; `None`: as many as it takes.
	attempts: Option<u32>,
	jitter: bool,
}

impl Backoff {
	/// Returns a policy without a limit of attempts.
	pub const fn new(first: Duration, longest: Duration) -> Self {
		Self { first, longest, attempts: None, jitter: true }
	}

	/// Makes at most so many attempts, the first included.
	pub const fn attempts(mut self, attempts: u32) -> Self {
		self.attempts = Some(attempts);
		self
	}

	/// Makes every pause exactly as long as the policy says.
	pub const fn without_jitter(mut self) -> Self {
		self.jitter = false;
		self
	}

	/// Returns the pauses in order, for a loop that keeps state between attempts. They end after
	/// the last attempt, if there is one.
	pub fn pauses(&self) -> Pauses {
		Pauses { policy: *self, inner: self.builder().build() }
	}

	/// Returns the pause after `tries` vain attempts, for a count that is kept in a database: no
	/// pause after none.
	pub fn pause_after(&self, tries: u32) -> Duration {
		let Some(doublings) = tries.checked_sub(1) else { return Duration::ZERO };
		let factor = 2u32.saturating_pow(doublings);
		let pause = self.first.saturating_mul(factor).min(self.longest);
		let one = Self { first: pause, longest: pause, attempts: None, ..*self };
		one.pauses().next().unwrap_or(pause)
	}

	fn builder(&self) -> ExponentialBuilder {
		// The library adds a random part of up to the whole pause: half the pause and its jitter
		// stay within the pause.
		let part = if self.jitter { 2 } else { 1 };
		let builder = ExponentialBuilder::new()
			.with_min_delay(self.first.min(self.longest) / part)
			.with_max_delay(self.longest / part);
		let builder = if self.jitter { builder.with_jitter() } else { builder };
		match self.attempts {
			Some(attempts) => {
				let retries = attempts.saturating_sub(1);
				builder.with_max_times(usize::try_from(retries).unwrap_or(usize::MAX))
			},
			None => builder.without_max_times(),
		}
	}
}

/// The pauses of a [`Backoff`] in order.
#[derive(Debug)]
pub struct Pauses {
	policy: Backoff,
	inner: ExponentialBackoff,
}

impl Pauses {
	/// Begins again with the first pause, after an attempt that succeeded.
	pub fn reset(&mut self) {
		self.inner = self.policy.builder().build();
	}

	/// Returns the next pause of a policy without a limit of attempts; the longest one otherwise.
	pub fn next_pause(&mut self) -> Duration {
		self.inner.next().unwrap_or(self.policy.longest)
	}
}

impl Iterator for Pauses {
	type Item = Duration;

	fn next(&mut self) -> Option<Duration> {
		self.inner.next()
	}
}

/// Runs `operation` until it succeeds, fails for good, or the policy has no more attempts. Each
/// failure that will be tried again is logged.
///
/// # Errors
/// What the last attempt returned.
pub async fn retry<R, E, F>(
	policy: &Backoff,
	is_temporary: impl FnMut(&E) -> bool,
	operation: impl FnMut() -> F,
) -> Result<R, E>
where
	E: fmt::Display,
	F: Future<Output = Result<R, E>>,
{
	operation
		.retry(policy.builder())
		.when(is_temporary)
		.notify(|error: &E, pause| tracing::warn!(%error, ?pause, "trying again"))
		.await
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::cell::Cell;

	const POLICY: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(60));

	#[test]
	fn pauses_double_up_to_the_longest() {
		let exact = POLICY.without_jitter();
		let seconds: Vec<u64> = exact.pauses().take(8).map(|pause| pause.as_secs()).collect();
		assert_eq!(seconds, [2, 4, 8, 16, 32, 60, 60, 60]);
		let counted: Vec<u64> = (0..8).map(|tries| exact.pause_after(tries).as_secs()).collect();
		assert_eq!(counted, [0, 2, 4, 8, 16, 32, 60, 60]);
		assert_eq!(exact.pause_after(u32::MAX), Duration::from_secs(60));
	}

	#[test]
	fn jitter_shortens_a_pause_by_half_at_most() {
		let exact = POLICY.without_jitter();
		for _ in 0..50 {
			for (tries, pause) in (1..).zip(POLICY.pauses().take(8)) {
				let full = exact.pause_after(tries);
				assert!(pause <= full && pause >= full / 2, "{pause:?} of {full:?}");
			}
			let counted = POLICY.pause_after(9);
			assert!((Duration::from_secs(30)..=Duration::from_secs(60)).contains(&counted));
		}
	}

	#[test]
	fn pauses_begin_again_after_a_success() {
		let mut pauses = POLICY.without_jitter().pauses();
		assert_eq!(pauses.next_pause().as_secs(), 2);
		assert_eq!(pauses.next_pause().as_secs(), 4);
		pauses.reset();
		assert_eq!(pauses.next_pause().as_secs(), 2);
	}

	#[test]
	fn a_policy_of_three_attempts_has_two_pauses() {
		assert_eq!(POLICY.attempts(3).pauses().count(), 2);
		assert_eq!(POLICY.attempts(1).pauses().count(), 0);
		assert_eq!(POLICY.attempts(0).pauses().count(), 0);
	}

	async fn tried(failures: u32, temporary: bool) -> (Result<u32, String>, u32) {
		let calls = Cell::new(0);
		let millisecond = Duration::from_millis(1);
		let policy = Backoff::new(millisecond, 4 * millisecond).attempts(4);
		let operation = || {
			calls.set(calls.get() + 1);
			let call = calls.get();
			async move { if call > failures { Ok(call) } else { Err(format!("{call} failed")) } }
		};
		let done = retry(&policy, |_| temporary, operation).await;
		(done, calls.get())
	}

	#[tokio::test]
	async fn a_temporary_failure_is_tried_again_until_the_attempts_are_used_up() {
		assert_eq!(tried(0, true).await, (Ok(1), 1));
		assert_eq!(tried(3, true).await, (Ok(4), 4));
		assert_eq!(tried(9, true).await, (Err("4 failed".to_string()), 4));
	}

	#[tokio::test]
	async fn a_final_failure_is_not_tried_again() {
		assert_eq!(tried(9, false).await, (Err("1 failed".to_string()), 1));
	}
}
