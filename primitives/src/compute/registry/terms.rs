//! What a token of a model counts for, and how answers can be checked.

use crate::compute::MAX_MODEL_FACTOR;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// What repeating an answer gives.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineClass {
	/// The same answer to the last bit, on every machine.
	#[codec(index = 0)]
	Exact,
	/// The same tokens from the receipt's seed, but for choices that were close: they are compared
	/// within calibrated bounds.
	#[codec(index = 1)]
	Seeded,
}

impl EngineClass {
	/// Both classes.
	pub const ALL: [Self; 2] = [Self::Exact, Self::Seeded];

	/// Returns `exact` or `seeded`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Exact => "exact",
			Self::Seeded => "seeded",
		}
	}
}

impl fmt::Display for EngineClass {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

/// Terms by which tokens of a model count.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelTerms {
	/// Compute units a token, in thousandths, 1 to [`MAX_MODEL_FACTOR`].
	pub factor: u32,
	/// What repeating an answer gives.
	pub engine: EngineClass,
}

impl ModelTerms {
	/// Returns `true` if the factor is within its bounds.
	pub const fn is_valid(&self) -> bool {
		self.factor > 0 && self.factor <= MAX_MODEL_FACTOR
	}
}
