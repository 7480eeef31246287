//! `pallet_model_registry`: which models count, and for how much.

use crate::{
	Runtime, Timestamp,
	configs::{EmergencyOrigin, GovernanceOrigin},
};
use frame_support::traits::ConstU32;

impl pallet_model_registry::Config for Runtime {
	type GovernanceOrigin = GovernanceOrigin;
	// Some 400 bytes each. Questions about all of them go through them.
	type MaxModels = ConstU32<256>;
	type PauseOrigin = EmergencyOrigin;
	type Time = Timestamp;
	type WeightInfo = pallet_model_registry::weights::SubstrateWeight<Runtime>;
}
