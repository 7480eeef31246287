//! The line and the limit that follow from figures of honest answers.
//!
//! Honest engines choose another token where two are nearly as likely. Most answers have no gap, some a
//! small one, few a larger one, and what is rarest decides: the [`Number`](super::Number) of an honest miner must
//! not pass its limit in ten thousand checks, which is more than anybody measures. So three things are
//! kept apart.
//!
//! 1. **What was measured, and how sure that is.** Of n figures let x₁ ≥ x₂ ≥ … be the highest. Whatever
//!    their distribution, with a certainty of 99 % the chance of a figure above x₍ⱼ₊₁₎ is at most λ · j / n for all j
//!    together, λ = 7.64: P(sup t / Gₙ(t) ≥ λ) ≤ e · λ · e^−λ (Shorack and Wellner, Empirical Processes,
//!    inequality 10.3.2).
//! 2. **What was not.** Let c figures be above 0. The tail A · e^(−x/β) with A = e · λ · (c + 1) / n and
//!    β = max xⱼ / (1 + ln((c + 1) / j)) lies above all of these chances. It continues beyond x₁: the noise is taken to get
//!    rarer as fast as at its slowest among what was seen. That is the one assumption.
//! 3. **What follows for a sum.** A number passes h in one of N checks with a chance of at most N · e^(−θh), if
//!    E e^(θ(X − line)) ≤ 1 (Ville; one start for each check). With the tail above and θ = 3 / 4β that
//!    is: line = (4/3) · β · ln(1 + 3A), limit = (4/3) · β · ln(N · 100) for a chance of one in a hundred.

use crate::compute::score::{BITS, ONE, ln};
use alloc::vec::Vec;

/// e · λ in hundredths.
const SURE: u128 = 2_077;
/// Of so many miners with as many checks one has a false alarm, at most.
const ALARM_ONE_IN: u128 = 100;
/// Bits behind the point of a scale.
const SCALE_BITS: u32 = 16;
/// Bits behind the point of what it is multiplied by.
const FACTOR_BITS: u32 = 24;
/// Bits by which a figure is moved before it is divided by a logarithm, so that a scale is left.
const TO_SCALE: u32 = BITS + SCALE_BITS;
/// Bits of a logarithm that a factor leaves out.
const TO_FACTOR: u32 = BITS - FACTOR_BITS;
/// Bits behind the point of a scale times a factor.
const PRODUCT_BITS: u32 = SCALE_BITS + FACTOR_BITS;
/// More than logarithms are rounded down by, with [`BITS`] behind the point.
const ROUNDED: u128 = 1 << 10;

/// How honest figures get rarer: the chance of one above x is at most share · e^(−x / scale).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HonestTail {
	/// A with [`BITS`] behind the point.
	share: u128,
	/// β in millionths, with [`SCALE_BITS`] behind the point.
	scale: u128,
}

impl HonestTail {
	/// Returns the tail of figures of honest answers, in millionths; `None` if none is above 0: then nothing
	/// is known of the noise. A figure above 2⁴⁸ counts as that.
	pub fn of(figures: &[u64]) -> Option<Self> {
		let above = figures.iter().filter(|figure| **figure > 0);
		let mut above: Vec<u64> = above.map(|figure| (*figure).min(1 << 48)).collect();
		above.sort_unstable_by(|one, other| other.cmp(one));
		let count = |length: usize| u128::try_from(length).unwrap_or(u128::MAX).min(1 << 40);
		let (all, next) = (count(figures.len()), count(above.len()).saturating_add(1));
		let share = (SURE.saturating_mul(next) << BITS).div_ceil(all.saturating_mul(100).max(1));
		let scales = (1u128..).zip(above).map(|(place, figure)| {
			let times = (next << BITS).checked_div(place).unwrap_or(ONE);
			(u128::from(figure) << TO_SCALE).div_ceil(ONE.saturating_add(ln(times)))
		});
		Some(Self { share, scale: scales.max()? })
	}

	/// Returns the line that the figures of an honest miner are below on average, in millionths.
	pub fn line(&self) -> u64 {
		self.times(ln(self.share.saturating_mul(3).saturating_add(ONE)))
	}

	/// Returns the limit that the number of an honest miner passes within so many checks with a chance of
	/// at most one in a hundred, in millionths.
	pub fn limit(&self, checks: u32) -> u64 {
		let chances = u128::from(checks.max(1)).saturating_mul(ALARM_ONE_IN);
		self.times(ln(chances << BITS))
	}

	/// Returns (4/3) · β · factor, rounded up.
	fn times(&self, factor: u128) -> u64 {
		let factor = factor.saturating_add(ROUNDED).div_ceil(1 << TO_FACTOR);
		let product = self.scale.saturating_mul(factor).saturating_mul(4).div_ceil(3);
		u64::try_from(product.div_ceil(1 << PRODUCT_BITS)).unwrap_or(u64::MAX)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::compute::checks::{LineClass, MAX_CLIP, ModelLine, Number};

	/// Numbers that follow from a seed: splitmix64, as a fraction of one.
	struct Seeded(u64);

	impl Seeded {
		fn next(&mut self) -> f64 {
			self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
			let mut mixed = self.0;
			mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
			mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
			(((mixed ^ (mixed >> 31)) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
		}

		fn exponential(&mut self, mean: f64) -> f64 {
			-mean * self.next().ln()
		}
	}

	/// A gap, drawn.
	type Noise = fn(&mut Seeded) -> f64;

	/// Kinds of noise: of one hundred answers two have a gap.
	const NOISE: [(&str, Noise); 4] = [
		("as supposed", |of| of.exponential(300.0)),
		("rarer and rarer", |of| of.next().ln().abs().sqrt() * 3_000.0),
		("now and then sixty times as large", |of| {
			let is_large = of.next() > 0.975;
			of.exponential(if is_large { 20_000.0 } else { 300.0 })
		}),
		// Its tail is far heavier than any exponential one.
		("a power of 2.5", |of| 300.0 * (of.next().powf(-0.4) - 1.0)),
	];

	fn figure(noise: fn(&mut Seeded) -> f64, of: &mut Seeded) -> u64 {
		if of.next() < 0.02 { noise(of).ceil().clamp(1.0, 64e6) as u64 } else { 0 }
	}

	fn line_of(figures: &[u64]) -> ModelLine {
		let tail = HonestTail::of(figures).unwrap();
		let (line, limit) = (tail.line(), tail.limit(10_000));
		let clip = u32::try_from(limit).unwrap().min(MAX_CLIP);
		ModelLine { class: LineClass::Seeded, line, limit, clip, agreement: 1, finds_within: 5 }
	}

	#[test]
	fn honest_miners_have_no_alarm_in_ten_thousand_checks_whatever_the_noise() {
		for (name, noise) in NOISE {
			let mut alarms = 0;
			for miner in 0..20 {
				let mut of = Seeded(miner);
				let seen: Vec<u64> = (0..4_000).map(|_| figure(noise, &mut of)).collect();
				let line = line_of(&seen);
				let mut number = Number::default();
				for _ in 0..10_000 {
					let honest = figure(noise, &mut of).min(line.clip.into());
					let (next, alarm) = number.add(honest, &line);
					number = next;
					alarms += u32::from(alarm);
				}
				// What is found: a cheat with figures of a quarter of the clip, in five checks or six.
				let mut number = Number::default();
				let checks = (1..20).find(|_| {
					let (next, alarm) = number.add(u64::from(line.clip) / 4, &line);
					number = next;
					alarm
				});
				assert!(checks.is_some_and(|checks| checks <= 6), "{name}: {checks:?} by {line:?}");
			}
			assert_eq!(alarms, 0, "{name}");
		}
	}

	#[test]
	fn line_and_limit_are_those_of_the_formulas() {
		// Ten of a thousand above 0, the highest 1,000.
		let mut figures = vec![0u64; 990];
		figures.extend((1..=10).map(|n| n * 100));
		let tail = HonestTail::of(&figures).unwrap();
		let share = 20.77 * 11.0 / 1_000.0;
		let scale = (1..=10u32)
			.map(|place| f64::from(11 - place) * 100.0 / (1.0 + (11.0 / f64::from(place)).ln()))
			.fold(0.0, f64::max);
		let times = |factor: f64| 4.0 / 3.0 * scale * factor;
		let near = |found: u64, exact: f64| (found as f64 - exact).abs() < 1.0;
		assert!(near(tail.line(), times((1.0f64 + 3.0 * share).ln())), "{tail:?}");
		assert!(near(tail.limit(10_000), times(1e6f64.ln())), "{tail:?}");
		assert!(tail.limit(100) < tail.limit(10_000));
	}

	#[test]
	fn the_same_gaps_among_fewer_answers_give_a_higher_line() {
		let of = |all: usize| {
			let figures: Vec<u64> = (0..all).map(|n| if n < 10 { 500 } else { 0 }).collect();
			HonestTail::of(&figures).unwrap()
		};
		assert!(of(10).line() > of(100).line() && of(100).line() > of(1_000).line());
		assert_eq!(of(100).limit(10_000), of(1_000).limit(10_000));
		// However many equal ones there are: they are not taken for a long tail.
		let many: Vec<u64> = (0..4_000u64).map(|n| if n % 2 == 0 { 500 } else { 0 }).collect();
		assert!(HonestTail::of(&many).unwrap().limit(10_000) < 20 * 500);
	}

	#[test]
	fn nothing_follows_from_answers_without_a_gap_and_nothing_overflows() {
		assert_eq!(HonestTail::of(&[]), None);
		assert_eq!(HonestTail::of(&[0; 10]), None);
		let most = HonestTail::of(&[u64::MAX; 3]).unwrap();
		assert!(most.line() > 0 && most.limit(u32::MAX) > most.line());
		assert!(HonestTail::of(&[1]).unwrap().limit(0) > 0);
	}
}
