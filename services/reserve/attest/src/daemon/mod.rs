//! The daily run: every day is loaded, then attested, once; whatever happens in between.
//!
//! The state on disk says which days are done. After a stop of any kind the next run goes on with
//! the days that are missing. A step that fails is tried again with growing pauses; one that
//! cannot succeed any more is given up and reported. What the steps do is the caller's: see
//! [`Pipeline`].

mod clock;
mod logs;
mod state;

pub use clock::Clock;
pub use logs::Logs;
pub use state::{GivenUp, OpenDay, State};

use gridproof_primitives::day::Day;
use std::{
	fs::{self, File, TryLockError},
	io,
	path::{Path, PathBuf},
	time::Duration,
};

/// What is done with a day.
#[allow(async_fn_in_trait)]
pub trait Pipeline {
	/// Gets the day's data. Must be safe to repeat.
	async fn load(&mut self, day: Day) -> Result<String, StepFailure>;

	/// Plans, signs and submits the day's attestation. Must be safe to repeat.
	async fn attest(&mut self, day: Day) -> Result<String, StepFailure>;
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct StepFailure {
	/// Can it never succeed, whatever time passes?
	pub permanent: bool,
	/// What happened.
	pub reason: String,
}

impl StepFailure {
	/// A failure that another attempt may not meet.
	pub fn temporary(reason: impl ToString) -> Self {
		Self { permanent: false, reason: reason.to_string() }
	}

	/// A failure that every attempt will meet.
	pub fn permanent(reason: impl ToString) -> Self {
		Self { permanent: true, reason: reason.to_string() }
	}
}

/// How the daily run behaves.
#[derive(Clone, Debug)]
pub struct Settings {
	/// Folder of state, lock and logs.
	pub folder: PathBuf,
	/// The first day to do if there is no state yet; else the last one due.
	pub from: Option<Day>,
	/// The last day to do, if there is one.
	pub until: Option<Day>,
	/// Most days that are caught up; older ones are given up.
	pub max_catch_up: u32,
	/// Pause after a first failure; it doubles up to an hour.
	pub pause: Duration,
	/// Attempts at a step before its day is given up.
	pub attempts: u32,
}

/// Why there is no daily run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonFault {
	/// Another run is active.
	#[error("another run is active in {0}; stop it first, or choose another --state folder")]
	Busy(String),
	/// The file system refuses.
	#[error("{path}: {reason}")]
	Io {
		/// Which file.
		path: String,
		/// Why.
		reason: io::Error,
	},
	/// The state is none of ours.
	#[error("{0} is no state of this program; move it away to start anew")]
	BadState(String),
}

fn io_fault(path: &Path) -> impl FnOnce(io::Error) -> DaemonFault + '_ {
	|reason| DaemonFault::Io { path: path.display().to_string(), reason }
}

/// A daily run that nobody else makes at the same time.
pub struct Daemon {
	settings: Settings,
	state: State,
	logs: Logs,
	/// Locked as long as this lives; the system releases it however the process ends.
	_lock: File,
}

impl Daemon {
	/// Takes the lock and reads the state. `now` is in UTC milliseconds.
	///
	/// # Errors
	/// [`DaemonFault`].
	pub fn open(settings: Settings, now: u64) -> Result<Self, DaemonFault> {
		fs::create_dir_all(&settings.folder).map_err(io_fault(&settings.folder))?;
		let path = settings.folder.join("daemon.lock");
		let lock = File::create(&path).map_err(io_fault(&path))?;
		match lock.try_lock() {
			Ok(()) => (),
			Err(TryLockError::WouldBlock) => {
				return Err(DaemonFault::Busy(settings.folder.display().to_string()));
			},
			Err(TryLockError::Error(reason)) => return Err(io_fault(&path)(reason)),
		}
		let state = State::load(&settings.folder, now)?;
		let logs = Logs::new(&settings.folder);
		Ok(Self { settings, state, logs, _lock: lock })
	}

	/// What has been done so far.
	pub const fn state(&self) -> &State {
		&self.state
	}

	/// Does what is due at `now`, by `clock`. Each step is on disk before the next begins.
	///
	/// # Errors
	/// [`DaemonFault::Io`] if the state cannot be kept: then nothing more must be done.
	pub async fn tick(
		&mut self,
		pipeline: &mut impl Pipeline,
		clock: &Clock,
		now: impl Fn() -> u64,
	) -> Result<(), DaemonFault> {
		self.open_days(clock, now())?;
		let days: Vec<Day> = self.state.open.keys().copied().collect();
		for day in days {
			self.advance(pipeline, clock, &now, day).await?;
		}
		Ok(())
	}

	/// Puts the days that have come due on the list.
	fn open_days(&mut self, clock: &Clock, now: u64) -> Result<(), DaemonFault> {
		let Some(due) = clock.load_through(now) else { return Ok(()) };
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
		self.state.save(&self.settings.folder)
	}

	async fn advance(
		&mut self,
		pipeline: &mut impl Pipeline,
		clock: &Clock,
		now: &impl Fn() -> u64,
		day: Day,
	) -> Result<(), DaemonFault> {
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
		if is_loaded && clock.attest_through(now()).is_some_and(|through| day <= through) {
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
		outcome: Result<String, StepFailure>,
		next: Option<OpenDay>,
		now: u64,
	) -> Result<(), DaemonFault> {
		match (outcome, next) {
			(Ok(_), Some(next)) => {
				self.state.open.insert(day, next);
			},
			(Ok(_), None) => {
				self.state.open.remove(&day);
				self.state.attested = self.state.attested.saturating_add(1);
			},
			(Err(failure), _) => {
				let open = self.state.open.entry(day).or_default();
				open.attempts = open.attempts.saturating_add(1);
				if failure.permanent || open.attempts >= self.settings.attempts.max(1) {
					self.state.give_up(day, failure.reason);
				} else {
					let doubled = 2u32.saturating_pow(open.attempts.saturating_sub(1).min(16));
					let pause = self.settings.pause.saturating_mul(doubled);
					let pause = pause.min(Duration::from_secs(3600)).as_millis();
					open.not_before = now.saturating_add(u64::try_from(pause).unwrap_or(u64::MAX));
					open.last_failure = Some(failure.reason);
				}
			},
		}
		self.state.save(&self.settings.folder)
	}
}

fn line(done: &str, outcome: &Result<String, StepFailure>) -> String {
	match outcome {
		Ok(message) => format!("{done}: {message}"),
		Err(StepFailure { permanent: true, reason }) => format!("failed for good: {reason}"),
		Err(StepFailure { permanent: false, reason }) => format!("failed: {reason}"),
	}
}

#[cfg(test)]
mod tests;
