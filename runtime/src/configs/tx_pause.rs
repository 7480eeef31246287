//! `pallet_tx_pause`: single calls can be paused in an emergency; governance resumes them.

use crate::{
	Runtime, RuntimeCall, RuntimeEvent,
	configs::{EmergencyOrigin, GovernanceOrigin},
};
use frame_support::traits::{ConstU32, Contains};
use pallet_tx_pause::RuntimeCallNameOf;

/// Calls that cannot be paused: time, finality, the ways back for a root of one key or of several,
/// and whatever stops.
pub struct UnpausableCalls;

impl Contains<RuntimeCallNameOf<Runtime>> for UnpausableCalls {
	fn contains(name: &RuntimeCallNameOf<Runtime>) -> bool {
		let (pallet, call) = (name.0.as_slice(), name.1.as_slice());
		match pallet {
			b"Timestamp" | b"Grandpa" | b"Authorities" | b"Sudo" | b"SafeMode" | b"Multisig"
			| b"Proxy" | b"Parameters" | b"Preimage" | b"Scheduler" | b"Brakes" => true,
			b"System" => call == b"apply_authorized_upgrade",
			// Nobody takes a role its brake, or the others its lifting.
			b"Attestations" => matches!(call, b"pause" | b"stop_mint" | b"lift_stop"),
			b"MeterReadings" => call == b"pause",
			b"CoveragePolicy" | b"ComputeReceipts" => call == b"set_breaker",
			b"ModelRegistry" => call == b"stop",
			// Where one of them alone were paused, batches would mature unseen, and jurors be fined who
			// cannot speak. What stops settlement stops their clocks too.
			b"ComputeChecks" => true,
			_ => false,
		}
	}
}

impl pallet_tx_pause::Config for Runtime {
	type MaxNameLen = ConstU32<256>;
	type PauseOrigin = EmergencyOrigin;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type UnpauseOrigin = GovernanceOrigin;
	type WeightInfo = pallet_tx_pause::weights::SubstrateWeight<Runtime>;
	type WhitelistedCalls = UnpausableCalls;
}
