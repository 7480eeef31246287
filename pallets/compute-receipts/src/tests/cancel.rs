//! `cancel_job`, `assign_job`, `release_job`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	H256,
	compute::{JobState, Quote, ReceiptRefusal, SignedAssignment},
};
use sp_runtime::DispatchError;

fn cancel(job_id: H256) -> Result<(), DispatchError> {
	dispatch(Call::cancel_job { job_id }, client())
}

fn assign(assignment: SignedAssignment) -> Result<(), DispatchError> {
	dispatch(Call::assign_job { assignment: Box::new(assignment) }, account(8))
}

fn release(job_id: H256, signature: [u8; 64]) -> Result<(), DispatchError> {
	dispatch(Call::release_job { job_id, signature }, account(8))
}

#[test]
fn a_cancelled_job_returns_its_money_after_the_notice() {
	build_and_execute(|| {
		let before = ait(&client());
		let job = open(0);
		System::reset_events();
		assert_ok!(cancel(job));
		let until_ms = Now::get() + 10_000;
		assert_eq!(events(), vec![Event::JobCancelling { job_id: job, until_ms }]);
		assert!(ComputeReceipts::job(job).unwrap().cancelling);
		assert_noop!(cancel(job), Error::<Test>::CannotCancel);
		Now::set(until_ms);
		assert_eq!(state(job), JobState::Cancelled);
		assert_ok!(cancel(job));
		assert_eq!(ait(&client()), before);
		assert_eq!(Sums::<Test>::get().cancelled, 1);
		assert_noop!(cancel(job), Error::<Test>::NotOpen);
	});
}

#[test]
fn a_receipt_for_a_cancelled_job_is_refused() {
	build_and_execute(|| {
		let job = open(0);
		assert_ok!(cancel(job));
		pass(10_000);
		assert_eq!(claim(&[signed(job, MINER)]), [ReceiptRefusal::Cancelled]);
		assert_eq!(state(job), JobState::Cancelled);
		assert_eq!(claim(&[signed(job, MINER)]), [ReceiptRefusal::Cancelled]);
		assert_eq!(on_hold(HoldReason::Job, &client()), 0);
	});
}

#[test]
fn work_that_was_under_way_is_still_paid_within_the_notice() {
	build_and_execute(|| {
		let job = open(0);
		assert_ok!(cancel(job));
		pass(9_999);
		assert_eq!(claim(&[signed(job, MINER)]), []);
	});
}

#[test]
fn a_proof_of_the_start_ends_the_right_to_cancel() {
	build_and_execute(|| {
		let job = open(0);
		let deadline = ComputeReceipts::job(job).unwrap().deadline_ms;
		assert_ok!(cancel(job));
		pass(9_999);
		assert_ok!(assign(assignment(job, MINER, 1, true)));
		let view = ComputeReceipts::job(job).unwrap();
		assert_eq!((view.deadline_ms, view.cancelling, view.attempt), (deadline, false, 1));
		assert_noop!(cancel(job), Error::<Test>::CannotCancel);
		pass(60_000);
		assert_eq!(claim(&[signed(job, MINER)]), []);
	});
}

#[test]
fn a_start_proven_too_late_changes_nothing() {
	build_and_execute(|| {
		let job = open(0);
		assert_ok!(cancel(job));
		pass(10_000);
		assert_noop!(assign(assignment(job, MINER, 1, true)), Error::<Test>::NotOpen);
	});
}

#[test]
fn a_notice_never_outlasts_the_deadline() {
	build_and_execute(|| {
		let job = open(0);
		let deadline = ComputeReceipts::job(job).unwrap().deadline_ms;
		Now::set(deadline - 1);
		assert_ok!(cancel(job));
		assert_eq!(ComputeReceipts::job(job).unwrap().deadline_ms, deadline);
	});
}

#[test]
fn nobody_else_cancels() {
	build_and_execute(|| {
		let job = open(0);
		let call = Call::cancel_job { job_id: job };
		assert_noop!(dispatch(call, account(8)), Error::<Test>::NotClient);
		assert_noop!(cancel(H256::zero()), Error::<Test>::UnknownJob);
		assert_eq!(claim(&[signed(job, MINER)]), []);
		assert_noop!(cancel(job), Error::<Test>::NotOpen);
	});
}

#[test]
fn an_assignment_needs_the_coordinator_and_if_it_says_so_the_miner() {
	build_and_execute(|| {
		let job = open(0);
		let good = assignment(job, MINER, 1, true);
		let forged = SignedAssignment {
			coordinator_signature: good.miner_signature.unwrap(),
			..good.clone()
		};
		assert_noop!(assign(forged), Error::<Test>::BadSignature);
		let forged =
			SignedAssignment { miner_signature: Some(good.coordinator_signature), ..good.clone() };
		assert_noop!(assign(forged), Error::<Test>::BadSignature);
		let unknown = assignment(job, 77, 1, false);
		assert_noop!(assign(unknown), Error::<Test>::UnknownMiner);
		assert_noop!(assign(assignment(H256::zero(), MINER, 1, true)), Error::<Test>::UnknownJob);
		System::reset_events();
		assert_ok!(assign(good));
		assert_eq!(
			events(),
			vec![Event::JobAssigned { job_id: job, miner: key(MINER), attempt: 1, accepted: true }]
		);
	});
}

#[test]
fn assignments_only_go_forward_and_never_against_the_quote() {
	build_and_execute(|| {
		let stale = Error::<Test>::StaleAssignment;
		let job = open(0);
		assert_noop!(assign(assignment(job, MINER, 0, true)), stale);
		assert_ok!(assign(assignment(job, MINER, 2, true)));
		let stale = || Error::<Test>::StaleAssignment;
		assert_noop!(assign(assignment(job, MINER, 2, true)), stale());
		assert_noop!(assign(assignment(job, CPU_MINER, 1, true)), stale());
		assert_ok!(assign(assignment(job, CPU_MINER, 3, true)));
		let quoted = open_with(&Quote { miner: Some(key(MINER)), ..quote(1) }).unwrap();
		assert_noop!(assign(assignment(quoted, CPU_MINER, 1, true)), stale());
		assert_ok!(assign(assignment(quoted, MINER, 1, true)));
	});
}

#[test]
fn a_coordinator_lets_a_job_go_and_the_client_has_its_money_at_once() {
	build_and_execute(|| {
		let before = ait(&client());
		let job = open(0);
		assert_noop!(release(job, [0; 64]), Error::<Test>::BadSignature);
		let other = open(1);
		assert_noop!(release(job, release_signature(other)), Error::<Test>::BadSignature);
		System::reset_events();
		assert_ok!(release(job, release_signature(job)));
		assert_eq!(
			events(),
			vec![Event::JobRefunded { job_id: job, state: JobState::Cancelled, refund: 100_000 }]
		);
		assert_eq!(ait(&client()), before - 100_000 - JOB_DEPOSIT);
		assert_noop!(release(job, release_signature(job)), Error::<Test>::NotOpen);
		assert_eq!(claim(&[signed(job, MINER)]), [ReceiptRefusal::Cancelled]);
	});
}
