//! `pallet_compute_receipts`: escrow, receipts, and the only mint of AIT.

use crate::{
	AccountId, AssetsHolder, Balance, Balances, CoveragePolicy, Runtime, RuntimeHoldReason,
	Timestamp,
	configs::{EmergencyOrigin, GovernanceOrigin, TreasuryAccount},
	constants::{AICP, currency::deposit, time::MINUTES},
};
use frame_support::traits::{ConstU32, ConstU64, fungible::ItemOf};

frame_support::parameter_types! {
	/// Deposit for the row of an open job, in 10⁻¹⁸ AIT.
	pub const JobDeposit: Balance = deposit(1, 400);
}

/// AICP, as a single token that can be put on hold.
pub(crate) type AicpWithHolds = ItemOf<AssetsHolder, ConstU32<AICP>, AccountId>;

impl pallet_compute_receipts::Config for Runtime {
	type Aicp = AicpWithHolds;
	type Currency = Balances;
	type GovernanceOrigin = GovernanceOrigin;
	type JobDeposit = JobDeposit;
	type MaxCoordinators = ConstU32<1_000>;
	type MaxMiners = ConstU32<100_000>;
	type MaxScanned = ConstU32<100>;
	type PauseOrigin = EmergencyOrigin;
	// Who chooses by work has no pallet yet.
	type Recorder = ();
	type RuntimeHoldReason = RuntimeHoldReason;
	type ServiceCredit = CoveragePolicy;
	type Time = Timestamp;
	type Treasury = TreasuryAccount;
	type SubmissionLongevity = ConstU64<{ 2 * MINUTES as u64 }>;
	// Below statements of the reserve, above ordinary transfers.
	type SubmissionPriority = ConstU64<{ u64::MAX / 4 }>;
	type WeightInfo = pallet_compute_receipts::weights::SubstrateWeight<Runtime>;
}
