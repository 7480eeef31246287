//! Admission, bonds and keys of verifiers.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{compute::checks::key_payload, num::units::AIT};
use sp_runtime::DispatchError;

fn register(number: u8) -> Result<(), DispatchError> {
	let proof = sign(number, &key_payload(&genesis(), &account(number).into()));
	dispatch(Call::register_verifier { key: key(number), proof }, account(number))
}

#[test]
fn governance_admits_and_an_account_begins_with_bond_and_key() {
	build_and_execute(|| {
		assert_noop!(register(6), Error::<Test>::NotAdmitted);
		let admit = Call::admit_verifier { account: account(6) };
		assert_noop!(dispatch(admit.clone(), account(6)), DispatchError::BadOrigin);
		assert_ok!(govern(admit.clone()));
		assert_noop!(govern(admit), Error::<Test>::AlreadyAdmitted);
		let proof = sign(7, &key_payload(&genesis(), &account(6).into()));
		let stolen = Call::register_verifier { key: key(6), proof };
		assert_noop!(dispatch(stolen, account(6)), Error::<Test>::BadSignature);
		assert_ok!(register(6));
		assert_eq!(ait(&account(6)), NATIVE - 1_000 * AIT);
		assert_noop!(register(6), Error::<Test>::AlreadyRegistered);
		let view = ComputeChecks::verifiers();
		let own = view.iter().find(|one| one.key == key(6)).unwrap();
		assert!(!own.draws, "it draws in an hour");
		pass(3_600_000);
		assert!(ComputeChecks::verifiers().iter().all(|one| one.draws));
	});
}

#[test]
fn no_more_than_21_are_admitted() {
	build_and_execute(|| {
		for number in 100..116 {
			assert_ok!(govern(Call::admit_verifier { account: account(number) }));
		}
		assert_noop!(
			govern(Call::admit_verifier { account: account(116) }),
			Error::<Test>::MaxVerifiersExceeded
		);
	});
}

#[test]
fn no_two_verifiers_have_one_key() {
	build_and_execute(|| {
		assert_ok!(govern(Call::admit_verifier { account: account(6) }));
		let proof = sign(1, &key_payload(&genesis(), &account(6).into()));
		let call = Call::register_verifier { key: key(1), proof };
		assert_noop!(dispatch(call, account(6)), Error::<Test>::KeyTaken);
		let proof = sign(2, &key_payload(&genesis(), &account(1).into()));
		let call = Call::exchange_key { key: key(2), proof };
		assert_noop!(dispatch(call, account(1)), Error::<Test>::KeyTaken);
	});
}

#[test]
fn a_key_is_exchanged_again_after_eight_days() {
	build_and_execute(|| {
		let exchange = |number| {
			let proof = sign(number, &key_payload(&genesis(), &account(1).into()));
			dispatch(Call::exchange_key { key: key(number), proof }, account(1))
		};
		assert_ok!(exchange(11));
		pass(8 * 86_400_000 - 1);
		assert_noop!(exchange(12), Error::<Test>::ExchangedLately);
		pass(1);
		assert_ok!(exchange(12));
		assert_eq!(Keys::<Test>::get(key(1)), None, "the first one leads to nobody any more");
		assert_eq!(Keys::<Test>::get(key(11)), Some(account(1)));
	});
}

#[test]
fn who_leaves_has_its_bond_back_after_a_week() {
	build_and_execute(|| {
		assert_noop!(dispatch(Call::leave {}, account(6)), Error::<Test>::UnknownVerifier);
		assert_noop!(dispatch(Call::withdraw_bond {}, account(1)), Error::<Test>::BondNotFree);
		assert_ok!(dispatch(Call::leave {}, account(1)));
		assert_noop!(dispatch(Call::leave {}, account(1)), Error::<Test>::Leaving);
		assert!(!Admitted::<Test>::contains_key(account(1)), "its seat is free");
		pass(7 * 86_400_000 - 1);
		assert_noop!(dispatch(Call::withdraw_bond {}, account(1)), Error::<Test>::BondNotFree);
		pass(1);
		assert_ok!(dispatch(Call::withdraw_bond {}, account(1)));
		assert_eq!(ait(&account(1)), NATIVE);
		assert_eq!(Keys::<Test>::get(key(1)), None);
	});
}

#[test]
fn a_bond_stays_as_long_as_a_report_can_turn_out_invented_and_no_longer_than_a_hold() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		let equal = gridproof_primitives::compute::checks::Figures::Exact { equal: true };
		pass(1);
		assert_ok!(dispatch(Call::leave {}, account(1)));
		// A stop lets the window of the batch outlive the unbonding.
		All::mutate(|all| all.get_mut(&batch).unwrap().batch.pay_due_ms = u64::MAX);
		pass(7 * 86_400_000);
		assert_ok!(report(&batch, 1, equal));
		assert_noop!(dispatch(Call::withdraw_bond {}, account(1)), Error::<Test>::BondNotFree);
		All::mutate(|all| all.remove(&batch));
		pass(2 * 3_600_000);
		assert_ok!(apply(Call::settle_checks { batch }));
		assert_ok!(dispatch(Call::withdraw_bond {}, account(1)));
		// No stop keeps it for longer than five days.
		let batch = touched_of(1, EXACT);
		assert_ok!(report(&batch, 2, equal));
		pass(1);
		assert_ok!(dispatch(Call::leave {}, account(2)));
		pass(7 * 86_400_000);
		assert_noop!(dispatch(Call::withdraw_bond {}, account(2)), Error::<Test>::BondNotFree);
		pass(gridproof_primitives::compute::checks::MAX_HOLD_MS);
		assert_ok!(dispatch(Call::withdraw_bond {}, account(2)));
	});
}

#[test]
fn governance_dismisses_and_the_committee_does_not() {
	build_and_execute(|| {
		let dismiss = Call::dismiss_verifier { account: account(1) };
		assert_noop!(dispatch(dismiss.clone(), account(60)), DispatchError::BadOrigin);
		assert_noop!(dispatch(dismiss.clone(), account(99)), DispatchError::BadOrigin);
		assert_ok!(govern(dismiss.clone()));
		assert_noop!(govern(dismiss), Error::<Test>::NotAdmitted);
	});
}

#[test]
fn the_committee_suspends_a_third_for_fourteen_days_and_not_at_once_again() {
	build_and_execute(|| {
		let suspend = |number| Call::suspend_verifier { account: account(number) };
		assert_noop!(dispatch(suspend(1), account(60)), DispatchError::BadOrigin);
		assert_noop!(dispatch(suspend(6), account(99)), Error::<Test>::UnknownVerifier);
		assert_ok!(dispatch(suspend(1), account(99)));
		assert_noop!(dispatch(suspend(1), account(99)), Error::<Test>::SuspendedLately);
		// A third of five is one.
		assert_noop!(dispatch(suspend(2), account(99)), Error::<Test>::TooManySuspended);
		let of = |number| ComputeChecks::verifiers().into_iter().find(|one| one.key == key(number));
		assert!(!of(1).unwrap().draws);
		assert_eq!(ComputeChecks::fit_verifiers().len(), 4);
		assert!(Admitted::<Test>::contains_key(account(1)), "it keeps its seat");
		assert_eq!(bond(1), 1_000 * AIT);
		pass(14 * 86_400_000);
		assert!(of(1).unwrap().draws, "it takes part again automatically");
		assert_noop!(dispatch(suspend(1), account(99)), Error::<Test>::SuspendedLately);
		assert_ok!(dispatch(suspend(2), account(99)));
		pass(14 * 86_400_000);
		assert_ok!(dispatch(suspend(1), account(99)));
	});
}

#[test]
fn who_is_suspended_reports_what_it_has_drawn() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		// In the block in which it is suspended it draws nothing.
		pass(1);
		assert_ok!(dispatch(Call::suspend_verifier { account: account(1) }, account(99)));
		let equal = gridproof_primitives::compute::checks::Figures::Exact { equal: true };
		assert_ok!(report(&batch, 1, equal));
		assert_eq!(ComputeChecks::batch(touched_of(1, EXACT)).unwrap().verifiers, 4);
	});
}

#[test]
fn a_bond_can_be_raised() {
	build_and_execute(|| {
		assert_ok!(dispatch(Call::raise_bond { amount: AIT }, account(1)));
		assert_eq!((bond(1), ait(&account(1))), (1_001 * AIT, NATIVE - 1_001 * AIT));
		let call = Call::raise_bond { amount: u128::MAX };
		assert_noop!(dispatch(call, account(1)), Error::<Test>::Overflow);
	});
}
