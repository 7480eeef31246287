//! `rotate_key` and the history of keys.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::reserve::attestation::Role;
use sp_core::{Pair as _, ed25519::Pair};
use sp_runtime::DispatchError;

fn other(n: u8) -> Pair {
	Pair::from_seed(&[n; 32])
}

fn rotate(role: Role, key: Option<&Pair>) -> Result<(), DispatchError> {
	Attestations::rotate_key(RuntimeOrigin::root(), role, key.map(public))
}

#[test]
fn the_new_key_counts_and_the_old_one_does_not() {
	build_and_execute(|| {
		// GIVEN a statement signed by the old keys, not submitted yet
		let fields = fields(yesterday());
		let old_signatures = sign(&fields, &TWO);
		// WHEN risk's key is rotated
		assert_ok!(rotate(Role::Risk, Some(&other(20))));
		// THEN what the old key signed is refused, and what the new key signs is taken
		assert_noop!(submit_with(&fields, old_signatures.clone()), Error::<Test>::BadSignature);
		let mut signatures = old_signatures;
		signatures[1] = signed_by(&other(20), Role::Risk, &fields);
		assert_ok!(submit_with(&fields, signatures));
		let (old, new) = (public(&pair(Role::Risk)), public(&other(20)));
		assert_eq!(
			events()[0],
			Event::KeyRotated { role: Role::Risk, old: Some(old), new: Some(new) }
		);
	});
}

#[test]
fn only_governance_rotates() {
	build_and_execute(|| {
		for who in [1, GUARD] {
			let origin = RuntimeOrigin::signed(who);
			assert_noop!(
				Attestations::rotate_key(origin, Role::Data, None),
				DispatchError::BadOrigin
			);
		}
	});
}

#[test]
fn weak_keys_are_refused() {
	build_and_execute(|| {
		let mut one = [0u8; 32];
		one[0] = 1;
		let mut minus_one = [0xff; 32];
		(minus_one[0], minus_one[31]) = (0xec, 0x7f);
		let non_canonical = [0xff; 32];
		// No point has y = 2: nobody could ever sign with it.
		let mut off_curve = [0u8; 32];
		off_curve[0] = 2;
		for key in [[0; 32], one, minus_one, non_canonical, off_curve] {
			assert_noop!(
				Attestations::rotate_key(RuntimeOrigin::root(), Role::Data, Some(key)),
				Error::<Test>::WeakKey
			);
		}
	});
}

#[test]
fn a_key_has_one_role_and_never_comes_back() {
	build_and_execute(|| {
		// Another role's, and its own.
		assert_noop!(rotate(Role::Data, Some(&pair(Role::Ops))), Error::<Test>::KeyInUse);
		assert_noop!(rotate(Role::Data, Some(&pair(Role::Data))), Error::<Test>::KeyInUse);
		// A retired one, of whichever role.
		assert_ok!(rotate(Role::Data, Some(&other(20))));
		assert_noop!(rotate(Role::Data, Some(&pair(Role::Data))), Error::<Test>::KeyInUse);
		assert_noop!(rotate(Role::Ops, Some(&pair(Role::Data))), Error::<Test>::KeyInUse);
	});
}

#[test]
fn a_key_can_be_taken_away_once() {
	build_and_execute(|| {
		assert_ok!(rotate(Role::Data, None));
		assert_noop!(rotate(Role::Data, None), Error::<Test>::NothingToRemove);
		assert_ok!(rotate(Role::Data, Some(&other(20))));
		let new = Some(public(&other(20)));
		assert_eq!(events().last(), Some(&Event::KeyRotated { role: Role::Data, old: None, new }));
	});
}

#[test]
fn it_is_known_which_key_was_valid_when() {
	build_and_execute(|| {
		let start = Now::get();
		let first = public(&pair(Role::Data));
		// GIVEN a rotation after 1,000 ms, a removal after 2,000, another key after 3,000
		Now::set(start + 1_000);
		assert_ok!(rotate(Role::Data, Some(&other(20))));
		Now::set(start + 2_000);
		assert_ok!(rotate(Role::Data, None));
		Now::set(start + 3_000);
		assert_ok!(rotate(Role::Data, Some(&other(21))));
		// THEN each moment has its key
		let at = |time| Attestations::key_at(Role::Data, start + time);
		assert_eq!(at(0), Some(first));
		assert_eq!(at(999), Some(first));
		assert_eq!(at(1_000), Some(public(&other(20))));
		assert_eq!(at(1_999), Some(public(&other(20))));
		assert_eq!((at(2_000), at(2_999)), (None, None));
		assert_eq!(at(3_000), Some(public(&other(21))));
		assert_eq!(at(1_000_000), Some(public(&other(21))));
	});
}

#[test]
fn the_times_of_the_oldest_retired_key_are_forgotten_first_and_no_key_comes_back() {
	build_and_execute(|| {
		for n in 20..26 {
			Now::mutate(|now| *now += 1);
			assert_ok!(rotate(Role::Data, Some(&other(n))));
		}
		// Six were retired, four are remembered.
		let retired: Vec<_> =
			RetiredKeys::<Test>::get(Role::Data).into_iter().map(|retired| retired.key).collect();
		let expected: Vec<_> = (21..25).map(|n| public(&other(n))).collect();
		assert_eq!(retired, expected);
		// None of the six comes back, in whatever role.
		let first = pair(Role::Data);
		for key in (20..25).map(other).chain([first]) {
			for role in Role::ALL {
				assert_noop!(rotate(role, Some(&key)), Error::<Test>::KeyInUse);
			}
		}
	});
}

#[test]
fn version_2_remembers_the_retired_keys_of_old_chains() {
	use frame_support::traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion};
	build_and_execute(|| {
		assert_ok!(rotate(Role::Data, Some(&other(20))));
		// GIVEN a chain of version 1, which has the list only
		PastKeys::<Test>::remove(public(&pair(Role::Data)));
		StorageVersion::new(1).put::<Attestations>();
		crate::migrations::V2::<Test>::on_runtime_upgrade();
		assert_eq!(Attestations::on_chain_storage_version(), StorageVersion::new(2));
		assert_noop!(rotate(Role::Ops, Some(&pair(Role::Data))), Error::<Test>::KeyInUse);
	});
}
