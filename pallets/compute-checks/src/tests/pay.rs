//! Pay of checks, and the mint's window.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, traits::Hooks};
use gridproof_primitives::{
	compute::{
		channels::{Mode, VoucherId},
		checks::{Figures, MAX_HOLD_MS},
	},
	num::units::{AIT, MILLI_AIT},
};

const EQUAL: Figures = Figures::Exact { equal: true };

/// Time to re-open a report, in milliseconds.
const REOPEN: u64 = 2 * 3_600_000;

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
		// As long as a report can be looked at again, nothing is paid for it.
		assert_noop!(dispatch(settle.clone(), account(60)), Error::<Test>::NotYet);
		pass(REOPEN);
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
		pass(REOPEN);
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
		pass(REOPEN);
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
		pass(REOPEN);
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
		pass(REOPEN);
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

#[test]
fn a_day_without_checks_has_no_row_and_stops_no_pay() {
	build_and_execute(|| {
		// Nothing falls of a private batch, and its rows go without a report.
		let quiet = settle(0, receipts(EXACT, &[10 * AIT]));
		All::mutate(|all| all.get_mut(&quiet).unwrap().batch.kind.mode = Mode::Private);
		(0..3).for_each(|_| next_block());
		assert_ok!(apply(Call::touch { batch: quiet }));
		All::mutate(|all| all.remove(&quiet));
		assert_ok!(apply(Call::settle_checks { batch: quiet }));
		assert_eq!(Days::<Test>::iter().count(), 0);
		pass(86_400_000);
		let batch = touched_of(1, EXACT);
		assert_ok!(report(&batch, 1, EQUAL));
		All::mutate(|all| all.remove(&batch));
		pass(REOPEN);
		assert_ok!(apply(Call::settle_checks { batch }));
		pass(86_400_000);
		ComputeChecks::on_idle(1, frame_support::weights::Weight::MAX);
		assert_eq!(Payments::get().len(), 1);
	});
}

#[test]
fn after_a_long_stop_nothing_is_counted_before_its_time_or_drawn_anew() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		assert_ok!(report(&batch, 1, EQUAL));
		// Settlement is stopped for twenty days: the window moves with it.
		let stop = 20 * 86_400_000;
		pass(stop);
		StoppedMs::set(stop);
		All::mutate(|all| all.get_mut(&batch).unwrap().batch.pay_due_ms += stop);
		let settle = Call::settle_checks { batch };
		assert_noop!(dispatch(settle.clone(), account(60)), Error::<Test>::NotYet);
		pass(REOPEN);
		assert_noop!(dispatch(settle.clone(), account(60)), Error::<Test>::NotYet);
		// Its pay can be held no longer, but its mint waits for verifiers: the checks are counted, and the
		// rows stay.
		pass(WINDOW + MAX_HOLD_MS);
		assert_ok!(apply(settle.clone()));
		assert_eq!(Reports::<Test>::iter().count(), 0);
		assert_eq!(Days::<Test>::get(day()).len(), 1);
		assert_noop!(dispatch(settle.clone(), account(60)), Error::<Test>::AlreadyDone);
		let again = Call::touch { batch };
		assert_noop!(dispatch(again, account(60)), Error::<Test>::AlreadyTouched);
		assert_noop!(report(&batch, 1, EQUAL), Error::<Test>::TooLate);
		All::mutate(|all| all.remove(&batch));
		assert_ok!(apply(settle));
		assert!(!Batches::<Test>::contains_key(batch));
	});
}

/// Numbers of checks that matured, call by call.
fn matured() -> Vec<u32> {
	let all = events().into_iter().filter_map(|event| match event {
		Event::ChecksMatured { checks, .. } => Some(checks),
		_ => None,
	});
	all.collect()
}

#[test]
fn more_reports_than_a_call_clears_are_counted_in_two_calls_and_each_once() {
	build_and_execute(|| {
		// Eighty AIT for five verifiers: sixteen checks fall to each.
		let batch = touched(0, receipts(EXACT, &[16 * AIT; 5]));
		for number in 1..=5 {
			for check in 0..16 {
				let report = report_with(&batch, number, check, EQUAL);
				assert_ok!(apply(report_call(report, number)));
			}
		}
		All::mutate(|all| all.remove(&batch));
		pass(REOPEN);
		let settle = Call::settle_checks { batch };
		assert_ok!(apply(settle.clone()));
		assert_eq!(matured(), [MAX_CLEARED]);
		assert_eq!(Reports::<Test>::iter().count(), 16);
		// Until the last of it is counted, the batch is not forgotten.
		assert_ok!(ComputeChecks::do_try_state());
		let again = Call::touch { batch };
		assert_noop!(dispatch(again, account(60)), Error::<Test>::AlreadyTouched);
		assert_ok!(apply(settle.clone()));
		assert_eq!(matured(), [MAX_CLEARED, 16]);
		let counts: Vec<_> = Days::<Test>::get(day()).iter().map(|(_, count)| *count).collect();
		assert_eq!(counts, [16; 5]);
		assert_noop!(dispatch(settle, account(60)), Error::<Test>::NotTouched);
	});
}

#[test]
fn a_batch_stays_until_the_last_of_its_rows_is_cleared() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		for number in 0..70u32 {
			let voucher = VoucherId { channel: CHANNEL, number: number.into() };
			Forfeited::<Test>::insert(batch, voucher, ());
			Demanded::<Test>::insert(batch, (MINER, number), ());
		}
		All::mutate(|all| all.remove(&batch));
		for left in [140 - 64, 140 - 2 * 64, 0] {
			assert_ok!(apply(Call::settle_checks { batch }));
			let rows = Forfeited::<Test>::iter().count() + Demanded::<Test>::iter().count();
			assert_eq!(rows, left);
			assert_eq!(Batches::<Test>::contains_key(batch), left > 0);
		}
	});
}
