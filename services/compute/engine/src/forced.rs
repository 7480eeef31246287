//! A claimed answer, judged in one pass through the model.

use crate::sampler::Judged;
use gridproof_compute_api::protocol::{Finish, Sampling};
use gridproof_primitives::H256;

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
	/// After how many of these tokens an answer ends, and why; `None` if more would have been made.
	pub end: Option<(u32, Finish)>,
}

impl Forced {
	/// Returns `true` if the engine makes exactly this answer: each token is the one that is drawn,
	/// and the answer ends where the claim does.
	pub fn is_equal(&self) -> bool {
		let ends_here =
			self.end.is_some_and(|(after, _)| u32::try_from(self.tokens.len()) == Ok(after));
		ends_here && self.tokens.iter().all(Judged::is_equal)
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
