//! Transactions without a signer.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, traits::Authorize};
use gridproof_primitives::{
	H256,
	compute::{ReceiptRefusal, SignedReceipt},
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
		assert_eq!((both.priority, both.longevity, both.propagate), (1_000, 64, true));
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
		let saved = ComputeReceipts::weight_of_claim(1, 1, true);
		assert!(
			actual.all_lt(saved.saturating_add(frame_support::weights::Weight::from_parts(0, 1)))
		);
		assert_eq!(Sums::<Test>::get().settled, 1);
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
fn assignment_and_release_are_free_once() {
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
