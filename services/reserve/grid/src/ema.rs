//! Exponential moving average of daily mean prices.
//!
//! With a window of `N` days the newest day weighs `2 / (N + 1)`:
//! `e₁ = p₁`, `eₖ = (2·pₖ + (N − 1)·eₖ₋₁) / (N + 1)`, oldest day first.
//! Each `p` and each `e` is kept in steps of 10⁻¹² EUR/MWh and rounded down, so that a rounded
//! price is never above the exact one, and two programs always agree to the last digit.

use crate::decimal::{UNIT, signed_ratio};
use gridproof_primitives::num::decimal::{Ratio, SignedRatio};

/// Longest window that is accepted, in days.
pub const MAX_WINDOW: u32 = 366;
/// 10¹² EUR/MWh in steps of 10⁻¹².
const MAX_STEPS: i128 = UNIT * UNIT;

/// The average of `means` (EUR/MWh, oldest first) with a window of `window` days.
///
/// `None` without a mean, with a price of 10¹² EUR/MWh or more, or with a window of 0 or more than
/// [`MAX_WINDOW`] days. A window of one day is that day's mean.
pub fn ema(means: &[SignedRatio], window: u32) -> Option<SignedRatio> {
	if !(1..=MAX_WINDOW).contains(&window) {
		return None;
	}
	let window = i128::from(window);
	let mut average: Option<i128> = None;
	for mean in means {
		let price = steps(mean)?;
		average = Some(match average {
			None => price,
			Some(average) => (2 * price + (window - 1) * average).div_euclid(window + 1),
		});
	}
	let average = average?;
	Some(signed_ratio(average, UNIT.unsigned_abs()))
}

/// A price in steps of 10⁻¹², rounded down; `None` for prices that no market has seen.
fn steps(price: &SignedRatio) -> Option<i128> {
	let size = price.magnitude();
	let cut = size.mul_floor(UNIT.unsigned_abs())?;
	let is_exact = Ratio::new(cut, UNIT.unsigned_abs()) == Some(size);
	let cut = i128::try_from(cut).ok().filter(|steps| *steps < MAX_STEPS)?;
	Some(match (price.is_negative(), is_exact) {
		(false, _) => cut,
		(true, true) => -cut,
		(true, false) => -cut - 1,
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::decimal::Price;

	fn text(prices: &[(i128, u128)], window: u32) -> Option<String> {
		let means: Vec<_> = prices.iter().map(|(n, d)| signed_ratio(*n, *d)).collect();
		ema(&means, window).map(|average| Price::of(&average).to_string())
	}

	#[test]
	fn a_constant_price_is_its_own_average() {
		assert_eq!(text(&[(90, 1); 20], 7).unwrap(), "90.0");
	}

	#[test]
	fn the_newest_day_weighs_two_over_window_plus_one() {
		// (2·100 + 2·90) / 4 = 95, then (2·80 + 2·95) / 4 = 87.5.
		assert_eq!(text(&[(90, 1), (100, 1), (80, 1)], 3).unwrap(), "87.5");
		assert_eq!(text(&[(90, 1), (100, 1), (80, 1)], 1).unwrap(), "80.0");
	}

	#[test]
	fn every_step_rounds_down_also_below_zero() {
		assert_eq!(text(&[(1, 3), (1, 3)], 2).unwrap(), "0.333333333333");
		assert_eq!(text(&[(-1, 3)], 2).unwrap(), "-0.333333333334");
		assert_eq!(text(&[(0, 1), (-1, 1)], 2).unwrap(), "-0.666666666667");
	}

	#[test]
	fn no_day_or_an_absurd_window_gives_no_average() {
		assert_eq!(text(&[], 7), None);
		assert_eq!(text(&[(1, 1)], 0), None);
		assert_eq!(text(&[(1, 1)], 367), None);
	}
}
