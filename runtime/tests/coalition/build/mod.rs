//! Calls of our pallets with their statements and signatures, one module a subject. What a pallet
//! changes in a call is changed here, and nowhere else in this test.

pub(crate) mod channels;
pub(crate) mod checks;
pub(crate) mod compute;
pub(crate) mod energy;
pub(crate) mod reserve;

use gridproof_runtime::RuntimeCall;

/// What the emergency account stops, through the door at which it is written down.
pub(crate) fn stopped(call: impl Into<RuntimeCall>) -> RuntimeCall {
	pallet_governance::Call::stop { call: Box::new(call.into()) }.into()
}
