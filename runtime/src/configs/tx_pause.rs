//! `pallet_tx_pause`: single calls can be paused in an emergency; governance resumes them.

use crate::{
	Runtime, RuntimeCall, RuntimeEvent,
	configs::{EmergencyOrigin, GovernanceOrigin},
};
use frame_support::traits::{ConstU32, Contains};
use pallet_tx_pause::RuntimeCallNameOf;

/// Calls that cannot be paused: time, finality, whatever people govern by and governance decides,
/// multisigs, proxies and batches, and whatever stops.
pub struct UnpausableCalls;

impl Contains<RuntimeCallNameOf<Runtime>> for UnpausableCalls {
	fn contains(name: &RuntimeCallNameOf<Runtime>) -> bool {
		let (pallet, call) = (name.0.as_slice(), name.1.as_slice());
		match pallet {
			b"Timestamp"
			| b"Grandpa"
			| b"Authorities"
			| b"Sudo"
			| b"SafeMode"
			| b"TxPause"
			| b"Multisig"
			| b"Proxy"
			| b"Parameters"
			| b"Preimage"
			| b"Scheduler"
			| b"Brakes"
			| b"Governance"
			| b"Referenda"
			| b"ConvictionVoting"
			| b"EmergencyCommittee"
			| b"ModelRegistry" => true,
			b"System" => call == b"apply_authorized_upgrade",
			b"Utility" => matches!(call, b"batch" | b"batch_all" | b"force_batch"),
			// Nobody takes a role its brake, or the others its lifting.
			b"Attestations" => call != b"submit",
			b"MeterReadings" => {
				matches!(
					call,
					b"pause"
						| b"resume" | b"set_limits"
						| b"set_recorder" | b"set_organisation_standing"
						| b"suspend_meter" | b"reinstate_meter"
				)
			},
			b"CoveragePolicy" => matches!(call, b"set_breaker" | b"set_parameters" | b"set_issuer"),
			b"ComputeReceipts" => matches!(
				call,
				b"set_breaker"
					| b"set_parameters"
					| b"set_channel_parameters"
					| b"set_reference_rate"
					| b"admit_coordinator"
					| b"exclude_coordinator"
					| b"call_off_slashes"
					| b"ban" | b"forfeit"
			),
			b"Treasury" => !matches!(call, b"payout" | b"check_status"),
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
