//! `submit` of revisions.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{H256, reserve::archive, reserve::attestation::Kind};

#[test]
fn a_revision_replaces_what_it_names() {
	build_and_execute(|| {
		// GIVEN a statement
		let first = fields(yesterday());
		assert_ok!(submit(&first));
		let replaced = Attestations::attestation(Kind::Reserve, yesterday()).unwrap();
		// WHEN it is revised
		let second = revision(&first);
		assert_ok!(submit(&second));
		// THEN the revision is in force and the first is in the archive
		let standing = Attestations::attestation(Kind::Reserve, yesterday()).unwrap();
		assert_eq!(standing.fields, second);
		assert_eq!(Attestations::days(Kind::Reserve), vec![yesterday()]);
		let head = archive::next_head(&Kind::Reserve, 0, H256::zero(), replaced.entry());
		assert_eq!(
			Attestations::archive(Kind::Reserve),
			Archive { head, length: 1, pruned_through: None }
		);
		assert_eq!(
			events()[1],
			Event::Archived {
				kind: Kind::Reserve,
				day: yesterday(),
				statement: first.hash(),
				index: 0,
				entry: replaced.entry(),
				head,
			}
		);
		assert_eq!(Taken::get().last(), Some(&(second.clone(), second.hash())));
	});
}

#[test]
fn neither_the_first_nor_the_revision_can_come_back() {
	build_and_execute(|| {
		let first = fields(yesterday());
		let second = revision(&first);
		let third = revision(&second);
		assert_ok!(submit(&first));
		assert_ok!(submit(&second));
		assert_noop!(submit(&first), Error::<Test>::AlreadyAttested);
		assert_noop!(submit(&second), Error::<Test>::WrongReplacement);
		assert_ok!(submit(&third));
		assert_noop!(submit(&second), Error::<Test>::WrongReplacement);
		assert_noop!(submit(&third), Error::<Test>::WrongReplacement);
	});
}

#[test]
fn a_revision_must_name_what_stands() {
	build_and_execute(|| {
		let first = fields(yesterday());
		// Nothing is in force yet.
		assert_noop!(submit(&revision(&first)), Error::<Test>::WrongReplacement);
		assert_ok!(submit(&first));
		// Another hash, or another number.
		let stranger =
			AttestationFields { replaces: Some(H256::repeat_byte(1)), ..revision(&first) };
		assert_noop!(submit(&stranger), Error::<Test>::WrongReplacement);
		let skipping = AttestationFields { revision: 2, ..revision(&first) };
		assert_noop!(submit(&skipping), Error::<Test>::WrongReplacement);
		// The hash of another day's statement.
		assert_ok!(submit(&fields(day(-1))));
		let moved = AttestationFields { day: day(-1), ..revision(&first) };
		assert_noop!(submit(&moved), Error::<Test>::WrongReplacement);
	});
}

#[test]
fn a_day_is_revised_three_times_at_most() {
	build_and_execute(|| {
		let mut fields = fields(yesterday());
		assert_ok!(submit(&fields));
		for _ in 0..3 {
			fields = revision(&fields);
			assert_ok!(submit(&fields));
		}
		assert_noop!(submit(&revision(&fields)), Error::<Test>::TooManyRevisions);
		assert_eq!(Attestations::archive(Kind::Reserve).length, 3);
	});
}

#[test]
fn a_day_too_long_ago_is_not_revised() {
	build_and_execute(|| {
		let first = fields(yesterday());
		assert_ok!(submit(&first));
		set_time(day(8), 0);
		assert_ok!(submit(&revision(&first)));
		set_time(day(9), 0);
		assert_noop!(submit(&revision(&revision(&first))), Error::<Test>::AncientDay);
	});
}
