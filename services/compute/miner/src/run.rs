//! The loops of a miner.

use crate::{chain, demands, error::MinerError, link::Link, miner::Miner};
use futures::future::{BoxFuture, join_all};
use gridproof_compute_api::MinerClient;
use gridproof_support::{Stop, supervision};
use std::{
	convert::Infallible,
	sync::{Arc, atomic::Ordering},
	time::Duration,
};

/// How long a stop waits, after the grace, for jobs to be given back.
const LAST_WORDS: Duration = Duration::from_secs(15);

impl Miner {
	/// Works until [`Miner::stop`], and then until what it holds is done, or the grace is over.
	///
	/// # Errors
	/// [`MinerError::Client`] if a coordinator's address cannot be used.
	pub fn run(self: &Arc<Self>) -> BoxFuture<'_, Result<(), MinerError>> {
		Box::pin(async move {
			let clients = self.settings.coordinators.iter().map(|url| MinerClient::new(url));
			let links: Vec<Link> = clients
				.map(|client| client.map(|client| Link::new(self.clone(), client)))
				.collect::<Result<_, _>>()?;
			for link in &links {
				self.watch(link.loops.clone());
			}
			let working = join_all(links.iter().map(Link::run));
			tokio::select! {
				_ = working => (),
				() = chain::account_for(self) => (),
				() = demands::watch(self) => (),
				() = end(self) => (),
			}
			Ok(())
		})
	}

	/// Works until the program stops, and then as [`Miner::run`] after [`Miner::stop`].
	///
	/// # Errors
	/// As [`Miner::run`].
	pub fn run_until<'a>(
		self: &'a Arc<Self>,
		stop: &'a Stop,
	) -> BoxFuture<'a, Result<(), MinerError>> {
		Box::pin(async move {
			let watched = self.clone();
			tokio::spawn(supervision::report(stop.clone(), move || watched.standstill()));
			let stopping = async {
				stop.stopped().await;
				self.stop();
				std::future::pending::<Infallible>().await
			};
			tokio::select! {
				done = self.run() => done,
				never = stopping => match never {},
			}
		})
	}
}

/// Returns when the grace is over and there was a moment more to give back what was running.
async fn end(miner: &Miner) {
	miner.stopping().await;
	tokio::time::sleep(miner.settings.grace).await;
	for running in miner.running().values() {
		running.cancel.store(true, Ordering::Relaxed);
	}
	tokio::time::sleep(LAST_WORDS).await;
}
