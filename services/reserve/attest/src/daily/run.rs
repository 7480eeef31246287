//! The loop of the daily run.

use super::{
	daemon::Daemon,
	error::DaemonError,
	pipeline::DayPipeline,
	schedule::Schedule,
	state::DaemonState,
	time::{BoundClock, Time},
};
use futures::future::LocalBoxFuture;
use gridproof_primitives::time::day::Day;
use gridproof_support::{Clock, Stop, supervision};
use serde::Serialize;
use std::{
	collections::BTreeMap,
	time::{Duration, Instant},
};

/// Shortest wait between two looks at what is due.
const SHORTEST_WAIT: Duration = Duration::from_millis(200);

/// How long a run that is to end asks for the chain's time, and the pause between two questions.
const WAITS_FOR_TIME: Duration = Duration::from_secs(20);
const ASKS_AGAIN: Duration = Duration::from_secs(1);

/// What a run has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DailyReport {
	/// Number of days attested by this run.
	pub attested: u64,
	/// Days that are due and not done yet.
	pub open: Vec<Day>,
	/// Days that are given up, each with its reason: by this run, and by earlier ones as long as the
	/// day can still be taken up.
	pub given_up: BTreeMap<Day, String>,
	/// Days that were attested without some of their zones.
	pub partial: Vec<Day>,
	/// Whether the run was stopped from outside.
	#[serde(skip)]
	pub stopped: bool,
}

impl DailyReport {
	fn new(before: &DaemonState, daemon: &Daemon, stopped: bool) -> Self {
		let now = daemon.state();
		let news = now
			.given_up
			.iter()
			.filter(|given| !before.given_up.contains(given) || daemon.can_be_taken_up(given.day));
		Self {
			attested: now.attested.saturating_sub(before.attested),
			open: now.open.keys().copied().collect(),
			given_up: news.map(|given| (given.day, given.reason.clone())).collect(),
			partial: now.partial.keys().copied().collect(),
			stopped,
		}
	}

	/// Returns `true` if nothing that was due is left undone, or the run was stopped from outside.
	pub fn is_complete(&self) -> bool {
		self.stopped || (self.open.is_empty() && self.given_up.is_empty())
	}
}

/// Does what is due, day after day, until the last day is done or the program is to end. With
/// `once`, does what is due now, and ends when it is done or has been tried as often as it is to be;
/// what is not done by then stays open for the next run.
///
/// # Errors
/// [`DaemonError::Io`] if the state cannot be kept; [`DaemonError::Jump`], [`DaemonError::Ahead`] if
/// the time cannot be believed; with `once`, [`DaemonError::NoTime`] if the node does not say it within 20 s.
pub fn run_daily<'a>(
	daemon: &'a mut Daemon,
	pipeline: &'a mut DayPipeline,
	schedule: &'a Schedule,
	once: bool,
	clock: &'a Clock,
	stop: &'a Stop,
) -> LocalBoxFuture<'a, Result<DailyReport, DaemonError>> {
	Box::pin(async move {
		let before = daemon.state().clone();
		tokio::spawn(supervision::report(stop.clone(), || None));
		let done = stop.unless_stopped(work(daemon, pipeline, schedule, once, clock)).await;
		let stopped = done.is_none();
		done.transpose()?;
		Ok(DailyReport::new(&before, daemon, stopped))
	})
}

async fn work(
	daemon: &mut Daemon,
	pipeline: &mut DayPipeline,
	schedule: &Schedule,
	once: bool,
	clock: &Clock,
) -> Result<(), DaemonError> {
	let started_at = daemon.state().started_at;
	let mut time = BoundClock::new(clock);
	let mut without_time: Option<Instant> = None;
	loop {
		let table = schedule.timetable(started_at, pipeline.link()).await;
		time.ask(&table, pipeline.link(), daemon.metrics()).await;
		daemon.tick(pipeline, &table, &time).await?;
		without_time = match time.believed() {
			Some(_) => None,
			None => without_time.or_else(|| Some(Instant::now())),
		};
		if once && without_time.is_some_and(|since| since.elapsed() >= WAITS_FOR_TIME) {
			return Err(DaemonError::NoTime);
		}
		let state = daemon.state();
		let is_done = state.open.is_empty() || (once && daemon.is_tried_out());
		if (once && is_done && time.believed().is_some())
			|| (daemon.is_over() && state.open.is_empty())
		{
			return Ok(());
		}
		let due = state.open.values().map(|open| open.not_before.saturating_sub(clock.now_ms()));
		let retry = Duration::from_millis(due.min().unwrap_or(u64::MAX));
		let beat = if once && without_time.is_some() { ASKS_AGAIN } else { table.beat() };
		tokio::time::sleep(beat.min(retry).max(SHORTEST_WAIT)).await;
	}
}
