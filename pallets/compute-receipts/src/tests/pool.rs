//! Transactions without a signer.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, traits::Authorize};
use gridproof_primitives::{
	H256,
	compute::{ASSIGNMENT_GAP_MS, FREE_ASSIGNMENTS, ReceiptRefusal, SignedReceipt},
};
use sp_runtime::{DispatchError, ModuleError, transaction_validity::TransactionSource};

fn claim_call(receipts: &[SignedReceipt]) -> Call<Test> {
	Call::claim_receipts { receipts: receipts.to_vec().try_into().unwrap() }
}

fn code(error: Error<Test>) -> u8 {
	match DispatchError::from(error) {
		DispatchError::Module(ModuleError { error, .. }) => 128 + error[0],
		other => panic!("not this pallet's: {other:?}"),
	}
}

#[test]
fn good_receipts_need_no_sender_and_make_no_account() {
	build_and_execute(|| {
		let receipts = [signed(open(0), MINER), signed(open(1), CPU_MINER)];
		let accounts = frame_system::Account::<Test>::iter().count();
		assert_ok!(apply_unsigned(claim_call(&receipts)));
		assert_eq!(Sums::<Test>::get().settled, 2);
		assert_eq!(frame_system::Account::<Test>::iter().count(), accounts);
	});
}

#[test]
fn one_bad_receipt_keeps_all_of_them_out_and_says_why() {
	build_and_execute(|| {
		let good = signed(open(0), MINER);
		let forged = SignedReceipt { coordinator_signature: [0; 64], ..signed(open(1), MINER) };
		for (bad, reason) in [
			(forged, ReceiptRefusal::BadCoordinatorSignature),
			(signed(H256::zero(), MINER), ReceiptRefusal::UnknownJob),
			(good.clone(), ReceiptRefusal::Repeated),
			(signed(open(2), 77), ReceiptRefusal::UnknownMiner),
		] {
			assert_eq!(authorize(claim_call(&[good.clone(), bad])), Err(reason.code()));
		}
		assert_eq!(authorize(claim_call(&[])), Err(code(Error::InvalidList)));
		assert!(authorize(claim_call(&[good])).is_ok());
	});
}

#[test]
fn the_pool_sees_one_claim_for_one_job() {
	build_and_execute(|| {
		let (first, second) = (signed(open(0), MINER), signed(open(1), MINER));
		let both = authorize(claim_call(&[first.clone(), second])).unwrap();
		let one = authorize(claim_call(&[first])).unwrap();
		assert_eq!(one.provides[0], both.provides[0]);
		assert_eq!(both.provides.len(), 2);
		// The shorter list comes first, so it replaces the longer one.
		assert_eq!((one.priority, both.priority), (1_000, 999));
		assert_eq!((both.longevity, both.propagate), (64, true));
		// Another receipt for the same job excludes the first one too.
		let job = open(2);
		let mut other = receipt(job, CPU_MINER);
		other.nonce = 9;
		let other = authorize(claim_call(&[signed_by(other, CPU_MINER, COORDINATOR)])).unwrap();
		assert_eq!(other.provides, authorize(claim_call(&[signed(job, MINER)])).unwrap().provides);
	});
}

#[test]
fn signatures_are_verified_once_in_a_block_and_never_taken_on_trust() {
	build_and_execute(|| {
		use sp_runtime::traits::Dispatchable;
		let forged = SignedReceipt { miner_signature: [0; 64], ..signed(open(0), MINER) };
		let authorized = || frame_system::RawOrigin::Authorized.into();
		// Dispatched without having been authorized, receipts are verified.
		assert_ok!(dispatch_as(claim_call(core::slice::from_ref(&forged)), authorized()));
		assert_eq!(refusals(), [ReceiptRefusal::BadMinerSignature]);
		// A mark of other receipts is worth nothing, and is gone.
		let good = signed(open(1), MINER);
		let call = RuntimeCall::ComputeReceipts(claim_call(core::slice::from_ref(&good)));
		assert!(call.authorize(TransactionSource::InBlock).unwrap().is_ok());
		assert!(Verified::<Test>::exists());
		assert_ok!(dispatch_as(claim_call(&[forged]), authorized()));
		assert!(!Verified::<Test>::exists());
		assert_eq!(Sums::<Test>::get().settled, 0);
		// A mark of these receipts saves the second verification, which the weight shows.
		assert!(call.authorize(TransactionSource::InBlock).unwrap().is_ok());
		let actual = call.dispatch(authorized()).unwrap().actual_weight.unwrap();
		let [once, twice] =
			[false, true].map(|verify| ComputeReceipts::weight_of_claim(1, 1, 0, verify));
		assert_eq!(actual, once);
		assert!(once.ref_time() < twice.ref_time());
		assert_eq!(Sums::<Test>::get().settled, 1);
		// Who signs it, free of charge, is charged for one verification like everybody: the first
		// was in `authorize`.
		let call = RuntimeCall::ComputeReceipts(claim_call(&[signed(open(3), MINER)]));
		assert!(call.authorize(TransactionSource::InBlock).unwrap().is_ok());
		let signer = RuntimeOrigin::signed(account(8));
		assert_eq!(call.dispatch(signer).unwrap().actual_weight, Some(once));
		assert_eq!(Sums::<Test>::get().settled, 2);
		// The pool leaves no mark.
		assert!(authorize(claim_call(&[signed(open(2), MINER)])).is_ok());
		assert!(!Verified::<Test>::exists());
	});
}

#[test]
fn what_was_settled_meanwhile_is_refused_in_the_block() {
	build_and_execute(|| {
		let receipt = signed(open(0), MINER);
		let call = claim_call(core::slice::from_ref(&receipt));
		assert!(authorize(call.clone()).is_ok());
		assert_eq!(claim(&[receipt]), []);
		assert_eq!(apply_unsigned(call.clone()), Err(DispatchError::Other("refused")));
		assert_eq!(authorize(call), Err(ReceiptRefusal::AlreadySettled.code()));
	});
}

#[test]
fn a_repeated_assignment_and_a_second_release_are_refused() {
	build_and_execute(|| {
		let job = open(0);
		let assign = || Call::assign_job { assignment: Box::new(assignment(job, MINER, 1, true)) };
		assert_ok!(apply_unsigned(assign()));
		assert_eq!(authorize(assign()), Err(code(Error::StaleAssignment)));
		let release = |signature| Call::release_job { job_id: job, signature };
		assert_eq!(authorize(release([0; 64])), Err(code(Error::BadSignature)));
		assert_ok!(apply_unsigned(release(release_signature(job))));
		assert_eq!(authorize(release(release_signature(job))), Err(code(Error::NotOpen)));
	});
}

#[test]
fn expiry_is_free_if_every_job_is_due() {
	build_and_execute(|| {
		let (due, call) = (open(0), |jobs: &[H256]| Call::expire_jobs {
			jobs: jobs.to_vec().try_into().unwrap(),
		});
		assert_eq!(authorize(call(&[due])), Err(code(Error::NothingDue)));
		pass(600_000);
		let fresh = open(1);
		assert_eq!(authorize(call(&[due, fresh])), Err(code(Error::NothingDue)));
		assert_eq!(authorize(call(&[due, due])), Err(code(Error::InvalidList)));
		assert_eq!(authorize(call(&[])), Err(code(Error::InvalidList)));
		assert_eq!(authorize(call(&[H256::zero()])), Err(code(Error::UnknownJob)));
		assert_ok!(apply_unsigned(call(&[due])));
		assert_eq!(authorize(call(&[due])), Err(code(Error::NothingDue)));
	});
}

#[test]
fn heartbeats_are_free_as_often_as_they_are_timely() {
	build_and_execute(|| {
		let call = || Call::heartbeats {
			heartbeats: vec![heartbeat(MINER, Now::get())].try_into().unwrap(),
		};
		assert_ok!(apply_unsigned(call()));
		assert_eq!(authorize(call()), Err(code(Error::UntimelyHeartbeat)));
		pass(30_000);
		assert_ok!(apply_unsigned(call()));
	});
}

#[test]
fn a_payout_is_free_if_there_is_something_to_pay() {
	build_and_execute(|| {
		let call = || Call::claim_emission { parties: vec![key(MINER)].try_into().unwrap() };
		assert_eq!(authorize(call()), Err(code(Error::NothingDue)));
		deliver(0, MINER);
		next_step();
		assert_ok!(apply_unsigned(call()));
		assert_eq!(authorize(call()), Err(code(Error::NothingDue)));
	});
}

#[test]
fn no_other_call_is_authorized_without_a_signer_and_no_root_claims() {
	build_and_execute(|| {
		for call in [
			Call::cancel_job { job_id: H256::zero() },
			Call::withdraw { key: key(MINER) },
			Call::apply_slashes { key: key(MINER) },
			Call::set_breaker { new: Breaker::AllStopped },
		] {
			let call = RuntimeCall::ComputeReceipts(call);
			assert!(call.authorize(TransactionSource::External).is_none());
		}
		let call = claim_call(&[signed(open(0), MINER)]);
		assert_noop!(dispatch_as(call, RuntimeOrigin::none()), DispatchError::BadOrigin);
	});
}

#[test]
fn a_job_has_a_few_assignments_free_of_charge_with_time_between_them() {
	build_and_execute(|| {
		let job = open(0);
		let assign = |attempt| Call::assign_job {
			assignment: Box::new(assignment(job, MINER, attempt, false)),
		};
		// In the pool there is one of them at a time, whatever its number.
		let tags = |attempt| authorize(assign(attempt)).unwrap().provides;
		assert_eq!(tags(1), tags(u32::MAX));
		for attempt in 1..=FREE_ASSIGNMENTS {
			assert_ok!(apply_unsigned(assign(attempt)));
			assert_eq!(authorize(assign(attempt + 1)), Err(code(Error::NotFree)));
			pass(ASSIGNMENT_GAP_MS - 1);
			assert_eq!(authorize(assign(attempt + 1)), Err(code(Error::NotFree)));
			pass(1);
		}
		let next = FREE_ASSIGNMENTS + 1;
		assert_eq!(authorize(assign(next)), Err(code(Error::NotFree)));
		let authorized = frame_system::RawOrigin::Authorized.into();
		assert_noop!(dispatch_as(assign(next), authorized), Error::<Test>::NotFree);
		// Who pays the fee is not limited.
		assert_ok!(dispatch(assign(next), account(8)));
		assert_ok!(dispatch(assign(next + 1), account(8)));
	});
}

#[test]
fn an_answer_to_a_cancellation_is_free() {
	build_and_execute(|| {
		let job = open(0);
		assert_ok!(dispatch(Call::cancel_job { job_id: job }, client()));
		let assignment = Box::new(assignment(job, MINER, 7, false));
		assert_ok!(apply_unsigned(Call::assign_job { assignment }));
		assert!(!ComputeReceipts::job(job).unwrap().cancelling);
	});
}

#[test]
fn claims_come_before_assignments_and_heartbeats() {
	build_and_execute(|| {
		let jobs: Vec<_> = (0..256).map(open).collect();
		let all: Vec<_> = jobs.iter().map(|job| signed(*job, MINER)).collect();
		let assign = Box::new(assignment(jobs[0], MINER, 1, true));
		let assign = authorize(Call::assign_job { assignment: assign }).unwrap().priority;
		let beat = vec![heartbeat(MINER, Now::get())].try_into().unwrap();
		let beat = authorize(Call::heartbeats { heartbeats: beat }).unwrap().priority;
		let longest = authorize(claim_call(&all)).unwrap().priority;
		assert_eq!((assign, beat), (500, 500));
		assert_eq!(longest, 1_000 - 255);
	});
}

/// After k free successes of one actor the next is refused: for each of the free calls.
#[test]
fn no_free_call_succeeds_for_ever() {
	build_and_execute(|| {
		let often = |call: &dyn Fn(u32) -> Call<Test>| {
			let mut times = 0;
			while times < 50 && apply_unsigned(call(times)).is_ok() {
				times += 1;
			}
			times
		};
		let job = open(0);
		let receipts = |_| claim_call(&[signed(job, MINER)]);
		assert_eq!(often(&receipts), 1, "a claim for each job opened for a fee");
		let job = open(1);
		let assign = |time| Call::assign_job {
			assignment: Box::new(assignment(job, MINER, time + 1, true)),
		};
		assert_eq!(often(&assign), 1);
		pass(ASSIGNMENT_GAP_MS);
		assert_eq!(often(&|time| assign(time + 10)), 1);
		let release = |_| Call::release_job { job_id: job, signature: release_signature(job) };
		assert_eq!(often(&release), 1);
		let beat = |_| Call::heartbeats {
			heartbeats: vec![heartbeat(MINER, Now::get())].try_into().unwrap(),
		};
		assert_eq!(often(&beat), 1);
		deliver(2, MINER);
		next_step();
		let payout = |_| Call::claim_emission { parties: vec![key(MINER)].try_into().unwrap() };
		assert_eq!(often(&payout), 1);
		let due = open(3);
		pass(600_000);
		let expire = |_| Call::expire_jobs { jobs: vec![due].try_into().unwrap() };
		assert_eq!(often(&expire), 1);
		// Once for the money, once for the row.
		pass(DAY_MS);
		assert_eq!(often(&expire), 1);
	});
}

#[test]
fn a_payout_that_would_fail_is_not_free() {
	build_and_execute(|| {
		deliver(0, MINER);
		next_step();
		// The next receipt turns what was earned into a fixed amount.
		deliver(1, MINER);
		let call = || Call::claim_emission { parties: vec![key(MINER)].try_into().unwrap() };
		// GIVEN as much AIT as there may ever be
		let rest = gridproof_primitives::num::units::AIT_CAP
			- <Balances as frame_support::traits::fungible::Inspect<_>>::total_issuance();
		let mint = <Balances as frame_support::traits::fungible::Mutate<_>>::mint_into;
		assert_ok!(mint(&account(8), rest));
		assert_eq!(authorize(call()), Err(code(Error::CapReached)));
		let burn = <Balances as frame_support::traits::fungible::Mutate<_>>::burn_from;
		use frame_support::traits::tokens::{Fortitude, Precision, Preservation};
		let (kill, exact, force) = (Preservation::Expendable, Precision::Exact, Fortitude::Force);
		assert_ok!(burn(&account(8), rest, kill, exact, force));
		// GIVEN an account that does not exist, and less than its minimum balance
		let party = Parties::<Test>::get(key(MINER)).unwrap();
		let owed = |accrued| {
			let account = account(150);
			let party = Party { account, accrued, pending: Pending::default(), ..party.clone() };
			Parties::<Test>::insert(key(MINER), party);
		};
		owed(EXISTENTIAL_DEPOSIT - 1);
		assert_eq!(authorize(call()), Err(u8::MAX));
		owed(EXISTENTIAL_DEPOSIT);
		assert!(authorize(call()).is_ok());
		Parties::<Test>::insert(key(MINER), party);
	});
}

#[test]
fn a_mark_left_by_a_filtered_call_does_not_outlive_the_block() {
	build_and_execute(|| {
		use frame_support::traits::Hooks;
		let call = RuntimeCall::ComputeReceipts(claim_call(&[signed(open(0), MINER)]));
		assert!(call.authorize(TransactionSource::InBlock).unwrap().is_ok());
		assert!(Verified::<Test>::exists());
		ComputeReceipts::on_finalize(1);
		assert!(!Verified::<Test>::exists());
	});
}
