//! Questions.

use crate::Query;
use gridproof_primitives::{
	H256,
	compute::registry::{ModelName, ModelView, PendingChange, Scheduled},
};

/// The model with a hash.
pub fn model(hash: H256) -> Query<Option<ModelView>> {
	Query::new("ModelRegistryApi_model", &hash)
}

/// The model with a name, in upper or lower case.
pub fn model_by_name(name: &ModelName) -> Query<Option<ModelView>> {
	Query::new("ModelRegistryApi_model_by_name", name)
}

/// Models in the order of their hashes, at most `limit` and a hundred: the first ones, or those after
/// the hash `after`.
pub fn models(after: Option<H256>, limit: u32) -> Query<Vec<ModelView>> {
	Query::new("ModelRegistryApi_models", &(after, limit))
}

/// The hash of the default model, if there is one that counts.
pub fn default_model() -> Query<Option<H256>> {
	Query::new("ModelRegistryApi_default_model", &())
}

/// What is announced and does not hold yet, earliest first.
pub fn pending() -> Query<Vec<PendingChange>> {
	Query::new("ModelRegistryApi_pending", &())
}

/// The time between a decision and its effect, in milliseconds, and what is announced about it.
pub fn delay() -> Query<Scheduled<u64>> {
	Query::new("ModelRegistryApi_delay", &())
}

/// The factor in thousandths by which tokens of a model count at a time in UTC milliseconds, past or to
/// come.
pub fn factor_at(hash: H256, time_ms: u64) -> Query<Option<u32>> {
	Query::new("ModelRegistryApi_factor_at", &(hash, time_ms))
}
