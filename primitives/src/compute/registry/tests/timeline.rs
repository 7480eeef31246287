//! Terms over time.

use crate::compute::registry::*;
use proptest::prelude::*;

const OLD: ModelTerms = ModelTerms { factor: 1_000, engine: EngineClass::Exact };
const NEW: ModelTerms = ModelTerms { factor: 2_500, engine: EngineClass::Seeded };
const DELAY: u64 = 100;

fn announced(timeline: &mut Timeline, now: u64, change: TermsChange) -> Span {
	timeline.announce(now, now + DELAY, change).unwrap()
}

#[test]
fn a_model_counts_from_its_time_on_and_not_before() {
	let timeline = Timeline::new(50, OLD);
	assert_eq!(timeline.factor_at(49), None);
	assert_eq!(timeline.factor_at(50), Some(1_000));
	assert_eq!(timeline.factor_at(u64::MAX), Some(1_000));
}

#[test]
fn what_was_opened_before_a_change_counts_by_the_old_factor() {
	let mut timeline = Timeline::new(0, OLD);
	announced(&mut timeline, 10, TermsChange::Terms(NEW));
	for (time, factor) in [(0, 1_000), (10, 1_000), (109, 1_000), (110, 2_500), (999, 2_500)] {
		assert_eq!(timeline.factor_at(time), Some(factor), "{time}");
	}
	// Once it has taken effect, the same.
	announced(&mut timeline, 500, TermsChange::Retire);
	for (time, factor) in [(109, Some(1_000)), (110, Some(2_500)), (599, Some(2_500)), (600, None)]
	{
		assert_eq!(timeline.factor_at(time), factor, "{time}");
	}
}

#[test]
fn private_work_is_priced_by_the_factor_that_is_nearest() {
	let mut timeline = Timeline::new(50, OLD);
	assert_eq!(timeline.nearest_factor(0), Some(1_000), "it will count");
	announced(&mut timeline, 60, TermsChange::Terms(NEW));
	assert_eq!(
		[50, 159, 160].map(|time| timeline.nearest_factor(time)),
		[1_000, 1_000, 2_500].map(Some)
	);
	timeline.stop(200).unwrap();
	assert_eq!(timeline.nearest_factor(300), Some(2_500), "it counted last");
	announced(&mut timeline, 300, TermsChange::Retire);
	assert_eq!(timeline.nearest_factor(500), Some(2_500));
	let mut never = Timeline::new(50, OLD);
	never.stop(0).unwrap();
	assert_eq!(never.nearest_factor(60), None);
}

#[test]
fn one_change_is_announced_at_a_time_and_can_be_called_off() {
	let mut timeline = Timeline::new(0, OLD);
	let span = announced(&mut timeline, 10, TermsChange::Terms(NEW));
	assert_eq!(timeline.pending(10), Some(span));
	for change in [TermsChange::Terms(OLD), TermsChange::Resume, TermsChange::Retire] {
		assert_eq!(timeline.announce(109, 300, change), Err(TimelineRefusal::Pending));
	}
	assert_eq!(timeline.call_off(109), Some(span));
	assert_eq!(timeline, Timeline::new(0, OLD));
	announced(&mut timeline, 10, TermsChange::Terms(NEW));
	assert_eq!(timeline.call_off(110), None, "it has taken effect");
	assert_eq!(timeline.factor_at(110), Some(2_500));
}

#[test]
fn a_model_that_was_announced_and_called_off_leaves_nothing() {
	let mut timeline = Timeline::new(100, OLD);
	assert_eq!(timeline.announce(10, 200, TermsChange::Retire), Err(TimelineRefusal::Pending));
	assert!(timeline.call_off(99).is_some());
	assert!(timeline.is_empty());
	assert!(!timeline.is_sound(99));
}

#[test]
fn a_stop_holds_until_it_is_resumed_whatever_was_announced() {
	let mut timeline = Timeline::new(0, OLD);
	announced(&mut timeline, 10, TermsChange::Terms(NEW));
	timeline.stop(50).unwrap();
	for (time, factor) in [(49, Some(1_000)), (50, None), (109, None), (110, None)] {
		assert_eq!(timeline.factor_at(time), factor, "{time}");
	}
	assert_eq!(timeline.at(110), Some(Standing::Stopped(NEW)));
	assert_eq!(timeline.stop(60), Err(TimelineRefusal::Unchanged));
	announced(&mut timeline, 200, TermsChange::Resume);
	assert_eq!((timeline.factor_at(299), timeline.factor_at(300)), (None, Some(2_500)));
	// A stop that came again is not undone by what was resumed.
	timeline.stop(400).unwrap();
	assert_eq!((timeline.factor_at(350), timeline.factor_at(400)), (Some(2_500), None));
}

#[test]
fn a_model_that_is_announced_can_be_stopped_before_it_counts() {
	let mut timeline = Timeline::new(100, OLD);
	timeline.stop(50).unwrap();
	assert_eq!(timeline.factor_at(100), None);
	assert_eq!(timeline.stop(60), Err(TimelineRefusal::Unchanged));
	announced(&mut timeline, 100, TermsChange::Resume);
	assert_eq!(timeline.factor_at(200), Some(1_000));
}

#[test]
fn a_stop_in_the_block_in_which_it_began_to_count_leaves_nothing_counted() {
	let mut timeline = Timeline::new(100, OLD);
	timeline.stop(100).unwrap();
	assert_eq!(timeline.factor_at(100), None);
	assert_eq!(timeline.spans().len(), 1);
	assert!(timeline.is_sound(100));
}

#[test]
fn what_is_retired_or_the_same_does_not_change() {
	let mut timeline = Timeline::new(0, OLD);
	let same = timeline.announce(10, 110, TermsChange::Terms(OLD));
	assert_eq!(same, Err(TimelineRefusal::Unchanged));
	assert_eq!(timeline.announce(10, 110, TermsChange::Resume), Err(TimelineRefusal::NotStopped));
	announced(&mut timeline, 10, TermsChange::Retire);
	for change in [TermsChange::Terms(NEW), TermsChange::Resume, TermsChange::Retire] {
		assert_eq!(timeline.announce(110, 210, change), Err(TimelineRefusal::Retired));
	}
	assert_eq!(timeline.stop(110), Err(TimelineRefusal::Retired));
	assert_eq!(timeline.retired_since(109), None);
	assert_eq!(timeline.retired_since(110), Some(110));
	assert!(!timeline.is_over(110 + FACTOR_MEMORY_MS - 1));
	assert!(timeline.is_over(110 + FACTOR_MEMORY_MS));
}

#[test]
fn a_full_timeline_can_still_be_stopped_and_retired_and_has_room_again_after_its_memory() {
	let mut timeline = Timeline::new(0, OLD);
	let (mut now, mut terms, mut changes) = (0, OLD, 0);
	loop {
		terms.factor += 1;
		let change = TermsChange::Terms(terms);
		match timeline.announce(now, now + DELAY, change) {
			Ok(_) => changes += 1,
			Err(refusal) => {
				assert_eq!(refusal, TimelineRefusal::TooManyChanges);
				break;
			},
		}
		now += DELAY;
	}
	assert_eq!(changes, MAX_SPANS - 3);
	let mut later = timeline.clone();
	now += 1;
	timeline.stop(now).unwrap();
	announced(&mut timeline, now, TermsChange::Retire);
	assert_eq!(timeline.spans().len(), MAX_SPANS as usize);
	assert!(timeline.is_sound(now));
	// The first span ended at DELAY.
	let change = TermsChange::Terms(OLD);
	let last = DELAY + FACTOR_MEMORY_MS;
	let early = later.announce(last - 1, last + DELAY, change);
	assert_eq!(early, Err(TimelineRefusal::TooManyChanges));
	assert_eq!(later.factor_at(0), Some(1_000));
	later.announce(last, last + DELAY, change).unwrap();
	assert_eq!(later.factor_at(DELAY - 1), None, "it is forgotten");
	assert_eq!(later.factor_at(DELAY), Some(1_001));
}

#[test]
fn a_receipt_without_a_time_has_a_factor_that_held_within_its_window() {
	let mut timeline = Timeline::new(100, OLD);
	announced(&mut timeline, 200, TermsChange::Terms(NEW));
	let between = |from, to| timeline.factors_between(from, to).collect::<Vec<_>>();
	assert_eq!(between(0, 99), Vec::<u32>::new());
	assert_eq!(between(0, 100), vec![1_000]);
	assert_eq!(between(100, 299), vec![1_000]);
	assert_eq!(between(299, 300), vec![1_000, 2_500]);
	assert_eq!(between(300, 300), vec![2_500]);
	assert_eq!(between(0, u64::MAX), vec![1_000, 2_500]);
}

#[test]
fn a_value_is_followed_by_the_one_that_was_announced() {
	let mut delay = Scheduled::new(5u64);
	delay.schedule(10, Next { value: 7, since_ms: 20 }).unwrap();
	assert_eq!((*delay.at(19), *delay.at(20)), (5, 7));
	let again = Next { value: 9, since_ms: 30 };
	assert_eq!(delay.schedule(19, again), Err(ScheduledRefusal::Pending));
	let same = Next { value: 7, since_ms: 30 };
	assert_eq!(delay.schedule(20, same), Err(ScheduledRefusal::Unchanged));
	delay.schedule(20, again).unwrap();
	assert_eq!(delay.value, 7);
	assert_eq!(delay.call_off(29), Some(again));
	assert_eq!(delay.call_off(29), None);
	assert_eq!(*delay.at(u64::MAX), 7);
}

#[test]
fn what_is_forgotten_is_replaced_as_value_and_as_successor() {
	let since = |value| Some(Next { value, since_ms: 20 });
	let mut chosen = Scheduled { value: Some(1), next: since(Some(2)) };
	chosen.replace(&Some(2), &None);
	assert_eq!(chosen, Scheduled { value: Some(1), next: since(None) });
	chosen.replace(&Some(1), &None);
	assert_eq!(chosen, Scheduled { value: None, next: None });
}

/// What somebody does to a timeline, after some time.
#[derive(Clone, Copy, Debug)]
enum Move {
	Announce(TermsChange),
	CallOff,
	Stop,
}

fn moves() -> impl Strategy<Value = Vec<(u64, Move)>> {
	let terms = (1..5u32).prop_map(|factor| ModelTerms { factor, ..OLD });
	let one = prop_oneof![
		4 => terms.prop_map(|terms| Move::Announce(TermsChange::Terms(terms))),
		2 => Just(Move::Announce(TermsChange::Resume)),
		1 => Just(Move::Announce(TermsChange::Retire)),
		1 => Just(Move::CallOff),
		2 => Just(Move::Stop),
	];
	let pause = prop_oneof![5 => 0..3 * DELAY, 1 => Just(FACTOR_MEMORY_MS / 3)];
	prop::collection::vec((pause, one), 1..60)
}

proptest! {
	#[test]
	fn no_operation_changes_what_held_within_the_memory(moves in moves()) {
		let (mut timeline, mut now) = (Timeline::new(0, OLD), 0u64);
		for (pause, what) in moves {
			now += pause;
			let before = timeline.clone();
			let changed = match what {
				Move::Announce(change) => timeline.announce(now, now + DELAY, change).map(|_| ()),
				Move::CallOff => timeline.call_off(now).map(|_| ()).ok_or(TimelineRefusal::Pending),
				Move::Stop => timeline.stop(now),
			};
			if changed.is_err() {
				prop_assert_eq!(&timeline, &before);
			}
			prop_assert!(timeline.is_sound(now), "{:?}", timeline);
			// Only what governance need not do in a hurry finds no room.
			if changed == Err(TimelineRefusal::TooManyChanges) {
				let may_wait =
					matches!(what, Move::Announce(TermsChange::Terms(_) | TermsChange::Resume));
				prop_assert!(may_wait, "{:?}", what);
			}
			let ends = before.spans().iter().map(|span| span.since_ms);
			let times = ends.flat_map(|end| [end.saturating_sub(1), end]).filter(|time| *time < now);
			for time in times.filter(|time| time + FACTOR_MEMORY_MS > now) {
				prop_assert_eq!(timeline.at(time), before.at(time), "at {}", time);
			}
		}
	}
}
