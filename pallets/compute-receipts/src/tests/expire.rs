//! Deadlines: `expire_jobs`, idle blocks, and rows that leave.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::Weight};
use gridproof_primitives::{
	H256,
	compute::{JobState, PriceAsset, Quote},
	reserve::attestation::ServiceCredit,
};
use sp_runtime::DispatchError;

fn expire(jobs: &[H256]) -> Result<(), DispatchError> {
	dispatch(Call::expire_jobs { jobs: jobs.to_vec().try_into().unwrap() }, account(8))
}

fn idle() -> Weight {
	ComputeReceipts::on_idle(1, Weight::from_parts(u64::MAX, u64::MAX))
}

#[test]
fn anyone_returns_the_money_of_overdue_jobs_in_every_asset() {
	build_and_execute(|| {
		let (coins, tokens) = (ait(&client()), aicp(&client()));
		let jobs: Vec<_> = [PriceAsset::Ait, PriceAsset::Aicp, PriceAsset::ServiceCredit]
			.map(|asset| open_with(&Quote { asset, ..quote(0) }).unwrap())
			.into();
		assert_noop!(expire(&jobs), Error::<Test>::NothingDue);
		pass(599_999);
		assert_noop!(expire(&jobs), Error::<Test>::NothingDue);
		pass(1);
		assert_ok!(expire(&jobs));
		assert_eq!((ait(&client()), aicp(&client())), (coins - 3 * JOB_DEPOSIT, tokens));
		assert_eq!(CreditMap::available(&client()), 1_000_000_000);
		assert!(jobs.iter().all(|job| state(*job) == JobState::Expired));
		assert_noop!(expire(&jobs), Error::<Test>::NothingDue);
	});
}

#[test]
fn what_is_not_due_is_left_alone() {
	build_and_execute(|| {
		let (early, late) =
			(open(0), open_with(&Quote { deadline_ms: START + 60_000, ..quote(1) }));
		pass(60_000);
		assert_ok!(expire(&[early, late.unwrap(), H256::zero()]));
		assert_eq!((state(early), state(late.unwrap())), (JobState::Open, JobState::Expired));
	});
}

#[test]
fn closed_jobs_leave_after_the_retention_and_their_offences_with_them() {
	build_and_execute(|| {
		let job = deliver(0, MINER);
		let reported = Reported { kinds: ReportsOf::default(), reporter: account(8), deposit: 0 };
		Reports::<Test>::insert(job, key(MINER), reported);
		pass(DAY_MS - 1);
		assert_noop!(expire(&[job]), Error::<Test>::NothingDue);
		pass(1);
		assert_ok!(expire(&[job]));
		assert!(!Jobs::<Test>::contains_key(job));
		assert_eq!(Reports::<Test>::iter_prefix(job).count(), 0);
		assert_eq!(Sums::<Test>::get().settled, 1);
	});
}

#[test]
fn a_closed_job_has_its_deposit_until_its_row_is_gone() {
	build_and_execute(|| {
		let before = ait(&client());
		let [settled, released, expired] = [0, 1, 2].map(open);
		assert_eq!(claim(&[signed(settled, MINER)]), []);
		let signature = release_signature(released);
		assert_ok!(dispatch(Call::release_job { job_id: released, signature }, account(8)));
		pass(600_000);
		assert_ok!(expire(&[expired]));
		assert_eq!(ait(&client()), before - 100_000 - 3 * JOB_DEPOSIT);
		// WHEN the rows of the first two can go: the last was closed ten minutes later
		Now::set(START + DAY_MS);
		assert_ok!(expire(&[settled, released, expired]));
		// THEN each deposit goes with its row
		assert_eq!(Jobs::<Test>::iter_keys().collect::<Vec<_>>(), [expired]);
		assert_eq!(ait(&client()), before - 100_000 - JOB_DEPOSIT);
		pass(600_000);
		assert_ok!(expire(&[expired]));
		assert_eq!(ait(&client()), before - 100_000);
		assert_eq!(in_escrow(), [0, 0]);
	});
}

#[test]
fn idle_blocks_return_money_and_clear_away_bit_by_bit() {
	build_and_execute(|| {
		let before = ait(&client());
		for nonce in 0..10 {
			open(nonce);
		}
		pass(600_000);
		// Four rows a block.
		for open in [6, 2, 0] {
			idle();
			assert_eq!(Sums::<Test>::get().open, open);
		}
		assert_eq!(ait(&client()), before - 10 * JOB_DEPOSIT);
		pass(DAY_MS);
		for _ in 0..4 {
			idle();
		}
		assert_eq!(Jobs::<Test>::iter().count(), 0);
		assert_eq!(ait(&client()), before);
	});
}

#[test]
fn a_block_without_room_does_nothing() {
	build_and_execute(|| {
		open(0);
		pass(600_000);
		assert_eq!(ComputeReceipts::on_idle(1, Weight::zero()), Weight::zero());
		let base = <() as WeightInfo>::scan(0);
		assert_eq!(ComputeReceipts::on_idle(1, base), base);
		assert_eq!(Sums::<Test>::get().open, 1);
		let used = idle();
		assert!(used.all_lte(<() as WeightInfo>::scan(4)));
		assert_eq!(Sums::<Test>::get().open, 0);
	});
}

#[test]
fn a_job_accepted_and_not_delivered_counts_against_its_miner_only_if_it_accepted() {
	build_and_execute(|| {
		for (nonce, accepted) in [(0, true), (1, false)] {
			let job = open(nonce);
			let assignment = Box::new(assignment(job, MINER, 1, accepted));
			assert_ok!(dispatch(Call::assign_job { assignment }, account(8)));
			pass(600_000);
			assert_ok!(expire(&[job]));
			let miner = ComputeReceipts::miner(key(MINER)).unwrap();
			assert_eq!((miner.successes, miner.failures), (0, 1));
			assert_eq!(miner.score.c, 0);
		}
	});
}

#[test]
fn what_was_due_before_a_stop_is_returned_during_it() {
	build_and_execute(|| {
		let before = ait(&client());
		let job = open(0);
		pass(600_000);
		stop(Breaker::AllStopped);
		assert_ok!(expire(&[job]));
		assert_eq!(ait(&client()), before - JOB_DEPOSIT);
	});
}

fn stop(new: Breaker) {
	assert_ok!(dispatch_as(Call::set_breaker { new }, RuntimeOrigin::root()));
}

#[test]
fn deadlines_stand_still_while_settlement_is_stopped() {
	build_and_execute(|| {
		let (job, cancelled) = (open(0), open(1));
		assert_ok!(dispatch(Call::cancel_job { job_id: cancelled }, client()));
		let accepted = open(2);
		let assigned = Box::new(assignment(accepted, MINER, 1, true));
		assert_ok!(dispatch(Call::assign_job { assignment: assigned }, account(8)));
		// WHEN all is stopped for a day, a second before the end of the notice
		pass(59_000);
		stop(Breaker::AllStopped);
		pass(DAY_MS);
		// THEN nothing is due, and blocks in which nothing happens change nothing
		ComputeReceipts::on_initialize(2);
		for job in [job, cancelled, accepted] {
			assert_noop!(expire(&[job]), Error::<Test>::NothingDue);
		}
		stop(Breaker::MintStopped);
		assert_eq!(ComputeReceipts::job(job).unwrap().deadline_ms, START + 600_000 + DAY_MS);
		// AND afterwards everything has the time that it had left
		assert_eq!(claim(&[signed(cancelled, MINER)]), []);
		let other = Box::new(assignment(accepted, CPU_MINER, 2, false));
		let replace = || Call::assign_job { assignment: other.clone() };
		pass(240_999);
		assert_noop!(dispatch(replace(), account(8)), Error::<Test>::Accepted);
		pass(1);
		assert_ok!(dispatch(replace(), account(8)));
		pass(299_999);
		assert_noop!(expire(&[job]), Error::<Test>::NothingDue);
		pass(1);
		assert_ok!(expire(&[job]));
		// A job that was opened after the stop has its own times.
		let late = open(3);
		assert_eq!(ComputeReceipts::job(late).unwrap().deadline_ms, Now::get() + 600_000);
	});
}

#[test]
fn deadlines_stand_still_while_the_pallet_is_halted_from_outside() {
	build_and_execute(|| {
		let job = open(0);
		// Safe mode is entered and left between two blocks.
		Halted::set(true);
		ComputeReceipts::on_initialize(2);
		pass(DAY_MS);
		assert_noop!(expire(&[job]), Error::<Test>::NothingDue);
		let stopped = gridproof_primitives::compute::ReceiptRefusal::Stopped;
		assert_eq!(claim(&[signed(job, MINER)]), [stopped]);
		Halted::set(false);
		ComputeReceipts::on_initialize(3);
		pass(599_999);
		assert_eq!(claim(&[signed(job, MINER)]), []);
	});
}
