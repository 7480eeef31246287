//! What the pallet asks about models.

use alloc::vec::Vec;
use gridproof_primitives::{H256, compute::registry::ModelRegistry};

/// Knows by which factors the tokens of models count and counted.
pub trait Models: ModelRegistry {
	/// Returns the factors, in thousandths, by which tokens of a model counted at any time from
	/// `from_ms` to `to_ms`, both included and in UTC milliseconds. None if the model is not known,
	/// or its tokens did not count: such work is private, and no weight of it is wrong.
	fn factors(model: &H256, from_ms: u64, to_ms: u64) -> Vec<u32>;
}

/// Has no model.
impl Models for () {
	fn factors(_: &H256, _: u64, _: u64) -> Vec<u32> {
		Vec::new()
	}
}
