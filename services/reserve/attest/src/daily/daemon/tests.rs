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
		wait: Duration::ZERO,
		revise_for: Duration::ZERO,
		accept_clock: false,
		take_up: Vec::new(),
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
	/// Days of which zones are missing.
	late: Vec<Day>,
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
	async fn load(&mut self, day: Day, is_last_call: bool) -> Result<Loaded, StepError> {
		let is_partial = self.late.contains(&day);
		if is_partial && !is_last_call {
			return Err(StepError::temporary("zones are missing"));
		}
		let message = self.step("load", day)?;
		Ok(Loaded { message, figures: format!("figures of {day}"), is_partial })
	}

	async fn attest(&mut self, day: Day, figures: Option<&str>) -> Result<String, StepError> {
		assert_eq!(figures, Some(&*format!("figures of {day}")));
		self.step("attest", day)
	}

	async fn revise(&mut self, day: Day) -> Result<Revision, StepError> {
		if self.late.contains(&day) {
			return Ok(Revision::Nothing);
		}
		self.step("revise", day).map(Revision::Complete)
	}
}

async fn tick(daemon: &mut Daemon, steps: &mut Steps, now: u64) {
	daemon.tick(steps, &table(), &|| now).await.unwrap();
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
	steps.failures.insert(("load", day(0)), vec![no_data.clone(); 50]);
	steps.failures.insert(("attest", day(1)), vec![StepError::permanent("AncientDay")]);
	let mut daemon = open(settings(folder.path()), 0).unwrap();
	for now in [180_000, 200_000, 300_000] {
		daemon.settings.until = Some(day(2));
		tick(&mut daemon, &mut steps, now).await;
	}
	assert!(steps.done.contains(&("attest", day(2))));
	let given_up = &daemon.state().given_up;
	assert_eq!(*given_up, [GivenUp { day: day(1), reason: "AncientDay".to_string() }]);
	let log = fs::read_to_string(folder.path().join("load.log")).unwrap();
	assert_eq!(log.lines().filter(|line| line.contains("failed: no data")).count(), 3, "{log}");
	let log = fs::read_to_string(folder.path().join("attest.log")).unwrap();
	assert!(log.contains("failed permanently: AncientDay"), "{log}");
}

#[tokio::test]
async fn a_day_is_tried_as_long_as_the_chain_takes_it_and_then_given_up() {
	let folder = tempfile::tempdir().unwrap();
	let mut steps = Steps::default();
	let away = StepError::temporary("planned maintenance");
	steps.failures.insert(("load", day(0)), vec![away.clone(); 40]);
	let short = || DaemonSettings { max_catch_up: 10, ..settings(folder.path()) };
	let mut daemon = open(short(), 0).unwrap();
	for attempt in 0..40 {
		tick(&mut daemon, &mut steps, 60_000 + attempt * 4_000_000 / 400).await;
	}
	assert!(daemon.state().given_up.is_empty(), "not after any number of attempts");
	let mut steps = Steps::default();
	steps.failures.insert(("load", day(0)), vec![away.clone(); 40]);
	tick(&mut daemon, &mut steps, 11 * 60_000).await;
	let reason = &daemon.state().given_up[0].reason;
	assert!(reason.contains("planned maintenance"), "the last reason is named: {reason}");
	assert!(daemon.can_be_taken_up(day(2)) && !daemon.can_be_taken_up(day(0)));
	// An operator takes it up once more.
	drop(daemon);
	let again =
		DaemonSettings { take_up: vec![day(0)], max_catch_up: 100, ..settings(folder.path()) };
	let mut daemon = open(again, 0).unwrap();
	let mut steps = Steps::default();
	tick(&mut daemon, &mut steps, 11 * 60_000).await;
	assert!(steps.done.contains(&("attest", day(0))));
	assert!(daemon.state().given_up.is_empty());
}

#[tokio::test]
async fn a_run_that_is_to_end_leaves_a_day_to_the_next_one() {
	let folder = tempfile::tempdir().unwrap();
	let mut steps = Steps::default();
	steps.failures.insert(("load", day(0)), vec![StepError::temporary("away"); 3]);
	let settings = || DaemonSettings { pause: Duration::ZERO, ..settings(folder.path()) };
	let mut daemon = open(settings(), 0).unwrap();
	for _ in 0..3 {
		assert!(!daemon.state().open.contains_key(&day(0)) || !daemon.is_tried_out());
		tick(&mut daemon, &mut steps, 60_000).await;
	}
	assert!(daemon.is_tried_out());
	drop(daemon);
	let mut daemon = open(settings(), 60_000).unwrap();
	assert!(!daemon.is_tried_out(), "each run has its own attempts");
	tick(&mut daemon, &mut steps, 60_000).await;
	assert_eq!(steps.done, [("load", day(0)), ("attest", day(0))]);
}

#[tokio::test]
async fn zones_that_are_late_are_waited_for_and_the_day_is_revised_when_they_come() {
	let folder = tempfile::tempdir().unwrap();
	let mut steps = Steps { late: vec![day(0)], ..Steps::default() };
	let settings = DaemonSettings {
		wait: Duration::from_secs(50),
		revise_for: Duration::from_secs(7_200),
		until: Some(day(0)),
		..settings(folder.path())
	};
	let mut daemon = open(settings, 0).unwrap();
	for now in [60_000, 70_000, 90_000] {
		tick(&mut daemon, &mut steps, now).await;
		assert!(steps.done.is_empty(), "not yet at {now}");
	}
	assert_eq!(daemon.state().open[&day(0)].not_before, 110_000, "no pause passes the deadline");
	tick(&mut daemon, &mut steps, 110_000).await;
	assert_eq!(steps.done, [("load", day(0)), ("attest", day(0))], "made of what there is");
	let look = daemon.state().partial[&day(0)].not_before;
	tick(&mut daemon, &mut steps, look).await;
	assert_eq!(daemon.state().partial[&day(0)].not_before, look + 3_600_000);
	steps.late.clear();
	tick(&mut daemon, &mut steps, look + 3_600_000).await;
	assert_eq!(steps.done.last(), Some(&("revise", day(0))));
	assert!(daemon.state().partial.is_empty());
}

#[tokio::test]
async fn a_days_data_that_changed_after_it_was_loaded_is_loaded_again() {
	let folder = tempfile::tempdir().unwrap();
	let mut steps = Steps::default();
	steps.failures.insert(("attest", day(0)), vec![StepError::reload("altered")]);
	let mut daemon = open(settings(folder.path()), 0).unwrap();
	tick(&mut daemon, &mut steps, 60_000).await;
	tick(&mut daemon, &mut steps, 70_000).await;
	assert_eq!(steps.done, [("load", day(0)), ("load", day(0)), ("attest", day(0))]);
}

#[tokio::test]
async fn a_rival_statement_is_an_alarm_and_no_success() {
	let folder = tempfile::tempdir().unwrap();
	let mut steps = Steps::default();
	steps.failures.insert(("attest", day(0)), vec![StepError::rival("the chain holds another")]);
	let metrics = DailyMetrics::new().unwrap();
	let mut daemon = Daemon::open(settings(folder.path()), metrics.clone(), 0).unwrap();
	tick(&mut daemon, &mut steps, 60_000).await;
	assert_eq!(daemon.state().attested, 0);
	assert_eq!(daemon.state().given_up[0].reason, "the chain holds another");
	let page = metrics.all().render();
	assert!(page.contains("rival_statements_total 1"), "{page}");
}

/// The days of UTC, at midnight.
fn daily() -> Timetable {
	let midnight = chrono::NaiveTime::MIN;
	Timetable::Daily { zone: chrono_tz::Tz::UTC, load_at: midnight, attest_at: midnight }
}

const DAY: u64 = 86_400_000;

#[tokio::test]
async fn a_clock_that_jumps_opens_no_day_and_loses_none() {
	let folder = tempfile::tempdir().unwrap();
	let mut steps = Steps::default();
	let settings = || DaemonSettings { from: None, ..settings(folder.path()) };
	let mut daemon = open(settings(), 0).unwrap();
	let (today, in_2030) = (20_001 * DAY, 21_916 * DAY);
	daemon.tick(&mut steps, &daily(), &|| today).await.unwrap();
	assert_eq!(daemon.state().through, Some(day(0)));
	let before = daemon.state().clone();
	let error = daemon.tick(&mut steps, &daily(), &|| in_2030).await.unwrap_err();
	assert!(matches!(error, DaemonError::Jump { .. }), "{error}");
	assert_eq!(*daemon.state(), before, "nothing was opened or given up");
	daemon.tick(&mut steps, &daily(), &|| today + DAY).await.unwrap();
	assert_eq!(steps.done.last(), Some(&("attest", day(1))));
	// With consent it was a long absence.
	drop(daemon);
	let consent = DaemonSettings { accept_clock: true, ..settings() };
	let mut daemon = open(consent, 0).unwrap();
	daemon.tick(&mut steps, &daily(), &|| today + 40 * DAY).await.unwrap();
	assert_eq!(daemon.state().through, Some(day(40)));
	assert_eq!(daemon.state().given_up.len(), 9);
}

#[tokio::test]
async fn a_state_that_a_wrong_clock_has_moved_ahead_is_said_and_mended_on_demand() {
	let folder = tempfile::tempdir().unwrap();
	let mut steps = Steps::default();
	let settings = || DaemonSettings { from: None, ..settings(folder.path()) };
	let mut daemon = open(settings(), 0).unwrap();
	let (today, in_2030) = (20_001 * DAY, 21_916 * DAY);
	daemon.tick(&mut steps, &daily(), &|| in_2030).await.unwrap();
	let error = daemon.tick(&mut steps, &daily(), &|| today).await.unwrap_err();
	assert!(matches!(error, DaemonError::Ahead { .. }), "{error}");
	drop(daemon);
	let mut daemon = open(DaemonSettings { accept_clock: true, ..settings() }, 0).unwrap();
	daemon.tick(&mut steps, &daily(), &|| today).await.unwrap();
	assert_eq!(steps.done.last(), Some(&("attest", day(0))));
	assert_eq!(daemon.state().through, Some(day(0)));
}

#[tokio::test]
async fn without_a_time_that_is_believed_no_day_comes_due_and_nothing_is_stated() {
	struct Nobody;
	impl Time for Nobody {
		fn now(&self) -> u64 {
			60_000
		}

		fn believed(&self) -> Option<u64> {
			None
		}
	}
	let folder = tempfile::tempdir().unwrap();
	let mut steps = Steps { late: vec![day(0)], ..Steps::default() };
	let mut daemon = open(settings(folder.path()), 0).unwrap();
	daemon.tick(&mut steps, &table(), &Nobody).await.unwrap();
	assert!(daemon.state().open.is_empty());
	tick(&mut daemon, &mut steps, 60_000).await;
	daemon.tick(&mut steps, &table(), &Nobody).await.unwrap();
	assert_eq!(steps.done, [("load", day(0)), ("attest", day(0))]);
}

#[test]
fn a_pause_that_a_wrong_clock_wrote_ends() {
	assert!(is_before(1_000, 2_000) && !is_before(2_000, 2_000));
	assert!(!is_before(1_000, 21_916 * DAY), "of 2030");
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
	daemon.tick(&mut steps, &table(), &now).await.unwrap();
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
