//! Simulated time: it starts at a moment in the past and runs at some speed until it has caught up
//! with real time. No reading ever ends in the future.

use crate::{
	error::SimulationError,
	fleet::{Fleet, Member},
};
use futures::{TryStreamExt, future::BoxFuture, stream::FuturesUnordered};
use gridproof_device::Link;
use gridproof_primitives::energy::Registers;
use gridproof_support::clock::now_ms;
use serde::Serialize;
use std::{
	sync::atomic::{AtomicU64, Ordering},
	time::Duration,
};
use tokio::time::Instant;

/// How simulated time runs.
#[derive(Clone, Copy, Debug)]
pub struct Course {
	/// Begin, UTC milliseconds; a device that has readings continues after them.
	pub start_ms: u64,
	/// Speed relative to real time, until it has caught up.
	pub speed: f64,
	/// Length of a reading's interval, in milliseconds: a quarter hour, or a part of it.
	pub interval_ms: u64,
	/// End.
	pub end: End,
}

/// When a simulation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
	/// Only when the program is stopped.
	Never,
	/// After this much real time.
	After(Duration),
	/// When simulated time has caught up with real time.
	CaughtUp,
	/// When, in addition, every reading is signed.
	Signed,
}

/// Figures of a simulation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SimulationSummary {
	/// Number of meters.
	pub meters: usize,
	/// Number of connections to the broker.
	pub connections: usize,
	/// Number of messages published, repeated ones and answers too.
	pub published: u64,
	/// Number of messages that the broker has confirmed.
	pub confirmed: u64,
	/// Number of batches signed.
	pub signed: u64,
	/// Number of batches refused.
	pub refused: u64,
	/// Number of readings that are not signed.
	pub unsigned: usize,
	/// Sum of all import registers, in Wh.
	pub import_wh: u64,
	/// Sum of all export registers, in Wh.
	pub export_wh: u64,
}

impl Fleet {
	/// Returns what has been done so far.
	pub fn summary(&self) -> SimulationSummary {
		let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
		let Registers { import_wh, export_wh } = self.registers();
		SimulationSummary {
			meters: self.meters(),
			connections: self.connections(),
			published: count(&self.counters.published),
			confirmed: count(&self.counters.confirmed),
			signed: count(&self.counters.signed),
			refused: count(&self.counters.refused),
			unsigned: self.unsigned(),
			import_wh,
			export_wh,
		}
	}

	/// Lets simulated time run.
	///
	/// # Errors
	/// [`SimulationError::Link`] if a device cannot continue.
	pub fn run<'a>(&'a self, course: &'a Course) -> BoxFuture<'a, Result<(), SimulationError>> {
		Box::pin(async move {
			let begun = Instant::now();
			let deadline = match course.end {
				End::After(time) => Some(begun + time),
				_ => None,
			};
			let mut running: FuturesUnordered<_> =
				self.groups.iter().map(|group| run_group(group, course, begun)).collect();
			let all = async {
				while let Some(()) = running.try_next().await? {}
				Ok::<_, SimulationError>(())
			};
			match deadline {
				Some(deadline) => tokio::time::timeout_at(deadline, all).await.unwrap_or(Ok(()))?,
				None => all.await?,
			}
			if course.end == End::Signed {
				while self.unsigned() > 0 {
					tokio::time::sleep(Duration::from_millis(200)).await;
				}
			}
			Ok(())
		})
	}
}

async fn run_group(
	(link, members): &(Link, Vec<Member>),
	course: &Course,
	begun: Instant,
) -> Result<(), SimulationError> {
	let first = |member: &Member| {
		let earliest = course.start_ms.max(member.device.lock().last_end_ms());
		earliest.div_ceil(course.interval_ms) * course.interval_ms
	};
	let mut next: Vec<u64> = members.iter().map(first).collect();
	loop {
		let Some(start_ms) = next.iter().copied().min() else { return Ok(()) };
		let end_ms = start_ms + course.interval_ms;
		// Neither faster than the course runs, nor into the future.
		let simulated = begun.elapsed().as_secs_f64() * course.speed * 1_000.0;
		let reached = course.start_ms.saturating_add(simulated as u64);
		let now_ms = now_ms();
		if end_ms > now_ms && matches!(course.end, End::CaughtUp | End::Signed) {
			return Ok(());
		}
		if end_ms > reached.min(now_ms) {
			let until_now = end_ms.saturating_sub(now_ms);
			let until_reached = end_ms.saturating_sub(reached) as f64 / course.speed;
			let pause = (until_now as f64).max(until_reached).clamp(1.0, 1_000.0);
			tokio::time::sleep(Duration::from_secs_f64(pause / 1_000.0)).await;
			continue;
		}
		for (member, next) in members.iter().zip(&mut next) {
			if *next == start_ms {
				let reading = member.plan.reading(start_ms, end_ms);
				link.publish(&member.device, &[reading]).await?;
				*next = end_ms;
			}
		}
	}
}
