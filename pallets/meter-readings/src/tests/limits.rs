//! Caps on the mint path, the breaker, and who may set them.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use gridproof_primitives::{
	energy::{BatchLimits, BatchRefusal, SignedBatch},
	num::units::MILLIS_PER_DAY,
};
use sp_runtime::DispatchError;

fn set(limits: Limits) {
	assert_ok!(MeterReadings::set_limits(RuntimeOrigin::root(), limits));
}

fn caps(block_wh: u64, day_wh: u64) -> Limits {
	Limits { block_wh, day_wh, organisation_day_wh: day_wh, ..Limits::default() }
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
		assert_eq!(refusal(&batch(meter, 1)), BatchRefusal::AboveLimits { max_wh: 0 });
		accept(&sign(&header(meter, 5, 0)));
		assert_eq!(issuance(), 0);
	});
}

#[test]
fn a_batch_that_can_never_pass_is_refused_for_good() {
	build_and_execute(|| {
		let (first, second) = (certify(1), certify(2));
		set(caps(100, 150));
		assert_eq!(refusal(&batch(first, 101)), BatchRefusal::AboveLimits { max_wh: 100 });
		set(Limits { organisation_day_wh: 99, ..caps(100, 150) });
		assert_eq!(refusal(&batch(first, 100)), BatchRefusal::AboveLimits { max_wh: 99 });
		accept(&batch(first, 60));
		// What another block or day lets pass is not.
		assert_eq!(refusal(&batch(second, 41)), BatchRefusal::BlockLimit);
		System::set_block_number(2);
		assert_eq!(refusal(&batch(second, 40)), BatchRefusal::OrganisationDayLimit);
		accept(&batch(second, 39));
	});
}

#[test]
fn a_meter_mints_in_a_day_what_its_rated_power_gives_in_one() {
	build_and_execute(|| {
		// 10 kW · 24 h · 1.1.
		const MOST: u64 = 264_000;
		let meter = certify(1);
		let whole = |days: u64, wh| {
			let mut whole = header(meter, 0, wh);
			whole.end_ms = whole.start_ms + days * MILLIS_PER_DAY;
			sign(&whole)
		};
		accept(&whole(1, MOST));
		// A minute later, another day's energy is too much for today, and not for tomorrow.
		Now::set(NOON + 60_000);
		let mut rest = header(meter, 0, 1);
		rest.end_ms = rest.start_ms + 60_000;
		let rest = sign(&rest);
		assert_eq!(refusal(&rest), BatchRefusal::MeterDayLimit);
		// What is not minted needs no room.
		accept(&sign(&{
			let mut nothing = header(meter, 0, 0);
			nothing.end_ms = nothing.start_ms + 60_000;
			nothing
		}));
		Now::set(NOON + 2 * MILLIS_PER_DAY);
		let two_days = whole(2, MOST + 1);
		assert_eq!(refusal(&two_days), BatchRefusal::AboveLimits { max_wh: MOST });
		accept(&whole(2, MOST));
		assert_eq!(issuance(), 2 * u128::from(MOST));
	});
}

#[test]
fn an_invariant_sees_a_block_or_a_day_that_minted_too_much() {
	new_test_ext().execute_with(|| {
		let meter = certify(1);
		set(caps(100, 150));
		accept(&batch(meter, 100));
		// Lowered limits do not condemn what was minted before.
		set(caps(1, 2));
		assert_ok!(MeterReadings::do_try_state());
		for change in [
			|usage: &mut Usage<u64>| usage.block_wh = 1_000_000_001,
			|usage: &mut Usage<u64>| usage.day_wh = 100_000_000_001,
			|usage: &mut Usage<u64>| usage.day_wh = 99,
		] {
			let good = UsageNow::<Test>::get();
			UsageNow::<Test>::mutate(change);
			assert!(MeterReadings::do_try_state().is_err());
			UsageNow::<Test>::put(good);
		}
	});
}

#[test]
fn short_batches_and_many_are_not_free_but_paid() {
	build_and_execute(|| {
		let meter = certify(1);
		let free = BatchLimits { free_per_hour: 2, ..BatchLimits::default() };
		set(Limits { batch: free, ..Limits::default() });
		let short = |ms| {
			let mut short = header(meter, 0, 0);
			short.end_ms = short.start_ms + ms;
			sign(&short)
		};
		let is_free = |batch: &SignedBatch| {
			MeterReadings::check_all(&batches(core::slice::from_ref(batch))).is_ok()
		};
		let pays = |batch: &SignedBatch| {
			let list = batches(core::slice::from_ref(batch));
			let sender = RuntimeOrigin::signed(account(50));
			MeterReadings::submit_batches(sender, list).unwrap().pays_fee == Pays::Yes
		};
		// A millisecond too short.
		let too_short = short(59_999);
		assert!(!is_free(&too_short));
		let min_ms = 60_000;
		let preview = MeterReadings::preview_batches(vec![too_short.clone()]);
		assert_eq!(preview, [Err(BatchRefusal::TooShort { min_ms })]);
		assert!(pays(&too_short));
		// Two in an hour, from any sender.
		assert!(is_free(&short(60_000)));
		assert!(!pays(&short(60_000)));
		assert!(!pays(&short(60_000)));
		let third = short(60_000);
		assert!(!is_free(&third));
		assert_eq!(
			MeterReadings::preview_batches(vec![third.clone()]),
			[Err(BatchRefusal::FreeQuota)]
		);
		assert!(pays(&third));
		// Not in one call, either.
		Now::set(NOON + 3_600_000);
		let first = header(meter, 0, 1);
		let second = header_after(meter, Some(&first), 0, 1);
		let third = header_after(meter, Some(&second), 0, 1);
		let all = [sign(&first), sign(&second), sign(&third)];
		assert!(MeterReadings::check_all(&batches(&all)).is_err());
		assert!(MeterReadings::check_all(&batches(&all[..2])).is_ok());
		assert_eq!(outcomes(), [Ok(0), Ok(1), Ok(2), Ok(3)]);
	});
}

#[test]
fn the_rules_of_a_batch_are_governances() {
	build_and_execute(|| {
		let meter = certify(1);
		let rules = BatchLimits { max_skew_ms: 0, tolerance_ppt: 1_000, ..BatchLimits::default() };
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
			batch: BatchLimits { max_skew_ms, tolerance_ppt, ..BatchLimits::default() },
			..Limits::default()
		};
		let free = BatchLimits { min_free_ms: MILLIS_PER_DAY + 1, ..BatchLimits::default() };
		for wrong in [
			caps(2, 1),
			Limits { organisation_day_wh: 2, ..caps(1, 1) },
			Limits { max_rated_power_w: 0, ..Limits::default() },
			Limits { max_backdate_ms: 7 * MILLIS_PER_DAY + 1, ..Limits::default() },
			Limits { batch: free, ..Limits::default() },
			rules(0, 0),
			rules(0, 10_001),
			rules(MILLIS_PER_DAY + 1, 1_000),
		] {
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
