//! From logits to a token.
//!
//! A token is drawn by Gumbel's trick: the largest of logit / temperature + noise is each token as
//! often as its probability says. What is drawn at one position does not depend on what was drawn
//! before, so that a claimed answer can be judged in one pass.

use crate::{gumbel::Noise, ops::exp};
use gridproof_compute_api::protocol::Sampling;
use gridproof_primitives::{H256, compute::channels::Sampler};

/// Millionths in one.
const MICRO: f64 = 1_000_000.0;
/// A nucleus that keeps everything, in thousandths.
const WHOLE: u32 = 1_000;

/// Chooses tokens: the likeliest, or by noise from a seed.
#[derive(Clone, Debug)]
pub struct Chooser {
	temperature_milli: u32,
	top_p_milli: u32,
	noise: Noise,
	is_receipts: bool,
}

/// What would have been drawn instead of a token that is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
	/// The token that is claimed.
	pub claimed: u32,
	/// The token that is drawn with these parameters.
	pub drawn: u32,
	/// How far the claimed token's score lies below the drawn one's, in millionths, rounded up; 0 for
	/// the drawn token itself. A score is logit / temperature + noise, without temperature the logit.
	/// [`u64::MAX`] if the nucleus does not hold the claimed token.
	pub gap_micro: u64,
}

impl Judged {
	/// Returns `true` if the claimed token is the one that is drawn.
	pub const fn is_equal(&self) -> bool {
		self.claimed == self.drawn
	}
}

impl Chooser {
	/// Returns what chooses the tokens of an answer. `seed` is a receipt's: that of its voucher or
	/// job. Without one the specification's is used, as its eight bytes in little-endian order and 24
	/// zeros. `choice` is the number of the answer, from 0.
	pub fn new(sampling: &Sampling, seed: Option<&H256>, choice: u32) -> Self {
		let own = || {
			let mut bytes = [0u8; 32];
			for (byte, own) in bytes.iter_mut().zip(sampling.seed.to_le_bytes()) {
				*byte = own;
			}
			H256(bytes)
		};
		Self {
			temperature_milli: sampling.temperature_milli,
			top_p_milli: sampling.top_p_milli.clamp(1, WHOLE),
			noise: Noise::new(&seed.copied().unwrap_or_else(own), choice),
			is_receipts: seed.is_some(),
		}
	}

	/// Returns what a receipt says about the choice: a seed that is not the receipt's cannot be known
	/// from it.
	pub const fn kind(&self) -> Sampler {
		if self.temperature_milli == 0 {
			Sampler::Greedy
		} else if self.is_receipts {
			Sampler::Gumbel
		} else {
			Sampler::Engine
		}
	}

	/// Returns the token of the answer at `position`, from 0. Of equal scores the lowest token's
	/// counts.
	pub fn choose(&mut self, position: u64, logits: &[f32]) -> u32 {
		highest(&self.scores(position, logits)).0
	}

	/// Returns how a claimed token compares with the one that [`Chooser::choose`] gives.
	pub fn judge(&mut self, position: u64, logits: &[f32], claimed: u32) -> Judged {
		judged(&self.scores(position, logits), claimed)
	}

	/// Returns the same where only the likeliest tokens are known, with the logarithms of their
	/// probabilities by the model alone, in any order: what a server lists. A token that is not listed
	/// counts as one that the nucleus does not hold, so the claimed one should be listed.
	///
	/// The drawn token may be one that is not listed. Then the gap is smaller than it should be, never
	/// larger, and the nucleus is that of the listed tokens alone.
	pub fn judge_listed(&mut self, position: u64, listed: &[(u32, f64)], claimed: u32) -> Judged {
		let mut listed = listed.to_vec();
		listed.sort_unstable_by_key(|(token, _)| *token);
		listed.dedup_by_key(|(token, _)| *token);
		judged(&self.scores_of(position, listed), claimed)
	}

	/// Scores of all tokens that may be drawn, in the order of their numbers.
	fn scores(&mut self, position: u64, logits: &[f32]) -> Vec<(u32, f64)> {
		self.scores_of(position, (0u32..).zip(logits.iter().copied().map(f64::from)).collect())
	}

	/// The same of tokens with their logits, in the order of their numbers.
	fn scores_of(&mut self, position: u64, all: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
		if self.temperature_milli == 0 {
			return all;
		}
		let heat = f64::from(self.temperature_milli) / 1_000.0;
		let most = all.iter().map(|(_, logit)| *logit).fold(f64::NEG_INFINITY, f64::max);
		let heated = all.into_iter().map(|(token, logit)| (token, (logit - most) / heat)).collect();
		let mut scores = match self.top_p_milli {
			WHOLE => heated,
			share => nucleus(heated, f64::from(share) / 1_000.0),
		};
		for (token, score) in &mut scores {
			*score += self.noise.gumbel(position, *token);
		}
		scores
	}
}

/// How a claimed token compares with the one of the highest score.
fn judged(scores: &[(u32, f64)], claimed: u32) -> Judged {
	let (drawn, most) = highest(scores);
	let found = scores.iter().find(|(token, _)| *token == claimed);
	let gap_micro = match found {
		_ if claimed == drawn => 0,
		// Another token is never without a gap, however small.
		Some((_, score)) => (((most - score) * MICRO).ceil() as u64).max(1),
		None => u64::MAX,
	};
	Judged { claimed, drawn, gap_micro }
}

/// The first of the highest scores; 0 if there are none.
fn highest(scores: &[(u32, f64)]) -> (u32, f64) {
	let mut scores = scores.iter().copied();
	let first = scores.next().unwrap_or_default();
	scores.fold(first, |best, one| if one.1 > best.1 { one } else { best })
}

/// The likeliest tokens that have this share of the probability together, at least one, in the order
/// of their numbers. Of equally likely ones the lowest number goes first.
fn nucleus(mut heated: Vec<(u32, f64)>, share: f64) -> Vec<(u32, f64)> {
	heated.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
	let weights: Vec<f64> = heated.iter().map(|(_, heated)| exp(*heated)).collect();
	let most = weights.iter().sum::<f64>() * share;
	let mut sum = 0.0;
	let mut kept = heated.len();
	for (count, weight) in (1usize..).zip(weights) {
		sum += weight;
		if sum >= most {
			kept = count;
			break;
		}
	}
	heated.truncate(kept);
	heated.sort_unstable_by_key(|(token, _)| *token);
	heated
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::collections::BTreeSet;

	fn sampling(temperature_milli: u32, top_p_milli: u32) -> Sampling {
		Sampling { temperature_milli, top_p_milli, seed: 0, stop: Vec::new() }
	}

	fn chooser(temperature_milli: u32, top_p_milli: u32, seed: u8) -> Chooser {
		let seed = H256::repeat_byte(seed);
		Chooser::new(&sampling(temperature_milli, top_p_milli), Some(&seed), 0)
	}

	#[test]
	fn without_temperature_the_likeliest_token_is_taken_the_lowest_of_equal_ones() {
		let mut chooser = chooser(0, 1_000, 7);
		assert_eq!(chooser.choose(0, &[0.0, 3.0, -1.0, 3.0]), 1);
		assert_eq!(chooser.choose(0, &[f32::MIN, f32::MIN]), 0);
		assert_eq!(chooser.choose(0, &[]), 0);
	}

	#[test]
	fn choices_follow_the_probabilities() {
		let mut chooser = chooser(1_000, 1_000, 1);
		let logits = [0.0, 1.0f32, 2.0];
		let mut counts = [0u32; 3];
		for position in 0..30_000 {
			counts[chooser.choose(position, &logits) as usize] += 1;
		}
		for (count, wanted) in counts.into_iter().zip([0.0900, 0.2447, 0.6652]) {
			assert!((f64::from(count) / 30_000.0 - wanted).abs() < 0.01, "{counts:?}");
		}
	}

	#[test]
	fn a_temperature_makes_the_unlikely_likelier() {
		let (mut cool, mut hot) = (chooser(500, 1_000, 1), chooser(2_000, 1_000, 1));
		let logits = [0.0, 1.0f32];
		let zeros = |chooser: &mut Chooser| {
			(0..20_000).filter(|position| chooser.choose(*position, &logits) == 0).count() as f64
		};
		// 1/(1+e^2) and 1/(1+e^½).
		assert!((zeros(&mut cool) / 20_000.0 - 0.1192).abs() < 0.01);
		assert!((zeros(&mut hot) / 20_000.0 - 0.3775).abs() < 0.015);
	}

	#[test]
	fn a_small_nucleus_keeps_only_the_likeliest() {
		let logits = [0.0, 1.0f32, 2.0];
		let seen = |mut chooser: Chooser| -> BTreeSet<u32> {
			(0..1_000).map(|position| chooser.choose(position, &logits)).collect()
		};
		assert_eq!(seen(chooser(1_000, 600, 1)), [2].into());
		assert_eq!(seen(chooser(1_000, 800, 1)), [1, 2].into());
		assert_eq!(seen(chooser(1_000, 1_000, 1)), [0, 1, 2].into());
	}

	#[test]
	fn one_seed_gives_one_series_and_another_seed_or_answer_another() {
		let logits: Vec<f32> = (0..64u8).map(|i| f32::from(i % 7)).collect();
		let series = |mut chooser: Chooser| {
			(0..50).map(|position| chooser.choose(position, &logits)).collect::<Vec<_>>()
		};
		let first = series(chooser(1_500, 950, 3));
		assert_eq!(series(chooser(1_500, 950, 3)), first);
		assert_ne!(series(chooser(1_500, 950, 4)), first);
		let second = Chooser::new(&sampling(1_500, 950), Some(&H256::repeat_byte(3)), 1);
		assert_ne!(series(second), first);
		// Any position alone gives what it gives in the series.
		assert_eq!(chooser(1_500, 950, 3).choose(17, &logits), first[17]);
	}

	#[test]
	fn a_receipt_learns_how_tokens_were_chosen() {
		let seed = H256::repeat_byte(1);
		let kind = |temperature, seed: Option<&H256>| {
			Chooser::new(&sampling(temperature, 1_000), seed, 0).kind()
		};
		assert_eq!(kind(0, None), Sampler::Greedy);
		assert_eq!(kind(0, Some(&seed)), Sampler::Greedy);
		assert_eq!(kind(1, Some(&seed)), Sampler::Gumbel);
		assert_eq!(kind(1, None), Sampler::Engine);
	}

	#[test]
	fn a_gap_is_the_difference_of_scores_rounded_up() {
		let mut greedy = chooser(0, 1_000, 1);
		let judged = |claimed, gap_micro| Judged { claimed, drawn: 1, gap_micro };
		let logits = [1.0, 3.5, 3.5, 3.499_999_8_f32];
		assert_eq!(greedy.judge(0, &logits, 1), judged(1, 0));
		assert_eq!(greedy.judge(0, &logits, 0), judged(0, 2_500_000));
		assert_eq!(greedy.judge(0, &logits, 2), judged(2, 1), "equal, and yet not drawn");
		assert_eq!(greedy.judge(0, &logits, 3), judged(3, 1));
		assert_eq!(greedy.judge(0, &logits, 9), judged(9, u64::MAX), "no such token");
		let mut narrow = chooser(1_000, 600, 1);
		assert_eq!(narrow.judge(0, &[0.0, 9.0], 0).gap_micro, u64::MAX, "outside the nucleus");
		let mut warm = chooser(1_000, 1_000, 1);
		let (zero, nine) = (warm.noise.gumbel(5, 0), warm.noise.gumbel(5, 1));
		let gap = 9.0 + nine - zero;
		assert_eq!(warm.judge(5, &[0.0, 9.0], 0).gap_micro, (gap * 1e6).ceil() as u64);
	}

	#[test]
	fn a_list_of_the_likeliest_tokens_gives_the_gap_of_all_of_them() {
		let logits: Vec<f32> = (0..64u8).map(|i| f32::from(i % 13)).collect();
		let whole = logits.iter().map(|logit| exp(f64::from(*logit))).sum::<f64>().ln();
		let listed: Vec<(u32, f64)> =
			(0..).zip(&logits).map(|(token, logit)| (token, f64::from(*logit) - whole)).collect();
		for temperature in [0, 700, 1_300] {
			for claimed in [0, 12, 25, 63] {
				let all = chooser(temperature, 1_000, 3).judge(4, &logits, claimed);
				let some = chooser(temperature, 1_000, 3).judge_listed(4, &listed, claimed);
				assert_eq!((all.claimed, all.drawn), (some.claimed, some.drawn));
				assert!(all.gap_micro.abs_diff(some.gap_micro) <= 1, "{all:?} {some:?}");
				// Of fewer tokens the gap is not larger.
				let few: Vec<_> = listed
					.iter()
					.rev()
					.filter(|(token, _)| token % 3 == claimed % 3)
					.copied()
					.collect();
				let fewer = chooser(temperature, 1_000, 3).judge_listed(4, &few, claimed);
				assert!(fewer.gap_micro <= all.gap_micro.saturating_add(1), "{all:?} {fewer:?}");
			}
		}
		let missing = chooser(700, 1_000, 3).judge_listed(4, &listed[..9], 40);
		assert_eq!(missing.gap_micro, u64::MAX);
	}
}
