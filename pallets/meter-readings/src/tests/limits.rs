//! Caps on the mint path, the breaker, and who may set them.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	energy::{BatchLimits, BatchRefusal, SignedBatch},
	num::units::MILLIS_PER_DAY,
};
use sp_runtime::DispatchError;

fn set(limits: Limits) {
	assert_ok!(MeterReadings::set_limits(RuntimeOrigin::root(), limits));
}

fn caps(block_wh: u64, day_wh: u64) -> Limits {
	Limits { block_wh, day_wh, ..Limits::default() }
}

/// The next batch of a meter, exporting so many Wh.
fn batch(meter: u32, export_wh: u64) -> SignedBatch {
	sign(&header(meter, 0, export_wh))
}

#[test]
fn a_block_mints_up_to_its_limit_and_not_a_wh_more() {
	build_and_execute(|| {
		let (first, second) = (certify(1), certify(2));
		set(caps(100, 1_000));
		accept(&batch(first, 99));
		assert_eq!(refusal(&batch(second, 2)), BatchRefusal::BlockLimit);
		accept(&batch(second, 1));
		// Import needs no room.
		accept(&sign(&header(second, 5, 0)));
		assert_eq!(refusal(&batch(first, 1)), BatchRefusal::BlockLimit);
		// What was refused goes into the next block.
		System::set_block_number(2);
		accept(&batch(first, 1));
		assert_eq!(issuance(), 101);
	});
}

#[test]
fn the_limit_counts_across_the_batches_of_one_call() {
	build_and_execute(|| {
		let (first, second) = (certify(1), certify(2));
		set(caps(100, 1_000));
		let list = [batch(first, 60), batch(second, 60)];
		assert!(MeterReadings::check_all(&batches(&list)).is_err());
		assert_ok!(submit(&list));
		assert_eq!(outcomes(), [Ok(0), Err(BatchRefusal::BlockLimit)]);
	});
}

#[test]
fn a_day_mints_up_to_its_limit_by_the_blocks_time() {
	build_and_execute(|| {
		let (first, second) = (certify(1), certify(2));
		set(caps(100, 150));
		accept(&batch(first, 100));
		System::set_block_number(2);
		assert_eq!(refusal(&batch(second, 51)), BatchRefusal::DayLimit);
		accept(&batch(second, 50));
		// Midnight is twelve hours away.
		Now::set(NOON + MILLIS_PER_DAY / 2 - 1);
		System::set_block_number(3);
		assert_eq!(refusal(&batch(first, 1)), BatchRefusal::DayLimit);
		Now::set(NOON + MILLIS_PER_DAY / 2);
		System::set_block_number(4);
		accept(&batch(first, 1));
		assert_eq!(issuance(), 151);
	});
}

#[test]
fn a_limit_of_nothing_stops_the_mint_and_not_the_readings() {
	build_and_execute(|| {
		let meter = certify(1);
		set(caps(0, 0));
		assert_eq!(refusal(&batch(meter, 1)), BatchRefusal::BlockLimit);
		accept(&sign(&header(meter, 5, 0)));
		assert_eq!(issuance(), 0);
	});
}

#[test]
fn the_rules_of_a_batch_are_governances() {
	build_and_execute(|| {
		let meter = certify(1);
		let rules = BatchLimits { max_skew_ms: 0, tolerance_ppt: 1_000 };
		set(Limits { batch: rules, ..Limits::default() });
		assert_eq!(refusal(&batch(meter, 2_501)), BatchRefusal::TooMuchEnergy { max_wh: 2_500 });
		accept(&batch(meter, 2_500));
		let mut future = header(meter, 0, 1);
		future.end_ms = NOON + 1;
		let refused = refusal(&sign(&future));
		assert_eq!(refused, BatchRefusal::FutureInterval { latest_ms: NOON });
	});
}

#[test]
fn only_governance_sets_limits_and_only_ones_in_range() {
	build_and_execute(|| {
		let call = Call::set_limits { limits: caps(1, 1) };
		assert_noop!(dispatch(call, admin()), DispatchError::BadOrigin);
		let set = |limits| MeterReadings::set_limits(RuntimeOrigin::root(), limits);
		assert_noop!(set(Limits::default()), Error::<Test>::Unchanged);
		let rules = |max_skew_ms, tolerance_ppt| Limits {
			batch: BatchLimits { max_skew_ms, tolerance_ppt },
			..Limits::default()
		};
		for wrong in [caps(2, 1), rules(0, 0), rules(0, 10_001), rules(MILLIS_PER_DAY + 1, 1_000)] {
			assert_noop!(set(wrong), Error::<Test>::InvalidLimits);
		}
		assert_ok!(set(rules(MILLIS_PER_DAY, 10_000)));
		let changed =
			Event::LimitsSet { old: Limits::default(), new: rules(MILLIS_PER_DAY, 10_000) };
		assert_eq!(last_event(), changed);
	});
}

#[test]
fn in_an_emergency_all_batches_stop_and_only_governance_resumes() {
	build_and_execute(|| {
		let meter = certify(1);
		let batch = batch(meter, 10);
		assert_noop!(dispatch(Call::pause {}, admin()), DispatchError::BadOrigin);
		assert_noop!(MeterReadings::resume(RuntimeOrigin::root()), Error::<Test>::Unchanged);
		assert_ok!(dispatch(Call::pause {}, account(99)));
		assert_eq!(last_event(), Event::Paused);
		assert_noop!(submit(core::slice::from_ref(&batch)), Error::<Test>::Paused);
		assert_noop!(MeterReadings::pause(RuntimeOrigin::root()), Error::<Test>::Unchanged);
		assert_noop!(dispatch(Call::resume {}, account(99)), DispatchError::BadOrigin);
		assert_ok!(MeterReadings::resume(RuntimeOrigin::root()));
		assert_eq!(last_event(), Event::Resumed);
		accept(&batch);
	});
}
