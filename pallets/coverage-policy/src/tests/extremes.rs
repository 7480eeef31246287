//! The largest and smallest figures.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	num::decimal::Ratio,
	reserve::attestation::AttestationFields,
	reserve::bounds::{EnergyBounds, PriceBounds},
	reserve::formula::State,
};

fn widest() -> PolicyParameters {
	PolicyParameters {
		prices: PriceBounds {
			max: Ratio::from_integer(u128::MAX),
			max_daily_ratio: Ratio::from_integer(1_000_000),
			..parameters().prices
		},
		energy: EnergyBounds {
			max_wh_per_zone: u128::MAX,
			max_daily_ratio: Ratio::from_integer(1_000_000),
			min_zones_share: Ratio::ZERO,
		},
		compute_inventory: u128::MAX,
		alpha_base: Ratio::ONE,
		..parameters()
	}
}

fn largest(offset: u32) -> AttestationFields {
	AttestationFields {
		wh_raw: u128::MAX,
		wh_committed: u128::MAX,
		alpha: Ratio::ONE,
		eur_per_mwh: eur(u128::MAX),
		compute_assets: u128::MAX,
		..fields(offset, eur(1))
	}
}

#[test]
fn the_largest_statement_allows_the_cap_and_no_more() {
	build_and_execute_with(SUPPLY, widest(), || {
		let hash = take(&largest(0)).unwrap();
		let status = CoveragePolicy::status();
		assert_eq!(status.state, State::AboveBand);
		assert_eq!((status.v_reserve, status.supply_target), (u128::MAX, u128::MAX));
		assert_eq!((status.ratio, status.ratio_fixed), (None, Some(u128::MAX)));
		assert_noop!(mint(SUPPLY / 20 + 1, hash), Error::<Test>::AboveAllowance);
		assert_ok!(mint(SUPPLY / 20, hash));
	});
}

#[test]
fn the_smallest_price_is_the_deepest_defense() {
	build_and_execute_with(SUPPLY, widest(), || {
		let tiny = AttestationFields { wh_committed: 1, ..fields(0, price(1, u128::MAX)) };
		let hash = take(&tiny).unwrap();
		let status = CoveragePolicy::status();
		assert_eq!((status.state, status.v_reserve), (State::Defense, 0));
		assert_noop!(mint(1, hash), Error::<Test>::NotCovered);
		// From there it moves as far as a day may, and no further.
		set_day(2);
		let next = |price| AttestationFields { eur_per_mwh: price, ..tiny.clone() };
		let day_after = |price| AttestationFields { day: day(1), ..next(price) };
		assert_noop!(take(&day_after(eur(1))), Error::<Test>::PriceMovedTooFar);
		assert_ok!(take(&day_after(price(999_999, u128::MAX))));
		assert_eq!(CoveragePolicy::status().state, State::Defense);
	});
}

#[test]
fn no_energy_is_no_reserve() {
	build_and_execute(|| {
		let none = AttestationFields { wh_raw: 0, wh_committed: 0, ..fields(0, eur(90)) };
		let hash = take(&none).unwrap();
		assert_eq!(CoveragePolicy::status().state, State::Defense);
		assert_noop!(mint(1, hash), Error::<Test>::NotCovered);
	});
}

#[test]
fn no_zone_complete_is_no_reserve() {
	build_and_execute_with(SUPPLY, widest(), || {
		let none = AttestationFields {
			zones_ok: 0,
			wh_raw: 0,
			alpha: Ratio::ZERO,
			wh_committed: 0,
			..fields(0, eur(90))
		};
		assert_ok!(take(&none));
		assert_eq!(CoveragePolicy::status().state, State::Defense);
	});
}

#[test]
fn nothing_issued_and_no_reserve_is_frozen() {
	build_and_execute_with(0, parameters(), || {
		let none = AttestationFields { wh_raw: 0, wh_committed: 0, ..fields(0, eur(90)) };
		let hash = take(&none).unwrap();
		assert_eq!(CoveragePolicy::status().state, State::Frozen);
		assert_noop!(mint(1, hash), Error::<Test>::NotCovered);
	});
}

#[test]
fn a_supply_near_the_largest_number_does_not_overflow() {
	build_and_execute_with(u128::MAX, widest(), || {
		let hash = take(&largest(0)).unwrap();
		assert_eq!(CoveragePolicy::status().state, State::AboveBand);
		// The token itself has no room for more.
		assert_noop!(mint(1, hash), sp_runtime::ArithmeticError::Overflow);
	});
}
