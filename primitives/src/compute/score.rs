//! The score of a miner, 0 … 10,000, in fixed point.
//!
//! score = 100 · (0.3·G + 0.3·T + 0.2·U + 0.2·C), each part in 0 … 100 points:
//!
//! | part | of | formula |
//! |---|---|---|
//! | G | memory in use over time | clamp(100·(2/(1+e^(−6(u−0.3)))−1), 0, 100), u = min(1, Σ GB·s / 20,000) |
//! | T | throughput | min(100, tokens/s · model factor / 1000 · 100) |
//! | U | time online | min(100, 100·ln(1+h)/ln 721), h in hours |
//! | C | success rate r | r ≥ .95: 100; ≥ .8: 80+(r−.8)/.15·20; ≥ .5: 40+(r−.5)/.3·40; else r/.5·40; no data: 50 |
//!
//! **Error.** Parts are counted in 10⁻⁹ points and rounded down; T and C are exact before that.
//! e^x and ln are computed with 56 bits behind the point: each series has at most 64 terms, each
//! term is off by less than three units of 2⁻⁵⁶, so a part is off by less than 10⁻¹¹ points before
//! it is rounded down, and by less than 1.1·10⁻⁹ points after. The score is rounded to the nearest
//! whole number, so it is at most 0.5 + 1.1·10⁻⁷ from the real-valued formula.

use crate::{num::decimal::Ratio, num::wide::Wide};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Upper bound of a score by the formula's weights; G ends at 97.05 points, so no miner gets more
/// than 9,911.
pub const SCORE_MAX: u32 = 10_000;
/// Units of a part in one point.
pub const POINT: u64 = 1_000_000_000;

/// A hundred points.
const HUNDRED: u64 = 100 * POINT;
/// GB·s from which on G does not grow any more.
const FULL_GB_SECONDS: u64 = 20_000;
/// Weighted tokens per second that make T full.
const FULL_TOKEN_RATE: u64 = 1_000;
/// Hours online that make U full: thirty days.
pub const FULL_HOURS: u64 = 720;

/// Bits behind the point of [`ln`].
pub(super) const BITS: u32 = 56;
/// One, with these bits.
pub(super) const ONE: u128 = 1 << BITS;
/// ⌊ln 2 · 2⁵⁶⌋.
const LN_2: u128 = 0x00b1_7217_f7d1_cf79;
/// Highest number of terms of a series. The slowest, z = 1/3 to odd powers, is below 2⁻⁵⁶ after 18.
const TERMS: u128 = 64;

/// Measurements from which a score is computed.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ScoreInputs {
	/// Memory in use times time, in GB·s.
	pub gb_seconds: Ratio,
	/// Tokens per second, as a mean weighted by time.
	pub tokens_per_second: Ratio,
	/// Factor of `tokens_per_second`; 1 if the mean already counts tokens times model factors.
	pub model_factor: Ratio,
	/// Hours online within the last 30 days.
	pub uptime_hours: Ratio,
	/// Share of the accepted jobs that were delivered, 0 to 1; `None` without any. Above 1 counts
	/// as 1.
	pub success_rate: Option<Ratio>,
}

/// Score with its four parts.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Score {
	/// Score, 0 … 10,000, rounded to the nearest whole number.
	pub score: u32,
	/// Part for memory (G), 0 … 100 points, in 10⁻⁹ points.
	pub g: u64,
	/// Part for throughput (T), 0 … 100 points, in 10⁻⁹ points.
	pub t: u64,
	/// Part for time online (U), 0 … 100 points, in 10⁻⁹ points.
	pub u: u64,
	/// Part for the success rate (C), 0 … 100 points, in 10⁻⁹ points.
	pub c: u64,
}

impl ScoreInputs {
	/// Returns the score and its parts.
	pub fn score(&self) -> Score {
		let g = part_g(&self.gb_seconds);
		let t = part_t(&self.tokens_per_second, &self.model_factor);
		let u = part_u(&self.uptime_hours);
		let c = self.success_rate.as_ref().map_or(50 * POINT, part_c);
		let weighted = [(g, 30u64), (t, 30), (u, 20), (c, 20)]
			.into_iter()
			.fold(0u64, |sum, (part, weight)| sum.saturating_add(part.saturating_mul(weight)));
		let nearest = weighted.saturating_add(POINT / 2).checked_div(POINT).unwrap_or(0);
		let score = u32::try_from(nearest).unwrap_or(SCORE_MAX).min(SCORE_MAX);
		Score { score, g, t, u, c }
	}
}

/// Returns what offences leave of a score: each takes `cut` thousandths of what the ones before
/// left.
pub fn after_offences(score: u32, cut: u32, offences: u32) -> u32 {
	let kept = u64::from(1_000u32.saturating_sub(cut));
	let mut left = u64::from(score);
	for _ in 0..offences.min(32) {
		left = left.saturating_mul(kept).checked_div(1_000).unwrap_or(0);
	}
	u32::try_from(left).unwrap_or(score)
}

/// Returns min(limit, ⌊numerator · scale / denominator⌋).
fn floor_up_to(numerator: Wide, scale: u128, denominator: Wide, limit: u128) -> u128 {
	numerator
		.times(scale)
		.and_then(|product| product.over(denominator))
		.map_or(limit, Wide::saturated)
		.min(limit)
}

fn points(value: u128) -> u64 {
	u64::try_from(value).unwrap_or(HUNDRED).min(HUNDRED)
}

fn part_g(gb_seconds: &Ratio) -> u64 {
	let whole = Wide::from(gb_seconds.denominator()).times(FULL_GB_SECONDS);
	let used = floor_up_to(gb_seconds.numerator().into(), ONE, whole.unwrap_or_default(), ONE);
	// x = 6u − 1.8. The part is negative, and counts as zero, where x is.
	let Some(x) = used.saturating_mul(6).checked_sub(ONE.saturating_mul(9) / 5) else { return 0 };
	let power = exp(x);
	// 2/(1+e^(−x)) − 1 = (e^x − 1)/(e^x + 1).
	points(scaled(power.saturating_sub(ONE), power.saturating_add(ONE)))
}

fn part_t(tokens_per_second: &Ratio, factor: &Ratio) -> u64 {
	let product = |a: u128, b: u128| Wide::from(a).times(b).unwrap_or_default();
	let made = product(tokens_per_second.numerator(), factor.numerator());
	let full = product(tokens_per_second.denominator(), factor.denominator())
		.times(FULL_TOKEN_RATE)
		.unwrap_or_default();
	points(floor_up_to(made, HUNDRED.into(), full, HUNDRED.into()))
}

fn part_u(hours: &Ratio) -> u64 {
	let full = ONE.saturating_mul(FULL_HOURS.into());
	let hours = floor_up_to(hours.numerator().into(), ONE, hours.denominator().into(), full);
	let whole = ln(ONE.saturating_add(full));
	points(scaled(ln(ONE.saturating_add(hours)), whole))
}

fn part_c(rate: &Ratio) -> u64 {
	let rate = (*rate).min(Ratio::ONE);
	// The slopes are 20/.15 and 40/.3, both 400/3; below a half 40/.5 = 80.
	let (base, over, slope) = if rate >= Ratio::percent(95) {
		return HUNDRED;
	} else if rate >= Ratio::percent(80) {
		(80, Ratio::percent(80), 400u32)
	} else if rate >= Ratio::percent(50) {
		(40, Ratio::percent(50), 400)
	} else {
		(0, Ratio::ZERO, 240)
	};
	// rate − over = (n·d' − n'·d) / (d·d'), times slope / 3.
	let product = |a: u128, b: u128| Wide::from(a).times(b).unwrap_or_default();
	let above = product(rate.numerator(), over.denominator())
		.saturating_sub(product(over.numerator(), rate.denominator()))
		.times(slope)
		.unwrap_or_default();
	let below = product(rate.denominator(), over.denominator()).times(3u8).unwrap_or_default();
	let more = floor_up_to(above, POINT.into(), below, HUNDRED.into());
	points(more.saturating_add(u128::from(POINT).saturating_mul(base)))
}

/// Returns ⌊100 points · part / whole⌋ for figures below 2⁷⁰.
fn scaled(part: u128, whole: u128) -> u128 {
	part.saturating_mul(HUNDRED.into()).checked_div(whole).unwrap_or(0)
}

/// Returns a · b, both with 56 bits behind the point and below 2⁶⁴.
const fn times(a: u128, b: u128) -> u128 {
	a.saturating_mul(b) >> BITS
}

/// Returns e^x for x in 0 … 4.2, with 56 bits behind the point: Σ xᵏ/k!.
fn exp(x: u128) -> u128 {
	let (mut term, mut sum) = (ONE, ONE);
	for k in 1..TERMS {
		term = times(term, x).checked_div(k).unwrap_or(0);
		if term == 0 {
			break;
		}
		sum = sum.saturating_add(term);
	}
	sum
}

/// Returns ln y for y in 1 … 2⁶⁰, with 56 bits behind the point, at most that: k·ln 2 + 2·artanh((m−1)/(m+1)), y
/// = m·2ᵏ.
pub(super) fn ln(y: u128) -> u128 {
	let k = y.checked_ilog2().unwrap_or(0).saturating_sub(BITS);
	let m = y.checked_shr(k).unwrap_or(ONE);
	let below = m.saturating_add(ONE);
	let z = m.saturating_sub(ONE).saturating_mul(ONE).checked_div(below).unwrap_or(0);
	let square = times(z, z);
	let (mut power, mut sum) = (z, z);
	for i in 1..TERMS {
		power = times(power, square);
		if power == 0 {
			break;
		}
		let odd = i.saturating_mul(2).saturating_add(1);
		sum = sum.saturating_add(power.checked_div(odd).unwrap_or(0));
	}
	LN_2.saturating_mul(k.into()).saturating_add(sum.saturating_mul(2))
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	/// Returns the formula with floating point, as it is written above.
	fn real(gb: f64, rate: f64, hours: f64, success: Option<f64>) -> (f64, [f64; 4]) {
		let u = (gb / 20_000.0).min(1.0);
		let g = (100.0 * (2.0 / (1.0 + (-6.0 * (u - 0.3)).exp()) - 1.0)).clamp(0.0, 100.0);
		let t = (rate / 1_000.0 * 100.0).min(100.0);
		let up = (100.0 * (1.0 + hours).ln() / 721f64.ln()).min(100.0);
		let c = match success {
			None => 50.0,
			Some(r) if r >= 0.95 => 100.0,
			Some(r) if r >= 0.8 => 80.0 + (r - 0.8) / 0.15 * 20.0,
			Some(r) if r >= 0.5 => 40.0 + (r - 0.5) / 0.3 * 40.0,
			Some(r) => r / 0.5 * 40.0,
		};
		(100.0 * (0.3 * g + 0.3 * t + 0.2 * up + 0.2 * c), [g, t, up, c])
	}

	fn inputs(gb: Ratio, rate: Ratio, hours: Ratio, success: Option<Ratio>) -> ScoreInputs {
		ScoreInputs {
			gb_seconds: gb,
			tokens_per_second: rate,
			model_factor: Ratio::ONE,
			uptime_hours: hours,
			success_rate: success,
		}
	}

	fn float(ratio: Ratio) -> f64 {
		ratio.numerator() as f64 / ratio.denominator() as f64
	}

	fn agrees(inputs: &ScoreInputs) {
		let rate = float(inputs.tokens_per_second) * float(inputs.model_factor);
		let success = inputs.success_rate.map(float);
		let (score, parts) =
			real(float(inputs.gb_seconds), rate, float(inputs.uptime_hours), success);
		let ours = inputs.score();
		assert!((f64::from(ours.score) - score).abs() < 0.501, "{inputs:?}: {ours:?}, {score}");
		for (part, real) in [ours.g, ours.t, ours.u, ours.c].into_iter().zip(parts) {
			let part = part as f64 / POINT as f64;
			assert!((part - real).abs() < 2e-9, "{inputs:?}: {part}, {real}");
		}
	}

	fn thousandths(value: u128) -> Ratio {
		Ratio::new(value, 1_000).unwrap()
	}

	#[test]
	fn every_part_agrees_with_the_formula_on_a_dense_grid() {
		for gb in 0..=2_200u128 {
			agrees(&inputs(Ratio::from_integer(gb * 10), Ratio::ZERO, Ratio::ZERO, None));
		}
		for rate in 0..=1_100 {
			agrees(&inputs(Ratio::ZERO, Ratio::from_integer(rate), Ratio::ZERO, None));
		}
		for hours in 0..=7_300 {
			let hours = Ratio::new(hours, 10).unwrap();
			agrees(&inputs(Ratio::ZERO, Ratio::ZERO, hours, None));
		}
		for success in 0..=10_000 {
			let success = Ratio::new(success, 10_000);
			agrees(&inputs(Ratio::ZERO, Ratio::ZERO, Ratio::ZERO, success));
		}
	}

	#[test]
	fn all_parts_together_agree_with_the_formula_on_a_grid() {
		for gb in (0..=24_000).step_by(1_500) {
			for rate in (0..=1_200).step_by(75) {
				for hours in (0..=800).step_by(50) {
					for success in [None, Some(0), Some(499), Some(500), Some(799), Some(800)]
						.into_iter()
						.chain([Some(900), Some(949), Some(950), Some(1_000)])
					{
						agrees(&inputs(
							Ratio::from_integer(gb),
							Ratio::from_integer(rate),
							Ratio::from_integer(hours),
							success.map(thousandths),
						));
					}
				}
			}
		}
	}

	proptest! {
		#![proptest_config(ProptestConfig::with_cases(4_000))]

		#[test]
		fn a_random_point_agrees_with_the_formula(
			gb in 0u128..30_000_000,
			rate in 0u128..1_500_000,
			factor in 1u128..130_000,
			hours in 0u128..900_000,
			success in proptest::option::of(0u128..=1_000_000),
		) {
			agrees(&ScoreInputs {
				model_factor: thousandths(factor),
				..inputs(
					thousandths(gb),
					thousandths(rate),
					thousandths(hours),
					success.map(Ratio::millionths),
				)
			});
		}

		#[test]
		fn no_input_breaks_the_bounds(
			n in any::<[u128; 5]>(),
			d in any::<[u128; 5]>(),
			known in any::<bool>(),
		) {
			let ratio = |i: usize| Ratio::new(n[i], d[i].max(1)).unwrap();
			let inputs = ScoreInputs {
				gb_seconds: ratio(0),
				tokens_per_second: ratio(1),
				model_factor: ratio(2),
				uptime_hours: ratio(3),
				success_rate: known.then(|| ratio(4)),
			};
			let Score { score, g, t, u, c } = inputs.score();
			prop_assert!(score <= SCORE_MAX);
			prop_assert!([g, t, u, c].into_iter().all(|part| part <= HUNDRED));
		}

		#[test]
		fn more_is_never_worth_less(
			gb in 0u128..25_000,
			rate in 0u128..1_200,
			hours in 0u128..800,
			success in 0u128..1_000,
		) {
			let of = |gb, rate, hours, success| {
				inputs(
					Ratio::from_integer(gb),
					Ratio::from_integer(rate),
					Ratio::from_integer(hours),
					Some(thousandths(success)),
				)
				.score()
			};
			let low = of(gb, rate, hours, success);
			prop_assert!(of(gb + 1, rate, hours, success).g >= low.g);
			prop_assert!(of(gb, rate + 1, hours, success).t >= low.t);
			prop_assert!(of(gb, rate, hours + 1, success).u >= low.u);
			prop_assert!(of(gb, rate, hours, success + 1).c >= low.c);
		}
	}

	#[test]
	fn the_ends_are_exact() {
		let extreme = Ratio::from_integer(u128::MAX);
		let most = inputs(extreme, extreme, extreme, Some(extreme)).score();
		assert_eq!((most.t, most.u, most.c), (HUNDRED, HUNDRED, HUNDRED));
		// G = 100·tanh 2.1 = 97.0451936612…
		assert_eq!((most.g, most.score), (97_045_193_661, 9_911));
		let least = inputs(Ratio::ZERO, Ratio::ZERO, Ratio::ZERO, Some(Ratio::ZERO)).score();
		assert_eq!(least, Score::default());
		let unknown = inputs(Ratio::ZERO, Ratio::ZERO, Ratio::ZERO, None).score();
		assert_eq!((unknown.c, unknown.score), (50 * POINT, 1_000));
		let tiny = Ratio::new(1, u128::MAX).unwrap();
		assert_eq!(inputs(tiny, tiny, tiny, Some(tiny)).score().score, 0);
		// G begins at 6,000 GB·s, where the curve crosses zero.
		let g = |gb| inputs(Ratio::from_integer(gb), Ratio::ZERO, Ratio::ZERO, None).score().g;
		assert_eq!((g(6_000), g(5_999)), (0, 0));
		assert!(g(6_001) > 0);
	}

	#[test]
	fn each_offence_takes_its_part_of_what_is_left() {
		assert_eq!(after_offences(9_001, 500, 0), 9_001);
		assert_eq!(after_offences(9_001, 500, 1), 4_500);
		assert_eq!(after_offences(9_001, 500, 3), 1_125);
		assert_eq!(after_offences(9_001, 0, u32::MAX), 9_001);
		assert_eq!(after_offences(9_001, 1_000, 1), 0);
		assert_eq!(after_offences(9_001, u32::MAX, 1), 0);
	}
}
