//! As many readings as a gateway can take: for benches.
//!
//! Every reading covers one second of the past, so that none overlaps another and none is in the
//! future, however fast they come.

use crate::{error::SimulationError, fleet::Fleet, plan::Plan};
use futures::future::BoxFuture;
use gridproof_device::{LinkError, SharedDevice};
use gridproof_support::clock::now_ms;
use serde::Serialize;
use std::{
	sync::{
		Arc,
		atomic::{AtomicU64, Ordering},
	},
	time::Duration,
};
use tokio::{task::JoinSet, time::Instant};

/// How often a sender looks at the clock.
const TICK: Duration = Duration::from_millis(50);
/// How long the broker may take to confirm the last readings.
const LAST_WORD: Duration = Duration::from_secs(60);
/// Length of a reading's interval, in milliseconds.
const INTERVAL_MS: u64 = 1_000;

/// Figures of a bench.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchReport {
	/// Number of meters.
	pub meters: usize,
	/// Number of connections to the broker.
	pub connections: usize,
	/// Readings per second that were asked for.
	pub rate: u64,
	/// Number of readings published.
	pub published: u64,
	/// Number of readings and answers that the broker has confirmed.
	pub confirmed: u64,
	/// Time until the last reading was published, in seconds.
	pub publish_seconds: f64,
	/// Time until the last reading was confirmed, in seconds.
	pub confirm_seconds: f64,
	/// Confirmed readings per second.
	pub confirmed_per_second: f64,
	/// Number of batches signed meanwhile.
	pub signed: u64,
	/// Number of batches refused meanwhile.
	pub refused: u64,
}

/// Publishes `rate` readings a second, spread over all meters, for `time`; then waits until the
/// broker has confirmed them.
///
/// # Errors
/// [`SimulationError::Link`] if a device cannot continue.
pub fn bench(
	fleet: Fleet,
	rate: u64,
	time: Duration,
) -> BoxFuture<'static, Result<BenchReport, SimulationError>> {
	Box::pin(async move {
		let meters = fleet.meters().max(1) as u64;
		let readings = rate * time.as_secs();
		// The last reading of every meter ends a minute ago.
		let per_meter = readings.div_ceil(meters) + 1;
		let start_ms = (now_ms() / INTERVAL_MS).saturating_sub(per_meter + 60) * INTERVAL_MS;
		let begun = Instant::now();
		let fleet = Arc::new(fleet);
		let mut senders = JoinSet::new();
		for group in 0..fleet.connections() {
			let fleet = fleet.clone();
			senders.spawn(async move { send(&fleet, group, start_ms, rate, meters, time).await });
		}
		while let Some(sent) = senders.join_next().await {
			sent.map_err(|_| LinkError::Closed)??;
		}
		let publish_seconds = begun.elapsed().as_secs_f64();
		fleet.settle(LAST_WORD).await;
		let confirm_seconds = begun.elapsed().as_secs_f64();
		let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
		let confirmed = count(&fleet.counters.confirmed);
		Ok(BenchReport {
			meters: fleet.meters(),
			connections: fleet.connections(),
			rate,
			published: count(&fleet.counters.published),
			confirmed,
			publish_seconds,
			confirm_seconds,
			confirmed_per_second: confirmed as f64 / confirm_seconds.max(0.001),
			signed: count(&fleet.counters.signed),
			refused: count(&fleet.counters.refused),
		})
	})
}

/// The share of one connection: each of its meters in turn, as fast as its share of the rate.
async fn send(
	fleet: &Fleet,
	group: usize,
	start_ms: u64,
	rate: u64,
	meters: u64,
	time: Duration,
) -> Result<(), LinkError> {
	let Some((link, members)) = fleet.groups.get(group) else { return Ok(()) };
	let own = members.len() as u64;
	let mut next: Vec<(&SharedDevice, &Plan, u64)> = members
		.iter()
		.map(|member| {
			let last_end_ms =
				member.device.lock().last_end_ms().div_ceil(INTERVAL_MS) * INTERVAL_MS;
			(&member.device, &member.plan, start_ms.max(last_end_ms))
		})
		.collect();
	let begun = Instant::now();
	let mut sent = 0u64;
	loop {
		let elapsed = begun.elapsed().min(time);
		let due = (elapsed.as_secs_f64() * rate as f64 * own as f64 / meters as f64) as u64;
		while sent < due {
			let place = usize::try_from(sent % own).unwrap_or(0);
			let Some((device, plan, start_ms)) = next.get_mut(place) else { break };
			let end_ms = *start_ms + INTERVAL_MS;
			link.publish(device, &[plan.reading(*start_ms, end_ms)]).await?;
			*start_ms = end_ms;
			sent += 1;
		}
		if elapsed >= time {
			return Ok(());
		}
		tokio::time::sleep(TICK).await;
	}
}
