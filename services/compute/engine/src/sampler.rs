//! From logits to a token.

use crate::ops::exp;
use gridproof_compute_api::protocol::Sampling;

/// Chooses tokens: the likeliest, or by chance with a generator of integers (SplitMix64), so that
/// one seed gives one series of choices everywhere.
#[derive(Clone, Debug)]
pub struct Sampler {
	temperature_milli: u32,
	top_p_milli: u32,
	state: u64,
}

/// Steps of the generator: 2⁶⁴ divided by the golden ratio, made odd.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
/// 2⁵³: a float holds every whole number up to it.
const FINE: f64 = 9_007_199_254_740_992.0;

impl Sampler {
	/// A sampler at the beginning of its series.
	pub fn new(sampling: &Sampling) -> Self {
		Self {
			temperature_milli: sampling.temperature_milli,
			top_p_milli: sampling.top_p_milli.clamp(1, 1_000),
			state: sampling.seed,
		}
	}

	/// The next 64 random bits.
	fn bits(&mut self) -> u64 {
		self.state = self.state.wrapping_add(STEP);
		let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		mixed ^ (mixed >> 31)
	}

	/// The token that follows. Of equally likely ones the lowest number goes first.
	pub fn choose(&mut self, logits: &[f32]) -> u32 {
		let mut ranked: Vec<(f32, u32)> = logits.iter().copied().zip(0..).collect();
		let likelier = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
		if self.temperature_milli == 0 {
			return ranked.into_iter().min_by(likelier).map_or(0, |(_, token)| token);
		}
		ranked.sort_unstable_by(likelier);
		let Some((most, first)) = ranked.first().copied() else { return 0 };
		let heat = f64::from(self.temperature_milli) / 1_000.0;
		let weight = |logit: f32| exp((f64::from(logit) - f64::from(most)) / heat);
		let weighted: Vec<(f64, u32)> =
			ranked.into_iter().map(|(logit, token)| (weight(logit), token)).collect();
		let whole: f64 = weighted.iter().map(|(weight, _)| weight).sum();
		let kept = nucleus(&weighted, whole * f64::from(self.top_p_milli) / 1_000.0);
		let sum: f64 = kept.iter().map(|(weight, _)| weight).sum();
		// The upper 53 bits make a whole number that a float holds exactly.
		let mut point = (self.bits() >> 11) as f64 / FINE * sum;
		for (weight, token) in kept {
			if point < *weight {
				return *token;
			}
			point -= weight;
		}
		kept.last().map_or(first, |(_, token)| *token)
	}
}

/// The likeliest tokens that reach `most` together; at least one.
fn nucleus(weighted: &[(f64, u32)], most: f64) -> &[(f64, u32)] {
	let mut sum = 0.0;
	for (count, (weight, _)) in (1usize..).zip(weighted) {
		sum += weight;
		if sum >= most {
			return weighted.get(..count).unwrap_or(weighted);
		}
	}
	weighted
}

#[cfg(test)]
mod tests {
	use super::*;

	fn sampler(temperature_milli: u32, top_p_milli: u32, seed: u64) -> Sampler {
		Sampler::new(&Sampling { temperature_milli, top_p_milli, seed, stop: Vec::new() })
	}

	#[test]
	fn without_temperature_the_likeliest_token_is_taken_the_lowest_of_equal_ones() {
		let mut sampler = sampler(0, 1_000, 7);
		assert_eq!(sampler.choose(&[0.0, 3.0, -1.0, 3.0]), 1);
		assert_eq!(sampler.choose(&[f32::MIN, f32::MIN]), 0);
		assert_eq!(sampler.choose(&[]), 0);
	}

	#[test]
	fn the_generator_is_the_published_one() {
		// The first outputs of SplitMix64 from seed 1234567, as its author's programs print them.
		let mut sampler = sampler(1_000, 1_000, 1_234_567);
		let first: Vec<u64> = (0..3).map(|_| sampler.bits()).collect();
		assert_eq!(
			first,
			[6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
		);
	}

	#[test]
	fn choices_follow_the_probabilities() {
		let mut sampler = sampler(1_000, 1_000, 1);
		let logits = [0.0, 1.0f32, 2.0];
		let mut counts = [0u32; 3];
		for _ in 0..30_000 {
			counts[sampler.choose(&logits) as usize] += 1;
		}
		for (count, wanted) in counts.into_iter().zip([0.0900, 0.2447, 0.6652]) {
			assert!((f64::from(count) / 30_000.0 - wanted).abs() < 0.01, "{counts:?}");
		}
	}

	#[test]
	fn a_small_nucleus_keeps_only_the_likeliest() {
		let logits = [0.0, 1.0f32, 2.0];
		let mut narrow = sampler(1_000, 600, 1);
		assert!((0..1_000).all(|_| narrow.choose(&logits) == 2));
		let mut wider = sampler(1_000, 800, 1);
		let seen: std::collections::BTreeSet<u32> =
			(0..1_000).map(|_| wider.choose(&logits)).collect();
		assert_eq!(seen, [1, 2].into());
	}

	#[test]
	fn one_seed_gives_one_series_and_another_seed_another() {
		let logits: Vec<f32> = (0..64u8).map(|i| f32::from(i % 7)).collect();
		let series = |seed| {
			let mut sampler = sampler(1_500, 950, seed);
			(0..50).map(|_| sampler.choose(&logits)).collect::<Vec<_>>()
		};
		assert_eq!(series(3), series(3));
		assert_ne!(series(3), series(4));
	}
}
