//! The coverage formulas against `num-rational` as an independent oracle, over all of `u128`.

use gridproof_primitives::{
	num::decimal::Ratio,
	reserve::formula::{
		Binding, Coverage, CoverageError, Inputs, Policy, State, backing, committed_energy,
		daily_capacity, days_of_waiting, effective_alpha, evaluate, is_stale, redeem_value,
		service_pay,
	},
	time::day::Day,
};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use proptest::prelude::*;

fn big(ratio: &Ratio) -> BigRational {
	BigRational::new(ratio.numerator().into(), ratio.denominator().into())
}

fn whole(value: u128) -> BigRational {
	BigRational::from_integer(value.into())
}

fn saturated(value: &BigRational) -> u128 {
	value.floor().to_integer().to_u128().unwrap_or(u128::MAX)
}

/// Any `u128`, with small numbers and extremes as likely as the rest.
fn any_u128() -> impl Strategy<Value = u128> {
	prop_oneof![
		Just(0u128),
		Just(1),
		Just(u128::MAX),
		Just(u128::MAX - 1),
		0..1_000u128,
		0..10u128.pow(15),
		any::<u128>(),
	]
}

fn any_ratio() -> impl Strategy<Value = Ratio> {
	(any_u128(), any_u128()).prop_map(|(n, d)| Ratio::new(n, d.max(1)).unwrap())
}

fn positive_ratio() -> impl Strategy<Value = Ratio> {
	any_ratio().prop_map(|ratio| if ratio.is_zero() { Ratio::ONE } else { ratio })
}

fn any_inputs() -> impl Strategy<Value = Inputs> {
	(any_u128(), any_ratio(), any_ratio(), any_ratio(), any_ratio()).prop_map(
		|(wh_committed, eur_per_mwh, compute_assets, issuance, utilisation)| Inputs {
			wh_committed,
			eur_per_mwh,
			compute_assets,
			issuance,
			utilisation,
		},
	)
}

fn any_policy() -> impl Strategy<Value = Policy> {
	(positive_ratio(), positive_ratio(), any_ratio(), any_ratio(), any_u128()).prop_map(
		|(target_price, cr_min, cr_max, daily_cap, bootstrap)| Policy {
			target_price,
			cr_min,
			cr_max: cr_max.max(cr_min),
			daily_cap,
			bootstrap,
		},
	)
}

/// Figures as they occur: supplies and reserves near one another.
fn usual() -> impl Strategy<Value = (Inputs, Policy)> {
	(
		100_000_000_000u128..300_000_000_000,
		1u128..200_000_000,
		1u128..40,
		0u128..5_000_000_000_000,
		1u128..20_000_000_000_000,
		1u128..=100,
		0u128..=20,
	)
		.prop_map(|(wh, price, denominator, compute, issuance, utilisation, cap)| {
			let inputs = Inputs {
				wh_committed: wh,
				eur_per_mwh: Ratio::new(price, 1_000_000 * denominator).unwrap(),
				compute_assets: compute.into(),
				issuance: issuance.into(),
				utilisation: Ratio::percent(utilisation),
			};
			(inputs, Policy { daily_cap: Ratio::percent(cap), ..Policy::default() })
		})
}

/// The same formulas, written with unbounded integers.
struct Oracle {
	v_energy: BigRational,
	v_reserve: BigRational,
	supply: BigRational,
	target: BigRational,
	ratio: Option<BigRational>,
	mint: u128,
}

fn oracle(inputs: &Inputs, policy: &Policy) -> Oracle {
	let v_energy = whole(inputs.wh_committed) * big(&inputs.eur_per_mwh);
	let v_reserve = &v_energy + big(&inputs.compute_assets);
	let supply = big(&inputs.issuance) * big(&inputs.utilisation);
	let target = &v_reserve / (big(&policy.target_price) * big(&policy.cr_min));
	let ratio = (!supply.is_zero()).then(|| &v_reserve / (big(&policy.target_price) * &supply));
	let cap = (big(&policy.daily_cap) * &supply).max(whole(policy.bootstrap) - &supply);
	let mint = (&target - &supply).min(cap);
	let mint = if mint.is_negative() { 0 } else { saturated(&mint) };
	Oracle { v_energy, v_reserve, supply, target, ratio, mint }
}

fn check_against_oracle(inputs: &Inputs, policy: &Policy) -> Coverage {
	let coverage = evaluate(inputs, policy).unwrap();
	let wanted = oracle(inputs, policy);
	assert_eq!(coverage.v_energy, saturated(&wanted.v_energy));
	assert_eq!(coverage.v_reserve, saturated(&wanted.v_reserve));
	assert_eq!(coverage.supply, saturated(&wanted.supply));
	assert_eq!(coverage.supply_target, saturated(&wanted.target));
	assert_eq!(coverage.mint, wanted.mint);
	match (&coverage.ratio, &wanted.ratio) {
		(None, None) => (),
		(Some(ratio), Some(wanted)) => {
			assert_eq!(
				ratio.to_fraction(),
				format!("{}/{}", wanted.numer(), wanted.denom()),
				"the fraction is in lowest terms"
			);
			let small = wanted.numer().to_u128().zip(wanted.denom().to_u128());
			assert_eq!(ratio.to_ratio(), small.and_then(|(n, d)| Ratio::new(n, d)));
			assert_eq!(ratio.ppm_floor(), saturated(&(wanted * whole(1_000_000))));
			assert_eq!(ratio.fixed_floor(), saturated(&(wanted * whole(10u128.pow(18)))));
			let state = if *wanted < whole(1) {
				State::Defense
			} else if *wanted < big(&policy.cr_min) {
				State::Frozen
			} else if *wanted <= big(&policy.cr_max) {
				State::InBand
			} else {
				State::AboveBand
			};
			assert_eq!(coverage.state, state);
		},
		other => panic!("ratio and oracle differ: {other:?}"),
	}
	coverage
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(3_000))]

	#[test]
	fn any_u128_evaluates_without_overflow_and_as_the_oracle_says(
		inputs in any_inputs(), policy in any_policy()
	) {
		check_against_oracle(&inputs, &policy);
	}

	#[test]
	fn usual_figures_evaluate_as_the_oracle_says((inputs, policy) in usual()) {
		check_against_oracle(&inputs, &policy);
	}

	#[test]
	fn a_mint_never_lifts_the_supply_above_its_target_nor_above_the_cap(
		inputs in any_inputs(), policy in any_policy()
	) {
		let coverage = evaluate(&inputs, &policy).unwrap();
		let wanted = oracle(&inputs, &policy);
		if coverage.mint > 0 {
			let after = &wanted.supply + whole(coverage.mint);
			prop_assert!(after <= wanted.target);
			let cap = big(&policy.daily_cap) * &wanted.supply;
			prop_assert!(whole(coverage.mint) <= cap || after <= whole(policy.bootstrap));
			prop_assert!(coverage.state.allows_mint() || big(&policy.cr_min) < whole(1));
		}
	}

	#[test]
	fn a_minted_supply_is_still_covered((inputs, policy) in usual()) {
		let coverage = evaluate(&inputs, &policy).unwrap();
		let minted = Inputs {
			issuance: (inputs.issuance.floor() + coverage.mint).into(),
			..inputs
		};
		let after = evaluate(&minted, &policy).unwrap();
		if coverage.mint > 0 {
			prop_assert!(after.state.allows_mint(), "{:?}", after.state);
		} else {
			prop_assert_eq!(after.mint, 0);
		}
	}

	#[test]
	fn a_larger_reserve_never_mints_less(
		inputs in any_inputs(), policy in any_policy(), more in any_u128()
	) {
		let richer = Inputs { wh_committed: inputs.wh_committed.saturating_add(more), ..inputs };
		let (less, more) = (evaluate(&inputs, &policy).unwrap(), evaluate(&richer, &policy).unwrap());
		prop_assert!(less.mint <= more.mint);
		prop_assert!(less.state <= more.state);
		prop_assert!(less.supply_target <= more.supply_target);
	}

	#[test]
	fn a_larger_usual_reserve_never_mints_less((inputs, policy) in usual(), more in 0u128..100_000) {
		let assets = inputs.compute_assets.floor() + more;
		let richer = Inputs { compute_assets: assets.into(), ..inputs };
		prop_assert!(
			evaluate(&inputs, &policy).unwrap().mint <= evaluate(&richer, &policy).unwrap().mint
		);
	}

	#[test]
	fn at_and_below_the_threshold_nothing_is_minted(
		issuance in 1u128..10u128.pow(30),
		short in prop_oneof![Just(0u128), Just(1), 0..10u128.pow(9)]
	) {
		// 33/20 micro-EUR a micro-token is CR = 1.10; twenty tokens keep that whole.
		let (issuance, policy) = (issuance * 20, Policy::default());
		let reserve = issuance / 20 * 33;
		let inputs = Inputs {
			wh_committed: 0,
			eur_per_mwh: Ratio::ONE,
			compute_assets: reserve.saturating_sub(short).into(),
			issuance: issuance.into(),
			utilisation: Ratio::ONE,
		};
		let coverage = evaluate(&inputs, &policy).unwrap();
		prop_assert_eq!(coverage.mint, 0);
		prop_assert_eq!(coverage.state.allows_mint(), short == 0);
		prop_assert_eq!(coverage.binding, (short == 0).then_some(Binding::Target));
	}

	#[test]
	fn alpha_energy_and_redemption_are_the_exact_floors(
		base in any_ratio(), haircut in any_ratio(), total in 0u32..100, ok in 0u32..100,
		amount in any_u128()
	) {
		match effective_alpha(&base, ok, total, &haircut) {
			Ok(alpha) => {
				let share = BigRational::new(ok.into(), total.into());
				prop_assert_eq!(big(&alpha), big(&base) * share * big(&haircut));
			},
			Err(CoverageError::Zones) => prop_assert!(total == 0 || ok > total),
			Err(fault) => {
				let exact = big(&base) * BigRational::new(ok.into(), total.into()) * big(&haircut);
				let most = BigInt::from(u128::MAX);
				prop_assert_eq!(fault, CoverageError::Overflow);
				prop_assert!(*exact.numer() > most || *exact.denom() > most);
			},
		}
		let exact = (big(&base) * whole(amount)).floor().to_integer().to_u128();
		prop_assert_eq!(committed_energy(amount, &base).ok(), exact);
		prop_assert_eq!(redeem_value(amount, &base).ok(), exact);
	}
}

/// Ten million AICP, 180 GWh committed.
fn ten_million(eur_per_mwh: &str, compute_assets: u128) -> Inputs {
	Inputs {
		wh_committed: 180_000_000_000,
		eur_per_mwh: Ratio::parse(eur_per_mwh).unwrap(),
		compute_assets: compute_assets.into(),
		issuance: 10_000_000_000_000.into(),
		utilisation: Ratio::ONE,
	}
}

#[test]
fn one_micro_eur_below_the_threshold_freezes() {
	let policy = Policy::default();
	// 16,499,999.999999 EUR: rounded to six decimals the ratio would print 1.100000.
	let inputs = Inputs { wh_committed: 0, ..ten_million("0", 16_499_999_999_999) };
	let coverage = evaluate(&inputs, &policy).unwrap();
	assert_eq!((coverage.state, coverage.mint, coverage.binding), (State::Frozen, 0, None));
	let inputs = Inputs { wh_committed: 0, ..ten_million("0", 16_500_000_000_000) };
	assert_eq!(evaluate(&inputs, &policy).unwrap().state, State::InBand);
	let inputs = Inputs { wh_committed: 0, ..ten_million("0", 18_000_000_000_000) };
	assert_eq!(evaluate(&inputs, &policy).unwrap().state, State::InBand, "1.20 is in the band");
	let inputs = Inputs { wh_committed: 0, ..ten_million("0", 18_000_000_000_001) };
	assert_eq!(evaluate(&inputs, &policy).unwrap().state, State::AboveBand);
	let inputs = Inputs { wh_committed: 0, ..ten_million("0", 14_999_999_999_999) };
	assert_eq!(evaluate(&inputs, &policy).unwrap().state, State::Defense);
	let inputs = Inputs { wh_committed: 0, ..ten_million("0", 15_000_000_000_000) };
	assert_eq!(evaluate(&inputs, &policy).unwrap().state, State::Frozen, "1.00 is not Defense");
}

#[test]
fn a_third_of_a_cent_is_not_lost_before_the_end() {
	// 1 Wh at 1/3 EUR/MWh and 2/3 micro-EUR of assets make a whole micro-EUR.
	let inputs = Inputs {
		wh_committed: 1,
		eur_per_mwh: Ratio::new(1, 3).unwrap(),
		compute_assets: Ratio::new(2, 3).unwrap(),
		issuance: Ratio::ONE,
		utilisation: Ratio::ONE,
	};
	let coverage = evaluate(&inputs, &Policy::default()).unwrap();
	assert_eq!((coverage.v_energy, coverage.v_reserve), (0, 1));
	assert_eq!(coverage.ratio.unwrap().to_fraction(), "2/3");
}

#[test]
fn no_supply_is_neither_a_division_by_zero_nor_an_unbounded_mint() {
	let empty = Inputs { issuance: Ratio::ZERO, ..ten_million("90", 0) };
	let coverage = evaluate(&empty, &Policy::default()).unwrap();
	assert_eq!((coverage.ratio, coverage.state), (None, State::AboveBand));
	assert_eq!((coverage.mint, coverage.binding), (0, Some(Binding::Cap)));

	let unused = Inputs { utilisation: Ratio::ZERO, ..ten_million("90", 0) };
	assert_eq!(evaluate(&unused, &Policy::default()).unwrap().mint, 0);

	let nothing = Inputs { wh_committed: 0, ..empty };
	let coverage = evaluate(&nothing, &Policy::default()).unwrap();
	assert_eq!((coverage.ratio, coverage.state, coverage.mint), (None, State::Frozen, 0));
}

#[test]
fn a_bootstrap_supply_can_be_reached_but_not_passed() {
	let policy = Policy { bootstrap: 1_000_000_000_000, ..Policy::default() };
	let at = |issuance: u128| {
		let inputs = Inputs { issuance: issuance.into(), ..ten_million("90", 0) };
		let coverage = evaluate(&inputs, &policy).unwrap();
		(coverage.mint, coverage.binding)
	};
	assert_eq!(at(0), (1_000_000_000_000, Some(Binding::Bootstrap)));
	assert_eq!(at(1), (999_999_999_999, Some(Binding::Bootstrap)), "a first unit is not a trap");
	assert_eq!(at(980_000_000_000), (49_000_000_000, Some(Binding::Cap)));
	assert_eq!(at(1_000_000_000_000), (50_000_000_000, Some(Binding::Cap)));
	// The reserve binds: at 90 EUR/MWh and CR_min 1.10 it covers 9,818,181.818181 AICP.
	let generous = Policy { bootstrap: u128::MAX, ..Policy::default() };
	let empty = Inputs { issuance: Ratio::ZERO, ..ten_million("90", 0) };
	let coverage = evaluate(&empty, &generous).unwrap();
	assert_eq!((coverage.mint, coverage.binding), (9_818_181_818_181, Some(Binding::Target)));
}

#[test]
fn a_policy_without_meaning_is_refused() {
	let inputs = ten_million("90", 0);
	let refused = |policy| evaluate(&inputs, &policy).unwrap_err();
	let policy = Policy::default();
	assert_eq!(
		refused(Policy { target_price: Ratio::ZERO, ..policy }),
		CoverageError::ZeroTargetPrice
	);
	assert_eq!(refused(Policy { cr_min: Ratio::ZERO, ..policy }), CoverageError::ZeroThreshold);
	assert_eq!(refused(Policy { cr_max: Ratio::ONE, ..policy }), CoverageError::BandInverted);
}

#[test]
fn alpha_keeps_the_watt_hour_that_parts_per_billion_lose() {
	// 0.18 · 29/30: the exact share, not 0.174000000 rounded.
	let alpha = effective_alpha(&Ratio::percent(18), 29, 30, &Ratio::ONE).unwrap();
	assert_eq!(alpha.to_string(), "87/500");
	let third = effective_alpha(&Ratio::percent(18), 28, 29, &Ratio::percent(95)).unwrap();
	assert_eq!(committed_energy(8_000_000_000_000, &third), Ok(1_320_827_586_206));
	assert_eq!(effective_alpha(&third, 31, 30, &Ratio::ONE), Err(CoverageError::Zones));
	assert_eq!(effective_alpha(&third, 0, 0, &Ratio::ONE), Err(CoverageError::Zones));
}

#[test]
fn a_statement_is_stale_the_day_after_its_last_good_one() {
	let day = |text: &str| Day::parse(text).unwrap();
	assert!(is_stale(None, day("2026-01-15"), 3));
	assert!(!is_stale(Some(day("2026-01-12")), day("2026-01-15"), 3));
	assert!(is_stale(Some(day("2026-01-11")), day("2026-01-15"), 3));
	assert!(!is_stale(Some(day("2026-01-16")), day("2026-01-15"), 0));
}

proptest! {
	/// What is put aside pays for all credit, however it is divided, and not a micro-token less would.
	#[test]
	fn backing_pays_for_credit_however_it_is_spent(
		parts in prop::collection::vec(0..10_000_000_000u128, 1..8),
		numerator in 1..1_000_000u128,
		denominator in 1..1_000_000u128,
	) {
		let price = Ratio::new(numerator, denominator).unwrap();
		let credit: u128 = parts.iter().sum();
		let backed = backing(credit, &price).unwrap();
		prop_assert!(redeem_value(backed, &price).unwrap() >= credit);
		if let Some(less) = backed.checked_sub(1) {
			prop_assert!(redeem_value(less, &price).unwrap() < credit);
		}
		let (mut left, mut open) = (backed, credit);
		for part in parts {
			left -= service_pay(part, &price).unwrap();
			open -= part;
			prop_assert!(left >= backing(open, &price).unwrap());
		}
	}
}

#[test]
fn a_day_pays_out_the_larger_of_an_amount_and_a_share() {
	let cap = Ratio::percent(5);
	assert_eq!(daily_capacity(1_000, &cap, 49), 50);
	assert_eq!(daily_capacity(1_000, &cap, 51), 51);
	assert_eq!(daily_capacity(1_000, &Ratio::ZERO, 7), 7);
}

#[test]
fn waiting_is_counted_in_whole_days_and_only_for_what_is_backed() {
	// 20 micro-EUR a day, 5 of them left today.
	let days = |waiting, backed| days_of_waiting(waiting, 5, 20, backed);
	assert_eq!([5, 6, 25, 26].map(|waiting| days(waiting, 100)), [0, 1, 1, 2].map(Some));
	assert_eq!(days(101, 100), None);
	assert_eq!(days_of_waiting(1, 0, 0, 1), None);
}
