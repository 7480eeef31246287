//! The loops of a verifier.

use crate::verifier::{NotDone, Verifier};
use gridproof_support::{Backoff, Stop, supervision};
use std::{future::Future, sync::Arc, time::Duration};

/// Pauses after the node or the database has failed.
const RETRY: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
/// Pause between two looks at the chain.
const LOOK: Duration = Duration::from_secs(6);
/// Longest time from one turn of a loop to the next: a long pass, and transactions that are followed.
const LONGEST: Duration = Duration::from_secs(900);
/// Names of the loops.
const CHECKS: &str = "checks";
const DUTIES: &str = "duties";
/// For how long what was decided is kept, in milliseconds: 30 days, more than the chain remembers.
const KEPT_MS: u64 = 30 * 86_400_000;

impl Verifier {
	/// Checks until the program stops. What is being done then is done again at the next start.
	pub async fn run(self: &Arc<Self>, stop: &Stop) {
		let watched = self.clone();
		tokio::spawn(supervision::report(stop.clone(), move || watched.unwell()));
		let checks = self.turns(CHECKS, async || self.check_batches().await);
		let duties = self.turns(DUTIES, async || {
			self.say_again().await?;
			self.do_duties().await?;
			self.state.forget(self.now().saturating_sub(KEPT_MS)).await?;
			Ok(())
		});
		tokio::select! {
			() = checks => (),
			() = duties => (),
			() = stop.stopped() => (),
		}
	}

	async fn turns<F>(&self, name: &'static str, work: impl Fn() -> F)
	where
		F: Future<Output = Result<(), NotDone>>,
	{
		self.loops.begins(name, LONGEST);
		let mut pauses = RETRY.pauses();
		loop {
			self.loops.turn(name);
			let pause = match work().await {
				Ok(()) => {
					pauses.reset();
					LOOK
				},
				Err(error) => {
					let pause = pauses.next_pause();
					tracing::warn!(%error, ?pause, loop_name = name, "it has to wait");
					pause
				},
			};
			tokio::time::sleep(pause).await;
		}
	}

	/// Does everything that can be done now, once: what the loops of [`Verifier::run`] do again and again.
	///
	/// # Errors
	/// Why not all of it could be done.
	pub async fn turn(&self) -> Result<(), String> {
		let done = async {
			self.say_again().await?;
			self.check_batches().await?;
			self.do_duties().await
		};
		done.await.map_err(|error| error.to_string())
	}
}
