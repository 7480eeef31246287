//! A model that is to be added.

use super::{description::ModelDescription, name::ModelNameError, terms::ModelTerms};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Highest context length, in tokens.
pub const MAX_CONTEXT_TOKENS: u32 = 16_777_216;

/// A model that is to be added: what it is, and the terms by which it begins to count.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewModel {
	/// What it is, and is named by.
	pub description: ModelDescription,
	/// Highest number of tokens of prompt and answer together, 1 to [`MAX_CONTEXT_TOKENS`].
	pub context: u32,
	/// Terms by which it begins to count.
	pub terms: ModelTerms,
}

/// Reason why a model cannot be added, whatever the chain's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NewModelError {
	/// The name cannot be a model's.
	Name(ModelNameError),
	/// The factor is zero or above [`crate::compute::MAX_MODEL_FACTOR`].
	Factor,
	/// The context length is zero or above [`MAX_CONTEXT_TOKENS`].
	Context,
}

impl fmt::Display for NewModelError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Name(error) => error.fmt(f),
			Self::Factor => f.write_str("the model's factor must be above 0 and at most 130"),
			Self::Context => f.write_str("the context must have 1 to 16777216 tokens"),
		}
	}
}

impl core::error::Error for NewModelError {}

impl NewModel {
	/// Checks what does not depend on the chain's state.
	///
	/// # Errors
	/// The first reason of [`NewModelError`] that applies.
	pub fn check(&self) -> Result<(), NewModelError> {
		self.description.name.check().map_err(NewModelError::Name)?;
		if !self.terms.is_valid() {
			Err(NewModelError::Factor)
		} else if self.context == 0 || self.context > MAX_CONTEXT_TOKENS {
			Err(NewModelError::Context)
		} else {
			Ok(())
		}
	}
}
