use super::*;
use crate::daily::state::GivenUp;
use gridproof_primitives::time::calendar::Calendar;
use std::{cell::Cell, collections::BTreeMap, path::Path, rc::Rc};

fn day(number: u32) -> Day {
	Day::from_days(20_000 + number).unwrap()
}

fn table() -> Timetable {
	Timetable::Every(Calendar { first_day: day(0), starts_at: 0, day_length: 60_000 })
}

fn settings(folder: &Path) -> DaemonSettings {
	DaemonSettings {
		folder: folder.to_path_buf(),
		from: Some(day(0)),
		until: None,
		max_catch_up: 30,
		pause: Duration::from_secs(10),
		attempts: 3,
	}
}

fn open(settings: DaemonSettings, now: u64) -> Result<Daemon, DaemonError> {
	Daemon::open(settings, DailyMetrics::new().unwrap(), now)
}

/// Records what is done, and fails where a test says so.
#[derive(Default)]
struct Steps {
	done: Vec<(&'static str, Day)>,
	failures: BTreeMap<(&'static str, Day), Vec<StepError>>,
}

impl Steps {
	fn step(&mut self, name: &'static str, day: Day) -> Result<String, StepError> {
		if let Some(failures) = self.failures.get_mut(&(name, day))
			&& !failures.is_empty()
		{
			return Err(failures.remove(0));
		}
		self.done.push((name, day));
		Ok("done".to_string())
	}
}

impl Pipeline for Steps {
	async fn load(&mut self, day: Day) -> Result<String, StepError> {
		self.step("load", day)
	}

	async fn attest(&mut self, day: Day) -> Result<String, StepError> {
		self.step("attest", day)
	}
}

async fn tick(daemon: &mut Daemon, steps: &mut Steps, now: u64) {
	daemon.tick(steps, &table(), || now).await.unwrap();
}

#[tokio::test]
async fn every_day_is_done_once_and_in_order() {
	let folder = tempfile::tempdir().unwrap();
	let mut steps = Steps::default();
	let mut daemon = open(settings(folder.path()), 0).unwrap();
	for now in [0, 59_999, 60_000, 60_001, 120_000, 125_000] {
		tick(&mut daemon, &mut steps, now).await;
	}
	let wanted = [("load", day(0)), ("attest", day(0)), ("load", day(1)), ("attest", day(1))];
	assert_eq!(steps.done, wanted);
	assert_eq!((daemon.state().attested, daemon.state().open.len()), (2, 0));
}

#[tokio::test]
async fn missed_days_are_caught_up_by_the_next_run() {
	let folder = tempfile::tempdir().unwrap();
	let mut steps = Steps::default();
	let mut daemon = open(settings(folder.path()), 0).unwrap();
	tick(&mut daemon, &mut steps, 60_000).await;
	drop(daemon);
	let mut daemon = open(settings(folder.path()), 300_000).unwrap();
	assert_eq!(daemon.state().started_at, 0, "the state is the first run's");
	tick(&mut daemon, &mut steps, 300_000).await;
	let attested: Vec<Day> =
		steps.done.iter().filter(|(step, _)| *step == "attest").map(|(_, day)| *day).collect();
	assert_eq!(attested, (0..5).map(day).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_first_run_without_a_first_day_does_the_last_one() {
	let folder = tempfile::tempdir().unwrap();
	let mut steps = Steps::default();
	let settings = DaemonSettings { from: None, ..settings(folder.path()) };
	let mut daemon = open(settings, 0).unwrap();
	tick(&mut daemon, &mut steps, 300_000).await;
	assert_eq!(steps.done, [("load", day(4)), ("attest", day(4))]);
}

#[tokio::test]
async fn days_missed_for_too_long_are_given_up_and_said_so() {
	let folder = tempfile::tempdir().unwrap();
	let mut steps = Steps::default();
	let settings = DaemonSettings { max_catch_up: 2, ..settings(folder.path()) };
	let mut daemon = open(settings, 0).unwrap();
	tick(&mut daemon, &mut steps, 240_000).await;
	let given_up: Vec<Day> = daemon.state().given_up.iter().map(|given| given.day).collect();
	assert_eq!(given_up, [day(0), day(1)]);
	assert_eq!(daemon.state().attested, 2);
	let log = fs::read_to_string(folder.path().join("attest.log")).unwrap();
	assert!(log.contains(&format!("{} missed for too long", day(0))), "{log}");
}

#[tokio::test]
async fn a_failed_step_is_tried_again_after_growing_pauses() {
	let folder = tempfile::tempdir().unwrap();
	let mut steps = Steps::default();
	let failures = vec![StepError::temporary("no answer"), StepError::temporary("again")];
	steps.failures.insert(("attest", day(0)), failures);
	let mut daemon = open(settings(folder.path()), 0).unwrap();
	tick(&mut daemon, &mut steps, 60_000).await;
	assert_eq!(daemon.state().open[&day(0)].not_before, 70_000);
	tick(&mut daemon, &mut steps, 69_999).await;
	assert_eq!(daemon.state().open[&day(0)].attempts, 1, "not before its time");
	tick(&mut daemon, &mut steps, 70_000).await;
	assert_eq!(daemon.state().open[&day(0)].not_before, 90_000);
	assert_eq!(daemon.state().open[&day(0)].last_failure.as_deref(), Some("again"));
	tick(&mut daemon, &mut steps, 90_000).await;
	assert_eq!(steps.done, [("load", day(0)), ("attest", day(0))], "the data is loaded once");
}

#[tokio::test]
async fn one_day_that_fails_does_not_hold_up_the_next() {
	let folder = tempfile::tempdir().unwrap();
	let mut steps = Steps::default();
	let no_data = StepError::temporary("no data");
	steps.failures.insert(("load", day(0)), vec![no_data.clone(), no_data.clone(), no_data]);
	steps.failures.insert(("attest", day(1)), vec![StepError::permanent("AncientDay")]);
	let mut daemon = open(settings(folder.path()), 0).unwrap();
	for now in [180_000, 200_000, 300_000] {
		daemon.settings.until = Some(day(2));
		tick(&mut daemon, &mut steps, now).await;
	}
	assert!(steps.done.contains(&("attest", day(2))));
	let given_up = &daemon.state().given_up;
	assert_eq!(given_up[0], GivenUp { day: day(1), reason: "AncientDay".to_string() });
	assert_eq!(given_up[1], GivenUp { day: day(0), reason: "no data".to_string() });
	let log = fs::read_to_string(folder.path().join("load.log")).unwrap();
	assert_eq!(log.lines().filter(|line| line.contains("failed: no data")).count(), 3, "{log}");
	let log = fs::read_to_string(folder.path().join("attest.log")).unwrap();
	assert!(log.contains("failed for good: AncientDay"), "{log}");
}

#[tokio::test]
async fn a_step_that_takes_long_is_timed_at_its_end() {
	let folder = tempfile::tempdir().unwrap();
	let mut steps = Steps::default();
	steps.failures.insert(("load", day(0)), vec![StepError::temporary("slow")]);
	let mut daemon = open(settings(folder.path()), 0).unwrap();
	let time = Rc::new(Cell::new(60_000u64));
	let now = || {
		time.set(time.get() + 1_000);
		time.get()
	};
	daemon.tick(&mut steps, &table(), now).await.unwrap();
	assert!(daemon.state().open[&day(0)].not_before > 70_000);
}

#[test]
fn two_runs_at_the_same_time_are_refused() {
	let folder = tempfile::tempdir().unwrap();
	let first = open(settings(folder.path()), 0).unwrap();
	let second = open(settings(folder.path()), 0).err().unwrap();
	assert!(matches!(second, DaemonError::Busy(_)), "{second}");
	drop(first);
	open(settings(folder.path()), 0).unwrap();
}

#[test]
fn a_foreign_state_is_not_overwritten() {
	let folder = tempfile::tempdir().unwrap();
	for text in ["", "{}", "{\"version\":2}", "half a st"] {
		fs::write(folder.path().join("state.json"), text).unwrap();
		let fault = open(settings(folder.path()), 0).err().unwrap();
		assert!(matches!(fault, DaemonError::BadState(_)), "{fault}");
		assert_eq!(fs::read_to_string(folder.path().join("state.json")).unwrap(), text);
	}
}
