//! The loop of the daily run.

use super::{
	daemon::Daemon, error::DaemonError, pipeline::DayPipeline, schedule::Schedule,
	state::DaemonState,
};
use gridproof_primitives::time::day::Day;
use gridproof_support::{Clock, Stop};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// Shortest wait between two looks at what is due.
const SHORTEST_WAIT: Duration = Duration::from_millis(200);

/// What a run has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DailyReport {
	/// Number of days attested by this run.
	pub attested: u64,
	/// Days that are due and not done yet.
	pub open: Vec<Day>,
	/// Days that this run has given up, each with its reason.
	pub given_up: BTreeMap<Day, String>,
	/// Whether the run was stopped from outside.
	#[serde(skip)]
	pub stopped: bool,
}

impl DailyReport {
	fn new(before: &DaemonState, now: &DaemonState, stopped: bool) -> Self {
		let news = now.given_up.iter().filter(|given| !before.given_up.contains(given));
		Self {
			attested: now.attested.saturating_sub(before.attested),
			open: now.open.keys().copied().collect(),
			given_up: news.map(|given| (given.day, given.reason.clone())).collect(),
			stopped,
		}
	}

	/// Returns `true` if nothing that was due is left undone, or the run was stopped from outside.
	pub fn is_complete(&self) -> bool {
		self.stopped || (self.open.is_empty() && self.given_up.is_empty())
	}
}

/// Does what is due, day after day, until the last day is done or the program is to end. With
/// `once`, does what is due now, retries included, and ends.
///
/// # Errors
/// [`DaemonError::Io`] if the state cannot be kept.
pub async fn run_daily(
	daemon: &mut Daemon,
	pipeline: &mut DayPipeline,
	schedule: &Schedule,
	once: bool,
	clock: &Clock,
	stop: &Stop,
) -> Result<DailyReport, DaemonError> {
	let before = daemon.state().clone();
	let done = stop.unless_stopped(work(daemon, pipeline, schedule, once, clock)).await;
	let stopped = done.is_none();
	done.transpose()?;
	Ok(DailyReport::new(&before, daemon.state(), stopped))
}

async fn work(
	daemon: &mut Daemon,
	pipeline: &mut DayPipeline,
	schedule: &Schedule,
	once: bool,
	clock: &Clock,
) -> Result<(), DaemonError> {
	let started_at = daemon.state().started_at;
	loop {
		let table = schedule.timetable(started_at, pipeline.link()).await;
		daemon.tick(pipeline, &table, || clock.now_ms()).await?;
		let open = &daemon.state().open;
		if (once || daemon.is_over()) && open.is_empty() {
			return Ok(());
		}
		let due = open.values().map(|open| open.not_before.saturating_sub(clock.now_ms())).min();
		let retry = Duration::from_millis(due.unwrap_or(u64::MAX));
		tokio::time::sleep(table.beat().min(retry).max(SHORTEST_WAIT)).await;
	}
}
