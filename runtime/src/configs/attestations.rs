//! `pallet_attestations`: the daily signed statement of the reserve.

use crate::{
	CoveragePolicy, Runtime, Timestamp,
	configs::{EmergencyOrigin, GovernanceOrigin},
	constants::time::MINUTES,
};
use frame_support::traits::{ConstU32, ConstU64};

impl pallet_attestations::Config for Runtime {
	type GovernanceOrigin = GovernanceOrigin;
	type Handler = CoveragePolicy;
	// How long after its end a day can be stated or revised, in days.
	type MaxAge = ConstU32<30>;
	// Days that stay in the state; what is older is proven from the archive.
	type MaxHistory = ConstU32<400>;
	type MaxKeyHistory = ConstU32<32>;
	type MaxRevisions = ConstU32<8>;
	type PauseOrigin = EmergencyOrigin;
	type SubmissionLongevity = ConstU64<{ 10 * MINUTES as u64 }>;
	// Above ordinary transfers: there are at most a few statements a day.
	type SubmissionPriority = ConstU64<{ u64::MAX / 2 }>;
	type Time = Timestamp;
	type WeightInfo = pallet_attestations::weights::SubstrateWeight<Runtime>;
}
