//! Each invariant, broken once.

use crate::{mock::*, *};
use frame_support::{
	assert_ok,
	traits::{fungible::hold::Mutate as _, fungibles, tokens::Precision},
};
use gridproof_primitives::{num::units::AICP, num::units::AICP_ASSET_ID};

/// A chain with a statement, a mint, a spent redemption, and one that waits.
fn in_use(test: impl FnOnce()) {
	new_test_ext_with(SUPPLY, parameters()).execute_with(|| {
		let hash = state_day(0, eur(95));
		assert_ok!(mint(100_000 * AICP, hash));
		assert_ok!(redeem(ALICE, 10 * AICP));
		HandedOut::<Test>::mutate(|paid| paid.credit = paid.capacity);
		assert_ok!(redeem(ALICE, 20 * AICP));
		assert_eq!(CoveragePolicy::status().queue, 1);
		assert_ok!(CoveragePolicy::do_try_state());
		test();
	});
}

#[track_caller]
fn broken(number: &str, breaks: impl FnOnce()) {
	in_use(|| {
		breaks();
		let error = CoveragePolicy::do_try_state().expect_err("it is broken");
		let sp_runtime::TryRuntimeError::Other(text) = error else { panic!("{error:?}") };
		assert!(text.starts_with(number), "{text}");
	});
}

#[test]
fn every_invariant_is_noticed_when_it_breaks() {
	broken("1", || Parameters::<Test>::mutate(|parameters| parameters.max_age = u32::MAX));
	broken("2", || {
		assert_ok!(<Assets as fungibles::Mutate<u64>>::mint_into(AICP_ASSET_ID, &BOB, 1));
	});
	broken("3", || Sums::<Test>::mutate(|sums| sums.credited += 1));
	broken("4", || Ends::<Test>::mutate(|ends| ends.next += 1));
	broken("4", || Waiting::<Test>::mutate(|waiting| *waiting += 1));
	broken("4", || NewestTicket::<Test>::insert(BOB, 0));
	broken("4", || {
		Accounts::<Test>::mutate(ALICE, |account| account.as_mut().unwrap().tickets += 1);
	});
	broken("5", || {
		let reason = HoldReason::Ticket.into();
		assert_ok!(Balances::release(&reason, &ALICE, 1, Precision::Exact));
	});
	broken("6", || {
		History::<Test>::mutate(0, |record| {
			let record = record.as_mut().unwrap();
			record.minted = record.allowance + 1;
		});
	});
	broken("6", Latest::<Test>::kill);
	broken("7", || {
		Minting::<Test>::mutate(|minting| minting.as_mut().unwrap().opening -= 31 * AICP)
	});
	broken("7", || {
		Minting::<Test>::mutate(|minting| {
			let minting = minting.as_mut().unwrap();
			minting.minted = minting.most + 1;
		});
	});
	broken("9", || transfer(BACKING, BOB, 1));
	broken("8", || HandedOut::<Test>::mutate(|paid| paid.credit += 1));
}

#[test]
fn a_day_that_minted_above_its_cap_is_noticed() {
	// As if the check of the allowance were gone: a mint that only counts.
	broken("7", || {
		let more = 400_000 * AICP;
		assert_ok!(<Assets as fungibles::Mutate<u64>>::mint_into(AICP_ASSET_ID, &BOB, more));
		Minting::<Test>::mutate(|minting| minting.as_mut().unwrap().minted += more);
		Sums::<Test>::mutate(|sums| sums.minted += more);
		History::<Test>::mutate(0, |record| record.as_mut().unwrap().minted += 1);
	});
}
