//! Calls. All are for governance; what they decide holds after the delay.

use super::PALLET;
use crate::Call;
use gridproof_primitives::{
	H256,
	compute::registry::{ModelTerms, NewModel, Pending},
};

/// Announces a model.
pub fn propose_add(new: &NewModel) -> Call {
	Call::new(PALLET, "propose_add", new)
}

/// Announces other terms of a model.
pub fn propose_change(model: H256, terms: ModelTerms) -> Call {
	Call::new(PALLET, "propose_change", &(model, terms))
}

/// Announces that a model retires.
pub fn propose_retire(model: H256) -> Call {
	Call::new(PALLET, "propose_retire", &model)
}

/// Announces that a model that is stopped counts again.
pub fn propose_resume(model: H256) -> Call {
	Call::new(PALLET, "propose_resume", &model)
}

/// Announces another default model, or none.
pub fn propose_default(model: Option<H256>) -> Call {
	Call::new(PALLET, "propose_default", &model)
}

/// Announces another delay, in milliseconds.
pub fn propose_delay(delay_ms: u64) -> Call {
	Call::new(PALLET, "propose_delay", &delay_ms)
}

/// Calls off what is announced and does not hold yet.
pub fn call_off(pending: Pending) -> Call {
	Call::new(PALLET, "call_off", &pending)
}

/// Stops a model at once. For governance, and in an emergency.
pub fn stop(model: H256) -> Call {
	Call::new(PALLET, "stop", &model)
}

/// Removes a model that is retired for long enough.
pub fn forget(model: H256) -> Call {
	Call::new(PALLET, "forget", &model)
}
