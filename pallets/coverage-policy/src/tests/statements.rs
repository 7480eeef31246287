//! Which statements are accepted, and what follows from them.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	num::decimal::{Ratio, SignedRatio},
	num::units::AICP,
	reserve::attestation::{AttestationFields, AttestationHandler, Kind},
	reserve::bounds::PriceBounds,
	reserve::formula::State,
};

#[test]
fn a_statement_gives_the_allowance_of_the_formulas() {
	build_and_execute(|| {
		// GIVEN ten million AICP and 17.1 million EUR of reserve
		let fields = fields(0, eur(95));
		// WHEN the statement is taken the day after
		let hash = take(&fields).unwrap();
		// THEN the allowance is 17.1 M / 1.65 - 10 M
		let statement = Statement {
			hash,
			day: day(0),
			taken_on: day(1),
			wh_committed: 180_000_000_000,
			price: eur(95),
			eur_per_mwh: Ratio::from_integer(95),
			compute_assets: 0,
			wh_per_zone: 33_333_333_333,
			reference: None,
		};
		assert_eq!(Latest::<Test>::get(), Some(statement));
		assert_eq!(CoveragePolicy::allowance(), 363_636_363_636);
		assert_eq!(
			events(),
			vec![
				Event::StatementTaken {
					statement: hash,
					day: day(0),
					v_reserve: 17_100_000_000_000,
					supply_target: 10_363_636_363_636,
					allowance: 363_636_363_636,
				},
				Event::StateChanged {
					from: State::Frozen,
					to: State::InBand,
					ratio: Some(1_140_000_000_000_000_000),
				},
			]
		);
	});
}

/// Parameters of the tests with the average of four weeks.
fn averaged() -> PolicyParameters {
	PolicyParameters { prices: PriceBounds::DAY_AHEAD, ..parameters() }
}

fn below_zero(price: u128) -> SignedRatio {
	SignedRatio::new(true, Ratio::from_integer(price))
}

#[test]
fn a_day_at_or_below_zero_is_taken_lowers_the_average_and_mints_nothing() {
	build_and_execute_with(SUPPLY, averaged(), || {
		// GIVEN a reserve far above the band
		state_day(0, eur(200));
		// WHEN a day below zero is stated
		let hash = state_day(1, below_zero(20));
		// THEN it enters the average, (200 · 27 − 20) / 28, at which the reserve is valued
		let latest = Latest::<Test>::get().unwrap();
		assert_eq!(latest.eur_per_mwh, Ratio::parse("192.142857").unwrap());
		assert_eq!(CoveragePolicy::status().v_reserve, 34_585_714_260_000);
		assert_eq!(CoveragePolicy::status().state, State::AboveBand);
		// AND nothing is minted on it
		assert_eq!(CoveragePolicy::allowance(), 0);
		assert_noop!(mint(1, hash), Error::<Test>::NegativePrice);
		let hash = state_day(2, eur(0));
		assert_noop!(mint(1, hash), Error::<Test>::ZeroPrice);
		// AND the next day mints again
		let hash = state_day(3, eur(200));
		assert_ok!(mint(500_000 * AICP, hash));
	});
}

#[test]
fn a_first_day_below_zero_begins_no_average() {
	build_and_execute_with(SUPPLY, averaged(), || {
		state_day(0, below_zero(5));
		assert_eq!(CoveragePolicy::status().state, State::Defense);
		state_day(1, eur(200));
		assert_eq!(CoveragePolicy::status().v_reserve, 36_000_000_000_000);
	});
}

#[test]
fn the_reserve_is_valued_at_the_average_of_prices() {
	build_and_execute_with(SUPPLY, averaged(), || {
		state_day(0, eur(100));
		// A day at twice the price: (100 · 27 + 200) / 28.
		let hash = state_day(1, eur(200));
		let latest = Latest::<Test>::get().unwrap();
		assert_eq!((latest.price, latest.eur_per_mwh), (eur(200), Ratio::millionths(103_571_428)));
		assert_eq!(CoveragePolicy::status().v_reserve, 18_642_857_040_000);
		// 18,642,857.04 / 1.65 − 10 M is above the cap.
		assert_noop!(mint(500_000 * AICP + 1, hash), Error::<Test>::AboveAllowance);
		assert_ok!(mint(500_000 * AICP, hash));
		// A revision is averaged with the day before, not with what it replaces.
		let corrected = revision(&fields(1, eur(200)), eur(100));
		assert_ok!(take(&corrected));
		assert_eq!(Latest::<Test>::get().unwrap().eur_per_mwh, Ratio::from_integer(100));
	});
}

#[test]
fn creeping_prices_are_refused() {
	build_and_execute_with(SUPPLY, averaged(), || {
		state_day(0, eur(90));
		for (offset, price) in [(1, 135), (2, 203), (3, 304)] {
			state_day(offset, eur(price));
		}
		set_day(5);
		assert_noop!(take(&fields(4, eur(456))), Error::<Test>::PriceMovedTooFar);
		assert!(CoveragePolicy::status().v_reserve < 180_000 * 110_000_000);
		// The operator sees from which day on it would be believed.
		let outlook = CoveragePolicy::outlook(day(4), eur(456));
		assert_eq!((outlook.average, outlook.first_day), (None, Some(day(5))));
		set_day(6);
		assert_ok!(take(&fields(5, eur(456))));
	});
}

#[test]
fn an_outlook_is_what_becomes_of_the_statement() {
	build_and_execute_with(SUPPLY, averaged(), || {
		state_day(0, eur(100));
		for price in [eur(200), below_zero(20), eur(0)] {
			let outlook = CoveragePolicy::outlook(day(1), price);
			assert_eq!(outlook.first_day, Some(day(1)));
			frame_support::hypothetically!({
				state_day(1, price);
				assert_eq!(Latest::<Test>::get().map(|l| l.eur_per_mwh), outlook.average);
			});
		}
		let never = CoveragePolicy::outlook(day(1), eur(1_001));
		assert_eq!((never.average, never.first_day, never.bootstrap), (None, None, 0));
	});
}

#[test]
fn absurd_energy_is_refused() {
	build_and_execute(|| {
		let with = |offset, wh_raw: u128| AttestationFields {
			wh_raw,
			wh_committed: wh_raw * 18 / 100,
			..fields(offset, eur(100))
		};
		// 500 GWh a zone; a slip of Wh and kWh is a thousandfold.
		let most = 30 * 500_000_000_000;
		assert_noop!(take(&with(0, most + 1)), Error::<Test>::EnergyTooHigh);
		assert_noop!(take(&with(0, 1_000_000_000_000_000)), Error::<Test>::EnergyTooHigh);
		assert_noop!(
			take(&AttestationFields { wh_raw: u128::MAX, ..fields(0, eur(100)) }),
			Error::<Test>::EnergyTooHigh
		);
		assert_ok!(take(&with(0, 1_000_000_000_020)));
		set_day(2);
		// Half as much again, exactly, or two thirds.
		assert_noop!(take(&with(1, 1_500_000_000_060)), Error::<Test>::EnergyMovedTooFar);
		assert_noop!(take(&with(1, 666_666_666_600)), Error::<Test>::EnergyMovedTooFar);
		assert_ok!(take(&with(1, 1_500_000_000_030)));
	});
}

#[test]
fn too_few_zones_are_refused() {
	build_and_execute(|| {
		let with = |zones_ok: u16| {
			let alpha = Ratio::new(18 * u128::from(zones_ok), 3_000).unwrap();
			AttestationFields {
				zones_ok,
				alpha,
				wh_committed: alpha.mul_floor(1_000_000_000_000).unwrap(),
				..fields(0, eur(100))
			}
		};
		assert_noop!(take(&with(1)), Error::<Test>::TooFewZones);
		assert_noop!(take(&with(23)), Error::<Test>::TooFewZones);
		assert_ok!(take(&with(24)));
	});
}

#[test]
fn an_absurd_price_is_refused() {
	build_and_execute(|| {
		// Bounds are −500 and 1,000 EUR/MWh; both belong to the range.
		let too_low = SignedRatio::new(true, Ratio::new(500_000_001, 1_000_000).unwrap());
		assert_noop!(take(&fields(0, too_low)), Error::<Test>::PriceTooLow);
		let too_high = price(1_000_000_001, 1_000_000);
		assert_noop!(take(&fields(0, too_high)), Error::<Test>::PriceTooHigh);
		assert_noop!(take(&fields(0, eur(u128::MAX))), Error::<Test>::PriceTooHigh);
		assert_ok!(CoveragePolicy::check(&fields(0, below_zero(500))));
		assert_ok!(CoveragePolicy::check(&fields(0, eur(1_000))));
	});
}

#[test]
fn a_price_moves_by_half_as_much_again_a_day_at_most() {
	build_and_execute(|| {
		state_day(0, eur(100));
		set_day(2);
		// 100 / 1.5 … 150, exactly.
		let above = price(150_000_001, 1_000_000);
		let below = price(199_999_999, 3_000_000);
		assert_noop!(take(&fields(1, above)), Error::<Test>::PriceMovedTooFar);
		assert_noop!(take(&fields(1, below)), Error::<Test>::PriceMovedTooFar);
		assert_ok!(CoveragePolicy::check(&fields(1, price(200, 3))));
		assert_ok!(take(&fields(1, eur(150))));
	});
}

#[test]
fn missed_days_compound_to_a_wider_move() {
	build_and_execute(|| {
		state_day(0, eur(100));
		set_day(4);
		// 1.5³
		assert_noop!(take(&fields(3, eur(338))), Error::<Test>::PriceMovedTooFar);
		assert_ok!(take(&fields(3, price(675, 2))));
	});
}

#[test]
fn another_number_of_zones_is_refused() {
	build_and_execute(|| {
		let good = fields(0, eur(90));
		let more = AttestationFields { zones_total: 31, zones_ok: 31, ..good.clone() };
		assert_noop!(take(&more), Error::<Test>::WrongZones);
		let fewer = AttestationFields { zones_total: 29, zones_ok: 29, ..good };
		assert_noop!(take(&fewer), Error::<Test>::WrongZones);
	});
}

#[test]
fn a_missing_zone_lowers_what_may_be_committed() {
	build_and_execute(|| {
		// GIVEN 29 of 30 zones: α is at most 18 % · 29/30 = 17.4 %
		let with = |alpha: Ratio| AttestationFields {
			zones_ok: 29,
			alpha,
			wh_committed: alpha.mul_floor(1_000_000_000_000).unwrap(),
			..fields(0, eur(100))
		};
		// THEN α as for 30, or a hair above 17.4 %, is refused
		assert_noop!(take(&with(Ratio::percent(18))), Error::<Test>::AlphaTooHigh);
		let hair = Ratio::new(174_000_001, 1_000_000_000).unwrap();
		assert_noop!(take(&with(hair)), Error::<Test>::AlphaTooHigh);
		// AND 17.4 % gives 174 GWh · 100 EUR/MWh = 17.4 M EUR
		assert_ok!(take(&with(Ratio::new(174, 1_000).unwrap())));
		assert_eq!(CoveragePolicy::status().v_reserve, 17_400_000_000_000);
	});
}

#[test]
fn the_haircut_lowers_what_may_be_committed() {
	build_and_execute(|| {
		assert_ok!(set_parameters(|new| new.haircut = Ratio::percent(95)));
		assert_noop!(take(&fields(0, eur(100))), Error::<Test>::AlphaTooHigh);
		let alpha = Ratio::new(171, 1_000).unwrap();
		let cut = AttestationFields { alpha, wh_committed: 171_000_000_000, ..fields(0, eur(100)) };
		assert_ok!(take(&cut));
	});
}

#[test]
fn compute_assets_above_the_inventory_are_refused() {
	build_and_execute(|| {
		let with = |compute_assets| AttestationFields { compute_assets, ..fields(0, eur(90)) };
		assert_noop!(take(&with(5_000_000_000_001)), Error::<Test>::AboveInventory);
		assert_ok!(take(&with(5_000_000_000_000)));
		assert_eq!(CoveragePolicy::status().v_reserve, 21_200_000_000_000);
		// A lower inventory counts at once.
		assert_ok!(set_parameters(|new| new.compute_inventory = 0));
		assert_eq!(CoveragePolicy::status().v_reserve, 16_200_000_000_000);
	});
}

#[test]
fn a_rehearsal_changes_nothing() {
	build_and_execute(|| {
		let absurd = AttestationFields { kind: Kind::Rehearsal, ..fields(0, eur(0)) };
		assert_ok!(take(&absurd));
		assert_eq!(Latest::<Test>::get(), None);
		assert!(events().is_empty());
	});
}

#[test]
fn an_earlier_day_is_noted_and_changes_nothing() {
	build_and_execute(|| {
		state_day(1, eur(95));
		events();
		let before = CoveragePolicy::status();
		// The price of an earlier day is not compared, because it has no effect.
		let late = fields(0, eur(200));
		assert_ok!(take(&late));
		assert_eq!(CoveragePolicy::status(), before);
		assert_eq!(events(), vec![Event::StatementNoted { statement: late.hash(), day: day(0) }]);
		// Absurd ones are refused all the same.
		assert_noop!(take(&fields(0, eur(1_001))), Error::<Test>::PriceTooHigh);
	});
}

#[test]
fn a_revision_of_the_day_corrects_what_is_left() {
	build_and_execute(|| {
		// GIVEN an allowance of 363,636.363636 AICP, of which 300,000 are minted
		let first = fields(0, eur(95));
		let hash = take(&first).unwrap();
		assert_ok!(mint(300_000 * AICP, hash));
		// WHEN the price is corrected to 94: 16.92 M / 1.65 = 10,254,545.454545
		let second = revision(&first, eur(94));
		assert_ok!(take(&second));
		// THEN nothing is left, and coverage is what it is
		assert_eq!(CoveragePolicy::allowance(), 0);
		assert_noop!(mint(1, second.hash()), Error::<Test>::NotCovered);
		// WHEN it is corrected to 96 instead: 17.28 M / 1.65 = 10,472,727.272727
		let third = revision(&second, eur(96));
		assert_ok!(take(&third));
		// THEN what was minted counts
		assert_eq!(CoveragePolicy::allowance(), 172_727_272_727);
		let record = CoveragePolicy::history(1)[0];
		assert_eq!((record.minted, record.allowance), (300_000 * AICP, 472_727_272_727));
		assert_eq!(CoveragePolicy::history(9).len(), 1);
	});
}

#[test]
fn a_revision_on_a_later_day_opens_no_second_allowance() {
	build_and_execute(|| {
		let first = fields(0, eur(95));
		let hash = take(&first).unwrap();
		assert_ok!(mint(363_636_363_636, hash));
		set_day(2);
		let second = revision(&first, eur(110));
		assert_ok!(take(&second));
		assert_eq!(CoveragePolicy::allowance(), 0);
		assert_noop!(mint(1, second.hash()), Error::<Test>::AllowanceLapsed);
		// The day on which it could be used is still the first one, and no other was opened.
		assert_eq!(Latest::<Test>::get().map(|latest| latest.taken_on), Some(day(1)));
		assert_eq!(Minting::<Test>::get().map(|minting| minting.day), Some(day(1)));
	});
}

#[test]
fn a_revision_is_compared_with_the_price_before_the_day() {
	build_and_execute(|| {
		state_day(0, eur(100));
		set_day(2);
		let first = fields(1, eur(150));
		assert_ok!(take(&first));
		// Half as much again as 100, up or down, not as 150.
		let too_far = revision(&first, eur(151));
		assert_noop!(take(&too_far), Error::<Test>::PriceMovedTooFar);
		assert_ok!(take(&revision(&first, eur(67))));
	});
}

#[test]
fn missed_days_stated_in_one_day_give_one_allowance() {
	build_and_execute(|| {
		assert_ok!(set_parameters(|new| new.max_age = 9));
		set_day(4);
		// GIVEN that each of three days would allow the cap of 5 %
		let hashes: Vec<_> =
			(1..4).map(|offset| take(&fields(offset, eur(200))).unwrap()).collect();
		// WHEN it is minted for the first
		assert_noop!(mint(1, hashes[0]), Error::<Test>::OtherStatement);
		assert_ok!(mint(500_000 * AICP, hashes[2]));
		// THEN nothing is left, nor does a further statement of the same day give more
		assert_noop!(mint(1, hashes[2]), Error::<Test>::AboveAllowance);
		assert_eq!(issuance(), 10_500_000 * AICP);
	});
}

/// Sets the clock to ten minutes before a day ends: within the skew of the clocks.
fn set_end_of(offset: u32) {
	set_day(offset + 1);
	Now::mutate(|now| *now -= 35 * 60_000);
}

#[test]
fn a_statement_that_came_before_midnight_is_used_on_the_day_after_and_all_of_it() {
	build_and_execute(|| {
		// GIVEN a day on which everything was minted
		let first = state_day(0, eur(95));
		assert_ok!(mint(363_636_363_636, first));
		events();
		// WHEN the next statement comes in ten minutes before its day ends
		set_end_of(1);
		let early = take(&fields(1, eur(100))).unwrap();
		// THEN nothing can be minted yet, by either statement
		assert_eq!(CoveragePolicy::allowance(), 0);
		assert_noop!(mint(1, early), Error::<Test>::AllowanceNotOpen);
		assert_noop!(mint(1, first), Error::<Test>::OtherStatement);
		assert_eq!(Minting::<Test>::get().map(|minting| minting.day), Some(day(2)));
		// AND the whole of the next day it is 18 M / 1.65 - 10,363,636.363636, less nothing
		for minutes in [0, 24 * 60 - 1] {
			set_day(2);
			Now::mutate(|now| *now = *now - 25 * 60_000 + minutes * 60_000);
			assert_eq!(CoveragePolicy::allowance(), 518_181_818_181);
		}
		assert_eq!(CoveragePolicy::history(1)[0].allowance, 518_181_818_181);
		assert_ok!(mint(518_181_818_181, early));
		assert_noop!(mint(1, early), Error::<Test>::AboveAllowance);
		set_day(3);
		assert_noop!(mint(1, early), Error::<Test>::AllowanceLapsed);
	});
}

#[test]
fn a_revision_of_an_early_statement_keeps_its_day() {
	build_and_execute(|| {
		set_end_of(0);
		let early = fields(0, eur(95));
		take(&early).unwrap();
		let corrected = revision(&early, eur(100));
		take(&corrected).unwrap();
		assert_eq!(Latest::<Test>::get().map(|latest| latest.taken_on), Some(day(1)));
		set_day(1);
		assert_eq!(CoveragePolicy::allowance(), 500_000 * AICP);
		assert_ok!(mint(500_000 * AICP, corrected.hash()));
	});
}

#[test]
fn the_order_in_which_two_days_come_in_changes_nothing_of_what_a_day_mints() {
	let minted_after = |order: [u32; 2]| {
		let mut minted = 0;
		build_and_execute(|| {
			// GIVEN two days that are stated on one chain day
			set_day(3);
			for offset in order {
				take(&fields(offset, eur(95))).unwrap();
				minted += CoveragePolicy::allowance();
				let latest = Latest::<Test>::get().unwrap().hash;
				let _ = mint(CoveragePolicy::allowance().max(1), latest);
			}
			// THEN the older one adds nothing, whether it came first or second
			assert_eq!(issuance(), SUPPLY + minted);
		});
		minted
	};
	assert_eq!(minted_after([1, 2]), 363_636_363_636);
	assert_eq!(minted_after([2, 1]), 363_636_363_636);
}

#[test]
fn the_opening_of_a_day_is_fixed_by_its_first_statement() {
	build_and_execute(|| {
		assert_ok!(set_parameters(|new| new.max_age = 9));
		set_day(4);
		let first = take(&fields(2, eur(200))).unwrap();
		assert_ok!(mint(500_000 * AICP, first));
		// 5 % of 10.5 M would be more; the day opened with 10 M.
		let second = take(&fields(3, eur(200))).unwrap();
		assert_eq!(CoveragePolicy::allowance(), 0);
		assert_noop!(mint(1, second), Error::<Test>::AboveAllowance);
		// The next day opens with what is.
		let third = state_day(4, eur(200));
		assert_eq!(CoveragePolicy::allowance(), 525_000 * AICP);
		assert_ok!(mint(525_000 * AICP, third));
	});
}

#[test]
fn a_statement_that_comes_too_late_is_stale_at_once() {
	build_and_execute(|| {
		set_day(4);
		// MaxAge is 2 days: the statement about day 1 is too old on day 4.
		let hash = take(&fields(1, eur(200))).unwrap();
		assert_eq!(CoveragePolicy::status().state, State::Frozen);
		assert_noop!(mint(1, hash), Error::<Test>::Stale);
	});
}

#[test]
fn the_codes_of_refused_statements_stay_as_they_are() {
	use Error::*;
	let errors: [Error<Test>; 8] = [
		NegativePrice,
		ZeroPrice,
		PriceTooLow,
		PriceTooHigh,
		PriceMovedTooFar,
		WrongZones,
		AlphaTooHigh,
		AboveInventory,
	];
	build_and_execute(|| {
		for (code, error) in (0u8..).zip(errors) {
			match sp_runtime::DispatchError::from(error) {
				sp_runtime::DispatchError::Module(error) => assert_eq!(error.error[0], code),
				other => panic!("not this pallet's: {other:?}"),
			}
		}
	});
}
