//! Six days of a market with much sun and wind, with the settings of the unit file, and the band that
//! they have to pass.

use gridproof_attest::{DEFAULT_WINDOW, average_window, price_refusal};
use gridproof_grid::{Eic, Source, Tz, price_from_source};
use gridproof_primitives::{
	num::decimal::{Ratio, SignedRatio},
	reserve::{
		bounds::{PriceBounds, Reference, first_day_accepted, next_average},
		parameters::PolicyParameters,
	},
	time::day::Day,
};
use proptest::prelude::*;
use std::{fs, path::PathBuf};

/// Half as much again a day, for each day's own price: the development chain's.
const DAILY: PriceBounds =
	PriceBounds { window: 1, max_daily_ratio: Ratio::percent(150), ..PriceBounds::DAY_AHEAD };

fn repository() -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn day(number: u32) -> Day {
	let first: Day = "2025-03-24".parse().unwrap();
	Day::from_days(first.days() + number).unwrap()
}

/// The prices that the daily run states of Brussels on these days, on a chain with these bounds.
async fn stated(asked: Option<u32>, bounds: &PriceBounds) -> Vec<SignedRatio> {
	let source = Source::Folder(repository().join("vectors/field/grid/price-band"));
	let brussels = Eic::parse("10YBE----------2").unwrap();
	let window = average_window(asked, bounds);
	let mut prices = Vec::new();
	for number in 0..6 {
		let zone = Tz::Europe__Brussels;
		let report = price_from_source(&source, &brussels, day(number), zone, window).await;
		prices.push(report.unwrap().price());
	}
	prices
}

/// Which of these days a chain takes, one statement a day.
fn taken(prices: &[SignedRatio], bounds: &PriceBounds) -> Vec<bool> {
	let mut last: Option<Reference> = None;
	let take = |(number, price): (u32, &SignedRatio)| {
		let average = next_average(price, bounds, last.as_ref(), day(number)).ok()?;
		last = Some(Reference { day: day(number), average, wh_per_zone: 0 });
		Some(())
	};
	(0..).zip(prices).map(take).map(|taken| taken.is_some()).collect()
}

#[tokio::test]
async fn six_days_that_jump_are_all_attested_with_the_settings_of_the_unit_file() {
	let unit = repository().join("docs/operations/systemd/gridproof-attest.service");
	let unit = fs::read_to_string(unit).unwrap();
	assert!(unit.contains("--price-zone") && !unit.contains("--ema-window"));
	// A real network averages what is stated; a chain that does not gets averages.
	let real = PolicyParameters::default().prices;
	assert_eq!(real, PriceBounds::DAY_AHEAD);
	const { assert!(PriceBounds::DAY_AHEAD.window >= 14 && DEFAULT_WINDOW >= 14) }
	let means = ["63", "6.1", "10", "72.6", "94.6", "74.7"];
	let means: Vec<_> = means.iter().map(|mean| SignedRatio::parse(mean).unwrap()).collect();
	assert_eq!(stated(None, &real).await, means);
	assert_eq!(taken(&means, &real), [true; 6]);
	let averages = stated(None, &DAILY).await;
	assert_eq!(averages[1].to_figure(), "55.413333333333");
	assert_eq!(taken(&averages, &DAILY), [true; 6]);
	// The days' own means, which somebody can still ask for, jump too far for such a band.
	let own = stated(Some(1), &DAILY).await;
	assert_eq!(own, means);
	assert_eq!(taken(&own, &DAILY), [true, false, false, true, true, true]);
}

#[tokio::test]
async fn the_same_days_later_and_backwards_are_attested_too() {
	for bounds in [PriceBounds::DAY_AHEAD, DAILY] {
		let mut prices = stated(None, &bounds).await;
		prices.reverse();
		assert_eq!(taken(&prices, &bounds), [true; 6]);
		// Week after week, with a day below zero in each.
		let below = SignedRatio::parse("-3.5").unwrap();
		let weeks: Vec<_> = [&prices[..], &[below]].concat().repeat(8);
		assert_eq!(taken(&weeks, &bounds).iter().filter(|taken| !**taken).count(), 0);
	}
}

#[test]
fn from_1_to_80_takes_eleven_days_at_half_as_much_again_a_day() {
	let reference =
		|average: u128| Reference { day: day(0), average: average.into(), wh_per_zone: 0 };
	let first = |bounds: &PriceBounds, from, to: u128| {
		let price = Ratio::from_integer(to).into();
		first_day_accepted(&price, bounds, Some(&reference(from)), day(1))
	};
	assert_eq!(first(&DAILY, 1, 80), Some(day(11)));
	assert_eq!(first(&DAILY, 80, 1), Some(day(11)));
	let averaged = PriceBounds { max_daily_ratio: Ratio::percent(150), ..PriceBounds::DAY_AHEAD };
	assert_eq!(first(&averaged, 1, 80), Some(day(4)));
	assert_eq!(first(&averaged, 80, 1), Some(day(1)));
}

proptest! {
	#[test]
	fn a_move_that_is_allowed_is_allowed_back(
		from in 1u128..2_000_000, to in 1u128..2_000_000, days in 1u32..40, percent in 101u128..300,
	) {
		let bounds = PriceBounds { window: 1, max_daily_ratio: Ratio::percent(percent), ..DAILY };
		let max = PriceBounds { max: Ratio::from_integer(3_000), ..bounds };
		let allowed = |from: u128, to: u128| {
			let average = Ratio::new(from, 1_000).unwrap();
			let reference = Reference { day: day(0), average, wh_per_zone: 0 };
			let price = Ratio::new(to, 1_000).unwrap().into();
			next_average(&price, &max, Some(&reference), day(days)).is_ok()
		};
		prop_assert_eq!(allowed(from, to), allowed(to, from));
	}

	#[test]
	fn a_price_is_refused_with_a_reason_exactly_when_it_is_not_taken(
		last in 1u128..500, price in -600i64..1_100, days in 0u32..40,
	) {
		use gridproof_primitives::{H256, reserve::state::Statement};
		let price = SignedRatio::new(price < 0, Ratio::from_integer(price.unsigned_abs().into()));
		let reference = Reference { day: day(0), average: last.into(), wh_per_zone: 0 };
		let latest = Statement {
			hash: H256([0; 32]),
			day: day(0),
			taken_on: day(1),
			wh_committed: 0,
			price: Ratio::from_integer(last).into(),
			eur_per_mwh: last.into(),
			compute_assets: 0,
			wh_per_zone: 0,
			reference: Some(reference),
		};
		for bounds in [PriceBounds::DAY_AHEAD, DAILY] {
			let taken = next_average(&price, &bounds, Some(&reference), day(days)).is_ok();
			let refusal = price_refusal(&price, day(days), &bounds, Some(&latest));
			prop_assert_eq!(refusal.is_none(), taken, "{:?}", refusal);
		}
	}
}
