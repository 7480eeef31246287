//! Bounds of what is believed of a statement: the moving average of its prices, its energy, its
//! zones.
//!
//! Day-ahead prices are not smooth: a quarter of all days move by more than half, and some have a
//! mean below zero. So the reserve is valued at a moving average, and the band is one for that
//! average: it compounds with the days since the last statement and has the same ratio both ways. A
//! price at or below zero enters the average as it is, and is never refused for having moved.

use crate::{
	num::decimal::{Ratio, SignedRatio},
	reserve::formula::Fraction,
	time::day::Day,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::cmp::Ordering;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Highest number of days since the last statement for which a band compounds.
pub const MAX_COMPOUNDED_DAYS: u32 = 30;
/// Longest window of the moving average, in stated days.
pub const MAX_WINDOW: u32 = 366;
/// Highest numerator of a daily ratio in lowest terms, so that [`MAX_COMPOUNDED_DAYS`] of them fit
/// the integers of the formulas.
pub const MAX_RATIO_TERM: u128 = 1_000_000;

/// Prices that the policy accepts, and how it averages them.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PriceBounds {
	/// Lowest price of a day, in EUR/MWh.
	pub min: SignedRatio,
	/// Highest price of a day, in EUR/MWh.
	pub max: Ratio,
	/// Window N of the moving average, in stated days, from 1 to [`MAX_WINDOW`]: each stated day
	/// moves the average by an N-th of its distance from it. With 1 the average is the day's price.
	pub window: u32,
	/// Largest ratio of the average to the one before, up or down, for each day since; above 1.
	pub max_daily_ratio: Ratio,
}

impl PriceBounds {
	/// Bounds for the day-ahead prices of European zones: the market's own floor and a price that
	/// no daily mean has reached, four weeks, a tenth a day.
	pub const DAY_AHEAD: Self = Self {
		min: SignedRatio::new(true, Ratio::from_integer(500)),
		max: Ratio::from_integer(1_000),
		window: 28,
		max_daily_ratio: Ratio::percent(110),
	};

	/// Returns `true` if the bounds have a meaning.
	pub fn is_valid(&self) -> bool {
		is_below(&self.min, &self.max.into())
			&& (1..=MAX_WINDOW).contains(&self.window)
			&& is_daily_ratio(&self.max_daily_ratio)
	}
}

/// Energy and zones that the policy accepts.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EnergyBounds {
	/// Highest mean energy of the complete zones in a day, in Wh a zone; above 0.
	pub max_wh_per_zone: u128,
	/// Largest ratio of that mean to the one before, up or down, for each day since; above 1.
	pub max_daily_ratio: Ratio,
	/// Least share of the zones that must be complete, at most 1.
	pub min_zones_share: Ratio,
}

impl EnergyBounds {
	/// Bounds for European zones: 500 GWh a day, half as much again a day, four of five zones.
	pub const EUROPE: Self = Self {
		max_wh_per_zone: 500_000_000_000,
		max_daily_ratio: Ratio::percent(150),
		min_zones_share: Ratio::percent(80),
	};

	/// Returns `true` if the bounds have a meaning.
	pub fn is_valid(&self) -> bool {
		self.max_wh_per_zone > 0
			&& is_daily_ratio(&self.max_daily_ratio)
			&& self.min_zones_share <= Ratio::ONE
	}
}

/// Figures that the bounds of a statement are compared with: those of the last day before it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reference {
	/// Day that they are of.
	pub day: Day,
	/// Moving average of the price, in EUR/MWh; 0 if there was no price above zero yet.
	pub average: Ratio,
	/// Mean energy of the complete zones, in Wh a zone; 0 if it is not known.
	pub wh_per_zone: u128,
}

/// Reason why a price is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PriceRefusal {
	/// The price is below [`PriceBounds::min`].
	TooLow,
	/// The price is above [`PriceBounds::max`].
	TooHigh,
	/// The average would move further than [`PriceBounds::max_daily_ratio`] allows.
	MovedTooFar,
}

/// Reason why a statement's energy is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EnergyRefusal {
	/// Fewer zones are complete than [`EnergyBounds::min_zones_share`] requires.
	TooFewZones,
	/// The energy is above [`EnergyBounds::max_wh_per_zone`].
	TooHigh,
	/// The energy of a zone has moved further than [`EnergyBounds::max_daily_ratio`] allows.
	MovedTooFar,
}

fn is_daily_ratio(ratio: &Ratio) -> bool {
	*ratio > Ratio::ONE && ratio.numerator() <= MAX_RATIO_TERM
}

/// Returns `true` if `left` is below `right`.
fn is_below(left: &SignedRatio, right: &SignedRatio) -> bool {
	match (left.not_negative(), right.not_negative()) {
		(Some(left), Some(right)) => left < right,
		(None, Some(_)) => true,
		(Some(_), None) => false,
		(None, None) => left.magnitude() > right.magnitude(),
	}
}

/// Returns the band for `day`: the daily ratio to the power of the days since `last`, at least one
/// and at most [`MAX_COMPOUNDED_DAYS`].
fn band(ratio: &Ratio, last: Day, day: Day) -> Option<Fraction> {
	let ratio = Fraction::from(*ratio);
	let days = day.days_since(last).clamp(1, MAX_COMPOUNDED_DAYS);
	(1..days).try_fold(ratio, |product, _| product.times(&ratio))
}

/// Returns `true` if neither value is above the other times `band`, exactly.
fn is_within(last: &Ratio, value: &Ratio, band: &Fraction) -> bool {
	let (last, value) = (Fraction::from(*last), Fraction::from(*value));
	let reaches = |lower: &Fraction, upper: &Fraction| {
		let most = lower.times(band)?;
		upper.compare(&most).map(Ordering::is_le)
	};
	reaches(&last, &value) == Some(true) && reaches(&value, &last) == Some(true)
}

/// Returns a value cut to micro-EUR.
fn cut(value: &Fraction) -> Option<Ratio> {
	let micros = value.times(&Fraction::from(Ratio::from_integer(1_000_000)))?.floor();
	Some(Ratio::millionths(micros))
}

/// Returns the average after `price`, with a window above 1, cut to micro-EUR; 0 if it is not above
/// that.
fn moved(last: &Ratio, price: &SignedRatio, window: u32) -> Option<Ratio> {
	let share = |numerator: u32| Ratio::new(numerator.into(), window.into()).map(Fraction::from);
	let kept = Fraction::from(*last).times(&share(window.saturating_sub(1))?)?;
	let step = Fraction::from(price.magnitude()).times(&share(1)?)?;
	cut(&if price.is_negative() { kept.minus(&step)? } else { kept.plus(&step)? })
}

/// Checks a day's price, and returns the moving average that the reserve of this day is valued at.
///
/// Without an average so far, a price above zero begins it, and one that is not leaves it at 0. A
/// price at or below zero lowers the average as far as the band allows.
///
/// # Errors
/// The first [`PriceRefusal`] in the order of that type.
pub fn next_average(
	price: &SignedRatio,
	bounds: &PriceBounds,
	reference: Option<&Reference>,
	day: Day,
) -> Result<Ratio, PriceRefusal> {
	if is_below(price, &bounds.min) {
		return Err(PriceRefusal::TooLow);
	}
	if is_below(&bounds.max.into(), price) {
		return Err(PriceRefusal::TooHigh);
	}
	let positive = price.not_negative().filter(|price| !price.is_zero());
	let Some(last) = reference.filter(|reference| !reference.average.is_zero()) else {
		return Ok(positive.unwrap_or(Ratio::ZERO));
	};
	let far = PriceRefusal::MovedTooFar;
	let band = band(&bounds.max_daily_ratio, last.day, day).ok_or(far)?;
	let average = match (bounds.window, positive) {
		(1, Some(price)) => price,
		(1, None) => Ratio::ZERO,
		(window, _) => moved(&last.average, price, window).ok_or(far)?,
	};
	match positive {
		Some(_) if is_within(&last.average, &average, &band) => Ok(average),
		Some(_) => Err(far),
		None => {
			let lowest = Fraction::from(last.average).over(&band).and_then(|low| cut(&low));
			Ok(average.max(lowest.ok_or(far)?))
		},
	}
}

/// Returns the first day, from `day` on, about which a statement with this price would be accepted
/// if nothing is stated before; `None` if none would.
pub fn first_day_accepted(
	price: &SignedRatio,
	bounds: &PriceBounds,
	reference: Option<&Reference>,
	day: Day,
) -> Option<Day> {
	(0..=MAX_COMPOUNDED_DAYS)
		.filter_map(|later| Day::from_days(day.days().checked_add(later)?))
		.find(|day| next_average(price, bounds, reference, *day).is_ok())
}

/// Checks a day's energy and zones, and returns the mean energy of a complete zone, in Wh.
///
/// # Errors
/// The first [`EnergyRefusal`] in the order of that type.
pub fn check_energy(
	wh_raw: u128,
	zones_ok: u16,
	zones_total: u16,
	bounds: &EnergyBounds,
	reference: Option<&Reference>,
	day: Day,
) -> Result<u128, EnergyRefusal> {
	let share = Ratio::new(zones_ok.into(), zones_total.into());
	if share.is_none_or(|share| share < bounds.min_zones_share) {
		return Err(EnergyRefusal::TooFewZones);
	}
	if wh_raw > bounds.max_wh_per_zone.saturating_mul(zones_ok.into()) {
		return Err(EnergyRefusal::TooHigh);
	}
	let wh_per_zone = wh_raw.checked_div(zones_ok.into()).unwrap_or(0);
	if let Some(last) = reference.filter(|reference| reference.wh_per_zone > 0) {
		let band = band(&bounds.max_daily_ratio, last.day, day);
		let within = |band| is_within(&last.wh_per_zone.into(), &wh_per_zone.into(), &band);
		if !band.is_some_and(within) {
			return Err(EnergyRefusal::MovedTooFar);
		}
	}
	Ok(wh_per_zone)
}
