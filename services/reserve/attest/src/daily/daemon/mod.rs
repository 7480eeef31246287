//! The daily run: every day is loaded, then attested, once, whatever happens in between.
//!
//! The state on disk says which days are done. After a stop of any kind the next run continues with
//! the days that are missing. A step that fails is tried again with growing pauses, as long as the
//! chain takes the day; one that cannot succeed any more is given up and reported. A day that lacks
//! zones is waited for, then stated with what is there, and revised when more comes. The steps
//! themselves are those of a [`Pipeline`].

use super::{
	error::{DaemonError, StepError, StepFault},
	logs::Logs,
	metrics::DailyMetrics,
	state::{DaemonState, OpenDay, PartialDay},
	time::Time,
	timetable::Timetable,
};
use gridproof_primitives::time::day::Day;
use gridproof_support::{Backoff, clock::millis};
use std::{
	fs::{self, File, TryLockError},
	path::PathBuf,
	time::Duration,
};

/// Longest pause between two attempts at a step, or two looks for data that came late.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// A day's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
	/// What was loaded, in words.
	pub message: String,
	/// The figures, which the day's file must still have when it is attested.
	pub figures: String,
	/// Whether zones are missing.
	pub is_partial: bool,
}

/// What came of a look for data that was late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
	/// There is no more than before.
	Nothing,
	/// The day was revised and still lacks zones.
	Partial(String),
	/// The day was revised and lacks nothing more.
	Complete(String),
}

/// The steps of a day.
#[allow(async_fn_in_trait)]
pub trait Pipeline {
	/// Gets the day's data. Must be safe to repeat. Until the last call, a day that lacks zones is
	/// an error; then it is made of what there is.
	async fn load(&mut self, day: Day, is_last_call: bool) -> Result<Loaded, StepError>;

	/// Plans, signs and submits the day's attestation from data with these figures. Must be safe to
	/// repeat.
	async fn attest(&mut self, day: Day, figures: Option<&str>) -> Result<String, StepError>;

	/// Looks for data of an attested day that was missing, and revises the day if there is some.
	async fn revise(&mut self, day: Day) -> Result<Revision, StepError>;
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
	/// Number of days for which a day is tried or caught up; older ones are given up.
	pub max_catch_up: u32,
	/// Pause after the first failure of a step; it doubles up to an hour.
	pub pause: Duration,
	/// Number of attempts at a step before a run that is to end leaves its day to the next one.
	pub attempts: u32,
	/// Time for which zones that are late are waited for.
	pub wait: Duration,
	/// Time after its attestation for which a day without some zones is revised.
	pub revise_for: Duration,
	/// Whether a jump of the time, or a state that is ahead of it, is in order.
	pub accept_clock: bool,
	/// Days that were given up and are to be taken up again.
	pub take_up: Vec<Day>,
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
		let mut state = DaemonState::load(&settings.folder, now)?;
		for day in &settings.take_up {
			state.take_up(*day);
		}
		// Each run has its own attempts.
		for open in state.open.values_mut() {
			open.attempts = 0;
		}
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

	/// Returns `true` if a day that was given up is young enough to be taken up again.
	pub(super) fn can_be_taken_up(&self, day: Day) -> bool {
		let through = self.state.through.unwrap_or(day);
		through.days_since(day) < self.settings.max_catch_up
	}

	/// Returns `true` if each day that is left has been tried as often as a run tries it.
	pub(super) fn is_tried_out(&self) -> bool {
		let limit = self.settings.attempts.max(1);
		self.state.open.values().all(|open| open.attempts >= limit)
	}

	/// Returns the figures of the run.
	pub(super) const fn metrics(&self) -> &DailyMetrics {
		&self.metrics
	}

	/// Does what is due at `time`, by `table`. Each step is on disk before the next begins.
	///
	/// # Errors
	/// [`DaemonError::Io`] if the state cannot be kept: then nothing more must be done;
	/// [`DaemonError::Jump`] and [`DaemonError::Ahead`] if the time cannot be believed: then nothing
	/// was done.
	pub async fn tick(
		&mut self,
		pipeline: &mut impl Pipeline,
		table: &Timetable,
		time: &impl Time,
	) -> Result<(), DaemonError> {
		if let Some(believed) = time.believed() {
			self.open_days(table, believed)?;
		}
		let days: Vec<Day> = self.state.open.keys().copied().collect();
		for day in days {
			self.advance(pipeline, table, time, day).await?;
		}
		let days: Vec<Day> = self.state.partial.keys().copied().collect();
		for day in days {
			self.revise(pipeline, time, day).await?;
		}
		Ok(())
	}

	/// Refuses a time that cannot be; goes back to it if that is in order.
	fn believe(&mut self, due: Day) -> Result<(), DaemonError> {
		let Some(through) = self.state.through else { return Ok(()) };
		let (ahead, jump) = (through.days_since(due), due.days_since(through));
		let catch_up = self.settings.max_catch_up;
		if !self.settings.accept_clock {
			return if ahead > 1 {
				// A time zone that was changed moves a day by one.
				Err(DaemonError::Ahead { through, due })
			} else if jump > catch_up {
				Err(DaemonError::Jump { through, due })
			} else {
				Ok(())
			};
		}
		if ahead > 1 {
			self.state.open.retain(|day, _| *day <= due);
			self.state.given_up.retain(|given| given.day <= due);
			// Which of the last days were done is not known any more; what the chain has is found
			// there.
			self.state.through = Day::from_days(due.days().saturating_sub(catch_up));
		}
		Ok(())
	}

	/// Puts the days that have come due on the list.
	fn open_days(&mut self, table: &Timetable, now: u64) -> Result<(), DaemonError> {
		let Some(today) = table.load_through(now) else { return Ok(()) };
		let due = self.settings.until.map_or(today, |until| today.min(until));
		if table.is_of_the_world() {
			self.believe(due)?;
		}
		let too_old = |day: &Day| today.days_since(*day) >= self.settings.max_catch_up;
		let too_old: Vec<Day> = self.state.open.keys().copied().filter(too_old).collect();
		for day in too_old {
			let last = self.state.open.get(&day).and_then(|open| open.last_failure.clone());
			let last = last.unwrap_or_else(|| "it was never its turn".to_string());
			let reason = format!("not done while the chain would take it; the last: {last}");
			self.logs.attest(day, &reason);
			self.state.give_up(day, reason);
		}
		let first = match self.state.through {
			Some(through) => through.next(),
			None => Some(self.settings.from.unwrap_or(due)),
		};
		let mut next = first.filter(|first| *first <= due);
		while let Some(day) = next {
			if due.days_since(day) < self.settings.max_catch_up {
				let open = OpenDay { opened_at: now, ..OpenDay::default() };
				self.state.open.insert(day, open);
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
		time: &impl Time,
		day: Day,
	) -> Result<(), DaemonError> {
		let Some(open) = self.state.open.get(&day).cloned() else { return Ok(()) };
		if is_before(time.now(), open.not_before) {
			return Ok(());
		}
		// Only a time that is believed ends the waiting for data.
		let deadline = open.opened_at.saturating_add(millis(self.settings.wait));
		if !open.loaded {
			let is_last_call = time.believed().is_some_and(|now| now >= deadline);
			let outcome = pipeline.load(day, is_last_call).await;
			let outcome = outcome.map(|loaded| {
				let Loaded { message, figures, is_partial } = loaded;
				let figures = Some(figures);
				let opened_at = open.opened_at;
				let loaded = true;
				(message, OpenDay { loaded, opened_at, figures, is_partial, ..OpenDay::default() })
			});
			let said = outcome.as_ref().map(|(message, _)| message.clone());
			self.logs.load(day, &line("loaded", &said.map_err(Clone::clone)));
			match outcome {
				Ok((_, next)) => drop(self.state.open.insert(day, next)),
				Err(error) => {
					self.failed(day, error, time.now());
					let left = time.believed().map(|now| deadline.saturating_sub(now));
					self.look_again_within(day, left.filter(|left| *left > 0), time.now());
				},
			}
			self.keep()?;
		}
		let Some(open) = self.state.open.get(&day).filter(|open| open.loaded).cloned() else {
			return Ok(());
		};
		let due = time.believed().and_then(|now| table.attest_through(now));
		if due.is_some_and(|through| day <= through) {
			let outcome = pipeline.attest(day, open.figures.as_deref()).await;
			self.logs.attest(day, &line("attested", &outcome));
			match outcome {
				Ok(_) => self.attested(day, open.is_partial, time.now()),
				Err(error) => self.failed(day, error, time.now()),
			}
			self.keep()?;
		}
		Ok(())
	}

	fn attested(&mut self, day: Day, is_partial: bool, now: u64) {
		self.state.open.remove(&day);
		self.state.attested = self.state.attested.saturating_add(1);
		if is_partial && !self.settings.revise_for.is_zero() {
			let not_before = now.saturating_add(millis(self.settings.pause));
			let until = now.saturating_add(millis(self.settings.revise_for));
			self.state.partial.insert(day, PartialDay { not_before, until });
		}
	}

	/// Looks for late data of an attested day, when it is time.
	async fn revise(
		&mut self,
		pipeline: &mut impl Pipeline,
		time: &impl Time,
		day: Day,
	) -> Result<(), DaemonError> {
		let Some(partial) = self.state.partial.get(&day).cloned() else { return Ok(()) };
		if is_before(time.now(), partial.not_before) {
			return Ok(());
		}
		let outcome = pipeline.revise(day).await;
		let next = PartialDay {
			not_before: time.now().saturating_add(millis(LONGEST_PAUSE)),
			until: partial.until,
		};
		let is_over = next.not_before > next.until;
		let (said, is_done) = match outcome {
			Ok(Revision::Nothing) if is_over => {
				(Some("zones are missing still; not looked for any more".to_string()), true)
			},
			Ok(Revision::Nothing) => (None, false),
			Ok(Revision::Partial(message)) => (Some(format!("revised: {message}")), is_over),
			Ok(Revision::Complete(message)) => (Some(format!("revised: {message}")), true),
			Err(error) => {
				self.metrics.failed();
				let is_final = error.kind.is_final();
				(Some(line("revised", &Err(error))), is_final || is_over)
			},
		};
		if let Some(said) = said {
			self.logs.attest(day, &said);
		}
		if is_done {
			self.state.partial.remove(&day);
		} else {
			self.state.partial.insert(day, next);
		}
		self.keep()
	}

	/// Writes down that a step failed: a day is given up only if no attempt can succeed any more.
	fn failed(&mut self, day: Day, error: StepError, now: u64) {
		self.metrics.failed();
		if error.kind == StepFault::Rival {
			self.metrics.rival();
			tracing::error!(
				event = "rival_statement", %day, reason = %error.reason,
				"the chain holds a statement of this day that did not come from here"
			);
		}
		if error.kind.is_final() {
			return self.state.give_up(day, error.reason);
		}
		let open = self.state.open.entry(day).or_default();
		if error.kind == StepFault::Reload {
			open.loaded = false;
		}
		open.attempts = open.attempts.saturating_add(1);
		let backoff = Backoff::new(self.settings.pause, LONGEST_PAUSE).without_jitter();
		open.not_before = now.saturating_add(millis(backoff.pause_after(open.attempts)));
		open.last_failure = Some(error.reason);
	}

	/// Brings the next attempt forward to a deadline that is `left` milliseconds away.
	fn look_again_within(&mut self, day: Day, left: Option<u64>, now: u64) {
		if let (Some(left), Some(open)) = (left, self.state.open.get_mut(&day)) {
			open.not_before = open.not_before.min(now.saturating_add(left));
		}
	}
}

/// Whether it is too early. A time further away than any pause was written by a wrong clock.
fn is_before(now: u64, not_before: u64) -> bool {
	let longest = millis(LONGEST_PAUSE).saturating_mul(2);
	now < not_before && not_before.saturating_sub(now) <= longest
}

fn line(done: &str, outcome: &Result<String, StepError>) -> String {
	match outcome {
		Ok(message) => format!("{done}: {message}"),
		Err(StepError { kind, reason }) if kind.is_final() => {
			format!("failed permanently: {reason}")
		},
		Err(StepError { reason, .. }) => format!("failed: {reason}"),
	}
}

#[cfg(test)]
mod tests;
