//! What an answer was made of and what it is: the three salted leaves of an output root.

use super::{Part, Secret, salt};
use crate::{
	H256,
	compute::Telemetry,
	crypto::merkle::{self, ProofError},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// Highest number of tokens in a prompt, and in an output.
pub const MAX_TOKENS: u32 = 1 << 20;

/// Parameters with which an answer was drawn. They have no fractions: thousandths are what the
/// request states, rounded to the nearest.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SamplingParameters {
	/// Temperature in thousandths; 0 takes the likeliest token.
	pub temperature_milli: u32,
	/// Share of the probability that is kept, in thousandths; 1,000 keeps all.
	pub top_p_milli: u32,
	/// Highest number of tokens of the output.
	pub max_tokens: u32,
	/// SHA-256 of the canonical JSON of whatever other parameters the engine was given; zero if
	/// there are none.
	pub further: H256,
}

/// Reason why an output root cannot be made, or an opening does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContentError {
	/// Prompt or output have more than [`MAX_TOKENS`] tokens.
	TooManyTokens,
	/// A request is not a leaf of an output root.
	NotALeaf,
	/// The opening does not lead to the root.
	Proof(ProofError),
}

impl fmt::Display for ContentError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::TooManyTokens => {
				write!(f, "at most {MAX_TOKENS} tokens are possible: shorten the request")
			},
			Self::NotALeaf => f.write_str("only prompt, output and sampling can be opened"),
			Self::Proof(error) => write!(f, "{error}"),
		}
	}
}

impl core::error::Error for ContentError {}

/// One opened part of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Opened {
	/// Token ids of the prompt.
	Prompt(Vec<u32>),
	/// Token ids of the output.
	Output(Vec<u32>),
	/// Sampling parameters.
	Sampling(SamplingParameters),
}

impl Opened {
	/// Returns which part it is.
	pub const fn part(&self) -> Part {
		match self {
			Self::Prompt(_) => Part::Prompt,
			Self::Output(_) => Part::Output,
			Self::Sampling(_) => Part::Sampling,
		}
	}

	/// Returns the data of the leaf: SCALE (part, salt, token ids or parameters).
	fn leaf_data(&self, salt: &H256) -> Vec<u8> {
		match self {
			Self::Prompt(tokens) | Self::Output(tokens) => (self.part(), salt, tokens).encode(),
			Self::Sampling(parameters) => (self.part(), salt, parameters).encode(),
		}
	}

	fn is_bounded(&self) -> bool {
		match self {
			Self::Prompt(tokens) | Self::Output(tokens) => {
				u32::try_from(tokens.len()).is_ok_and(|length| length <= MAX_TOKENS)
			},
			Self::Sampling(_) => true,
		}
	}
}

/// Prompt, output and sampling parameters of one answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
	/// Token ids of the prompt.
	pub prompt: Vec<u32>,
	/// Token ids of the output.
	pub output: Vec<u32>,
	/// Parameters with which the output was drawn.
	pub sampling: SamplingParameters,
}

impl Content {
	fn parts(&self) -> [Opened; 3] {
		[
			Opened::Prompt(self.prompt.clone()),
			Opened::Output(self.output.clone()),
			Opened::Sampling(self.sampling),
		]
	}

	fn leaves(&self, secret: &Secret) -> Result<Vec<H256>, ContentError> {
		self.parts()
			.iter()
			.map(|opened| {
				if !opened.is_bounded() {
					return Err(ContentError::TooManyTokens);
				}
				Ok(merkle::leaf_hash(&opened.leaf_data(&salt(secret, opened.part()))))
			})
			.collect()
	}

	/// Returns the output root: that of the salted leaves prompt, output, sampling.
	///
	/// # Errors
	/// [`ContentError::TooManyTokens`].
	pub fn root(&self, secret: &Secret) -> Result<H256, ContentError> {
		Ok(merkle::root(&self.leaves(secret)?))
	}

	/// Returns one part, with what proves it and shows nothing of the others.
	///
	/// # Errors
	/// [`ContentError::TooManyTokens`], and [`ContentError::NotALeaf`] for the request.
	pub fn open(&self, secret: &Secret, part: Part) -> Result<Opening, ContentError> {
		let leaves = self.leaves(secret)?;
		let opened = self.parts().into_iter().find(|opened| opened.part() == part);
		let index = part.leaf_index().and_then(|index| usize::try_from(index).ok());
		let path = index.and_then(|index| merkle::inclusion_proof(&leaves, index));
		let (Some(opened), Some(path)) = (opened, path) else {
			return Err(ContentError::NotALeaf);
		};
		Ok(Opening { opened, salt: salt(secret, part), path })
	}
}

/// A part of an answer with its proof against an output root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
	/// What is shown.
	pub opened: Opened,
	/// Salt of its leaf.
	pub salt: H256,
	/// Hashes from the leaf to the root.
	pub path: Vec<H256>,
}

impl Opening {
	/// Checks the opening against the output root of a receipt.
	///
	/// # Errors
	/// [`ContentError::TooManyTokens`], and [`ContentError::Proof`] if it leads to another root.
	pub fn verify(&self, output_root: &H256) -> Result<(), ContentError> {
		if !self.opened.is_bounded() {
			return Err(ContentError::TooManyTokens);
		}
		let leaf = merkle::leaf_hash(&self.opened.leaf_data(&self.salt));
		let index = self.opened.part().leaf_index().ok_or(ContentError::NotALeaf)?;
		merkle::verify_inclusion(&leaf, index, 3, &self.path, output_root)
			.map_err(ContentError::Proof)
	}

	/// Returns `true` if the number of tokens is the one that the receipt states; sampling
	/// parameters state none.
	pub fn has_the_tokens_of(&self, telemetry: &Telemetry) -> bool {
		let is = |tokens: &[u32], stated| u32::try_from(tokens.len()) == Ok(stated);
		match &self.opened {
			Opened::Prompt(tokens) => is(tokens, telemetry.input_tokens),
			Opened::Output(tokens) => is(tokens, telemetry.output_tokens),
			Opened::Sampling(_) => true,
		}
	}
}
