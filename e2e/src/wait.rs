//! Waits for a condition, with a deadline and a reason.

use anyhow::{Result, bail};
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(100);

/// Asks `probe` every 100 ms until it answers `Some`.
///
/// An error of `probe` ends the wait at once: a probe that may fail for a while has to say
/// `Ok(None)` itself.
///
/// # Errors
/// The probe's, or, after `limit`, a message with `what` was waited for.
pub async fn until<T>(
	what: &str,
	limit: Duration,
	mut probe: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
	let start = Instant::now();
	loop {
		if let Some(value) = probe().await? {
			return Ok(value);
		}
		if start.elapsed() > limit {
			bail!("waited {} s in vain: {what}", limit.as_secs());
		}
		tokio::time::sleep(PAUSE).await;
	}
}
