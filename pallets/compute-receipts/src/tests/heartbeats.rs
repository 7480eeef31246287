//! Heartbeats, and the windows that the score is computed from.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	compute::{SignedHeartbeat, Telemetry},
	num::decimal::Ratio,
};
use sp_runtime::DispatchError;

fn beat(heartbeats: &[SignedHeartbeat]) -> Result<(), DispatchError> {
	let heartbeats = heartbeats.to_vec().try_into().unwrap();
	dispatch(Call::heartbeats { heartbeats }, account(8))
}

fn beat_now(miner: u8) -> Result<(), DispatchError> {
	beat(&[heartbeat(miner, Now::get())])
}

fn online() -> u64 {
	ComputeReceipts::miner(key(MINER)).unwrap().online_ms
}

#[test]
fn time_between_heartbeats_counts_unless_it_is_too_long() {
	build_and_execute(|| {
		assert_ok!(beat_now(MINER));
		assert_eq!(online(), 0);
		pass(60_000);
		assert_ok!(beat_now(MINER));
		assert_eq!(online(), 60_000);
		pass(600_000);
		assert_ok!(beat_now(MINER));
		assert_eq!(online(), 660_000);
		pass(600_001);
		assert_ok!(beat_now(MINER));
		assert_eq!(online(), 660_000);
		assert_eq!(events().len(), 4);
	});
}

#[test]
fn a_heartbeat_is_timely_signed_and_of_a_miner() {
	build_and_execute(|| {
		let untimely = Error::<Test>::UntimelyHeartbeat;
		let now = Now::get();
		assert_noop!(beat(&[heartbeat(MINER, now + 60_001)]), untimely);
		let untimely = || Error::<Test>::UntimelyHeartbeat;
		assert_noop!(beat(&[heartbeat(MINER, now - 60_001)]), untimely());
		assert_noop!(beat_now(77), Error::<Test>::UnknownParty);
		assert_noop!(beat_now(COORDINATOR), Error::<Test>::UnknownParty);
		assert_noop!(beat(&[]), Error::<Test>::InvalidList);
		let twice = [heartbeat(MINER, now), heartbeat(MINER, now + 30_000)];
		assert_noop!(beat(&twice), Error::<Test>::InvalidList);
		let forged = SignedHeartbeat {
			signature: heartbeat(MINER, now - 1).signature,
			..heartbeat(MINER, now)
		};
		assert_noop!(beat(&[forged]), Error::<Test>::BadSignature);
		assert_ok!(beat_now(MINER));
		// The same again, and the next one too soon.
		assert_noop!(beat_now(MINER), untimely());
		pass(29_999);
		assert_noop!(beat_now(MINER), untimely());
		pass(1);
		assert_ok!(beat_now(MINER));
	});
}

#[test]
fn many_miners_are_online_in_one_call_or_none_is() {
	build_and_execute(|| {
		let now = Now::get();
		let bad = [heartbeat(MINER, now), heartbeat(77, now)];
		assert_noop!(beat(&bad), Error::<Test>::UnknownParty);
		assert_ok!(beat(&[heartbeat(MINER, now), heartbeat(CPU_MINER, now)]));
	});
}

#[test]
fn thirty_days_online_are_full_and_old_days_fall_out() {
	build_and_execute(|| {
		assert_ok!(set_parameters(|parameters| parameters.heartbeat_max_ms = DAY_MS));
		assert_ok!(beat_now(MINER));
		for _ in 0..31 {
			pass(DAY_MS);
			assert_ok!(beat_now(MINER));
		}
		assert_eq!(online(), 30 * DAY_MS);
		assert_eq!(ComputeReceipts::miner(key(MINER)).unwrap().score.u, 100_000_000_000);
		pass(10 * DAY_MS);
		assert_eq!(online(), 20 * DAY_MS);
		pass(30 * DAY_MS);
		assert_eq!(online(), 0);
	});
}

#[test]
fn work_counts_for_a_day() {
	build_and_execute(|| {
		deliver(0, MINER);
		let miner = || ComputeReceipts::miner(key(MINER)).unwrap();
		// 5 GB for 2 s; 1,000 tokens of factor 1 in 2 s.
		assert_eq!(miner().inputs.gb_seconds, Ratio::from_integer(10));
		assert_eq!(miner().inputs.tokens_per_second, Ratio::from_integer(500));
		assert_eq!(miner().inputs.success_rate, Some(Ratio::ONE));
		// T 50, C 100: 15 + 20 points.
		assert_eq!(miner().score.score, 3_500);
		pass(23 * HOUR_MS - Now::get() % HOUR_MS);
		assert_eq!(miner().successes, 1);
		pass(HOUR_MS);
		assert_eq!((miner().successes, miner().score.score), (0, 1_000));
	});
}

#[test]
fn throughput_is_weighted_by_time() {
	let mut activity = Activity::default();
	activity.advance(START);
	let telemetry = |output_tokens, duration_ms| Telemetry {
		input_tokens: 0,
		output_tokens,
		duration_ms,
		memory_mb: 0,
	};
	// 100 tokens/s for 1 s, 10 tokens/s for 9 s, factor 2.5: 190 · 2.5 / 10.
	activity.add_success(&telemetry(100, 1_000), 2_500);
	activity.add_success(&telemetry(90, 9_000), 2_500);
	let inputs = activity.score_inputs();
	assert_eq!(inputs.tokens_per_second, Ratio::new(95, 2).unwrap());
	assert_eq!(inputs.success_rate, Some(Ratio::ONE));
	activity.add_failure();
	assert_eq!(activity.score_inputs().success_rate, Ratio::new(2, 3));
}

#[test]
fn a_window_never_grows_and_survives_any_leap_in_time() {
	use codec::{Encode, MaxEncodedLen};
	let mut activity = Activity::default();
	for now in [0, 1, HOUR_MS, START, START + 25 * HOUR_MS, u64::MAX / 2, u64::MAX, 5] {
		activity.advance(now);
		activity.add_failure();
		activity.add_online(u64::MAX);
		assert!(activity.encoded_size() <= Activity::max_encoded_len());
	}
	assert!(activity.online_ms() <= 30 * DAY_MS);
}
