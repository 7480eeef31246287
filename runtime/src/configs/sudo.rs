//! `pallet_sudo`: root by a key, on a development chain and nowhere else.

use crate::{Runtime, RuntimeCall, RuntimeEvent, configs::governance::is_demonstration};
use frame_support::{traits::OnRuntimeUpgrade, weights::Weight};

impl pallet_sudo::Config for Runtime {
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}

/// Takes root from the key that a running chain has, unless its days are short: what a
/// demonstration is, nothing hangs on. From then on root is a referendum of the root track.
pub struct KeyOfDemonstrationsOnly;

impl OnRuntimeUpgrade for KeyOfDemonstrationsOnly {
	fn on_runtime_upgrade() -> Weight {
		let weight = <Runtime as frame_system::Config>::DbWeight::get();
		if is_demonstration() || !pallet_sudo::Key::<Runtime>::exists() {
			return weight.reads(2);
		}
		pallet_sudo::Key::<Runtime>::kill();
		weight.reads_writes(2, 1)
	}
}
