//! `mint`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	H256, num::decimal::Ratio, num::units::AICP, reserve::formula::State,
	reserve::parameters::MAX_BOOTSTRAP,
};
use sp_runtime::{DispatchError, TokenError};

#[test]
fn the_issuer_mints_what_the_day_allows() {
	build_and_execute(|| {
		// GIVEN an allowance of 363,636.363636 AICP
		let hash = state_day(0, eur(95));
		events();
		// WHEN the issuer mints some of it
		assert_ok!(mint(100_000 * AICP, hash));
		// THEN the treasury has it, and the rest is left
		assert_eq!(aicp(TREASURY), OF_TREASURY + 100_000 * AICP);
		assert_eq!(aicp(ISSUER), 0);
		assert_eq!(issuance(), 10_100_000 * AICP);
		assert_eq!(CoveragePolicy::allowance(), 263_636_363_636);
		assert_eq!(
			events(),
			vec![Event::Minted { amount: 100_000 * AICP, day: day(0), allowance: 263_636_363_636 }]
		);
		let record = CoveragePolicy::history(1)[0];
		assert_eq!((record.allowance, record.minted), (363_636_363_636, 100_000 * AICP));
	});
}

#[test]
fn nothing_is_minted_above_the_allowance() {
	build_and_execute(|| {
		let hash = state_day(0, eur(95));
		assert_noop!(mint(363_636_363_637, hash), Error::<Test>::AboveAllowance);
		assert_noop!(mint(u128::MAX, hash), Error::<Test>::AboveAllowance);
		assert_ok!(mint(363_636_363_636, hash));
		assert_noop!(mint(1, hash), Error::<Test>::AboveAllowance);
		// Down to the last micro-token it is still covered.
		assert_eq!(CoveragePolicy::status().state, State::InBand);
	});
}

#[test]
fn the_cap_binds_above_the_band() {
	build_and_execute(|| {
		let hash = state_day(0, eur(200));
		assert_noop!(mint(500_000 * AICP + 1, hash), Error::<Test>::AboveAllowance);
		assert_ok!(mint(500_000 * AICP, hash));
	});
}

#[test]
fn a_second_mint_after_the_day_is_refused() {
	build_and_execute(|| {
		let hash = state_day(0, eur(95));
		assert_ok!(mint(100 * AICP, hash));
		// The day ends, the statement is not too old yet.
		set_day(2);
		assert_eq!(CoveragePolicy::status().state, State::InBand);
		assert_eq!(CoveragePolicy::allowance(), 0);
		assert_noop!(mint(100 * AICP, hash), Error::<Test>::AllowanceLapsed);
		// What lapsed does not come back with the next statement.
		let hash = state_day(1, eur(95));
		assert_eq!(CoveragePolicy::allowance(), 363_536_363_636);
		assert_noop!(mint(363_536_363_637, hash), Error::<Test>::AboveAllowance);
	});
}

#[test]
fn nobody_else_mints() {
	build_and_execute(|| {
		let hash = state_day(0, eur(95));
		let call = || Call::mint { amount: AICP, statement: hash };
		for who in [ALICE, BOB, GUARD] {
			assert_noop!(dispatch(call(), who), Error::<Test>::NotIssuer);
		}
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(dispatch_as(call(), origin), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn another_statement_than_the_one_named_is_not_used() {
	build_and_execute(|| {
		let first = fields(0, eur(95));
		let hash = take(&first).unwrap();
		assert_noop!(mint(AICP, H256::zero()), Error::<Test>::OtherStatement);
		// A revision between signing and inclusion.
		let second = revision(&first, eur(96));
		take(&second).unwrap();
		assert_noop!(mint(AICP, hash), Error::<Test>::OtherStatement);
		assert_ok!(mint(AICP, second.hash()));
	});
}

#[test]
fn nothing_is_minted_below_the_threshold() {
	build_and_execute(|| {
		let frozen = state_day(0, eur(90));
		assert_noop!(mint(1, frozen), Error::<Test>::NotCovered);
		let defense = state_day(1, eur(80));
		assert_noop!(mint(1, defense), Error::<Test>::NotCovered);
	});
}

#[test]
fn nothing_is_minted_without_a_fresh_statement() {
	build_and_execute(|| {
		assert_noop!(mint(1, H256::zero()), Error::<Test>::Stale);
		let hash = state_day(0, eur(200));
		set_day(3);
		assert_noop!(mint(1, hash), Error::<Test>::Stale);
	});
}

#[test]
fn nothing_is_minted_while_stopped() {
	build_and_execute(|| {
		let hash = state_day(0, eur(95));
		for level in [Breaker::MintStopped, Breaker::AllStopped] {
			BreakerLevel::<Test>::put(level);
			assert_eq!(CoveragePolicy::allowance(), 0);
			assert_noop!(mint(1, hash), Error::<Test>::MintStopped);
		}
		BreakerLevel::<Test>::put(Breaker::Closed);
		assert_ok!(mint(1, hash));
	});
}

#[test]
fn nothing_is_minted_while_a_role_has_stopped_it() {
	build_and_execute(|| {
		let hash = state_day(0, eur(95));
		Stopped::set(true);
		assert_eq!(CoveragePolicy::allowance(), 0);
		assert!(CoveragePolicy::status().stopped_by_role);
		assert_noop!(mint(1, hash), Error::<Test>::StoppedByRole);
		// Redemption is not stopped by it.
		assert_ok!(redeem(ALICE, AICP));
		Stopped::set(false);
		assert_ok!(mint(1, hash));
	});
}

#[test]
fn a_statement_that_came_while_stopped_can_be_used_after() {
	build_and_execute(|| {
		BreakerLevel::<Test>::put(Breaker::MintStopped);
		let hash = state_day(0, eur(95));
		assert_eq!(CoveragePolicy::allowance(), 0);
		BreakerLevel::<Test>::put(Breaker::Closed);
		assert_ok!(mint(363_636_363_636, hash));
	});
}

#[test]
fn zero_is_not_minted() {
	build_and_execute(|| {
		let hash = state_day(0, eur(95));
		assert_noop!(mint(0, hash), Error::<Test>::ZeroAmount);
	});
}

#[test]
fn redeeming_makes_no_room_for_more_the_same_day() {
	build_and_execute(|| {
		let hash = state_day(0, eur(95));
		assert_ok!(mint(363_636_363_636, hash));
		assert_ok!(redeem(ALICE, 10_000 * AICP));
		assert_noop!(mint(1, hash), Error::<Test>::AboveAllowance);
	});
}

#[test]
fn a_bootstrap_supply_starts_from_nothing_and_only_so_far() {
	let mut parameters = parameters();
	parameters.policy.bootstrap = 1_000_000 * AICP;
	build_and_execute_with(0, parameters, || {
		// GIVEN nothing issued and 17.1 M EUR of reserve
		let hash = state_day(0, eur(95));
		assert_eq!(CoveragePolicy::status().state, State::AboveBand);
		assert_eq!(CoveragePolicy::status().ratio, None);
		// THEN the bootstrap supply can be minted and no more
		assert_noop!(mint(1_000_000 * AICP + 1, hash), Error::<Test>::AboveAllowance);
		assert_ok!(mint(1_000_000 * AICP, hash));
		// AND the next day has the cap
		state_day(1, eur(95));
		assert_eq!(CoveragePolicy::allowance(), 50_000 * AICP);
		// AND what is burned does not bring it back
		transfer(TREASURY, BOB, 10_000 * AICP);
		assert_ok!(redeem(BOB, 10_000 * AICP));
		state_day(2, eur(95));
		assert_eq!(CoveragePolicy::allowance(), 49_500 * AICP);
	});
}

#[test]
fn the_reserve_binds_a_bootstrap_too() {
	let mut parameters = parameters();
	parameters.policy.bootstrap = MAX_BOOTSTRAP;
	build_and_execute_with(0, parameters, || {
		let hash = state_day(0, eur(95));
		// 17.1 M EUR / 1.65
		assert_noop!(mint(10_363_636_363_637, hash), Error::<Test>::AboveAllowance);
		assert_ok!(mint(10_363_636_363_636, hash));
		assert_eq!(CoveragePolicy::status().state, State::InBand);
	});
}

#[test]
fn without_a_bootstrap_nothing_comes_of_nothing() {
	build_and_execute_with(0, parameters(), || {
		let hash = state_day(0, eur(95));
		assert_eq!(CoveragePolicy::allowance(), 0);
		assert_noop!(mint(1, hash), Error::<Test>::AboveAllowance);
	});
}

#[test]
fn the_utilisation_scales_the_supply() {
	let parameters = PolicyParameters { utilisation: Ratio::percent(80), ..parameters() };
	build_and_execute_with(SUPPLY, parameters, || {
		// S is 8 M: CR is 14.4 M / 12 M = 1.2, S_target 8,727,272.727272, cap 400,000.
		let hash = state_day(0, eur(80));
		let status = CoveragePolicy::status();
		assert_eq!((status.state, status.supply), (State::InBand, 8_000_000 * AICP));
		assert_noop!(mint(400_000 * AICP + 1, hash), Error::<Test>::AboveAllowance);
		assert_ok!(mint(400_000 * AICP, hash));
	});
}

#[test]
fn a_mint_below_the_tokens_minimum_fails_as_a_whole() {
	build_and_execute(|| {
		let hash = state_day(0, eur(95));
		// Governance of the token raises its minimum.
		pallet_assets::Asset::<Test>::mutate(1, |asset| {
			*asset = asset.take().map(|asset| {
				let mut bytes = codec::Encode::encode(&asset);
				// `min_balance` follows four accounts (u64), supply and deposit (u128).
				bytes[64..80].copy_from_slice(&1_000u128.to_le_bytes());
				codec::Decode::decode(&mut &bytes[..]).unwrap()
			});
		});
		transfer(TREASURY, ALICE, OF_TREASURY);
		assert_noop!(mint(999, hash), TokenError::BelowMinimum);
		assert_ok!(mint(1_000, hash));
	});
}
