//! `close_account`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{num::units::AICP, reserve::attestation::ServiceCredit};

fn close(who: u64) -> Result<(), sp_runtime::DispatchError> {
	dispatch(Call::close_account { who }, BOB)
}

#[test]
fn an_empty_account_is_closed_by_anyone_and_its_deposit_returns() {
	build_and_execute(|| {
		assert_noop!(close(ALICE), Error::<Test>::NoAccount);
		assert_ok!(redeem(ALICE, AICP));
		assert_noop!(close(ALICE), Error::<Test>::AccountInUse);
		assert_ok!(spend(ALICE, 1_500_000));
		// What was redeemed today still counts for the limit.
		assert_noop!(close(ALICE), Error::<Test>::AccountInUse);
		set_day(2);
		events();
		assert_ok!(close(ALICE));
		assert_eq!(events(), vec![Event::AccountClosed { who: ALICE }]);
		assert_eq!(Accounts::<Test>::get(ALICE), None);
		assert_eq!(on_hold(HoldReason::CreditAccount, ALICE), 0);
	});
}

#[test]
fn an_account_closes_by_itself_when_the_last_credit_is_spent_on_a_later_day() {
	build_and_execute(|| {
		assert_ok!(redeem(ALICE, AICP));
		set_day(2);
		assert_ok!(spend(ALICE, 1_000_000));
		assert!(Accounts::<Test>::contains_key(ALICE));
		assert_ok!(spend(ALICE, 500_000));
		assert!(!Accounts::<Test>::contains_key(ALICE));
		assert_eq!(on_hold(HoldReason::CreditAccount, ALICE), 0);
	});
}

#[test]
fn an_account_with_a_ticket_or_held_credit_stays() {
	build_and_execute(|| {
		use_up_capacity(100_000_000);
		assert_ok!(redeem(ALICE, AICP));
		set_day(2);
		assert_noop!(close(ALICE), Error::<Test>::AccountInUse);
		assert_ok!(dispatch(Call::serve { tickets: 1 }, BOB));
		assert_ok!(CoveragePolicy::hold(&ALICE, 1_500_000));
		assert_noop!(close(ALICE), Error::<Test>::AccountInUse);
		assert_ok!(CoveragePolicy::pay_held(&ALICE, &SERVER, 1_500_000));
		assert_noop!(close(ALICE), Error::<Test>::NoAccount);
	});
}
