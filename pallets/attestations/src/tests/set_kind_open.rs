//! `set_kind_open`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::reserve::attestation::Kind;
use sp_runtime::DispatchError;

#[test]
fn a_kind_opens_and_closes_and_keeps_what_it_has() {
	build_and_execute(|| {
		let rehearsal = |offset| AttestationFields { kind: Kind::Rehearsal, ..fields(day(offset)) };
		assert_ok!(Attestations::set_kind_open(RuntimeOrigin::root(), Kind::Rehearsal, true));
		assert_ok!(submit(&rehearsal(0)));
		assert_ok!(Attestations::set_kind_open(RuntimeOrigin::root(), Kind::Rehearsal, false));
		assert_noop!(submit(&rehearsal(-1)), Error::<Test>::KindClosed);
		assert!(Attestations::attestation(Kind::Rehearsal, yesterday()).is_some());
		let changed = |open| Event::KindChanged { kind: Kind::Rehearsal, open };
		assert_eq!(events().first(), Some(&changed(true)));
		assert_eq!(events().last(), Some(&changed(false)));
	});
}

#[test]
fn only_governance_changes_kinds_and_only_if_something_changes() {
	build_and_execute(|| {
		assert_noop!(
			Attestations::set_kind_open(RuntimeOrigin::signed(GUARD), Kind::Rehearsal, true),
			DispatchError::BadOrigin
		);
		assert_noop!(
			Attestations::set_kind_open(RuntimeOrigin::root(), Kind::Reserve, true),
			Error::<Test>::Unchanged
		);
		assert_noop!(
			Attestations::set_kind_open(RuntimeOrigin::root(), Kind::Rehearsal, false),
			Error::<Test>::Unchanged
		);
	});
}
