//! Events.

use gridproof_primitives::{
	H256,
	compute::registry::{ModelTerms, NewModel, Pending},
};

events! {
	"ModelRegistry" {
		/// A model was announced.
		ModelAnnounced {
			/// Hash of the model.
			model: H256,
			/// What it is, and the terms by which it begins to count.
			new: NewModel,
			/// Time from which it counts, in UTC milliseconds.
			effective_ms: u64,
		}
		/// Other terms of a model were announced.
		TermsAnnounced {
			/// Hash of the model.
			model: H256,
			/// The terms from then on.
			terms: ModelTerms,
			/// Time from which they hold, in UTC milliseconds.
			effective_ms: u64,
		}
		/// The retirement of a model was announced.
		RetirementAnnounced {
			/// Hash of the model.
			model: H256,
			/// Time from which it does not count, in UTC milliseconds.
			effective_ms: u64,
		}
		/// It was announced that a stopped model counts again.
		ResumptionAnnounced {
			/// Hash of the model.
			model: H256,
			/// Time from which it counts, in UTC milliseconds.
			effective_ms: u64,
		}
		/// Another default model was announced.
		DefaultAnnounced {
			/// Hash of the model, or none.
			model: Option<H256>,
			/// Time from which it is the default, in UTC milliseconds.
			effective_ms: u64,
		}
		/// Another delay was announced.
		DelayAnnounced {
			/// The delay, in milliseconds.
			delay_ms: u64,
			/// Time from which decisions take that long, in UTC milliseconds.
			effective_ms: u64,
		}
		/// What was announced was called off.
		CalledOff {
			/// Which change it was.
			pending: Pending,
		}
		/// A model was stopped.
		ModelStopped {
			/// Hash of the model.
			model: H256,
		}
		/// The row of a retired model was removed.
		ModelForgotten {
			/// Hash of the model.
			model: H256,
		}
	}
}
