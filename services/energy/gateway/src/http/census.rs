//! How many of everything there are, as of a moment ago.

use gridproof_gateway_api::Counts;
use gridproof_store::StoreError;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How many times longer than a count takes it is good enough.
const REST: u32 = 20;

/// The last counts.
#[derive(Default)]
pub(crate) struct Census(Mutex<Option<Counted>>);

/// Counts, when they were made, and how long that took.
type Counted = (Counts, Instant, Duration);

impl Census {
	/// Returns the counts; `count` makes them. A caller who asks again and again takes at most a twentieth
	/// of the database's time, however much there is to count.
	///
	/// # Errors
	/// What `count` returns.
	pub(crate) async fn take<F>(&self, count: impl FnOnce() -> F) -> Result<Counts, StoreError>
	where
		F: Future<Output = Result<Counts, StoreError>>,
	{
		let mut last = self.0.lock().await;
		if let Some((counts, at, took)) = *last
			&& at.elapsed() < took.saturating_mul(REST)
		{
			return Ok(counts);
		}
		let begin = Instant::now();
		let counts = count().await?;
		*last = Some((counts, Instant::now(), begin.elapsed()));
		Ok(counts)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use futures::future::join_all;
	use std::sync::atomic::{AtomicU64, Ordering};

	#[tokio::test]
	async fn however_often_it_is_asked_the_database_counts_a_twentieth_of_the_time_at_most() {
		let (census, made) = (Census::default(), AtomicU64::new(0));
		let ask = || {
			census.take(|| async {
				tokio::time::sleep(Duration::from_millis(30)).await;
				let readings = made.fetch_add(1, Ordering::Relaxed) + 1;
				Ok(Counts { readings, ..Counts::default() })
			})
		};
		// A hundred who ask together, and continue to ask.
		for counts in join_all((0..100).map(|_| ask())).await {
			assert_eq!(counts.unwrap().readings, 1);
		}
		let begin = Instant::now();
		while begin.elapsed() < Duration::from_millis(1_500) {
			ask().await.unwrap();
			tokio::task::yield_now().await;
		}
		// 30 ms of each 630 ms.
		let made = made.load(Ordering::Relaxed);
		assert!((2..=4).contains(&made), "{made}");
	}

	#[tokio::test]
	async fn a_count_that_fails_is_made_again() {
		let census = Census::default();
		let failed = census.take(|| async { Err(StoreError::Closed) }).await;
		assert_eq!(failed, Err(StoreError::Closed));
		let counts = Counts { readings: 7, ..Counts::default() };
		assert_eq!(census.take(|| async { Ok(counts) }).await, Ok(counts));
	}
}
