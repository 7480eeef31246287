//! `pause` and `resume`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn nothing_is_accepted_while_paused() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		assert_ok!(Attestations::pause(RuntimeOrigin::signed(GUARD)));
		assert_noop!(submit(&fields), Error::<Test>::Paused);
		assert_ok!(Attestations::resume(RuntimeOrigin::root()));
		assert_ok!(submit(&fields));
		assert_eq!(events()[..2], [Event::Paused, Event::Resumed]);
	});
}

#[test]
fn the_guard_and_governance_pause_and_only_governance_resumes() {
	build_and_execute(|| {
		let stranger = || RuntimeOrigin::signed(1);
		assert_noop!(Attestations::pause(stranger()), DispatchError::BadOrigin);
		assert_noop!(Attestations::resume(RuntimeOrigin::root()), Error::<Test>::Unchanged);
		assert_ok!(Attestations::pause(RuntimeOrigin::root()));
		assert_noop!(Attestations::pause(RuntimeOrigin::root()), Error::<Test>::Unchanged);
		for origin in [stranger(), RuntimeOrigin::signed(GUARD)] {
			assert_noop!(Attestations::resume(origin), DispatchError::BadOrigin);
		}
	});
}
