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
		let until_ms = Now::get() + 60_000;
		assert_eq!(events(), vec![Event::JobCancelling { job_id: job, until_ms }]);
		assert!(ComputeReceipts::job(job).unwrap().cancelling);
		assert_noop!(cancel(job), Error::<Test>::CannotCancel);
		Now::set(until_ms);
		assert_eq!(state(job), JobState::Cancelled);
		assert_ok!(cancel(job));
		assert_eq!(ait(&client()), before - JOB_DEPOSIT);
		assert_eq!(Sums::<Test>::get().cancelled, 1);
		assert_noop!(cancel(job), Error::<Test>::NotOpen);
	});
}

#[test]
fn a_receipt_for_a_cancelled_job_is_refused() {
	build_and_execute(|| {
		let job = open(0);
		assert_ok!(cancel(job));
		pass(60_000);
		assert_eq!(claim(&[signed(job, MINER)]), [ReceiptRefusal::Cancelled]);
		assert_eq!(state(job), JobState::Cancelled);
		assert_eq!(claim(&[signed(job, MINER)]), [ReceiptRefusal::Cancelled]);
		assert_eq!(in_escrow(), [JOB_DEPOSIT, 0]);
	});
}

#[test]
fn work_that_was_under_way_is_still_paid_within_the_notice() {
	build_and_execute(|| {
		let job = open(0);
		assert_ok!(cancel(job));
		pass(59_999);
		assert_eq!(claim(&[signed(job, MINER)]), []);
	});
}

#[test]
fn a_proof_of_the_start_ends_the_right_to_cancel() {
	build_and_execute(|| {
		let job = open(0);
		let deadline = ComputeReceipts::job(job).unwrap().deadline_ms;
		assert_ok!(cancel(job));
		pass(59_999);
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
		pass(60_000);
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
		assert_ok!(assign(assignment(job, MINER, 2, false)));
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
		assert_eq!(ait(&client()), before - 100_000 - 2 * JOB_DEPOSIT);
		assert_noop!(release(job, release_signature(job)), Error::<Test>::NotOpen);
		assert_eq!(claim(&[signed(job, MINER)]), [ReceiptRefusal::Cancelled]);
	});
}

#[test]
fn an_accepted_assignment_is_replaced_only_with_its_miners_signature() {
	build_and_execute(|| {
		let job = open(0);
		assert_ok!(assign(assignment(job, MINER, 1, true)));
		// The coordinator's own miner, with and without its signature.
		for accepted in [false, true] {
			let other = assignment(job, CPU_MINER, 2, accepted);
			assert_noop!(assign(other), Error::<Test>::Accepted);
		}
		// Nobody else consents, and not to another attempt.
		let consent = |by: u8, attempt| {
			let payload = assignment(job, CPU_MINER, attempt, true).assignment;
			let payload =
				payload.signing_payload(&genesis(), gridproof_primitives::compute::Signer::Miner);
			Some(sign(by, &payload))
		};
		for former_signature in [consent(CPU_MINER, 2), consent(COORDINATOR, 2), consent(MINER, 3)]
		{
			let other =
				SignedAssignment { former_signature, ..assignment(job, CPU_MINER, 2, true) };
			assert_noop!(assign(other), Error::<Test>::Accepted);
		}
		// Nor does an attempt in between that the same miner has not signed.
		assert_ok!(assign(assignment(job, MINER, 2, false)));
		assert_noop!(assign(assignment(job, CPU_MINER, 3, true)), Error::<Test>::Accepted);
		assert_eq!(claim(&[signed(job, CPU_MINER)]), [ReceiptRefusal::NotAssigned]);
		let former_signature = consent(MINER, 3);
		let other = SignedAssignment { former_signature, ..assignment(job, CPU_MINER, 3, true) };
		assert_ok!(assign(other));
		assert_eq!(claim(&[signed(job, CPU_MINER)]), []);
	});
}

#[test]
fn an_accepted_assignment_is_replaced_after_half_of_its_time() {
	build_and_execute(|| {
		let job = open(0);
		assert_ok!(assign(assignment(job, MINER, 1, true)));
		// The deadline is ten minutes away.
		pass(299_999);
		assert_noop!(assign(assignment(job, CPU_MINER, 2, false)), Error::<Test>::Accepted);
		pass(1);
		assert_ok!(assign(assignment(job, CPU_MINER, 2, false)));
		// Who had not accepted is replaced at any time.
		assert_ok!(assign(assignment(job, MINER, 3, false)));
	});
}

#[test]
fn no_job_is_given_to_a_miner_that_is_leaving_banned_or_underbonded() {
	build_and_execute(|| {
		let change = |change: &dyn Fn(&mut Party<_>)| {
			Parties::<Test>::mutate(key(MINER), |party| change(party.as_mut().unwrap()));
		};
		let bond = Parties::<Test>::get(key(MINER)).unwrap().bond;
		let job = open(0);
		let pinned = Quote { miner: Some(key(MINER)), ..quote(1) };
		let unfit = |reason: &str| {
			let assigned = assign(assignment(job, MINER, 1, false));
			assert_eq!(assigned, Err(Error::<Test>::MinerUnfit.into()), "{reason}");
			assert_eq!(open_with(&pinned), Err(Error::<Test>::MinerUnfit.into()), "{reason}");
		};
		change(&|party| party.leaving_ms = Some(u64::MAX));
		unfit("leaving");
		change(&|party| (party.leaving_ms, party.banned_until_ms) = (None, Now::get() + 1));
		unfit("banned");
		change(&|party| (party.banned_until_ms, party.bond) = (0, bond / 2 - 1));
		unfit("underbonded");
		change(&|party| party.bond = bond / 2);
		assert_ok!(open_with(&pinned));
		change(&|party| party.bond = bond);
		assert_ok!(assign(assignment(job, MINER, 1, false)));
	});
}
