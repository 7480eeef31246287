//! The daily run: every day is loaded, then attested, once, whatever happens in between.
//!
//! The state on disk says which days are done. After a stop of any kind the next run continues with
//! the days that are missing. A step that fails is tried again with growing pauses; one that cannot
//! succeed any more is given up and reported. The steps themselves are those of a [`Pipeline`].

use super::{
	error::{DaemonError, StepError},
	logs::Logs,
	metrics::DailyMetrics,
	state::{DaemonState, OpenDay},
	timetable::Timetable,
};
use gridproof_primitives::time::day::Day;
use gridproof_support::{Backoff, clock::millis};
use std::{
	fs::{self, File, TryLockError},
	path::PathBuf,
	time::Duration,
};

/// Longest pause between two attempts at a step.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// The steps of a day.
#[allow(async_fn_in_trait)]
pub trait Pipeline {
	/// Gets the day's data. Must be safe to repeat.
	async fn load(&mut self, day: Day) -> Result<String, StepError>;

	/// Plans, signs and submits the day's attestation. Must be safe to repeat.
	async fn attest(&mut self, day: Day) -> Result<String, StepError>;
}

/// How the daily run behaves.
#[derive(Clone, Debug)]
pub struct DaemonSettings {
	/// Folder of state, lock and logs.
	pub folder: PathBuf,
	/// First day to do if there is no state yet; the last one due if `None`.
	pub from: Option<Day>,
	/// Last day to do, if there is one.
	pub until: Option<Day>,
	/// Number of missed days that are caught up; older ones are given up.
	pub max_catch_up: u32,
	/// Pause after the first failure of a step; it doubles up to an hour.
	pub pause: Duration,
	/// Number of attempts at a step before its day is given up.
	pub attempts: u32,
}

/// A daily run; no other program makes one in the same folder at the same time.
pub struct Daemon {
	settings: DaemonSettings,
	state: DaemonState,
	logs: Logs,
	metrics: DailyMetrics,
	/// Locked as long as this lives; the system releases it however the process ends.
	_lock: File,
}

impl Daemon {
	/// Takes the lock and reads the state. `now` is in UTC milliseconds.
	///
	/// # Errors
	/// [`DaemonError`].
	pub fn open(
		settings: DaemonSettings,
		metrics: DailyMetrics,
		now: u64,
	) -> Result<Self, DaemonError> {
		fs::create_dir_all(&settings.folder).map_err(DaemonError::io(&settings.folder))?;
		let path = settings.folder.join("daemon.lock");
		let lock = File::create(&path).map_err(DaemonError::io(&path))?;
		match lock.try_lock() {
			Ok(()) => (),
			Err(TryLockError::WouldBlock) => {
				return Err(DaemonError::Busy(settings.folder.display().to_string()));
			},
			Err(TryLockError::Error(reason)) => return Err(DaemonError::io(&path)(reason)),
		}
		let state = DaemonState::load(&settings.folder, now)?;
		let logs = Logs::new(&settings.folder);
		metrics.show(&state);
		Ok(Self { settings, state, logs, metrics, _lock: lock })
	}

	/// Returns what has been done so far.
	pub const fn state(&self) -> &DaemonState {
		&self.state
	}

	/// Returns `true` if there is a last day, and every day up to it is done, open or given up.
	pub fn is_over(&self) -> bool {
		let through = self.state.through;
		self.settings.until.is_some_and(|until| through.is_some_and(|through| through >= until))
	}

	/// Does what is due at `now`, by `table`. Each step is on disk before the next begins.
	///
	/// # Errors
	/// [`DaemonError::Io`] if the state cannot be kept: then nothing more must be done.
	pub async fn tick(
		&mut self,
		pipeline: &mut impl Pipeline,
		table: &Timetable,
		now: impl Fn() -> u64,
	) -> Result<(), DaemonError> {
		self.open_days(table, now())?;
		let days: Vec<Day> = self.state.open.keys().copied().collect();
		for day in days {
			self.advance(pipeline, table, &now, day).await?;
		}
		Ok(())
	}

	/// Puts the days that have come due on the list.
	fn open_days(&mut self, table: &Timetable, now: u64) -> Result<(), DaemonError> {
		let Some(due) = table.load_through(now) else { return Ok(()) };
		let due = self.settings.until.map_or(due, |until| due.min(until));
		let first = match self.state.through {
			Some(through) => through.next(),
			None => Some(self.settings.from.unwrap_or(due)),
		};
		let mut next = first.filter(|first| *first <= due);
		while let Some(day) = next {
			if due.days_since(day) < self.settings.max_catch_up {
				self.state.open.insert(day, OpenDay::default());
			} else {
				let reason = "missed for too long to be caught up".to_string();
				self.logs.attest(day, &reason);
				self.state.give_up(day, reason);
			}
			self.state.through = Some(day);
			next = day.next().filter(|day| *day <= due);
		}
		self.keep()
	}

	/// Writes the state down, and shows it.
	fn keep(&self) -> Result<(), DaemonError> {
		self.metrics.show(&self.state);
		self.state.save(&self.settings.folder)
	}

	async fn advance(
		&mut self,
		pipeline: &mut impl Pipeline,
		table: &Timetable,
		now: &impl Fn() -> u64,
		day: Day,
	) -> Result<(), DaemonError> {
		let Some(open) = self.state.open.get(&day).cloned() else { return Ok(()) };
		if now() < open.not_before {
			return Ok(());
		}
		if !open.loaded {
			let outcome = pipeline.load(day).await;
			self.logs.load(day, &line("loaded", &outcome));
			let loaded = OpenDay { loaded: true, ..OpenDay::default() };
			self.settle(day, outcome, Some(loaded), now())?;
		}
		let is_loaded = self.state.open.get(&day).is_some_and(|open| open.loaded);
		if is_loaded && table.attest_through(now()).is_some_and(|through| day <= through) {
			let outcome = pipeline.attest(day).await;
			self.logs.attest(day, &line("attested", &outcome));
			self.settle(day, outcome, None, now())?;
		}
		Ok(())
	}

	/// Writes down what became of a step; `next` is the day's state after success.
	fn settle(
		&mut self,
		day: Day,
		outcome: Result<String, StepError>,
		next: Option<OpenDay>,
		now: u64,
	) -> Result<(), DaemonError> {
		match (outcome, next) {
			(Ok(_), Some(next)) => {
				self.state.open.insert(day, next);
			},
			(Ok(_), None) => {
				self.state.open.remove(&day);
				self.state.attested = self.state.attested.saturating_add(1);
			},
			(Err(error), _) => {
				self.metrics.failed();
				let open = self.state.open.entry(day).or_default();
				open.attempts = open.attempts.saturating_add(1);
				if error.permanent || open.attempts >= self.settings.attempts.max(1) {
					self.state.give_up(day, error.reason);
				} else {
					let backoff = Backoff::new(self.settings.pause, LONGEST_PAUSE).without_jitter();
					let pause = millis(backoff.pause_after(open.attempts));
					open.not_before = now.saturating_add(pause);
					open.last_failure = Some(error.reason);
				}
			},
		}
		self.keep()
	}
}

fn line(done: &str, outcome: &Result<String, StepError>) -> String {
	match outcome {
		Ok(message) => format!("{done}: {message}"),
		Err(StepError { permanent: true, reason }) => format!("failed for good: {reason}"),
		Err(StepError { permanent: false, reason }) => format!("failed: {reason}"),
	}
}

#[cfg(test)]
mod tests;
