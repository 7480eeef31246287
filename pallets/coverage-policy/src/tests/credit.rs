//! Service credit as other pallets use it.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{num::units::AICP, reserve::attestation::ServiceCredit};

#[test]
fn credit_is_spent_once() {
	build_and_execute(|| {
		assert_ok!(redeem(ALICE, 10 * AICP));
		events();
		assert_noop!(spend(ALICE, 15_000_001), Error::<Test>::InsufficientCredit);
		assert_ok!(spend(ALICE, 15_000_000));
		assert_noop!(spend(ALICE, 1), Error::<Test>::InsufficientCredit);
		assert_noop!(spend(BOB, 1), Error::<Test>::InsufficientCredit);
		let expected =
			Event::CreditSpent { who: ALICE, credit: 15_000_000, to: SERVER, paid: 10 * AICP };
		assert_eq!(events(), vec![expected]);
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
		assert_noop!(spend(ALICE, 5_000_001), Error::<Test>::InsufficientCredit);
		assert_noop!(CoveragePolicy::hold(&ALICE, 5_000_001), Error::<Test>::InsufficientCredit);
		// AND of what is held no more than that
		assert_noop!(
			CoveragePolicy::pay_held(&ALICE, &SERVER, 10_000_001),
			Error::<Test>::InsufficientCredit
		);
		assert_noop!(
			CoveragePolicy::release(&ALICE, 10_000_001),
			Error::<Test>::InsufficientCredit
		);
		assert_ok!(CoveragePolicy::pay_held(&ALICE, &SERVER, 7_000_000));
		assert_ok!(CoveragePolicy::release(&ALICE, 3_000_000));
		assert_eq!(both(), (8_000_000, 0));
	});
}

#[test]
fn nothing_costs_nothing() {
	build_and_execute(|| {
		assert_ok!(CoveragePolicy::hold(&BOB, 0));
		assert_ok!(CoveragePolicy::pay_held(&BOB, &SERVER, 0));
		assert_ok!(CoveragePolicy::release(&BOB, 0));
		assert!(events().is_empty());
		assert_eq!((CoveragePolicy::available(&BOB), CoveragePolicy::held(&BOB)), (0, 0));
	});
}

#[test]
fn who_serves_credit_is_paid_in_the_treasurys_aicp_and_nothing_is_minted() {
	build_and_execute(|| {
		// GIVEN 15 EUR of credit, for which the treasury has put 10 AICP aside
		assert_ok!(redeem(ALICE, 10 * AICP));
		assert_eq!((aicp(TREASURY), aicp(BACKING)), (OF_TREASURY - 10 * AICP, 10 * AICP));
		assert_ok!(CoveragePolicy::hold(&ALICE, 12_000_000));
		let supply = issuance();
		// WHEN 12 EUR are divided between a miner, a coordinator and the treasury
		for (to, credit) in [(7, 9_000_000), (8, 600_000), (TREASURY, 2_400_000)] {
			assert_ok!(CoveragePolicy::pay_held(&ALICE, &to, credit));
		}
		// THEN each has its share at 1.50 EUR, and 3 EUR stay backed
		assert_eq!((aicp(7), aicp(8)), (6 * AICP, 400_000));
		assert_eq!(aicp(TREASURY), OF_TREASURY - 8_400_000);
		assert_eq!(aicp(BACKING), 2 * AICP);
		assert_eq!(issuance(), supply);
	});
}

#[test]
fn a_payment_rounds_down_and_never_takes_what_backs_others() {
	build_and_execute(|| {
		assert_ok!(redeem(ALICE, AICP));
		assert_ok!(CoveragePolicy::hold(&ALICE, 1_000));
		// A micro-EUR is two thirds of a micro-token.
		for _ in 0..500 {
			assert_ok!(CoveragePolicy::pay_held(&ALICE, &SERVER, 1));
		}
		assert_eq!(aicp(SERVER), 0);
		assert_ok!(CoveragePolicy::pay_held(&ALICE, &SERVER, 500));
		assert_eq!((aicp(SERVER), aicp(BACKING)), (333, AICP - 333));
		// The next redemption puts aside that much less: 2.999 EUR are backed.
		assert_ok!(redeem(ALICE, AICP));
		assert_eq!(aicp(BACKING), 1_999_334);
	});
}

#[test]
fn the_backing_follows_the_price_or_the_price_stays() {
	build_and_execute(|| {
		assert_ok!(redeem(ALICE, 10 * AICP));
		assert_ok!(set_parameters(|new| new.policy.target_price = 3.into()));
		assert_eq!((aicp(TREASURY), aicp(BACKING)), (OF_TREASURY - 5 * AICP, 5 * AICP));
		assert_ok!(set_parameters(|new| new.policy.target_price = 1.into()));
		assert_eq!((aicp(TREASURY), aicp(BACKING)), (OF_TREASURY - 15 * AICP, 15 * AICP));
		// GIVEN a treasury that has spent everything
		transfer(TREASURY, BOB, OF_TREASURY - 15 * AICP);
		let lower = |new: &mut PolicyParameters| {
			new.policy.target_price = gridproof_primitives::num::decimal::Ratio::percent(50);
		};
		assert_noop!(set_parameters(lower), Error::<Test>::NotBacked);
	});
}
