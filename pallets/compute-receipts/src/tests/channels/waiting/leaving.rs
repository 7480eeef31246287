//! Who leaves while something of it waits.

use super::*;
use frame_support::{assert_noop, assert_ok};

fn leave(who: u8) {
	dispatch(Call::leave { key: key(who) }, account(who)).unwrap();
}

fn withdraw(who: u8) -> Result<(), DispatchError> {
	dispatch(Call::withdraw { key: key(who) }, account(who))
}

#[test]
fn a_window_that_stands_still_holds_no_bond() {
	with_window(|| {
		leave(MINER);
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[MINER]);
		mint_still(true);
		wait(7 * DAY_MS);
		let bond = Parties::<Test>::get(key(MINER)).unwrap().bond;
		assert_eq!(on_hold(HoldReason::Bond, &account(MINER)), bond);
		assert_ok!(withdraw(MINER));
		assert_eq!(on_hold(HoldReason::Bond, &account(MINER)), 0);
		assert_noop!(withdraw(MINER), Error::<Test>::NotYet);
		// Pay and mint are its own all the same.
		let before = ait(&account(MINER));
		assert_ok!(release(&[line(0, MINER)]));
		assert_eq!(ait(&account(MINER)), before + 75 * AIT / 2);
		mint_still(false);
		wait(WINDOW_MS);
		assert_ok!(release(&[line(0, MINER), own(0)]));
		nothing_waits();
		assert_ok!(withdraw(MINER));
		let earned = claim_for(100) * 75 / 100;
		assert_eq!(ait(&account(MINER)), before + 75 * AIT / 2 + earned);
		assert_eq!(Parties::<Test>::get(key(MINER)), None);
	});
}

#[test]
fn settlement_that_is_stopped_holds_no_bond() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[MINER]);
		leave(MINER);
		stop(Breaker::AllStopped);
		wait(8 * DAY_MS);
		assert_ok!(withdraw(MINER));
		assert_eq!(on_hold(HoldReason::Bond, &account(MINER)), 0);
		stop(Breaker::Closed);
		wait(WINDOW_MS);
		assert_ok!(release(&[line(0, MINER), own(0)]));
		assert_eq!(accrued(MINER), claim_for(100) * 75 / 100);
	});
}

#[test]
fn a_dispute_holds_the_bond_as_long_as_it_says_and_no_longer() {
	use gridproof_primitives::compute::checks::MAX_HOLD_MS;
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[MINER]);
		leave(MINER);
		// The mint's window stands still: so it can still be accused at the end of its notice.
		mint_still(true);
		wait(7 * DAY_MS - 1);
		let until = Now::get() + WINDOW_MS + MAX_HOLD_MS;
		assert_ok!(<ComputeReceipts as Waiting<_>>::hold(&line(0, MINER), until));
		wait(1);
		assert_noop!(withdraw(MINER), Error::<Test>::NotYet);
		// A stop holds no bond: its time is that of the wall.
		stop(Breaker::AllStopped);
		wait(WINDOW_MS + MAX_HOLD_MS - 2);
		assert_noop!(withdraw(MINER), Error::<Test>::NotYet);
		wait(1);
		assert_ok!(withdraw(MINER));
		assert_eq!(on_hold(HoldReason::Bond, &account(MINER)), 0);
	});
}

#[test]
fn a_dispute_that_ended_holds_no_bond() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[MINER]);
		leave(MINER);
		mint_still(true);
		wait(7 * DAY_MS);
		let part = line(0, MINER);
		assert_ok!(<ComputeReceipts as Waiting<_>>::hold(&part, Now::get() + DAY_MS));
		assert_noop!(withdraw(MINER), Error::<Test>::NotYet);
		assert_ok!(<ComputeReceipts as Waiting<_>>::free(&part));
		assert_ok!(withdraw(MINER));
	});
}

#[test]
fn a_coordinator_that_leaves_gets_what_waits_of_it() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[MINER]);
		leave(COORDINATOR);
		mint_still(true);
		wait(7 * DAY_MS);
		assert_ok!(withdraw(COORDINATOR));
		let before = ait(&account(COORDINATOR));
		mint_still(false);
		wait(WINDOW_MS);
		assert_ok!(release(&[line(0, MINER), own(0)]));
		assert_eq!(ait(&account(COORDINATOR)), before + 5 * AIT / 2);
		assert_ok!(withdraw(COORDINATOR));
		assert_eq!(ait(&account(COORDINATOR)), before + 5 * AIT / 2 + claim_for(100) * 5 / 100);
	});
}
