//! Service credit as other pallets use it.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{num::units::AICP, reserve::attestation::ServiceCredit};

#[test]
fn credit_is_spent_once() {
	build_and_execute(|| {
		assert_ok!(redeem(ALICE, 10 * AICP));
		events();
		assert_noop!(CoveragePolicy::spend(&ALICE, 15_000_001), Error::<Test>::InsufficientCredit);
		assert_ok!(CoveragePolicy::spend(&ALICE, 15_000_000));
		assert_noop!(CoveragePolicy::spend(&ALICE, 1), Error::<Test>::InsufficientCredit);
		assert_noop!(CoveragePolicy::spend(&BOB, 1), Error::<Test>::InsufficientCredit);
		assert_eq!(events(), vec![Event::CreditSpent { who: ALICE, credit: 15_000_000 }]);
		assert_eq!(Sums::<Test>::get().spent, 15_000_000);
	});
}

#[test]
fn held_credit_is_spent_or_released_and_nothing_else() {
	build_and_execute(|| {
		assert_ok!(redeem(ALICE, 10 * AICP));
		// GIVEN 10 of 15 EUR on hold
		assert_ok!(CoveragePolicy::hold(&ALICE, 10_000_000));
		let both = || (CoveragePolicy::available(&ALICE), CoveragePolicy::held(&ALICE));
		assert_eq!(both(), (5_000_000, 10_000_000));
		// THEN only the rest can be spent or held
		assert_noop!(CoveragePolicy::spend(&ALICE, 5_000_001), Error::<Test>::InsufficientCredit);
		assert_noop!(CoveragePolicy::hold(&ALICE, 5_000_001), Error::<Test>::InsufficientCredit);
		// AND of what is held no more than that
		assert_noop!(
			CoveragePolicy::spend_held(&ALICE, 10_000_001),
			Error::<Test>::InsufficientCredit
		);
		assert_noop!(
			CoveragePolicy::release(&ALICE, 10_000_001),
			Error::<Test>::InsufficientCredit
		);
		assert_ok!(CoveragePolicy::spend_held(&ALICE, 7_000_000));
		assert_ok!(CoveragePolicy::release(&ALICE, 3_000_000));
		assert_eq!(both(), (8_000_000, 0));
	});
}

#[test]
fn nothing_costs_nothing() {
	build_and_execute(|| {
		assert_ok!(CoveragePolicy::spend(&BOB, 0));
		assert_ok!(CoveragePolicy::hold(&BOB, 0));
		assert_ok!(CoveragePolicy::release(&BOB, 0));
		assert_ok!(CoveragePolicy::spend_held(&BOB, 0));
		assert!(events().is_empty());
		assert_eq!((CoveragePolicy::available(&BOB), CoveragePolicy::held(&BOB)), (0, 0));
	});
}
