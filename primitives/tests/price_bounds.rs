//! The bounds of prices and energy against five years of day-ahead prices, and against those who
//! would walk them.
//!
//! The series is made here, the same everywhere. Its months have the level of the German-Luxembourg
//! zone's monthly means of 2021 to 2025, in whole EUR/MWh: 53 at the beginning, 465 in August 2022,
//! 92 at the end. Days scatter around them as such days do: the test `statistics` says how much.

use gridproof_primitives::{
	num::decimal::{Ratio, SignedRatio},
	reserve::bounds::{
		EnergyBounds, EnergyRefusal, MAX_COMPOUNDED_DAYS, PriceBounds, PriceRefusal, Reference,
		check_energy, first_day_accepted, next_average,
	},
	time::day::Day,
};
use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;

/// Monthly means of 2021 to 2025, EUR/MWh.
const LEVELS: [i64; 60] = [
	53, 49, 47, 54, 53, 74, 81, 83, 128, 140, 176, 221, 168, 129, 252, 166, 178, 218, 315, 465,
	346, 158, 174, 252, 118, 128, 103, 101, 82, 95, 77, 94, 101, 87, 92, 68, 77, 61, 64, 62, 67,
	73, 68, 82, 78, 87, 114, 108, 114, 128, 94, 78, 67, 64, 88, 77, 84, 85, 101, 92,
];
/// Days around their month, in thousandths: sixteen quantiles of wind and sun.
const SCATTER: [i64; 16] = [
	520, 630, 705, 770, 825, 870, 915, 960, 1_005, 1_055, 1_105, 1_165, 1_240, 1_330, 1_460, 1_730,
];
/// Days of the week, in thousandths.
const WEEK: [i64; 7] = [1_000, 1_030, 1_030, 1_020, 1_000, 850, 720];
const DAYS: usize = 5 * 365;

/// Returns the series, in thousandths of EUR/MWh.
fn series() -> Vec<i64> {
	let mut state = 2_021u64;
	let mut next = |below: i64| {
		state =
			state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
		(state >> 33) as i64 % below
	};
	(0..DAYS)
		.map(|day| {
			let month = (day * 12 / 365).min(59);
			let scatter = SCATTER[next(16) as usize];
			let price = LEVELS[month] * scatter * WEEK[day % 7] / 1_000;
			let chance = next(100);
			match month % 12 {
				// Sunny Sundays from April to August.
				3..=7 if day % 7 == 6 && chance < 25 => -next(35_000),
				// Dark doldrums from November to January.
				10 | 11 | 0 if chance < 2 => price * 2,
				_ => price,
			}
		})
		.collect()
}

fn day(offset: usize) -> Day {
	let first = Day::parse("2021-01-01").unwrap();
	Day::from_days(first.days() + offset as u32).unwrap()
}

fn milli(price: i64) -> SignedRatio {
	SignedRatio::new(price < 0, Ratio::new(price.unsigned_abs().into(), 1_000).unwrap())
}

fn eur(price: u128) -> SignedRatio {
	Ratio::from_integer(price).into()
}

fn reference(average: u128, offset: usize) -> Reference {
	Reference { day: day(offset), average: average.into(), wh_per_zone: 0 }
}

const BOUNDS: PriceBounds = PriceBounds::DAY_AHEAD;

#[test]
fn statistics() {
	let series = series();
	let moved = series
		.windows(2)
		.filter(|pair| pair[0] <= 0 || (pair[1] - pair[0]).abs() * 2 > pair[0])
		.count();
	assert!(moved * 4 > DAYS, "a quarter of all days moves by more than half: {moved}");
	assert_eq!(series.iter().filter(|price| **price <= 0).count(), 24);
	assert_eq!((series.iter().max(), series.iter().min()), (Some(&828_583), Some(&-34_241)));
}

#[test]
fn five_years_of_prices_are_taken_day_for_day() {
	let mut last: Option<Reference> = None;
	for (offset, price) in series().into_iter().enumerate() {
		let average = next_average(&milli(price), &BOUNDS, last.as_ref(), day(offset));
		let average = average.unwrap_or_else(|refusal| panic!("day {offset}: {price} {refusal:?}"));
		assert!(!average.is_zero());
		last = Some(Reference { day: day(offset), average, wh_per_zone: 0 });
	}
}

#[test]
fn five_years_with_gaps_of_up_to_a_week_are_taken_too() {
	let mut last: Option<Reference> = None;
	let mut skip = 0;
	for (offset, price) in series().into_iter().enumerate() {
		skip = if skip == 0 { offset % 8 } else { skip - 1 };
		if skip > 0 {
			continue;
		}
		let average = next_average(&milli(price), &BOUNDS, last.as_ref(), day(offset));
		let average = average.unwrap_or_else(|refusal| panic!("day {offset}: {price} {refusal:?}"));
		last = Some(Reference { day: day(offset), average, wh_per_zone: 0 });
	}
}

#[test]
fn creeping_from_90_to_1000_in_six_statements_fails() {
	// The path that a limit of half as much again a day let through.
	let path = ["135", "202.5", "303.75", "455.625", "683.4375", "1000"];
	let mut last = reference(90, 0);
	let mut refused = Vec::new();
	for (offset, price) in (1..).zip(path) {
		match next_average(&SignedRatio::parse(price).unwrap(), &BOUNDS, Some(&last), day(offset)) {
			Ok(average) => last = Reference { day: day(offset), average, wh_per_zone: 0 },
			Err(refusal) => refused.push((price, refusal)),
		}
	}
	assert_eq!(refused[0], ("455.625", PriceRefusal::MovedTooFar));
	assert!(last.average < 180.into(), "{}", last.average);
}

#[test]
fn the_highest_price_each_day_gains_a_tenth_a_day() {
	let (mut last, mut most) = (reference(90, 0), 90.0f64);
	for offset in 1..=6 {
		let best = (0..=1_000_000i64)
			.rev()
			.step_by(500)
			.find_map(|price| next_average(&milli(price), &BOUNDS, Some(&last), day(offset)).ok());
		last = Reference { day: day(offset), average: best.unwrap(), wh_per_zone: 0 };
		most *= 1.1;
		let average = last.average.numerator() as f64 / last.average.denominator() as f64;
		assert!(average <= most && average > most * 0.98, "{average} of {most}");
	}
	// 159 EUR/MWh after six statements, and not 1,000; waiting gains no more than stating.
	assert!(last.average < 160.into());
	let waited = next_average(&eur(1_000), &BOUNDS, Some(&reference(90, 0)), day(6)).unwrap();
	assert!(waited < 160.into());
}

#[test]
fn the_band_compounds_and_has_one_ratio_both_ways() {
	let bounds = PriceBounds { window: 1, max_daily_ratio: Ratio::percent(150), ..BOUNDS };
	let at = |price: &str, days| {
		let price = SignedRatio::parse(price).unwrap();
		next_average(&price, &bounds, Some(&reference(100, 0)), day(days))
	};
	let far = Err(PriceRefusal::MovedTooFar);
	assert_eq!(at("150", 1), Ok(150.into()));
	assert_eq!(at("150.000001", 1), far);
	assert_eq!(at("225", 2), Ok(225.into()));
	assert_eq!(at("225.000001", 2), far);
	assert_eq!(at("66.7", 1), Ok(Ratio::parse("66.7").unwrap()));
	assert_eq!(at("66.6", 1), far);
	assert_eq!(at("44.5", 2), Ok(Ratio::parse("44.5").unwrap()));
	assert_eq!(at("44.4", 2), far);
	// A day of the reference's own counts as one, and the band grows for thirty days.
	assert_eq!(at("150", 0), Ok(150.into()));
	let slow = PriceBounds { window: 1, max_daily_ratio: Ratio::percent(101), ..BOUNDS };
	let late = |days| next_average(&eur(134), &slow, Some(&reference(100, 0)), day(days));
	assert_eq!(late(MAX_COMPOUNDED_DAYS as usize - 1), far);
	assert_eq!(late(MAX_COMPOUNDED_DAYS as usize), Ok(134.into()));
	let over = next_average(&eur(135), &slow, Some(&reference(100, 0)), day(400));
	assert_eq!(over, far);
}

#[test]
fn a_price_at_or_below_zero_enters_the_average_and_is_never_refused_for_its_move() {
	let after = |price: &str| {
		let price = SignedRatio::parse(price).unwrap();
		next_average(&price, &BOUNDS, Some(&reference(90, 0)), day(1))
	};
	// (90 · 27 − 20) / 28, cut to micro-EUR.
	assert_eq!(after("-20"), Ok(Ratio::parse("86.071428").unwrap()));
	assert_eq!(after("0"), Ok(Ratio::parse("86.785714").unwrap()));
	// No further down than the band: 90 / 1.1.
	assert_eq!(after("-500"), Ok(Ratio::parse("81.818181").unwrap()));
	assert_eq!(after("-500.000001"), Err(PriceRefusal::TooLow));
	assert_eq!(after("1000.000001"), Err(PriceRefusal::TooHigh));
	// Without an average, only a price above zero begins one.
	let begin =
		|price: &str| next_average(&SignedRatio::parse(price).unwrap(), &BOUNDS, None, day(1));
	assert_eq!((begin("-3"), begin("0")), (Ok(Ratio::ZERO), Ok(Ratio::ZERO)));
	assert_eq!(begin("0.5"), Ok(Ratio::parse("0.5").unwrap()));
	let none = Reference { average: Ratio::ZERO, ..reference(1, 0) };
	assert_eq!(next_average(&eur(7), &BOUNDS, Some(&none), day(1)), Ok(7.into()));
}

#[test]
fn the_first_day_on_which_a_refused_price_is_taken_is_known() {
	let last = reference(90, 0);
	let first = |price| first_day_accepted(&eur(price), &BOUNDS, Some(&last), day(1));
	assert_eq!(first(90), Some(day(1)));
	// The average would be 114.64: above 99 and 108.9, below 119.79.
	assert_eq!(first(780), Some(day(3)));
	for offset in 1..3 {
		assert!(next_average(&eur(780), &BOUNDS, Some(&last), day(offset)).is_err());
	}
	assert!(next_average(&eur(780), &BOUNDS, Some(&last), day(3)).is_ok());
	assert_eq!(first(1_001), None, "never");
}

#[test]
fn energy_has_a_bound_a_band_and_a_least_share_of_zones() {
	let bounds = EnergyBounds::EUROPE;
	let last = Reference { wh_per_zone: 100_000_000_000, ..reference(90, 0) };
	let check = |wh: u128, ok, days| check_energy(wh, ok, 47, &bounds, Some(&last), day(days));
	let zone = 1_000_000_000u128;
	assert_eq!(check(47 * 150 * zone, 47, 1), Ok(150 * zone));
	let far = Err(EnergyRefusal::MovedTooFar);
	assert_eq!(check(47 * 151 * zone, 47, 1), far);
	assert_eq!(check(47 * 225 * zone, 47, 2), Ok(225 * zone));
	assert_eq!(check(47 * 67 * zone, 47, 1), Ok(67 * zone));
	assert_eq!(check(47 * 66 * zone, 47, 1), far);
	// A slip of Wh and kWh, also after a long silence, and as the first statement.
	assert_eq!(check(47 * 100_000 * zone, 47, 400), Err(EnergyRefusal::TooHigh));
	let first = check_energy(47 * 501 * zone, 47, 47, &bounds, None, day(1));
	assert_eq!(first, Err(EnergyRefusal::TooHigh));
	assert_eq!(check_energy(u128::MAX, 47, 47, &bounds, None, day(1)), Err(EnergyRefusal::TooHigh));
	// 38 of 47 are 80.9 %, 37 are 78.7 %.
	assert_eq!(check(38 * 100 * zone, 38, 1), Ok(100 * zone));
	assert_eq!(check(37 * 100 * zone, 37, 1), Err(EnergyRefusal::TooFewZones));
	assert_eq!(check(0, 0, 1), Err(EnergyRefusal::TooFewZones));
	assert_eq!(check_energy(0, 0, 0, &bounds, None, day(1)), Err(EnergyRefusal::TooFewZones));
	let lenient = EnergyBounds { min_zones_share: Ratio::ZERO, ..bounds };
	assert_eq!(check_energy(0, 0, 47, &lenient, None, day(1)), Ok(0));
}

fn big(ratio: &Ratio) -> BigRational {
	BigRational::new(ratio.numerator().into(), ratio.denominator().into())
}

proptest! {
	#[test]
	fn the_average_is_that_of_big_rationals(
		last in 1u128..2_000_000_000, price in -500_000_000i64..1_000_000_000,
		window in 2u32..366, days in 1u32..40, percent in 101u128..400,
	) {
		let bounds = PriceBounds { window, max_daily_ratio: Ratio::percent(percent), ..BOUNDS };
		let last = Reference { average: Ratio::millionths(last), ..reference(1, 0) };
		let signed = SignedRatio::new(price < 0, Ratio::millionths(price.unsigned_abs().into()));
		let found = next_average(&signed, &bounds, Some(&last), day(days as usize));
		let whole = |value: i64| BigRational::from_integer(BigInt::from(value));
		let million = whole(1_000_000);
		let cut = |value: BigRational| (value * &million).floor() / &million;
		let exact = (big(&last.average) * whole(i64::from(window) - 1)
			+ whole(price) / &million) / whole(window.into());
		let average = cut(exact.max(whole(0)));
		let band = num_traits::pow(big(&Ratio::percent(percent)), days.min(30) as usize);
		let (before, lowest) = (big(&last.average), cut(big(&last.average) / &band));
		let within = average <= &before * &band && before <= &average * &band;
		let wanted = if price <= 0 { Some(average.max(lowest)) } else { within.then_some(average) };
		prop_assert_eq!(found.ok().map(|ratio| big(&ratio)), wanted);
	}
}
