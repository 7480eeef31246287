//! Runtime API: models, the default, what is announced. All types are in
//! [`gridproof_primitives::compute::registry`].

use alloc::vec::Vec;
use gridproof_primitives::{
	H256,
	compute::registry::{ModelName, ModelView, PendingChange, Scheduled},
};

sp_api::decl_runtime_apis! {
	/// Queries of the model registry.
	pub trait ModelRegistryApi {
		/// Returns the model with a hash.
		fn model(hash: H256) -> Option<ModelView>;

		/// Returns the model with a name, in upper or lower case.
		fn model_by_name(name: ModelName) -> Option<ModelView>;

		/// Returns at most `limit` models, and no more than a hundred, in the order of their hashes:
		/// the first ones, or those after the hash `after`.
		fn models(after: Option<H256>, limit: u32) -> Vec<ModelView>;

		/// Returns the hash of the default model, `None` if there is none that counts.
		fn default_model() -> Option<H256>;

		/// Returns all changes that are announced and have not taken effect, earliest first.
		fn pending() -> Vec<PendingChange>;

		/// Returns the time between a decision and its effect, in milliseconds, and what is announced
		/// about it.
		fn delay() -> Scheduled<u64>;

		/// Returns the factor in thousandths by which tokens of a model count at a time in UTC
		/// milliseconds, past or to come; `None` if they do not.
		fn factor_at(hash: H256, time_ms: u64) -> Option<u32>;
	}
}
