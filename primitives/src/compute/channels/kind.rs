//! What a batch holds receipts of: one asset and one mode.

use crate::compute::PriceAsset;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Whether the work of a channel can be checked.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
	/// A drawn verifier may read a request and its answer; the work counts in the emission.
	#[codec(index = 0)]
	Ordinary,
	/// Nothing is ever opened, and nothing is minted.
	#[codec(index = 1)]
	Private,
}

/// Asset and mode of a channel, and of every batch that settles it.
///
/// Running sums of a miner are counted for each kind separately: so the range of a batch joins the
/// last batch of its kind, whatever lies between them.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchKind {
	/// Asset in which the receipts are paid.
	pub asset: PriceAsset,
	/// Mode of the channels.
	pub mode: Mode,
}

impl BatchKind {
	/// Returns `true` if work of this kind can mint at all: nobody receives service credit, and
	/// private work cannot be checked.
	pub const fn mints(&self) -> bool {
		matches!(self.mode, Mode::Ordinary) && !matches!(self.asset, PriceAsset::ServiceCredit)
	}
}
