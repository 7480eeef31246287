//! Pay of checks, and the mint's window.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, traits::Hooks};
use gridproof_primitives::{
	compute::checks::Figures,
	num::units::{AIT, MILLI_AIT},
};

const EQUAL: Figures = Figures::Exact { equal: true };

fn day() -> u64 {
	Now::get() / 86_400_000
}

#[test]
fn a_check_is_paid_once_its_batch_is_over() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		for number in 1..=3 {
			assert_ok!(report(&batch, number, EQUAL));
		}
		let settle = Call::settle_checks { batch };
		assert_noop!(dispatch(settle.clone(), account(60)), Error::<Test>::NotYet);
		All::mutate(|all| all.remove(&batch));
		assert_ok!(apply(settle.clone()));
		assert!(!Batches::<Test>::contains_key(batch));
		assert_eq!(Reports::<Test>::iter().count(), 0);
		assert_noop!(dispatch(settle, account(60)), Error::<Test>::NotTouched);
		let (today, pay) = (day(), Call::pay_checks { day: day() });
		assert_noop!(dispatch(pay.clone(), account(60)), Error::<Test>::NotYet);
		pass(86_400_000);
		assert_ok!(apply(pay.clone()));
		let mut paid = Payments::get();
		paid.sort();
		let expected: Vec<_> =
			(1..=3).map(|number| (today, account(number), 20 * MILLI_AIT)).collect();
		assert_eq!(paid, expected);
		assert_eq!(ComputeChecks::overview().paid, 60 * MILLI_AIT);
		assert_noop!(dispatch(pay, account(60)), Error::<Test>::AlreadyDone);
	});
}

#[test]
fn a_day_that_asks_for_more_than_its_budget_is_divided() {
	build_and_execute(|| {
		// A tenth of what the treasury received: 30 thousandths of an AIT for three checks of 20.
		Income::set(300 * MILLI_AIT);
		let batch = touched_of(0, EXACT);
		for number in 1..=3 {
			assert_ok!(report(&batch, number, EQUAL));
		}
		All::mutate(|all| all.remove(&batch));
		assert_ok!(apply(Call::settle_checks { batch }));
		let today = day();
		pass(86_400_000);
		assert_ok!(apply(Call::pay_checks { day: today }));
		assert!(Payments::get().iter().all(|(.., amount)| *amount == 10 * MILLI_AIT));
	});
}

#[test]
fn a_block_with_room_pays_the_day_before_without_a_call() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		assert_ok!(report(&batch, 1, EQUAL));
		All::mutate(|all| all.remove(&batch));
		assert_ok!(apply(Call::settle_checks { batch }));
		let (today, plenty) = (day(), frame_support::weights::Weight::MAX);
		ComputeChecks::on_idle(1, plenty);
		assert!(Payments::get().is_empty(), "the day is not over");
		pass(86_400_000);
		ComputeChecks::on_idle(2, frame_support::weights::Weight::from_parts(1_000, 1_000));
		assert!(Payments::get().is_empty(), "no room");
		assert!(ComputeChecks::on_idle(3, plenty).any_gt(Default::default()));
		assert_eq!(Payments::get(), [(today, account(1), 20 * MILLI_AIT)]);
		ComputeChecks::on_idle(4, plenty);
		assert_eq!(Payments::get().len(), 1);
	});
}

#[test]
fn checks_of_a_day_that_nobody_paid_in_time_are_paid_with_another() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		assert_ok!(report(&batch, 1, EQUAL));
		All::mutate(|all| all.remove(&batch));
		assert_ok!(apply(Call::settle_checks { batch }));
		let today = day();
		// The chain made no block on the next day, and what it received is forgotten.
		pass(2 * 86_400_000);
		assert_ok!(apply(Call::pay_checks { day: today }));
		assert!(Payments::get().is_empty());
		let put_off = Event::PayPutOff { day: today, until: today + 2 };
		assert!(events().contains(&put_off));
		pass(86_400_000);
		assert_ok!(apply(Call::pay_checks { day: today + 2 }));
		assert_eq!(Payments::get(), [(today + 2, account(1), 20 * MILLI_AIT)]);
	});
}

#[test]
fn a_treasury_that_cannot_pay_stops_nothing() {
	build_and_execute(|| {
		Penniless::set(true);
		let batch = touched_of(0, EXACT);
		assert_ok!(report(&batch, 1, EQUAL));
		All::mutate(|all| all.remove(&batch));
		assert_ok!(apply(Call::settle_checks { batch }));
		let today = day();
		pass(86_400_000);
		assert_ok!(apply(Call::pay_checks { day: today }));
		assert_eq!(ComputeChecks::overview().paid, 0);
		assert!(Days::<Test>::get(today).is_empty());
	});
}

#[test]
fn a_batch_is_not_over_while_something_about_it_is_open() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		assert_ok!(report(&batch, 1, Figures::Exact { equal: false }));
		All::mutate(|all| all.remove(&batch));
		let settle = Call::settle_checks { batch };
		assert_noop!(dispatch(settle.clone(), account(60)), Error::<Test>::NotYet);
		pass(3 * 3_600_000);
		assert_ok!(apply(Call::close_dispute { dispute: the_dispute() }));
		assert_ok!(apply(settle));
	});
}

#[test]
fn the_mints_window_stands_still_while_fewer_than_five_report_within_a_day() {
	build_and_execute(|| {
		ComputeChecks::on_initialize(1);
		assert_eq!(Still::get(), [true], "nobody has reported yet");
		let batch = touched(0, receipts(EXACT, &[2 * AIT; 5]));
		for number in 1..=4 {
			assert_ok!(report(&batch, number, EQUAL));
			pass(60_000);
		}
		assert_eq!(Still::get(), [true]);
		assert_ok!(report(&batch, 5, EQUAL));
		assert_eq!(Still::get(), [true, false]);
		assert_eq!(ComputeChecks::overview().still_ms, 4 * 60_000);
		// The first of the five is a day old four minutes before the others.
		pass(86_400_000 - 4 * 60_000 - 1);
		ComputeChecks::on_initialize(2);
		assert_eq!(Still::get(), [true, false]);
		pass(1);
		ComputeChecks::on_initialize(3);
		assert_eq!(Still::get(), [true, false, true]);
		pass(1_000);
		assert_eq!(ComputeChecks::overview().still_ms, 4 * 60_000 + 1_000);
	});
}
