//! What the coordinator has earned of the emission, paid out to its account.

use crate::coordinator::Coordinator;
use gridproof_chain::ChainError;
use gridproof_support::Backoff;
use std::time::Duration;

/// Name of the loop.
pub(crate) const NAME: &str = "payout";

/// Pauses after a look that failed.
const RETRY: Backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(300));

/// How often what was earned is paid out; `None` if the settings leave that to others.
pub(crate) fn every(coordinator: &Coordinator) -> Option<Duration> {
	let seconds = coordinator.settings.payout_seconds;
	(seconds > 0).then(|| Duration::from_secs(seconds))
}

/// Has what was earned paid out, until the future is dropped.
pub(crate) async fn collect(coordinator: &Coordinator, every: Duration) {
	let mut pauses = RETRY.pauses();
	loop {
		let pause = match coordinator.collect_once().await {
			Ok(_) => {
				pauses.reset();
				every
			},
			Err(error) => {
				let pause = pauses.next_pause();
				tracing::warn!(event = "payout_waits", %error, ?pause, "what was earned is not paid yet");
				pause
			},
		};
		coordinator.loops.turn(NAME);
		tokio::time::sleep(pause).await;
	}
}

impl Coordinator {
	/// Has paid out what is due; returns it, in units of 10⁻¹⁸ AIT.
	pub(crate) async fn collect_once(&self) -> Result<u128, ChainError> {
		let amount = self.ledger.collect(self.public()).await?;
		if amount > 0 {
			self.metrics.payouts.inc();
			tracing::info!(event = "paid_out", amount, "what was earned is paid, in 10⁻¹⁸ AIT");
		}
		Ok(amount)
	}
}
