//! `pallet_tx_pause`: governance can pause single calls.

use crate::{Runtime, RuntimeCall, RuntimeEvent, configs::GovernanceOrigin};
use frame_support::traits::{ConstU32, Contains};
use pallet_tx_pause::RuntimeCallNameOf;

/// Calls that cannot be paused: time, finality, and the way back.
pub struct UnpausableCalls;

impl Contains<RuntimeCallNameOf<Runtime>> for UnpausableCalls {
	fn contains(name: &RuntimeCallNameOf<Runtime>) -> bool {
		matches!(name.0.as_slice(), b"Timestamp" | b"Grandpa" | b"Sudo" | b"SafeMode")
	}
}

impl pallet_tx_pause::Config for Runtime {
	type MaxNameLen = ConstU32<256>;
	type PauseOrigin = GovernanceOrigin;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type UnpauseOrigin = GovernanceOrigin;
	type WeightInfo = pallet_tx_pause::weights::SubstrateWeight<Runtime>;
	type WhitelistedCalls = UnpausableCalls;
}
