//! What a check measures, and the number of each miner and model.
//!
//! Token-DiFR in fixed point: for each token of the output, how far the claimed token's score lies below
//! that of the token which should have been drawn (`docs/protocols/sampling.md`), in millionths, clipped.

use crate::compute::emission::share_of;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Highest clip of a gap, in millionths: 64.
pub const MAX_CLIP: u32 = 64_000_000;
/// Cosine of equal vectors, in millionths.
pub const COSINE_ONE: u32 = 1_000_000;

/// How figures of a model are judged.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineClass {
	/// The same to the last bit, or not.
	#[codec(index = 0)]
	Exact,
	/// Gaps of drawn tokens, averaged.
	#[codec(index = 1)]
	Seeded,
	/// Cosine between embeddings.
	#[codec(index = 2)]
	Embedding,
}

impl LineClass {
	/// Returns `exact`, `seeded` or `embedding`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Exact => "exact",
			Self::Seeded => "seeded",
			Self::Embedding => "embedding",
		}
	}
}

/// Statistics of a forced pass over a claimed output.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeededFigures {
	/// Number of tokens of the output.
	pub tokens: u32,
	/// Sum of their gaps, each clipped, in millionths.
	pub clipped: u64,
	/// Number of tokens without a gap.
	pub matches: u32,
	/// Gap of the end, clipped, in millionths: how far the model's own end lies below what it would have
	/// drawn after the last token. 0 where the answer had to end: at its most tokens, or a stop text.
	pub end: u32,
}

impl SeededFigures {
	/// Returns the statistics of the gaps of an output's tokens and of its end, in millionths.
	/// `u64::MAX` stands for a token that cannot be drawn at all. What is clipped is at most `clip`.
	pub fn of(gaps: impl IntoIterator<Item = u64>, end: u64, clip: u32) -> Self {
		let clipped = |gap: u64| u32::try_from(gap).unwrap_or(u32::MAX).min(clip);
		let mut figures = Self { end: clipped(end), ..Self::default() };
		for gap in gaps {
			figures.tokens = figures.tokens.saturating_add(1);
			figures.clipped = figures.clipped.saturating_add(clipped(gap).into());
			figures.matches = figures.matches.saturating_add(u32::from(gap == 0));
		}
		figures
	}

	/// Returns the mean of the clipped gaps in millionths, rounded up; 0 without tokens.
	pub fn mean(&self) -> u64 {
		let tokens = u64::from(self.tokens);
		if tokens == 0 { 0 } else { self.clipped.div_ceil(tokens) }
	}

	/// Returns what is added to the number of the miner: the mean, and the gap of the end, which is not
	/// averaged, as half of an answer has only one.
	pub fn figure(&self) -> u64 {
		self.mean().saturating_add(self.end.into())
	}

	/// Returns `true` if some output has these figures: not more matches than tokens, and the others between
	/// the smallest gap and the clip each.
	pub fn are_possible(&self, clip: u32) -> bool {
		let Some(others) = self.tokens.checked_sub(self.matches) else { return false };
		let most = u64::from(others).saturating_mul(clip.into());
		self.clipped >= others.into() && self.clipped <= most && self.end <= clip
	}
}

/// Figures of one check.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figures {
	/// Class `exact`: whether the claimed output is that of the model.
	#[codec(index = 0)]
	Exact {
		/// `true` if it is.
		equal: bool,
	},
	/// Class `seeded`.
	#[codec(index = 1)]
	Seeded(SeededFigures),
	/// An embedding: its cosine to the verifier's own, in millionths; 0 for anything below.
	#[codec(index = 2)]
	Embedding {
		/// The cosine, at most [`COSINE_ONE`].
		cosine: u32,
	},
}

/// Returns how far a cosine is from that of equal vectors, in millionths.
pub fn cosine_shortfall(cosine: u32) -> u64 {
	COSINE_ONE.saturating_sub(cosine).into()
}

/// Reason why figures do not fit a model.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FiguresRefusal {
	/// They are of another class than the model's line.
	#[codec(index = 0)]
	OtherClass,
	/// No pass gives such figures.
	#[codec(index = 1)]
	Impossible,
	/// They are of another number of tokens than the receipt states.
	#[codec(index = 2)]
	OtherTokens,
}

/// How a model's figures are judged; set by governance from what `verifier calibrate` measured.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelLine {
	/// What the figures are of.
	pub class: LineClass,
	/// What an honest answer's figure is not above on average, in millionths.
	pub line: u64,
	/// Number above which a dispute opens, in millionths.
	pub limit: u64,
	/// Highest gap that counts, in millionths; 1 to [`MAX_CLIP`].
	pub clip: u32,
	/// Highest mean difference between the figures of two verifiers for the same tokens, in millionths.
	pub agreement: u32,
	/// Expected number of checks until the smallest cheat is found that governance means to find.
	pub finds_within: u32,
}

/// Reason why a line is refused.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineError {
	/// A line of class `exact` has figures.
	#[codec(index = 0)]
	ExactHasFigures,
	/// The line is zero or above the clip: every answer or none is above it.
	#[codec(index = 1)]
	Line,
	/// The limit is zero: one close choice would open a dispute.
	#[codec(index = 2)]
	Limit,
	/// The clip is zero or above [`MAX_CLIP`].
	#[codec(index = 3)]
	Clip,
	/// A cheat is found after no check, or after more than the parameters of checks allow.
	#[codec(index = 4)]
	FindsWithin,
}

impl fmt::Display for LineError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::ExactHasFigures => "a line of class exact has only zeros, and finds within 1",
			Self::Line => "the line must be above 0 and below the clip",
			Self::Limit => "the limit must be above 0",
			Self::Clip => "the clip must be above 0 and at most 64,000,000 millionths",
			Self::FindsWithin => {
				"a cheat must be found within as many checks as the parameters of checks allow"
			},
		})
	}
}

impl core::error::Error for LineError {}

impl ModelLine {
	/// Line of class `exact`: one difference is enough.
	pub const EXACT: Self =
		Self { class: LineClass::Exact, line: 0, limit: 0, clip: 0, agreement: 0, finds_within: 1 };

	/// Checks the line. `most` is the highest number of checks within which a cheat must be found.
	///
	/// # Errors
	/// The first reason of [`LineError`] that applies.
	pub fn check(&self, most: u32) -> Result<(), LineError> {
		if self.class == LineClass::Exact {
			return if *self == Self::EXACT { Ok(()) } else { Err(LineError::ExactHasFigures) };
		}
		if self.clip == 0 || self.clip > MAX_CLIP {
			Err(LineError::Clip)
		} else if self.line == 0 || self.line >= self.clip.into() {
			Err(LineError::Line)
		} else if self.limit == 0 {
			Err(LineError::Limit)
		} else if self.finds_within == 0 || self.finds_within > most {
			Err(LineError::FindsWithin)
		} else {
			Ok(())
		}
	}

	/// Returns what figures of a receipt with so many tokens of output add to the number of its miner;
	/// `None` for class `exact`, which has none.
	///
	/// # Errors
	/// The first reason of [`FiguresRefusal`] that applies.
	pub fn figure(&self, figures: &Figures, tokens: u32) -> Result<Option<u64>, FiguresRefusal> {
		match (self.class, figures) {
			(LineClass::Exact, Figures::Exact { .. }) => Ok(None),
			(LineClass::Seeded, Figures::Seeded(seeded)) => {
				if seeded.tokens != tokens {
					Err(FiguresRefusal::OtherTokens)
				} else if seeded.are_possible(self.clip) {
					Ok(Some(seeded.figure()))
				} else {
					Err(FiguresRefusal::Impossible)
				}
			},
			(LineClass::Embedding, Figures::Embedding { cosine }) => {
				let possible = *cosine <= COSINE_ONE;
				let shortfall = cosine_shortfall(*cosine);
				if possible { Ok(Some(shortfall)) } else { Err(FiguresRefusal::Impossible) }
			},
			_ => Err(FiguresRefusal::OtherClass),
		}
	}
}

/// One, in parts of a limit.
const LIMIT: u64 = 1_000_000;

/// The number of a miner over all of its models: how much of their limits its figures have been above the
/// lines of late, in millionths. Without it a cheat would take a new model for every check.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct WideNumber(pub u64);

impl WideNumber {
	/// Adds a figure: `max(0, sum + (figure − line) · 1,000,000 / limit)`, rounded towards zero. Returns the
	/// number after it, and `true` if it is above 1,000,000, in which case it begins at 0 again.
	pub fn add(self, figure: u64, line: &ModelLine) -> (Self, bool) {
		let part = |excess: u64| {
			let part = share_of(excess.into(), LIMIT.into(), line.limit.into());
			u64::try_from(part).unwrap_or(u64::MAX)
		};
		let (above, below) = (figure.saturating_sub(line.line), line.line.saturating_sub(figure));
		let sum = self.0.saturating_add(part(above)).saturating_sub(part(below));
		if sum > LIMIT { (Self(0), true) } else { (Self(sum), false) }
	}
}

/// The number of a miner and model: how much its figures have been above the line of late.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Number(pub u64);

impl Number {
	/// Adds a figure: `max(0, sum + figure − line)`. Returns the number after it, and `true` if it is above
	/// the limit, in which case it begins at 0 again.
	pub const fn add(self, figure: u64, line: &ModelLine) -> (Self, bool) {
		let sum = self.0.saturating_add(figure).saturating_sub(line.line);
		if sum > line.limit { (Self(0), true) } else { (Self(sum), false) }
	}
}
