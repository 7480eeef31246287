//! Each invariant, broken once, with what `try_state` says then. That of stops is with its subject.

use crate::{mock::*, *};
use frame_support::{
	assert_ok,
	storage::{TransactionOutcome, with_transaction},
};
use gridproof_primitives::{
	H256,
	reserve::attestation::{Kind, Role},
	time::calendar::Calendar,
};
use sp_core::{Pair as _, ed25519::Pair};
use sp_runtime::DispatchError;

/// Returns what is broken after `change`, which is undone then.
fn broken(change: impl FnOnce()) -> &'static str {
	let found = with_transaction(|| {
		change();
		let found = Attestations::do_try_state();
		TransactionOutcome::Rollback(Ok::<_, DispatchError>(found))
	});
	match found.unwrap() {
		Err(DispatchError::Other(text)) => text,
		other => panic!("{other:?}"),
	}
}

/// Runs a test on a day that was stated, after risk's key was replaced twice.
fn with_a_statement(test: impl FnOnce()) {
	build_and_execute(|| {
		assert_ok!(submit(&fields(yesterday())));
		for number in [20, 21] {
			let key = Some(public(&Pair::from_seed(&[number; 32])));
			assert_ok!(Attestations::rotate_key(RuntimeOrigin::root(), Role::Risk, key));
		}
		test();
	});
}

#[test]
fn a_calendar_without_a_day_is_noticed() {
	with_a_statement(|| {
		let calendar = Calendar { day_length: 0, ..CalendarInUse::<Test>::get() };
		assert_eq!(broken(|| CalendarInUse::<Test>::put(calendar)), "1: invalid calendar");
	});
}

#[test]
fn days_that_are_not_those_of_the_rows_are_noticed() {
	with_a_statement(|| {
		let (kind, day) = (Kind::Reserve, yesterday());
		let twice = broken(|| Days::<Test>::mutate(kind, |days| days.try_push(day).unwrap()));
		assert_eq!(twice, "2: days out of order");
		let pruned = broken(|| {
			Archives::<Test>::mutate(kind, |archive| archive.pruned_through = Some(day));
		});
		assert_eq!(pruned, "2: a pruned day is listed");
		let gone = broken(|| Standing::<Test>::remove(kind, day));
		assert_eq!(gone, "2: listed day without a row");
		let row = Standing::<Test>::get(kind, day).unwrap();
		let misplaced = broken(|| {
			let mut row = row.clone();
			row.fields.kind = Kind::Rehearsal;
			Standing::<Test>::insert(kind, day, row);
		});
		assert_eq!(misplaced, "2: row misplaced");
		assert_eq!(broken(|| Days::<Test>::remove(kind)), "2: row without a listed day");
	});
}

#[test]
fn a_row_that_could_not_have_been_signed_is_noticed() {
	with_a_statement(|| {
		let with = |change: fn(&mut Attestation<_>)| {
			broken(|| {
				Standing::<Test>::mutate(Kind::Reserve, yesterday(), |row| {
					change(row.as_mut().unwrap());
				});
			})
		};
		let few = with(|row| {
			row.signers.pop();
		});
		assert_eq!(few, "3: too few signers");
		let order = with(|row| {
			let first = row.signers[0];
			row.signers[0] = row.signers[1];
			row.signers[1] = first;
		});
		assert_eq!(order, "3: signers out of order");
		assert_eq!(with(|row| row.signers[1].1 = row.signers[0].1), "3: one key for two roles");
		assert_eq!(with(|row| row.fields.revision = 1), "3: inconsistent fields");
		let many = with(|row| {
			(row.fields.revision, row.fields.replaces) = (4, Some(H256::repeat_byte(1)));
		});
		assert_eq!(many, "3: too many revisions");
	});
}

#[test]
fn an_archive_of_nothing_is_noticed() {
	with_a_statement(|| {
		let archive = broken(|| Archives::<Test>::mutate(Kind::Reserve, |row| row.length = 1));
		assert_eq!(archive, "4: head without entries");
	});
}

#[test]
fn keys_that_are_weak_twice_there_or_back_are_noticed() {
	with_a_statement(|| {
		let with = |change: fn(&mut KeySet<_>)| broken(|| Keys::<Test>::mutate(change));
		assert_eq!(with(|keys| keys.data.as_mut().unwrap().key = [0; 32]), "5: weak key");
		assert_eq!(with(|keys| keys.data = keys.risk), "5: key pinned twice");
		let old = RetiredKeys::<Test>::get(Role::Risk)[0].key;
		let forgotten = broken(|| PastKeys::<Test>::remove(old));
		assert_eq!(forgotten, "5: a retired key is forgotten");
		let back = broken(|| PastKeys::<Test>::insert(public(&pair(Role::Data)), ()));
		assert_eq!(back, "5: a retired key came back");
	});
}

#[test]
fn retired_keys_that_overlap_are_noticed() {
	with_a_statement(|| {
		let with = |place: usize, until: bool| {
			broken(|| {
				RetiredKeys::<Test>::mutate(Role::Risk, |keys| {
					let key = &mut keys[place];
					let moved = if until { &mut key.until } else { &mut key.since };
					moved.time = u64::MAX;
				});
			})
		};
		assert_eq!(with(0, true), "6: retired keys overlap");
		assert_eq!(with(0, false), "6: a key ended before it began");
	});
}
