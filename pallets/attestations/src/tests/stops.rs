//! `stop_mint`, `lift_stop`, `prolong_stop` and `end_stop`.

use crate::{mock::*, *};
use frame_support::{
	assert_noop, assert_ok,
	pallet_prelude::{InvalidTransaction, TransactionSource, TransactionValidityError},
	traits::Authorize,
};
use gridproof_primitives::{
	H256,
	crypto::ed25519::Signature,
	num::units::MILLIS_PER_DAY,
	reserve::attestation::{Role, RoleSignature},
	reserve::stop::{MintStops, RoleStops, lift_payload, lifters, stop_payload},
};
use sp_core::{Pair as _, ed25519::Pair};
use sp_runtime::{DispatchError, ModuleError};

fn signature_of(pair: &Pair, genesis: &H256, role: Role, number: u32) -> Signature {
	pair.sign(&stop_payload(genesis, role, number)).0
}

fn stop_signature(role: Role, number: u32) -> Signature {
	signature_of(&pair(role), &genesis(), role, number)
}

fn stop(role: Role, number: u32) -> Result<(), DispatchError> {
	stop_with(role, number, stop_signature(role, number))
}

fn stop_with(role: Role, number: u32, signature: Signature) -> Result<(), DispatchError> {
	Attestations::stop_mint(RuntimeOrigin::signed(1), role, number, signature)
}

fn lifting(role: Role, number: u32, signers: &[Role]) -> Signatures {
	let sign = |signer: &Role| RoleSignature {
		role: *signer,
		signature: pair(*signer).sign(&lift_payload(&genesis(), role, number, *signer)).0,
	};
	signers.iter().map(sign).collect::<Vec<_>>().try_into().unwrap()
}

fn lift(role: Role, number: u32) -> Result<(), DispatchError> {
	lift_with(role, number, lifting(role, number, &lifters(role)))
}

fn lift_with(role: Role, number: u32, signatures: Signatures) -> Result<(), DispatchError> {
	Attestations::lift_stop(RuntimeOrigin::signed(1), role, number, signatures)
}

fn pass_days(days: u64) {
	Now::mutate(|now| *now += days * MILLIS_PER_DAY);
}

fn stopped() -> bool {
	<Attestations as MintStops>::is_stopped()
}

#[test]
fn one_role_stops_minting_for_two_days_whoever_signs() {
	build_and_execute(|| {
		for role in Role::ALL {
			assert!(!stopped());
			let until = Now::get() + 2 * MILLIS_PER_DAY;
			// WHEN one role stops, and the two others lift it at once
			assert_ok!(stop(role, 0));
			assert_ok!(lift(role, 0));
			// THEN it stands for two days to the millisecond, and then it has fallen
			assert_eq!(
				events()[events().len() - 2..],
				[
					Event::MintStopped { role, number: 0, until, only_governance: false },
					Event::StopLifted { role, number: 0, falls_at: until },
				]
			);
			Now::set(until - 1);
			assert!(stopped());
			assert_noop!(stop(role, 1), Error::<Test>::AlreadyStopped);
			assert_noop!(lift(role, 0), Error::<Test>::AlreadyLifted);
			Now::set(until);
			assert!(!stopped());
			assert_noop!(lift(role, 0), Error::<Test>::NotStopped);
		}
	});
}

#[test]
fn without_the_two_others_only_governance_ends_a_stop() {
	build_and_execute(|| {
		assert_ok!(stop(Role::Data, 0));
		pass_days(400);
		assert!(stopped());
		for origin in [RuntimeOrigin::signed(1), RuntimeOrigin::signed(GUARD)] {
			assert_noop!(Attestations::end_stop(origin, Role::Data, 0), DispatchError::BadOrigin);
		}
		let root = RuntimeOrigin::root;
		let wrong = Error::<Test>::WrongStopNumber;
		assert_noop!(Attestations::end_stop(root(), Role::Data, 1), wrong);
		assert_noop!(Attestations::end_stop(root(), Role::Ops, 0), Error::<Test>::NotStopped);
		assert_ok!(Attestations::end_stop(root(), Role::Data, 0));
		assert!(!stopped());
		assert_eq!(events().last(), Some(&Event::StopEnded { role: Role::Data, number: 0 }));
	});
}

#[test]
fn an_old_or_foreign_signature_is_worth_nothing() {
	build_and_execute(|| {
		let old = stop_signature(Role::Data, 0);
		let bad = || DispatchError::from(Error::<Test>::BadSignature);
		// Another role, another chain, another key, the lifting of a stop.
		assert_noop!(stop_with(Role::Risk, 0, old), bad());
		let elsewhere = signature_of(&pair(Role::Data), &H256([9; 32]), Role::Data, 0);
		assert_noop!(stop_with(Role::Data, 0, elsewhere), bad());
		let other = signature_of(&pair(Role::Ops), &genesis(), Role::Data, 0);
		assert_noop!(stop_with(Role::Data, 0, other), bad());
		let lifted = pair(Role::Data).sign(&lift_payload(&genesis(), Role::Data, 0, Role::Data)).0;
		assert_noop!(stop_with(Role::Data, 0, lifted), bad());
		// Used once, it is worth nothing more, nor is a number ahead.
		assert_noop!(stop(Role::Data, 1), Error::<Test>::WrongStopNumber);
		assert_ok!(stop_with(Role::Data, 0, old));
		assert_ok!(lift(Role::Data, 0));
		pass_days(90);
		assert_noop!(stop_with(Role::Data, 0, old), Error::<Test>::WrongStopNumber);
		assert_noop!(stop_with(Role::Data, 1, old), bad());
		assert_ok!(stop(Role::Data, 1));
		// The others' signatures under the first lifting do not lift the second stop.
		let before = lifting(Role::Data, 0, &lifters(Role::Data));
		assert_noop!(lift_with(Role::Data, 0, before.clone()), Error::<Test>::WrongStopNumber);
		assert_noop!(lift_with(Role::Data, 1, before), bad());
	});
}

#[test]
fn a_stop_is_lifted_by_the_two_other_roles_and_nobody_else() {
	build_and_execute(|| {
		assert_ok!(stop(Role::Risk, 0));
		let wrong = || DispatchError::from(Error::<Test>::WrongLifters);
		for signers in [
			&[][..],
			&[Role::Data],
			&[Role::Data, Role::Risk],
			&[Role::Ops, Role::Data],
			&[Role::Data, Role::Data],
			&Role::ALL,
		] {
			assert_noop!(lift_with(Role::Risk, 0, lifting(Role::Risk, 0, signers)), wrong());
		}
		let mut forged = lifting(Role::Risk, 0, &lifters(Role::Risk));
		forged[1].signature = forged[0].signature;
		assert_noop!(lift_with(Role::Risk, 0, forged), Error::<Test>::BadSignature);
		// A role whose key was removed lifts nothing.
		assert_ok!(Attestations::rotate_key(RuntimeOrigin::root(), Role::Ops, None));
		assert_noop!(lift(Role::Risk, 0), Error::<Test>::NoKey);
		assert_noop!(stop(Role::Ops, 0), Error::<Test>::NoKey);
	});
}

#[test]
fn a_second_stop_within_thirty_days_is_for_governance_and_a_third_is_refused() {
	build_and_execute(|| {
		assert_ok!(stop(Role::Ops, 0));
		assert_ok!(lift(Role::Ops, 0));
		pass_days(31);
		assert_ok!(stop(Role::Ops, 1));
		assert_noop!(lift(Role::Ops, 1), Error::<Test>::OnlyGovernanceEnds);
		pass_days(100);
		assert!(stopped());
		assert_ok!(Attestations::end_stop(RuntimeOrigin::root(), Role::Ops, 1));
		pass_days(29);
		assert_noop!(stop(Role::Ops, 2), Error::<Test>::StopSpent);
		pass_days(1);
		assert_ok!(stop(Role::Ops, 2));
	});
}

#[test]
fn the_guard_prolongs_a_stop_and_cannot_end_it() {
	build_and_execute(|| {
		let (guard, began) = (|| RuntimeOrigin::signed(GUARD), Now::get());
		let prolong = |origin| Attestations::prolong_stop(origin, Role::Data, 0);
		assert_noop!(prolong(guard()), Error::<Test>::NotStopped);
		assert_ok!(stop(Role::Data, 0));
		assert_ok!(lift(Role::Data, 0));
		assert_noop!(prolong(RuntimeOrigin::signed(1)), DispatchError::BadOrigin);
		pass_days(1);
		assert_ok!(prolong(guard()));
		assert_noop!(prolong(RuntimeOrigin::root()), Error::<Test>::AlreadyProlonged);
		let until = began + 14 * MILLIS_PER_DAY;
		let prolonged = Event::StopProlonged { role: Role::Data, number: 0, until };
		assert_eq!(events().last(), Some(&prolonged));
		Now::set(until - 1);
		assert!(stopped());
		Now::set(until);
		assert!(!stopped());
		// After its two days a stop can be prolonged no more.
		assert_ok!(stop(Role::Risk, 0));
		pass_days(2);
		let late = Attestations::prolong_stop(guard(), Role::Risk, 0);
		assert_noop!(late, Error::<Test>::TooLateToProlong);
	});
}

#[test]
fn a_stop_works_while_submissions_are_paused() {
	build_and_execute(|| {
		Paused::<Test>::put(true);
		assert_ok!(stop(Role::Data, 0));
		assert_ok!(lift(Role::Data, 0));
	});
}

#[test]
fn a_good_stop_is_free_once_and_then_neither_free_nor_taken() {
	build_and_execute(|| {
		let call = |number| Call::<Test>::stop_mint {
			role: Role::Data,
			number,
			signature: stop_signature(Role::Data, number),
		};
		let lifting = |number| Call::<Test>::lift_stop {
			role: Role::Data,
			number,
			signatures: lifting(Role::Data, number, &lifters(Role::Data)),
		};
		let authorize = |call: &Call<Test>| {
			call.authorize(TransactionSource::External).unwrap().map(|(validity, _)| validity)
		};
		let refused = |error: Error<Test>| match DispatchError::from(error) {
			DispatchError::Module(ModuleError { error, .. }) => {
				Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(error[0])))
			},
			other => panic!("not this pallet's: {other:?}"),
		};
		let validity = authorize(&call(0)).unwrap();
		assert_eq!((validity.priority, validity.longevity), (1_000, 64));
		assert_eq!(validity.provides.len(), 1);
		assert_eq!(authorize(&lifting(0)), refused(Error::NotStopped));
		assert_ok!(stop(Role::Data, 0));
		// k + 1: the role's next stop is refused until this one has ended.
		for number in [0, 1] {
			assert_eq!(authorize(&call(number)), refused(Error::AlreadyStopped));
		}
		assert!(authorize(&lifting(0)).is_ok());
		assert_ok!(lift(Role::Data, 0));
		assert_eq!(authorize(&lifting(0)), refused(Error::AlreadyLifted));
		// Neither needs an account, and a strange origin is refused.
		let none = Attestations::stop_mint(RuntimeOrigin::none(), Role::Ops, 0, [0; 64]);
		assert_noop!(none, DispatchError::BadOrigin);
	});
}

#[test]
fn the_invariant_of_stops_can_be_broken() {
	new_test_ext().execute_with(|| {
		assert_ok!(stop(Role::Data, 0));
		let good = Stops::<Test>::get();
		let breaks: [fn(&mut RoleStops); 4] = [
			|stops| stops.data.next = 7,
			|stops| stops.data.stop.as_mut().unwrap().until = 0,
			|stops| stops.data.stop.as_mut().unwrap().only_governance = true,
			|stops| {
				let stop = stops.data.stop.as_mut().unwrap();
				(stop.lifted, stop.only_governance) = (true, true);
			},
		];
		for break_it in breaks {
			assert_ok!(Attestations::do_try_state());
			let mut broken = good;
			break_it(&mut broken);
			Stops::<Test>::put(broken);
			assert!(Attestations::do_try_state().is_err());
			Stops::<Test>::put(good);
		}
	});
}
