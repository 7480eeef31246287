//! By which model a job's receipt counts in the emission.

use super::{Quote, registry::ModelRegistry};
use crate::H256;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What decides whether the receipt of a job mints.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum JobModel {
	/// The quote alone, by the factor that it states: the job was opened before quotes named models.
	#[codec(index = 0)]
	AsQuoted,
	/// The quote names no model: the work is private, is paid, and mints nothing.
	#[codec(index = 1)]
	Private,
	/// The registry, by this model: the receipt mints if its tokens counted by the quote's factor
	/// when the job was opened.
	#[codec(index = 2)]
	Registered(H256),
}

impl JobModel {
	/// Returns what decides about a job that is opened with a quote.
	pub const fn of(quote: &Quote) -> Self {
		match quote.model {
			Some(model) => Self::Registered(model),
			None => Self::Private,
		}
	}

	/// Returns `true` if the receipt of a job mints, by what a registry remembers: of a job with this
	/// factor in thousandths, opened at this time in UTC milliseconds.
	pub fn counts<Registry: ModelRegistry>(&self, model_factor: u32, opened_ms: u64) -> bool {
		match self {
			Self::AsQuoted => true,
			Self::Private => false,
			Self::Registered(model) => Registry::counts_by(model, model_factor, opened_ms),
		}
	}
}
