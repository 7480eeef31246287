//! The loops of a verifier.

use crate::verifier::{NotDone, Verifier};
use futures::future::BoxFuture;
use gridproof_support::{Backoff, Stop, supervision};
use std::{sync::Arc, time::Duration};

/// Pauses after the node or the database has failed.
const RETRY: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
/// Pause between two looks at the chain.
const LOOK: Duration = Duration::from_secs(6);
/// Longest time from one turn of a loop to the next: a long pass, and transactions that are followed.
const LONGEST: Duration = Duration::from_secs(900);
/// Pause between two looks at what is over.
const LOOK_AT_ENDS: Duration = Duration::from_secs(30);
/// Names of the loops.
const CHECKS: &str = "checks";
const DUTIES: &str = "duties";
const ENDS: &str = "ends";
/// For how long what was decided is kept, in milliseconds: 30 days, more than the chain remembers.
const KEPT_MS: u64 = 30 * 86_400_000;

impl Verifier {
	/// Checks until the program stops. What is being done then is done again at the next start.
	pub fn run<'a>(self: &'a Arc<Self>, stop: &'a Stop) -> BoxFuture<'a, ()> {
		Box::pin(async move {
			let watched = self.clone();
			tokio::spawn(supervision::report(stop.clone(), move || watched.unwell()));
			let checks = self.turns(CHECKS, LOOK, || Box::pin(self.check_batches()));
			let duties = self.turns(DUTIES, LOOK, || Box::pin(self.say_and_do()));
			let ends = self.turns(ENDS, LOOK_AT_ENDS, || Box::pin(self.end_what_is_over()));
			tokio::select! {
				() = checks => (),
				() = duties => (),
				() = ends => (),
				() = stop.stopped() => (),
			}
		})
	}

	/// Sends what was said before, does what the others wait for, and forgets what is long over.
	async fn say_and_do(&self) -> Result<(), NotDone> {
		self.say_again().await?;
		self.do_duties().await?;
		Ok(self.state.forget(self.now().saturating_sub(KEPT_MS)).await?)
	}

	async fn turns<'a>(
		&self,
		name: &'static str,
		pause: Duration,
		work: impl Fn() -> BoxFuture<'a, Result<(), NotDone>>,
	) {
		self.loops.begins(name, LONGEST);
		let mut pauses = RETRY.pauses();
		loop {
			self.loops.turn(name);
			let pause = match work().await {
				Ok(()) => {
					pauses.reset();
					pause
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
	pub fn turn(&self) -> BoxFuture<'_, Result<(), String>> {
		Box::pin(async move {
			let done = async {
				self.say_again().await?;
				self.check_batches().await?;
				self.do_duties().await?;
				self.end_what_is_over().await
			};
			done.await.map_err(|error| error.to_string())
		})
	}
}
