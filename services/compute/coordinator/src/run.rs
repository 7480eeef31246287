//! The loops of a coordinator: each continues from what the database says, and is watched.

use crate::{
	channels::{batches, demands, follow, plans},
	coordinator::Coordinator,
	error::RequestError,
	escrow, models, payout, retention, settle,
	timekeeper::Verdict,
	work,
};
use futures::{FutureExt, future::BoxFuture};
use gridproof_http::{Ended, Part, supervise};
use std::{sync::Arc, time::Duration};

/// Name of the loop that compares the clock with the chain's.
const CLOCK: &str = "clock";
/// How often the clock is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// Longest time from one turn of a loop to the next that only asks the database.
const LONGEST: Duration = Duration::from_secs(120);
/// The same of loops that wait for the chain: a transaction is followed for a minute and a half, and
/// sent again.
const LONGEST_ON_CHAIN: Duration = Duration::from_secs(600);

/// A loop of a coordinator's.
type Work = fn(Arc<Coordinator>) -> BoxFuture<'static, ()>;

impl Coordinator {
	/// Works until the future is dropped, or until a part of the work ends, which none should; returns
	/// which: gives out jobs, watches leases and deadlines, opens the front's jobs, settles receipts,
	/// lets jobs go that will have none, has what was earned paid out, deletes what is kept long enough, and watches the clock.
	pub fn run(self: &Arc<Self>) -> BoxFuture<'_, Ended> {
		Box::pin(async move {
			let part = |name, longest, work: Work| Part { name, longest, work: work(self.clone()) };
			let mut parts = vec![
				part(work::NAME, LONGEST, |c| async move { work::dispatch(&c).await }.boxed()),
				part(escrow::OPENING, LONGEST_ON_CHAIN, |c| {
					async move { escrow::open_jobs(&c).await }.boxed()
				}),
				part(settle::NAME, LONGEST_ON_CHAIN, |c| {
					async move { settle::settle(&c).await }.boxed()
				}),
				part(escrow::RELEASE, LONGEST_ON_CHAIN, |c| {
					async move { escrow::release(&c).await }.boxed()
				}),
				part(retention::NAME, LONGEST_ON_CHAIN, |c| {
					async move { retention::retain(&c).await }.boxed()
				}),
				part(batches::NAME, LONGEST_ON_CHAIN, |c| {
					async move { batches::settle(&c).await }.boxed()
				}),
				part(demands::NAME, LONGEST_ON_CHAIN, |c| {
					async move { demands::answer(&c).await }.boxed()
				}),
				part(follow::NAME, LONGEST_ON_CHAIN, |c| {
					async move { follow::follow(&c).await }.boxed()
				}),
				part(models::NAME, LONGEST_ON_CHAIN, |c| {
					async move { models::follow(&c).await }.boxed()
				}),
				part(plans::NAME, LONGEST_ON_CHAIN, |c| {
					async move { plans::end(&c).await }.boxed()
				}),
				part(CLOCK, LONGEST_ON_CHAIN, |c| async move { watch_clock(&c).await }.boxed()),
			];
			if let Some(every) = payout::every(self) {
				let coordinator = self.clone();
				parts.push(Part {
					name: payout::NAME,
					longest: LONGEST_ON_CHAIN.saturating_add(every),
					work: async move { payout::collect(&coordinator, every).await }.boxed(),
				});
			}
			supervise(&self.loops, parts).await
		})
	}

	/// Asks the chain for the time if the clock has jumped.
	pub(crate) async fn check_clock(&self) -> Result<(), RequestError> {
		if !self.time.has_jumped() {
			return Ok(());
		}
		match self.time.compare(self.ledger.time().await?) {
			Verdict::Right => tracing::warn!("the clock was set, and is right by the chain's time"),
			Verdict::Wrong(away_ms) => {
				let seconds = away_ms / 1_000;
				tracing::error!(
					seconds,
					"the clock was set, and is away from the chain's time: set it"
				);
			},
		}
		Ok(())
	}
}

/// Watches the clock until the future is dropped.
async fn watch_clock(coordinator: &Coordinator) {
	loop {
		if let Err(error) = coordinator.check_clock().await {
			tracing::warn!(%error, "the clock was set; the chain is asked later whether it is right");
		}
		coordinator.loops.turn(CLOCK);
		tokio::time::sleep(LOOK).await;
	}
}
