//! A claimed answer, judged in one pass through the model.

use crate::sampler::Judged;
use gridproof_compute_api::protocol::{Finish, Sampling};
use gridproof_primitives::{H256, compute::checks::SeededFigures};

/// An answer that somebody claims to have made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
	/// Name of the model.
	pub model: String,
	/// Token ids of the prompt, as the engine reported them: with the one that begins a text.
	pub prompt: Vec<u32>,
	/// Token ids of the output.
	pub output: Vec<u32>,
	/// Most tokens of the output.
	pub max_tokens: u32,
	/// How tokens were chosen.
	pub sampling: Sampling,
	/// Seed of the receipt; without one, that of `sampling`.
	pub seed: Option<H256>,
	/// Number of the answer, from 0, where one request has several.
	pub choice: u32,
}

/// What a pass over a [`Claim`] finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forced {
	/// For each token of the output, what is drawn there after the tokens before it.
	pub tokens: Vec<Judged>,
	/// Of each token of the output the bits of its logit, a 32-bit float; of servers those of the logarithm
	/// of its probability.
	pub logits: Vec<u32>,
	/// After how many of these tokens an answer ends, and why; `None` if more would have been made.
	pub end: Option<(u32, Finish)>,
	/// How far the model's own end lies below what is drawn after the last token, in millionths; 0 where the
	/// answer ends with that, [`u64::MAX`] where it has ended before. So an answer that is cut short,
	/// whose tokens are all the drawn ones, is not without a gap. Of a server whose end is not known 0.
	pub end_gap_micro: u64,
}

impl Forced {
	/// Returns `true` if the engine makes exactly this answer: each token is the one that is drawn,
	/// and the answer ends where the claim does.
	pub fn is_equal(&self) -> bool {
		self.ends_here() && self.tokens.iter().all(Judged::is_equal)
	}

	/// Returns `true` if the answer ends with the last of these tokens.
	pub fn ends_here(&self) -> bool {
		self.end.is_some_and(|(after, _)| u32::try_from(self.tokens.len()) == Ok(after))
	}

	/// Returns the statistics of class `seeded`, each gap at most `clip` millionths.
	pub fn figures(&self, clip: u32) -> SeededFigures {
		let gaps = self.tokens.iter().map(|judged| judged.gap_micro);
		SeededFigures::of(gaps, self.end_gap_micro, clip)
	}

	/// Returns the number of tokens that are the drawn ones.
	pub fn equal_tokens(&self) -> usize {
		self.tokens.iter().filter(|judged| judged.is_equal()).count()
	}

	/// Returns the sum of all gaps in millionths, each at most `clip`.
	pub fn clipped_gap_micro(&self, clip: u64) -> u64 {
		let gaps = self.tokens.iter().map(|judged| judged.gap_micro.min(clip));
		gaps.fold(0, u64::saturating_add)
	}
}
